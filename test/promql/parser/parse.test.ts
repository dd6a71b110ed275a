import { describe, expect, test } from 'vitest';
import {
  type Binary,
  type Call,
  childrenOf,
  type Expr,
  type MatrixSelector,
  type Subquery,
  typeOf,
  type VectorSelector,
  walk,
} from '../../../promql/ast.ts';
import { loadChevrotain } from '../../../promql/parser/chevrotain.ts';
import { createGrammar } from '../../../promql/parser/grammar.ts';
import { ALL_FEATURES } from '../../../promql/parser/options.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';

const parse = (query: string): Expr => parseExpr(query, ALL_FEATURES);

test('the grammar passes the checks of the parser toolkit', () => {
  expect(() => createGrammar(loadChevrotain(), false)).not.toThrow();
});

/** Fully parenthesised, to show how operators bind. */
function bindings(expr: Expr): string {
  if (expr.kind === 'Binary') {
    return `(${bindings(expr.left)} ${expr.operator} ${bindings(expr.right)})`;
  }
  if (expr.kind === 'Unary') return `(${expr.operator}${bindings(expr.expr)})`;
  if (expr.kind === 'NumberLiteral') return String(expr.value);
  return expr.kind === 'VectorSelector' ? expr.name : expr.kind;
}

describe('precedence', () => {
  test.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['2 * 3 % 2', '((2 * 3) % 2)'],
    ['-1 ^ 2', '(-(1 ^ 2))'],
    ['-a * b', '((-a) * b)'],
    ['a ^ -b ^ c', '(a ^ (-(b ^ c)))'],
    ['a ^ -b * c', '((a ^ (-b)) * c)'],
    ['2 ^ -1', '(2 ^ -1)'],
    ['1 +-+- 2', '(1 + 2)'],
    ['a or b and c unless d', '(a or ((b and c) unless d))'],
    ['a == b + c > d', '((a == (b + c)) > d)'],
    ['a </ 5 >/ 6', '((a </ 5) >/ 6)'],
    ['a atan2 b * c', '((a atan2 b) * c)'],
    ['a AND b Or c', '((a and b) or c)'],
    ['-a offset 5m', '(-a)'],
  ])('%j is %j', (query, bound) => {
    expect(bindings(parse(query))).toBe(bound);
  });
});

describe('words', () => {
  test.each([
    'sum',
    'by',
    'and',
    'offset',
    'start',
    'step',
    'fill',
    'anchored',
    'min_of',
    'a:b',
    ':',
  ])('%j is a metric name where one fits', (name) => {
    expect(parse(name)).toMatchObject({ kind: 'VectorSelector', name });
    expect(parse(`rate(${name}[5m])`)).toMatchObject({ kind: 'Call' });
  });

  test('keywords are label names in braces and lists', () => {
    expect(parse('x{on="1",by="2",without="3",sum="4",inf="5"}')).toMatchObject({ name: 'x' });
    expect(parse('sum by (on, bool, atan2, "a b", a:b,) (x)')).toMatchObject({
      grouping: ['on', 'bool', 'atan2', 'a b', 'a:b'],
    });
  });

  test('comments and line breaks are white space', () => {
    expect(bindings(parse('# first\na # one\n+ # two\r\n\tb#three'))).toBe('(a + b)');
  });
});

describe('selectors', () => {
  test('carry their matchers, the name last', () => {
    const { name, matchers } = parse('up{job="x",a!~"b.*",}') as VectorSelector;
    expect([name, ...matchers.map(String)]).toEqual(['up', 'job="x"', 'a!~"b.*"', '__name__="up"']);
  });

  test('take quoted names in braces', () => {
    const { name, matchers } = parse('{"a b", "c d"="e"}') as VectorSelector;
    expect([name, ...matchers.map(String)]).toEqual(['', '__name__="a b"', '"c d"="e"']);
  });

  test.each([
    ['a[5m]', 300_000],
    ['a[300]', 300_000],
    ['a[0.5]', 500],
    ['a[1_000]', 1_000_000],
    ['a[0x10]', 16_000],
    ['a[(5m)]', 300_000],
    ['a[1h30m5ms]', 5_400_005],
    ['a[1009ms]', 1009],
    ['a[1.009]', 1009],
  ])('%j looks back %d ms', (query, window) => {
    expect((parse(query) as MatrixSelector).window).toBe(window);
  });

  test('take offset and @ in either order, before or behind', () => {
    expect(parse('a[5m] @ 1.5 offset -3m')).toMatchObject({
      vector: { at: 1500, offset: -180_000 },
    });
    expect(parse('a offset 1w @ end()')).toMatchObject({ at: 'end', offset: 604_800_000 });
    expect(parse('a[5m:] offset 3m @ start()')).toMatchObject({ at: 'start', offset: 180_000 });
    expect(parse('a @ start() [5m]')).toMatchObject({ vector: { at: 'start' } });
  });

  test('have a step or the default one in subqueries', () => {
    expect((parse('a[5m:1m]') as Subquery).step).toBe(60_000);
    expect((parse('a[5m:]') as Subquery).step).toBeNull();
  });

  test('keep duration expressions as trees', () => {
    expect(parse('a[step() * 2 + 5m] offset -(1h / 2)')).toMatchObject({
      window: {
        kind: 'DurationBinary',
        operator: '+',
        left: { operator: '*', left: { kind: 'DurationCall', name: 'step' } },
        right: { value: 300, isDuration: true },
      },
      vector: { offset: { kind: 'DurationUnary', operand: { wrapped: true, operator: '/' } } },
    });
  });

  test('an offset ends at its quantity, unless it began with a parenthesis', () => {
    expect(parse('a offset 5m + 3')).toMatchObject({ kind: 'Binary', left: { offset: 300_000 } });
    expect(parse('a offset step() + 3')).toMatchObject({ kind: 'Binary' });
    expect(parse('a offset (5m) + 3')).toMatchObject({ kind: 'VectorSelector' });
    expect(parse('a offset -(5m) + 3')).toMatchObject({ kind: 'Binary' });
  });

  test('can be anchored or smoothed', () => {
    expect(parse('a[5m] anchored')).toMatchObject({ vector: { anchored: true, smoothed: false } });
    expect(parse('a smoothed')).toMatchObject({ anchored: false, smoothed: true });
  });
});

