import { describe, expect, test } from 'vitest';
import { quoteText } from '../../../model/index.ts';
import type { NumberLiteral, StringLiteral } from '../../../promql/ast.ts';
import { scanNumber } from '../../../promql/parser/numbers.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';

const numberOf = (query: string) => (parseExpr(query) as NumberLiteral).value;
const stringOf = (query: string) => (parseExpr(query) as StringLiteral).value;

describe('number literals', () => {
  test.each([
    ['0', 0],
    ['5.', 5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1E-3', 0.001],
    ['1_000', 1000],
    ['1.5_5', 1.55],
    ['1e1_0', 1e10],
    ['0x1F', 31],
    ['0x_5', 5],
    ['0xe', 14],
    ['0x1e1', 481],
    ['017', 15],
    ['0_1', 1],
    ['08', 8],
    ['Inf', Infinity],
    ['-iNF', -Infinity],
    ['1e-400', 0],
    ['123456789012345678901234567890', 123456789012345680000000000000],
    ['9007199254740993', 9007199254740992],
    ['1h30m', 5400],
    ['1ms', 0.001],
    ['1y2w3d4h5m6s7ms', 33019506.007],
    ['-2h', -7200],
  ])('%j is %d', (query, value) => {
    expect(numberOf(query)).toBe(value);
  });

  test('NaN in any case', () => {
    expect(numberOf('nAn')).toBeNaN();
  });

  test('minus zero keeps its sign', () => {
    expect(Object.is(numberOf('-0'), -0)).toBe(true);
  });

  test.each([
    ['5foo', 1],
    ['1.2.3', 4],
    ['1m5', 3],
    ['5mm', 3],
    ['0x1e', 4],
    ['1__0', 3],
  ])('the refusal of %j quotes %d characters', (text, length) => {
    const quoted = JSON.stringify(text.slice(0, length));
    expect(() => scanNumber(text, 0)).toThrow(`bad number or duration syntax: ${quoted}`);
  });

  test('know whether they were written with units', () => {
    expect(parseExpr('1h')).toMatchObject({ isDuration: true, value: 3600 });
    expect(parseExpr('3600')).toMatchObject({ isDuration: false, value: 3600 });
  });
});

describe('string literals', () => {
  test.each([
    [String.raw`"\a\b\f\n\r\t\v\\\""`, '\x07\b\f\n\r\t\v\\"'],
    [String.raw`'\''`, "'"],
    [String.raw`"\x41\101\u00e9\U0001F600"`, 'AAé😀'],
    ['`raw \\n\n"\'`', 'raw \\n\n"\''],
    ['"日本"', '日本'],
    ['""', ''],
    [String.raw`"a\x00b"`, 'a\0b'],
  ])('%s', (query, value) => {
    expect(stringOf(query)).toBe(value);
  });

  test('bytes that form a character become it', () => {
    expect(stringOf(String.raw`"\xc3\xa9\360\237\230\200"`)).toBe('é😀');
  });

  test('bytes that are no UTF-8 are kept, printed as they were, and encoded as replacements', () => {
    const value = stringOf(String.raw`"a\xffb\xe6\x97"`);
    expect(value.isWellFormed()).toBe(false);
    expect(quoteText(value)).toBe(String.raw`"a\xffb\xe6\x97"`);
    expect(new TextDecoder().decode(new TextEncoder().encode(value))).toBe('a\ufffdb\ufffd\ufffd');
  });
});
