/** Numbers read from bytes are those that JavaScript reads from text, to the last bit. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBits } from '../../../model/index.ts';
import { parseDecimal, parseNumber } from '../../../scrape/exposition/decimal.ts';

const encoder = new TextEncoder();
const digits = (max: number) =>
  fc.array(fc.nat(9), { minLength: 1, maxLength: max }).map((list) => list.join(''));

/** Decimal texts of every length, with and without point and exponent. */
const decimalText = fc
  .record({
    sign: fc.constantFrom('', '-', '+'),
    whole: digits(22),
    fraction: fc.option(digits(22), { nil: null }),
    exponent: fc.option(fc.integer({ min: -330, max: 330 }), { nil: null }),
    letter: fc.constantFrom('e', 'E'),
  })
  .map(({ sign, whole, fraction, exponent, letter }) => {
    const point = fraction === null ? '' : `.${fraction}`;
    return `${sign}${whole}${point}${exponent === null ? '' : `${letter}${exponent}`}`;
  });
/** The shortest text of any double, which is what programs print. */
const shortestText = fc
  .tuple(fc.integer({ min: 0, max: 0x7fef_ffff }), fc.integer({ min: 0, max: 0xffff_ffff }))
  .map(([high, low]) => String(fromBits(high, low)));
/** Numbers with all their digits near the middle between two doubles, where rounding is hardest. */
const middleText = fc
  .tuple(fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n }), fc.constantFrom(-1n, 0n, 1n), fc.nat(18))
  .map(([mantissa, nudge, point]) => {
    const text = String((mantissa * 2n + 1n) * 5n * 100n + nudge);
    return `${text.slice(0, -point || undefined)}.${point === 0 ? '0' : text.slice(-point)}`;
  });

test('every decimal number is read exactly', () => {
  fc.assert(
    fc.property(fc.oneof(decimalText, shortestText, middleText), (text) => {
      const bytes = encoder.encode(text);
      const expected = Number(text);
      const fast = parseDecimal(bytes, 0, bytes.length);
      if (!Number.isNaN(fast)) expect(fast).toBe(expected);
      const complete = parseNumber(bytes, 0, bytes.length);
      expect(complete).toBe(Number.isFinite(expected) ? expected : 'value out of range');
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ['NaN', NaN],
  ['nan', NaN],
  ['Inf', Infinity],
  ['+inf', Infinity],
  ['-Infinity', -Infinity],
  ['.5', 0.5],
  ['5.', 5],
  ['-0', -0],
  ['1e400', 'value out of range'],
  ['', 'invalid syntax'],
  ['.', 'invalid syntax'],
  ['1e', 'invalid syntax'],
  ['--1', 'invalid syntax'],
  ['0x10', 'invalid syntax'],
  ['+nan', 'invalid syntax'],
  ['1.1.1', 'invalid syntax'],
  ['infinit', 'invalid syntax'],
])('%j is %j', (text, expected) => {
  const bytes = encoder.encode(text);
  expect(parseNumber(bytes, 0, bytes.length)).toBe(expected);
});
