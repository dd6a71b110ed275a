/** What Prometheus 3.14's `format_query` answers, asked query by query. */
import { describe, expect, test } from 'vitest';
import { ALL_FEATURES } from '../../../promql/parser/options.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';
import { prettyExpr } from '../../../promql/parser/pretty.ts';
import { printExpr } from '../../../promql/parser/print.ts';

describe('on one line', () => {
  test.each([
    ['foo[5m] offset (step() + 1h / 2)', 'foo[5m] offset (step() + 1h / 2)'],
    ['foo[-min_of(step(), 5m) * 3]', 'foo[-min_of(step(), 5m) * 3]'],
    ['foo offset -(1h+5)', 'foo offset -(1h + 5)'],
    ['foo offset +step()', 'foo offset step()'],
    ['foo[((5m+3))*2]', 'foo[(5m + 3) * 2]'],
    ['foo[(5m)]', 'foo[5m]'],
    ['foo[-(step())]', 'foo[-(step())]'],
    ['foo[90s]', 'foo[1m30s]'],
    ['foo[1e5]', 'foo[1d3h46m40s]'],
    ['foo[1y2w3d]', 'foo[382d]'],
    ['foo offset 0', 'foo'],
    ['foo[5m:1m] @ 5 offset 3m', 'foo[5m:1m] @ 5.000 offset 3m'],
    ['foo @ 1e10', 'foo @ 10000000000.000'],
    ['foo offset 5m @ start()', 'foo @ start() offset 5m'],
    ['foo anchored offset 5m @ 5', 'foo @ 5.000 anchored offset 5m'],
    ['foo[5m] smoothed offset -5m @ end()', 'foo[5m] smoothed @ end() offset -5m'],
    ['a + on(x) group_left(y) fill(3) b', 'a + on (x) group_left (y) fill (3) b'],
    ['a + on(x) group_left b', 'a + on (x) group_left () b'],
    ['a + ignoring() b', 'a + b'],
    ['a + ignoring() group_right(z) b', 'a + ignoring () group_right (z) b'],
    ['a + on() b', 'a + on () b'],
    ['1 + on() a', '1 + a'],
    ['a + fill_left(-3) fill_right(5m) b', 'a + fill_left (-3) fill_right (300) b'],
    ['a > bool on(x) b', 'a > bool on (x) b'],
    ['{"foo", a=~"x.*"}', '{__name__="foo",a=~"x.*"}'],
    ['{z="1",__name__="foo",a="b"}', '{__name__="foo",a="b",z="1"}'],
    ['{"a b"="c d", "e"="f"}', '{"a b"="c d",e="f"}'],
    ['foo{a="b",}', 'foo{a="b"}'],
    ['foo{}', 'foo'],
    ['-foo + +2', '-foo + 2'],
    ['--foo', '--foo'],
    ['-(2)', '-(2)'],
    ['- - 2', '2'],
    ['topk(5, a) by (b)', 'topk by (b) (5, a)'],
    ['sum by() (a)', 'sum(a)'],
    ['sum without() (a)', 'sum without () (a)'],
    ['sum by("a b",c) (a)', 'sum by ("a b", c) (a)'],
    ['1e-7', '0.0000001'],
    ['1e21', '1000000000000000000000'],
    ['0x10', '16'],
    ['Inf', '+Inf'],
    ['NaN', 'NaN'],
    ['90s', '1m30s'],
    ['36h', '1d12h'],
    ['14d', '2w'],
    ['SUM(a) AND b', 'sum(a) and b'],
    ['rate(foo[5m])', 'rate(foo[5m])'],
    ['round(foo,5)', 'round(foo, 5)'],
    ['a</5 atan2 b', 'a </ 5 atan2 b'],
  ])('%j prints as %j', (query, line) => {
    const expr = parseExpr(query, ALL_FEATURES);
    expect(printExpr(expr)).toBe(line);
    expect(prettyExpr(expr)).toBe(line);
  });
});

describe('broken into lines', () => {
  test.each([
    [
      'sum by (x,y) (rate(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[5m]) + aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)',
      'sum by (x, y) (\n    rate(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa[5m])\n  +\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n)',
    ],
    [
      'topk(5, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)',
      'topk(\n  5,\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  +\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n)',
    ],
    [
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + on(x,y) group_left(z) fill(3) aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      '  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n+ on (x, y) group_left (z) fill (3)\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    ],
    [
      'time() + aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + 5',
      '    time()\n  +\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n+\n  5',
    ],
    [
      '-(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)',
      '-(\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  +\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n)',
    ],
    [
      'sum(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)[5m:1m] offset 3m @ 5',
      'sum(\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  +\n    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n)[5m:1m] @ 5.000 offset 3m',
    ],
    [
      'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa * aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)',
      '  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n+\n  (\n      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n    *\n      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  )',
    ],
    [
      'histogram_quantile(0.9, sum by (le) (rate(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{a="b"}[5m])))',
      'histogram_quantile(\n  0.9,\n  sum by (le) (\n    rate(\n      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{a="b"}[5m]\n    )\n  )\n)',
    ],
    [
      'quantile_over_time(0.5, sum by (foo) (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab)[10m:] offset 50m)',
      'quantile_over_time(\n  0.5,\nsum by (foo) (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab)[10m:] offset 50m\n)',
    ],
    [
      'foo{a="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",b="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}[5m]',
      'foo{a="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",b="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}[5m]',
    ],
  ])('%j', (query, lines) => {
    expect(prettyExpr(parseExpr(query, ALL_FEATURES))).toBe(lines);
  });
});

describe('where Prometheus prints what reads differently, we do not', () => {
  test.each([
    // It prints `foo offset 5m + 3`, which adds 3 to the values.
    ['foo offset (5m) + 3', 'foo offset (5m + 3)'],
    // It prints `info(foo, )`.
    ['info(foo, {})', 'info(foo, {})'],
    // It prints `1s8ms`.
    ['foo[1009ms + step()]', 'foo[1s9ms + step()]'],
  ])('%j prints as %j', (query, line) => {
    expect(printExpr(parseExpr(query, ALL_FEATURES))).toBe(line);
  });
});
