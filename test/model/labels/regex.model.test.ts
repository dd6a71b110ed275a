/** Every short cut gives what the full engine gives. */
import * as fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { compileRegex } from '../../../model/index.ts';

const atom = fc.constantFrom(
  'a',
  'b',
  'ab',
  'foo',
  '.',
  '.*',
  '.+',
  '.*?',
  '[ab]',
  '[^a]',
  '[a-c]',
  '[^é-ü]',
  '\\d',
  '\\w',
  '\\s',
  '\\W',
  '\\.',
  '-',
  '\\-',
  'x',
  '\\n',
  'é',
  '😀',
  '[\\d.-]',
  '^',
  '$',
  '(?i)',
  '\\b',
  '()',
  '(?s:.)',
  '[[:alpha:]]',
  '\\pL',
  'a{2}',
  '(?P<n>b)',
);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{0,2}', '{1,}', '+?');

const pattern = fc.letrec<{ any: string; concat: string; part: string }>((tie) => ({
  any: fc.array(tie('concat'), { minLength: 1, maxLength: 3 }).map((options) => options.join('|')),
  concat: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small' },
        { weight: 4, arbitrary: atom },
        tie('any').map((inner) => `(${inner})`),
        tie('any').map((inner) => `(?:${inner})`),
      ),
      quantifier,
    )
    .map(([part, times]) => part + times),
})).any;

const text = fc
  .array(
    fc.constantFrom('a', 'b', 'c', 'foo', 'x', '1', '.', '-', ' ', '\n', 'é', '😀', 'A', '_'),
    {
      maxLength: 7,
    },
  )
  .map((parts) => parts.join(''));

function engineOf(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source, RE2JS.DOTALL);
  } catch {
    return null;
  }
}

test('a compiled pattern matches what RE2 matches, with the same groups', () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
      const engine = engineOf(source);
      if (engine === null) {
        expect(() => compileRegex(source)).toThrow(/^error parsing regexp: /);
        return;
      }
      const regex = compileRegex(source);
      for (const candidate of [...texts, ...(regex.literals ?? [])]) {
        const matcher = engine.matcher(candidate);
        const expected = matcher.matches();
        expect(regex.test(candidate), candidate).toBe(expected);
        if (regex.literals !== null) expect(regex.literals.includes(candidate)).toBe(expected);
        if (expected) expect(candidate.startsWith(regex.prefix)).toBe(true);
        const groups = regex.match(candidate);
        expect(groups !== null).toBe(expected);
        groups?.forEach((group, i) => expect(group).toBe(matcher.group(i) ?? undefined));
      }
    }),
    { numRuns: 4000 },
  );
});
