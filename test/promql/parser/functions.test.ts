import { expect, test } from 'vitest';
import { argCountMax, argCountMin, argTypeAt, FUNCTIONS } from '../../../promql/functions.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';

const SAMPLES = { scalar: '1', vector: 'foo', matrix: 'foo[5m]', string: '"s"' } as const;

test('there are 90 functions, 17 of them experimental', () => {
  const functions = [...FUNCTIONS.values()];
  expect(functions).toHaveLength(90);
  expect(functions.filter(({ experimental }) => experimental)).toHaveLength(17);
  expect(functions.filter(({ doc }) => !/^.+\.$/.test(doc))).toEqual([]);
});

test.each([
  ['rate', 1, 1],
  ['round', 1, 2],
  ['time', 0, 0],
  ['label_join', 3, Infinity],
  ['histogram_quantiles', 3, 12],
  ['year', 0, 1],
  ['info', 1, 2],
])('%s takes %d to %d arguments', (name, min, max) => {
  const func = FUNCTIONS.get(name)!;
  expect([argCountMin(func), argCountMax(func)]).toEqual([min, max]);
});

test('every function can be called with what its signature says', () => {
  for (const func of FUNCTIONS.values()) {
    const count = Math.min(argCountMax(func), func.argTypes.length + 1);
    const args = Array.from({ length: count }, (_, index) =>
      func.name === 'info' && index === 1 ? '{a="b"}' : SAMPLES[argTypeAt(func, index)],
    );
    const query = `${func.name}(${args.join(', ')})`;
    const parse = () => parseExpr(query, { experimentalFunctions: true });
    expect(parse, query).not.toThrow();
    if (func.experimental) expect(() => parseExpr(query)).toThrow('is not enabled');
  }
});
