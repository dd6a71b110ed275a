/** Intersection, union and difference of postings against sets. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intersect } from '../../../tsdb/postings/intersect.ts';
import { merge } from '../../../tsdb/postings/merge.ts';
import { seek } from '../../../tsdb/postings/seek.ts';
import { without } from '../../../tsdb/postings/without.ts';

// Dense and sparse, short and long lists, so that every way of doing it is taken.
const short = fc
  .tuple(fc.array(fc.nat(3000), { maxLength: 300 }), fc.constantFrom(1, 7, 1_000_000))
  .map(([list, scale]) =>
    Uint32Array.from(
      [...new Set(list)].sort((a, b) => a - b),
      (x) => x * scale,
    ),
  );
/** Each of so many references with some probability; all of them, without a gap, with the highest. */
const long = fc
  .record({
    start: fc.nat(5000),
    span: fc.integer({ min: 2000, max: 60_000 }),
    seed: fc.integer(),
    outOf16: fc.integer({ min: 1, max: 16 }),
  })
  .map(({ start, span, seed, outOf16 }) => {
    const refs: number[] = [];
    let state = seed;
    for (let ref = start; ref < start + span; ref++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      if (((state >>> 16) & 15) < outOf16) refs.push(ref);
    }
    return Uint32Array.from(refs);
  });
const postings = fc.oneof(short, long);

describe('postings', () => {
  test('are intersected, united and subtracted like sets', () => {
    fc.assert(
      fc.property(postings, postings, (a, b) => {
        const inA = new Set(a);
        const inB = new Set(b);
        expect(Array.from(intersect(a, b))).toEqual([...a].filter((x) => inB.has(x)));
        expect(Array.from(without(a, b))).toEqual([...a].filter((x) => !inB.has(x)));
        const both = [...new Set([...inA, ...inB])].sort((x, y) => x - y);
        expect(Array.from(merge([a, b]))).toEqual(both);
      }),
      { numRuns: 300 },
    );
  });

  test('of many lists are united', () => {
    fc.assert(
      fc.property(fc.array(postings, { maxLength: 8 }), (lists) => {
        const all = new Set(lists.flatMap((list) => [...list]));
        expect(Array.from(merge(lists))).toEqual([...all].sort((x, y) => x - y));
      }),
      { numRuns: 100 },
    );
  });

  test('are sought from anywhere', () => {
    fc.assert(
      fc.property(postings, fc.nat(), fc.nat(3100), (list, at, wanted) => {
        const from = at % (list.length + 1);
        const expected = list.findIndex((ref, i) => i >= from && ref >= wanted);
        expect(seek(list, from, wanted)).toBe(expected < 0 ? list.length : expected);
      }),
      { numRuns: 500 },
    );
  });

  test('far apart in length are leapt through', () => {
    const many = Uint32Array.from({ length: 10_000 }, (_, i) => i * 3);
    const few = Uint32Array.of(0, 1, 299, 300, 29_997, 40_000);
    expect(Array.from(intersect(few, many))).toEqual([0, 300, 29_997]);
    expect(Array.from(without(few, many))).toEqual([1, 299, 40_000]);
    expect(seek(many, 0, 301)).toBe(101);
    expect(seek(many, 101, 1_000_000)).toBe(10_000);
  });
});
