import { describe, expect, test } from 'vitest';
import { compileRegex, Matcher } from '../../../model/index.ts';

describe('a regular expression', () => {
  test.each([
    ['foo', ['foo'], ['fo', 'foo ', 'xfoo', '']],
    ['', [''], ['a', '\n']],
    ['foo|bar|', ['foo', 'bar', ''], ['foobar']],
    ['prod-.*', ['prod-', 'prod-1\n2'], ['xprod-', 'prod']],
    ['.+-db', ['a-db', '\n-db'], ['-db', 'a-dbx']],
    ['.*err.*', ['err', 'an err!'], ['er', 'ERR']],
    ['a.*b.+c', ['abxc', 'a1b2c'], ['abc', 'ac']],
    ['.+', ['x', '\n', '😀'], ['']],
    ['.', ['x', '\n', '😀'], ['', 'xx']],
    ['^foo$', ['foo'], ['foo\n']],
    ['foo$|^bar', ['foo', 'bar'], ['foobar']],
    ['5..', ['500', '5é😀'], ['50', '5000']],
    ['[0-9]+(\\.[0-9]+){3}', ['10.0.0.1'], ['10.0.1', '10.0.0.1.']],
    ['[^a-c]', ['d', '\n', '😀'], ['a', '']],
    ['\\d\\w\\s', ['1a ', '9_\t'], ['١a ', '1é ', '1a\u00a0']],
    ['(?i)foo', ['FOO', 'fOo'], ['f00']],
    ['(?i)k', ['k', 'K', '\u212a'], ['x']],
    ['\\Qa.b\\E', ['a.b'], ['axb']],
    ['\\pL+', ['abcé'], ['1']],
    ['(a|ab)(c|bcd)', ['ac', 'abc', 'abcd', 'abbcd'], ['ab']],
    ['(a+)+', ['aaa'], ['aab']],
    ['a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['x-\\d{1,3}', ['x-1', 'x-123'], ['x-', 'x-1234']],
    ['(?:foo|bar)-[a-z]*', ['foo-', 'bar-z'], ['baz-', 'foo-1']],
    ['(?-s:.)', ['a'], ['\n']],
    ['\\.\\-\\/', ['.-/'], ['a-/']],
  ])('%j', (source, matching, others) => {
    const regex = compileRegex(source);
    for (const text of matching) expect(regex.test(text), JSON.stringify(text)).toBe(true);
    for (const text of others) expect(regex.test(text), JSON.stringify(text)).toBe(false);
    for (const text of [...matching, ...others]) {
      expect(regex.match(text) !== null, JSON.stringify(text)).toBe(matching.includes(text));
    }
  });

  test.each([
    ['foo', ['foo']],
    ['foo|bar', ['foo', 'bar']],
    ['foo(bar|baz)?', ['foo', 'foobar', 'foobaz']],
    ['[ab]c', ['ac', 'bc']],
    ['a|a', ['a']],
    ['fo.', null],
    ['(?i)foo', null],
    ['\\d{4}', null],
    ['a*', null],
  ])('%j lists the texts that match: %j', (source, literals) => {
    expect(compileRegex(source).literals).toEqual(literals);
  });

  test.each([
    ['prod-.*', 'prod-'],
    ['foo', 'foo'],
    ['foobar|foobaz', 'fooba'],
    ['(foo|fob)x', 'fo'],
    ['fo+', 'fo'],
    ['a?b', ''],
    ['.*', ''],
    ['(?i)abc', ''],
    ['😀|😁', ''],
  ])('%j begins with %j', (source, prefix) => {
    expect(compileRegex(source).prefix).toBe(prefix);
  });

  test('gives groups, by number and by name', () => {
    const regex = compileRegex('(?P<host>[^:]+)(?::(?P<port>\\d+))?;(.*)');
    expect(regex.match('a.b:80;rest')).toEqual(['a.b:80;rest', 'a.b', '80', 'rest']);
    expect(regex.match('a.b;')).toEqual(['a.b;', 'a.b', undefined, '']);
    expect(regex.match('a.b')).toBeNull();
    expect([...regex.groupNames]).toEqual([
      ['host', 1],
      ['port', 2],
    ]);
    expect(compileRegex('(.*)').match('x\ny')).toEqual(['x\ny', 'x\ny']);
    expect(compileRegex('a(b|c)').match('ac')).toEqual(['ac', 'c']);
  });

  test.each([
    ['(', 'missing closing ): `(`'],
    [')', 'unexpected ): `)`'],
    ['a)(b', 'unexpected ): `a)(b`'],
    ['[a', 'missing closing ]: `[a`'],
    ['[b-a]', 'invalid character class range: `b-a`'],
    ['*a', 'missing argument to repetition operator: `*`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
    ['\\8', 'invalid escape sequence: `\\8`'],
    ['a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(?<=a)b', 'invalid named capture: `(?<=a)b`'],
    ['(?<!a)b', 'invalid named capture: `(?<!a)b`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ])('refuses %j in the words of RE2', (source, message) => {
    expect(() => compileRegex(source)).toThrow(`error parsing regexp: ${message}`);
  });

  test('takes thousands of alternatives in its stride', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `host-${i}.example.com`);
    const regex = compileRegex(names.map((name) => name.replaceAll('.', '\\.')).join('|'));
    expect(regex.literals).toHaveLength(5000);
    expect(regex.test('host-4999.example.com')).toBe(true);
    expect(regex.test('host-5000.example.com')).toBe(false);
  });

  // Each of these keeps a backtracking engine busy for longer than anybody waits.
  test.each(['(a+)+b', '(a|a)*b', '(a*)*b', '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b', '(a?){40}a{40}'])(
    '%j does not hang',
    (source) => {
      const start = performance.now();
      expect(compileRegex(source).test(`${'a'.repeat(2000)}!`)).toBe(false);
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );
});

test('a matcher treats an absent label as an empty value', () => {
  expect(new Matcher('a', '=~', '.*').matchesEmpty).toBe(true);
  expect(new Matcher('a', '=~', '.+').matchesEmpty).toBe(false);
  expect(new Matcher('a', '!~', 'b').matchesEmpty).toBe(true);
  expect(String(new Matcher('a b', '!=', 'c"d'))).toBe('"a b"!="c\\"d"');
});
