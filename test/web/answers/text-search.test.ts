import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jaroWinkler, searchTexts, type TextSearch } from '../../../web/answers/text-search.ts';

const PLAIN: TextSearch = {
  terms: [],
  scoreMin: 0,
  algorithm: 'subsequence',
  isCaseSensitive: true,
  order: 'ascending',
  limit: 100,
};
const search = (texts: readonly string[], changes: Partial<TextSearch>) =>
  searchTexts(texts, { ...PLAIN, ...changes });
const scores = (texts: readonly string[], changes: Partial<TextSearch>) =>
  search(texts, changes).found.map(({ text, score }) => [text, score]);

describe('likeness', () => {
  // All figures as 3.14.0 answers them.
  test('of subsequences: long runs, early, in short texts', () => {
    const texts = ['qr', 'qsr', 'qxxxxxr', 'x_qr', 'xq', 'xqxrqr', 'éq'];
    expect(scores(texts, { terms: ['qr'] })).toEqual([
      ['qr', 1],
      ['qsr', 0.41625],
      ['qxxxxxr', 0.32110714285714287],
      ['x_qr', 0.874125],
      ['xqxrqr', 0.8325],
    ]);
    expect(scores(['xq', 'éq'], { terms: ['q'] })).toEqual([
      ['xq', 0.4995],
      ['éq', 0.4995],
    ]);
    const [long] = scores(['prometheus_http_requests_total'], { terms: ['http_req'] });
    expect(long![1]).toBe(0.99041484375);
  });

  test('by Jaro and Winkler only where a threshold is given; a part counts in any case', () => {
    const texts = ['DICKSONX', 'DIXON', 'xDIXONxx'];
    const jarowinkler = { terms: ['DIXON'], algorithm: 'jarowinkler' } as const;
    expect(scores(texts, jarowinkler)).toEqual([
      ['DIXON', 1],
      ['xDIXONxx', 0.7],
    ]);
    expect(scores(texts, { ...jarowinkler, scoreMin: 0.8 })).toEqual([
      ['DICKSONX', 0.8133333333333332],
      ['DIXON', 1],
      ['xDIXONxx', 0.7],
    ]);
  });

  // Source: W. E. Winkler, table of comparator values, rounded there.
  test.each([
    ['MARHTA', 'MARTHA', 0.961],
    ['DUANE', 'DWAYNE', 0.84],
    ['DICKSONX', 'DIXON', 0.813],
    ['', '', 1],
    ['', 'a', 0],
    ['a', 'b', 0],
  ])('%s and %s', (a, b, expected) => {
    expect(jaroWinkler(Array.from(a), Array.from(b))).toBeCloseTo(expected, 3);
    expect(jaroWinkler(Array.from(b), Array.from(a))).toBeCloseTo(expected, 3);
  });
});

test('capitals matter unless they do not', () => {
  expect(scores(['HTTP', 'http'], { terms: ['HTTP'] })).toEqual([['HTTP', 1]]);
  expect(scores(['HTTP', 'http'], { terms: ['HttP'], isCaseSensitive: false })).toHaveLength(2);
});

test('any term will do, the best one counts', () => {
  expect(scores(['ab', 'xab'], { terms: ['', 'ab', 'xa'] })).toEqual([
    ['ab', 1],
    ['xab', 1],
  ]);
  expect(scores(['ab'], { terms: [''] })).toEqual([['ab', 1]]);
});

test('the best come first when they are asked for; the others stay in order', () => {
  const texts = ['ba', 'a', 'xa', 'ya'].sort();
  const order = (changes: Partial<TextSearch>) =>
    search(texts, { terms: ['a'], ...changes }).found.map(({ text }) => text);
  expect(order({ order: 'score' })).toEqual(['a', 'ba', 'xa', 'ya']);
  expect(order({ order: 'descending' })).toEqual(['ya', 'xa', 'ba', 'a']);
  expect(order({ order: 'score', limit: 2 })).toEqual(['a', 'ba']);
});

test('a limit keeps the first ones and tells that there are more', () => {
  const texts = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '_') }));
  const terms = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 3 }));
  const orders = fc.constantFrom('ascending', 'descending', 'score');
  const algorithms = fc.constantFrom('subsequence', 'jarowinkler');
  const thresholds = fc.constantFrom(0, 0.3, 1);
  fc.assert(
    fc.property(
      texts,
      terms,
      fc.nat(20),
      orders,
      algorithms,
      thresholds,
      (unsorted, given, limit, order, algorithm, scoreMin) => {
        const sorted = unsorted.sort();
        const asked = { terms: given, order, algorithm, scoreMin } as const;
        const all = search(sorted, { ...asked, limit: 1000 });
        const cut = search(sorted, { ...asked, limit });
        expect(cut.found).toEqual(all.found.slice(0, limit));
        expect(cut.hasMore).toBe(all.found.length > limit);
        for (const { score } of all.found) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      },
    ),
  );
});
