/** Texts and positions of Prometheus 3.14's `parse_query`, asked query by query. */
import { describe, expect, test } from 'vitest';
import { PromqlParseError } from '../../../promql/parser/errors.ts';
import { ALL_FEATURES, type ParserOptions } from '../../../promql/parser/options.ts';
import { parseExpr, parseSelector } from '../../../promql/parser/parse.ts';

function messageOfParsing(query: string, options: ParserOptions): string {
  try {
    parseExpr(query, options);
  } catch (error) {
    expect(error).toBeInstanceOf(PromqlParseError);
    return (error as Error).message.replace('parse error: ', '');
  }
  return 'parsed';
}

describe('refuses with all features', () => {
  test.each([
    ['', 'unknown position: no expression found in input'],
    [' # only a comment', '1:1: no expression found in input'],
    ['foo foo', '1:5: unexpected identifier "foo"'],
    ['foo a:b', '1:5: unexpected metric identifier "a:b"'],
    ['foo 5', '1:5: unexpected number "5"'],
    ['foo 12345678901', '1:5: unexpected number "1234567890"...'],
    ['foo 5m', '1:5: unexpected duration "5m"'],
    ['foo "s"', '1:5: unexpected string "\\"s\\""'],
    ['foo "日本語x"', '1:5: unexpected string "\\"日本語x\\""...'],
    ['foo <', '1:6: unexpected end of input'],
    ['foo @', '1:6: unexpected end of input in @, expected timestamp'],
    ['foo and', '1:8: unexpected end of input'],
    ['foo by', '1:5: unexpected <by>'],
    ['foo bool', '1:5: unexpected <bool>'],
    ['foo sum', '1:5: unexpected <aggr:sum>'],
    ['foo START', '1:5: unexpected "START"'],
    ['foo fill', '1:5: unexpected identifier "fill"'],
    [
      'foo offset',
      '1:11: unexpected end of input in offset, expected number, duration, step(), or range()',
    ],
    ['foo == ==', '1:8: unexpected <op:==>'],
    ['foo == =', '1:8: unexpected "="'],
    ['foo =~ "x"', "1:5: unexpected character after '=': '~'"],
    ['foo ! "x"', "1:5: unexpected character after '!': ' '"],
    ['foo > = 5', '1:7: unexpected "="'],
    ['on', '1:1: unexpected <on>'],
    ['atan2', '1:1: unexpected <op:atan2>'],
    ['bool + 1', '1:1: unexpected <bool>'],
    ['by by by', '1:4: unexpected <by>'],
    ['and(a)', '1:4: unexpected "("'],
    ['fill(5)', '1:5: unexpected "("'],
    ['foo:bar(a)', '1:8: unexpected "("'],
    ['(a b)', '1:4: unexpected identifier "b"'],
    ['(a', '1:3: unclosed left parenthesis'],
    ['a)', "1:3: unexpected right parenthesis ')'"],
    ['()', '1:2: unexpected ")"'],
    ['a}', "1:2: unexpected character: '}'"],
    ['a]', "1:2: unexpected right bracket ']'"],
    ['a $', "1:3: unexpected character: '$'"],
    ['a é', "1:3: unexpected character: 'é'"],
    ['"é" $', "1:6: unexpected character: '$'"],
    ['foo +\n"é" + $', "2:8: unexpected character: '$'"],
    ['{', '1:2: unexpected end of input inside braces'],
    ['{a', '1:3: unexpected end of input inside braces'],
    ['{a=', '1:4: unexpected end of input inside braces'],
    ['{a="x"', '1:7: unexpected end of input inside braces'],
    ['{a="x",', '1:8: unexpected end of input inside braces'],
    ['{,}', '1:2: unexpected "," in label matching, expected identifier or "}"'],
    ['{a,}', '1:3: unexpected "," in label matching, expected label matching operator'],
    ['{a b}', '1:4: unexpected identifier "b" in label matching, expected label matching operator'],
    ['{a=b}', '1:4: unexpected identifier "b" in label matching, expected string'],
    ['{a="b" c="d"}', '1:8: unexpected identifier "c" in label matching, expected "," or "}"'],
    ['{"a" b}', '1:6: unexpected identifier "b" in label matching, expected "," or "}"'],
    ['{a==b}', '1:4: unexpected "=" in label matching, expected string'],
    ['{a="b",,}', '1:8: unexpected "," in label matching, expected identifier or "}"'],
    ['{a:b="c"}', "1:3: unexpected character inside braces: ':'"],
    ['{5="x"}', "1:2: unexpected character inside braces: '5'"],
    ['{{', "1:2: unexpected left brace '{'"],
    ['{a!"b"}', "1:3: unexpected character after '!' inside braces: '\"'"],
    ['{é="x"}', "1:2: unexpected character inside braces: 'é'"],
    ['foo{"bar"}', '1:1: metric name must not be set twice: "foo" or "bar"'],
    ['foo{__name__="bar"}', '1:1: metric name must not be set twice: "foo" or "bar"'],
    ['foo{__name__=~"b.*"}', '1:1: metric name must not be set twice: "foo" or "b.*"'],
    ['{}', '1:1: vector selector must contain at least one non-empty matcher'],
    ['{a=""}', '1:1: vector selector must contain at least one non-empty matcher'],
    ['{a=~".*"}', '1:1: vector selector must contain at least one non-empty matcher'],
    ['{a!="x"}', '1:1: vector selector must contain at least one non-empty matcher'],
    ['{a=~"("}', '1:2: error parsing regexp: missing closing ): `(`'],
    ['{a=~"a{1001}"}', '1:2: error parsing regexp: invalid repeat count: `{1001}`'],
    ['{a!~"[b-a]"}', '1:2: error parsing regexp: invalid character class range: `b-a`'],
    ['{a=~"x(?=y)"}', '1:2: error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    ['"abc', '1:1: unterminated quoted string'],
    ["'a\\q'", "1:1: unknown escape sequence U+0071 'q'"],
    ['"\\x4"', "1:1: illegal character U+0022 '\"' in escape sequence"],
    ['"\\777"', '1:1: escape sequence is an invalid Unicode code point'],
    ['"\\ud800"', '1:1: escape sequence is an invalid Unicode code point'],
    ['`abc', '1:1: unterminated raw string'],
    ['0x', '1:1: error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax'],
    ['0x5g', '1:1: bad number or duration syntax: "0x5"'],
    ['0x1e', '1:1: bad number or duration syntax: "0x1e"'],
    ['1e', '1:1: bad number or duration syntax: "1e"'],
    ['1.5.5', '1:1: bad number or duration syntax: "1.5."'],
    ['1__0', '1:1: bad number or duration syntax: "1__"'],
    ['1_', '1:1: bad number or duration syntax: "1_"'],
    ['5mm', '1:1: bad number or duration syntax: "5mm"'],
    ['1m5', '1:1: bad number or duration syntax: "1m5"'],
    ['30s1m', '1:1: not a valid duration string: "30s1m"'],
    ['1ms1s', '1:1: not a valid duration string: "1ms1s"'],
    ['1.5h', '1:1: unknown unit "." in duration "1.5h"'],
    ['0xAbm', '1:1: unknown unit "xAbm" in duration "0xAbm"'],
    ['1000y', '1:1: duration out of range'],
    ['99999999999999999999y', '1:1: not a valid duration string: "99999999999999999999y"'],
    ['1e400', '1:1: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range'],
    [
      '0x8000000000000000',
      '1:1: error parsing number: strconv.ParseFloat: parsing "0x8000000000000000": invalid syntax',
    ],
    ['foo[', '1:5: unexpected end of input in duration expression'],
    [
      'foo[]',
      '1:5: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['foo[5m', '1:7: unclosed left bracket'],
    ['foo[5m:', '1:8: unclosed left bracket'],
    ['foo[5m:5m', '1:10: unclosed left bracket'],
    ['foo[5m 3]', '1:8: unexpected number "3" in subquery or range, expected ":" or "]"'],
    ['foo[5m foo]', "1:8: unexpected character: 'f', expected ':'"],
    ['foo[5m:5m 3]', '1:11: unexpected number "3" in subquery selector, expected "]"'],
    ['foo[5m:5m:5m]', "1:10: unexpected colon ':'"],
    ['foo[:5m]', '1:6: unexpected colon before duration in duration expression'],
    ['foo[step():5m]', '1:12: unexpected colon before duration in duration expression'],
    ['foo[foo]', "1:5: unexpected character in duration expression: 'f'"],
    ['foo["x"]', "1:5: unexpected character in duration expression: '\"'"],
    ['foo[#\n5m]', "1:5: unexpected character in duration expression: '#'"],
    ['foo[[5m]]', "1:5: unexpected character in duration expression: '['"],
    [
      'foo[5m+]',
      '1:8: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    [
      'foo[(5m]',
      '1:8: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    [
      'foo[step]',
      '1:9: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['foo[steps()]', "1:5: unexpected character in duration expression: 's'"],
    [
      'foo[min_of(1)]',
      '1:13: unexpected ")" in subquery or range selector, expected number, duration, step(), or range()',
    ],
    ['foo[5m + start()]', "1:10: unexpected character: 's', expected ':'"],
    ['foo[0]', '1:5: duration must be greater than 0'],
    ['foo[-5m]', '1:5: duration must be greater than 0'],
    ['foo[5m:0]', '1:8: duration must be greater than 0'],
    ['foo[5m:-1m]', '1:8: duration must be greater than 0'],
    ['foo[1/0]', '1:6: division by zero'],
    ['foo[5 % 0]', '1:7: modulo by zero'],
    ['foo[1e18]', '1:5: duration out of range'],
    ['foo[5m + 1e18]', '1:10: duration out of range'],
    ['5[5m]', '1:2: ranges only allowed for vector selectors'],
    ['"s"[5m]', '1:4: ranges only allowed for vector selectors'],
    ['sum(a)[5m]', '1:7: ranges only allowed for vector selectors'],
    ['a[5m][5m]', '1:6: ranges only allowed for vector selectors'],
    ['a offset 5m[5m]', '1:12: no offset modifiers allowed before range'],
    ['a @ 5[5m]', '1:6: no @ modifiers allowed before range'],
    ['a[5m:][5m:]', '1:1: subquery is only allowed on instant vector, got matrix instead'],
    ['a[5m][5m:]', '1:1: subquery is only allowed on instant vector, got matrix instead'],
    ['time()[5m:]', '1:1: subquery is only allowed on instant vector, got scalar instead'],
    [
      'a offset b',
      '1:10: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    ],
    [
      'a offset (b',
      '1:11: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    ],
    [
      'a offset (5m) + b',
      '1:17: unexpected identifier "b" in offset, expected number, duration, step(), or range()',
    ],
    ['a offset 5m offset 3m', '1:1: offset may not be set multiple times'],
    ['a offset 1e18', '1:10: duration out of range'],
    [
      '5 offset 5',
      '1:1: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    [
      'sum(a) offset 5',
      '1:1: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['a @ b', '1:5: unexpected identifier "b" in @, expected timestamp'],
    ['a @ step()', '1:5: unexpected "step" in @, expected timestamp'],
    ['a @ start', '1:10: unexpected end of input in @, expected timestamp'],
    ['a @ --5', '1:6: unexpected <op:-> in @, expected timestamp'],
    ['a @ inf', '1:1: timestamp out of bounds for @ modifier: +Inf'],
    [
      'a @ 1e30',
      '1:1: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000',
    ],
    ['a @ 5 @ 6', '1:1: @ <timestamp> may not be set multiple times'],
    [
      '5 @ 5',
      '1:1: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    ['a smoothed anchored', '1:1: anchored and smoothed modifiers cannot be used together'],
    ['a[5m:] anchored', '1:1: anchored modifier is not supported for subqueries'],
    ['5 anchored', '1:1: anchored modifier not implemented'],
    ['sum by', '1:7: unexpected end of input in grouping opts, expected "("'],
    ['sum by a', '1:8: unexpected identifier "a" in grouping opts, expected "("'],
    ['sum by (', '1:9: unclosed left parenthesis'],
    ['sum by (a', '1:10: unclosed left parenthesis'],
    ['sum by (a b) (c)', '1:11: unexpected identifier "b" in grouping opts, expected "," or ")"'],
    ['sum by (5) (a)', '1:9: unexpected number "5" in grouping opts, expected label'],
    ['sum by (without) (a)', '1:9: unexpected <without> in grouping opts, expected label'],
    ['sum by ("") (a)', '1:9: invalid label name for grouping: ""'],
    ['sum by (a)', '1:11: unexpected end of input in aggregation'],
    ['sum by (a) b', '1:12: unexpected identifier "b" in aggregation'],
    ['sum (a b)', '1:8: unexpected identifier "b" in aggregation'],
    ['sum(rate(a b))', '1:12: unexpected identifier "b" in aggregation'],
    ['rate(a b)', '1:8: unexpected identifier "b"'],
    ['rate(sum(a) b)', '1:13: unexpected identifier "b"'],
    ['sum(a,)', '1:6: trailing commas not allowed in function call args'],
    ['rate(a, [', '1:7: trailing commas not allowed in function call args'],
    ['rate(a,,b)', '1:7: trailing commas not allowed in function call args'],
    ['sum by (a) (b) by (c)', '1:16: unexpected <by>'],
    ['sum()', '1:1: no arguments for aggregate expression provided'],
    [
      'sum(a, b)',
      '1:1: wrong number of arguments for aggregate expression provided, expected 1, got 2',
    ],
    [
      'topk(a)',
      '1:1: wrong number of arguments for aggregate expression provided, expected 2, got 1',
    ],
    [
      'topk(1, 2, 3)',
      '1:1: wrong number of arguments for aggregate expression provided, expected 2, got 3',
    ],
    ['topk("x", a)', '1:6: expected type scalar in aggregation parameter, got string'],
    ['topk(1, "b")', '1:9: expected type instant vector in aggregation expression, got string'],
    ['count_values(1, a)', '1:14: expected type string in aggregation parameter, got scalar'],
    ['sum(1)', '1:5: expected type instant vector in aggregation expression, got scalar'],
    ['sum("a")', '1:5: expected type instant vector in aggregation expression, got string'],
    ['sum(a[5m])', '1:5: expected type instant vector in aggregation expression, got range vector'],
    ['nosuch(1)', '1:1: unknown function with name "nosuch"'],
    ['Rate(a[5m])', '1:1: unknown function with name "Rate"'],
    ['nosuch(1', '1:9: unclosed left parenthesis'],
    ['nosuch(1) $', '1:1: unknown function with name "nosuch"'],
    ['rate()', '1:1: expected 1 argument(s) in call to "rate", got 0'],
    ['rate(a)', '1:6: expected type range vector in call to function "rate", got instant vector'],
    ['rate("x")', '1:6: expected type range vector in call to function "rate", got string'],
    ['rate(a[5m], 1)', '1:1: expected 1 argument(s) in call to "rate", got 2'],
    ['round()', '1:1: expected at least 1 argument(s) in call to "round", got 0'],
    ['round(a, 1, 2)', '1:1: expected at most 2 argument(s) in call to "round", got 3'],
    ['round(a, "x")', '1:10: expected type scalar in call to function "round", got string'],
    ['label_join(a, "b")', '1:1: expected at least 3 argument(s) in call to "label_join", got 2'],
    [
      'label_join(a, "b", ",", 5)',
      '1:25: expected type string in call to function "label_join", got scalar',
    ],
    [
      'histogram_quantiles(a, "q", 1,2,3,4,5,6,7,8,9,10,11)',
      '1:1: expected at most 12 argument(s) in call to "histogram_quantiles", got 13',
    ],
    ['time(1)', '1:1: expected 0 argument(s) in call to "time", got 1'],
    ['info(a, b)', '1:9: expected label selectors only, got vector selector instead'],
    ['info(a, sum(b))', '1:9: expected label selectors only'],
    ['info(a, 5)', '1:1: expected type instant vector in call to function "info", got scalar'],
    ['info(a, {x="y"}, 5)', '1:1: expected at most 2 argument(s) in call to "info", got 3'],
    ['1 == 1', '1:3: comparisons between scalars must use BOOL modifier'],
    ['a and bool b', '1:3: bool modifier can only be used on comparison operators'],
    ['a + bool b', '1:3: bool modifier can only be used on comparison operators'],
    ['1 and 2', '1:1: set operator "and" not allowed in binary scalar expression'],
    ['a and 1', '1:1: set operator "and" not allowed in binary scalar expression'],
    ['"a" + 1', '1:1: binary expression must contain only scalar and instant vector types'],
    ['a[5m] + 1', '1:1: binary expression must contain only scalar and instant vector types'],
    ['a + "b"', '1:5: binary expression must contain only scalar and instant vector types'],
    [
      '-"a"',
      '1:1: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
    ],
    [
      '-(a[5m])',
      '1:1: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
    ],
    ['a + on b', '1:8: unexpected identifier "b" in grouping opts, expected "("'],
    ['a + on(b', '1:9: unclosed left parenthesis'],
    ['a + on(b c) d', '1:10: unexpected identifier "c" in grouping opts, expected "," or ")"'],
    ['a + on(x) 1', '1:1: vector matching only allowed between instant vectors'],
    ['1 + ignoring(x) a', '1:1: vector matching only allowed between instant vectors'],
    ['a + group_left b', '1:5: unexpected <group_left>'],
    ['a + on(x) group_left(x) b', '1:3: label "x" must not occur in ON and GROUP clause at once'],
    ['a + on(x) group_left', '1:21: unexpected end of input in grouping opts, expected "("'],
    ['a and on(x) group_left() b', '1:1: no grouping allowed for "and" operation'],
    ['a or fill(0) b', '1:1: filling in missing series not allowed for set operators'],
    ['a + fill(0) 5', '1:1: filling in missing series only allowed between instant vectors'],
    ['a + fill("x") b', '1:10: unexpected string "\\"x\\""'],
    ['a + fill(b)', '1:10: unexpected identifier "b"'],
    ['a + fill(--1) b', '1:11: unexpected <op:->'],
    ['a + fill(0) fill_left(0) b', '1:22: unexpected "("'],
    ['a + fill_left(0) on(x) b', '1:18: unexpected <on>'],
    ['rate(nosuch(1))', '1:6: unknown function with name "nosuch"'],
    ['rate(sum(1), 3)', '1:1: expected 1 argument(s) in call to "rate", got 2'],
    [
      'sum(sum(1)) + sum("a")',
      '1:9: expected type instant vector in aggregation expression, got scalar',
    ],
    [
      '("a" + 1) + (1 and 2)',
      '1:2: binary expression must contain only scalar and instant vector types',
    ],
  ])('%j', (query, message) => {
    expect(messageOfParsing(query, ALL_FEATURES)).toBe(message);
  });
});

describe('refuses without features', () => {
  test.each([
    ['a anchored', '1:1: anchored modifier is experimental and not enabled'],
    ['a[5m] smoothed', '1:1: smoothed modifier is experimental and not enabled'],
    ['5 anchored', '1:1: anchored modifier is experimental and not enabled'],
    ['a + fill(0) b', '1:1: binop fill modifiers are experimental and not enabled'],
    [
      'a + on(x) group_left(y) fill_left(0) b',
      '1:1: binop fill modifiers are experimental and not enabled',
    ],
    ['a + fill(0) b == nosuch(1)', '1:1: binop fill modifiers are experimental and not enabled'],
    ['a + fill(0) b * nosuch(1)', '1:17: unknown function with name "nosuch"'],
    ['start()', '1:1: function "start" is not enabled'],
    ['min_of(1, 2)', '1:1: function "min_of" is not enabled'],
    ['info(a)', '1:1: function "info" is not enabled'],
    [
      'limitk(1, a)',
      '1:1: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    [
      'limit_ratio(0.5, a)',
      '1:1: limit_ratio() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    ['limitk()', '1:1: no arguments for aggregate expression provided'],
    [
      'sum(limitk(1, a))',
      '1:5: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
  ])('%j', (query, message) => {
    expect(messageOfParsing(query, {})).toBe(message);
  });

  test('but takes what needs none', () => {
    for (const query of ['a[step() + 5m]', 'a </ 5', 'fill + anchored', 'limitk', 'a @ end()']) {
      expect(messageOfParsing(query, {})).toBe('parsed');
    }
  });
});

test('an error knows the part of the text that is meant', () => {
  const query = 'rate(foo) + 1';
  const error = (() => {
    try {
      return parseExpr(query);
    } catch (thrown) {
      return thrown as PromqlParseError;
    }
  })() as PromqlParseError;
  expect(query.slice(error.range.start, error.range.end)).toBe('foo');
  expect(error.what).toMatch(/^expected type range vector in call to function "rate"/);
});

describe('a lone selector', () => {
  test.each([
    ['foo{a=~".*"', '1:12: parse error: unexpected end of input inside braces'],
    ['foo[5m]', '1:4: parse error: unexpected "["'],
    ['foo offset 5m', '1:5: parse error: unexpected <offset>'],
    ['sum(foo)', '1:4: parse error: unexpected "("'],
    ['', 'unknown position: parse error: unexpected end of input'],
    ['(foo)', '1:1: parse error: unexpected "("'],
    ['foo foo', '1:5: parse error: unexpected identifier "foo"'],
    ['on', '1:1: parse error: unexpected <on>'],
    ['5', '1:1: parse error: unexpected number "5"'],
  ])('is not %j', (text, message) => {
    expect(() => parseSelector(text)).toThrow(message);
  });

  test('may match everything, and name the metric twice', () => {
    expect(parseSelector('{}')).toEqual([]);
    expect(parseSelector('foo{"x"}').map(String)).toEqual(['__name__="x"', '__name__="foo"']);
    expect(parseSelector('sum').map(String)).toEqual(['__name__="sum"']);
  });
});