describe('operators', () => {
  test('carry how series find each other', () => {
    const matchingOf = (query: string) => (parse(query) as Binary).matching;
    expect(matchingOf('a + b')).toMatchObject({ cardinality: 'one-to-one', on: false, labels: [] });
    expect(matchingOf('a and b')).toMatchObject({ cardinality: 'many-to-many' });
    expect(matchingOf('a + on(x,) group_left(y) fill(0) b')).toEqual({
      cardinality: 'many-to-one',
      on: true,
      labels: ['x'],
      include: ['y'],
      fillLeft: 0,
      fillRight: 0,
    });
    expect(matchingOf('a + ignoring(x) group_right fill_right(-1) fill_left(5m) b')).toMatchObject({
      cardinality: 'one-to-many',
      on: false,
      fillLeft: 300,
      fillRight: -1,
    });
    expect(matchingOf('a + 1')).toBeNull();
    expect(matchingOf('1 + on() a')).toBeNull();
  });

  test('know whether they return 0 and 1', () => {
    expect(parse('a > bool b')).toMatchObject({ returnBool: true });
    expect(parse('a > b')).toMatchObject({ returnBool: false });
  });
});

describe('positions', () => {
  test.each([
    [
      'rate(up{a="b"}[5m]) + 1',
      ['rate(up{a="b"}[5m]) + 1', 'rate(up{a="b"}[5m])', 'up{a="b"}[5m]', 'up{a="b"}', '1'],
    ],
    ['sum by (x) (a offset 5m)', ['sum by (x) (a offset 5m)', 'a offset 5m']],
    ['topk(-5, (a))', ['topk(-5, (a))', '-5', '(a)', 'a']],
  ])('of %j and its parts', (query, parts) => {
    const seen: string[] = [];
    walk(parse(query), ({ range }) => void seen.push(query.slice(range.start, range.end)));
    expect(seen).toEqual(parts);
  });

  test('of an operator', () => {
    const query = 'a  >= bool b';
    const { start, end } = (parse(query) as Binary).operatorRange;
    expect(query.slice(start, end)).toBe('>=');
  });
});

describe('trees', () => {
  test.each([
    ['1', 'scalar'],
    ['"s"', 'string'],
    ['a', 'vector'],
    ['a[5m]', 'matrix'],
    ['a[5m:]', 'matrix'],
    ['(1 + 2)', 'scalar'],
    ['-a', 'vector'],
    ['a > 1', 'vector'],
    ['time()', 'scalar'],
    ['rate(a[5m])', 'vector'],
    ['sum(a)', 'vector'],
  ])('%j gives a %s', (query, type) => {
    expect(typeOf(parse(query))).toBe(type);
  });

  test('are walked from the top, and not below where the visitor says so', () => {
    const kinds: string[] = [];
    walk(parse('topk(5, rate(a[5m])) + b'), (expr) => {
      kinds.push(expr.kind);
      return expr.kind !== 'Call';
    });
    expect(kinds).toEqual(['Binary', 'Aggregation', 'NumberLiteral', 'Call', 'VectorSelector']);
    expect(childrenOf(parse('5'))).toEqual([]);
  });

  test('keep the signature of what they call', () => {
    const { func, args } = parse('round(a, 5)') as Call;
    expect([func.name, func.returnType, args.length]).toEqual(['round', 'vector', 2]);
  });
});
