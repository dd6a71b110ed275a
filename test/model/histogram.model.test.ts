/** Histograms against the plainest picture of them: a map from bucket bound to count. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addHistograms,
  compactHistogram,
  equalHistograms,
  type FloatHistogram,
  floatHistogram,
  histogramFraction,
  HistogramSum,
  isCounterReset,
  listBuckets,
  newBucketList,
  newCombineNotes,
  reduceSchema,
  spanIndexes,
  spansOf,
  subtractHistograms,
  trimHistogram,
  withHint,
} from '../../model/index.ts';

const indexes = fc
  .uniqueArray(fc.integer({ min: -12, max: 12 }), { maxLength: 6 })
  .map((all) => all.sort((a, b) => a - b));

const side = indexes.chain((all) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: all.length, maxLength: all.length })
    .map((counts) => ({ spans: spansOf(all), counts })),
);

const exponential: fc.Arbitrary<FloatHistogram> = fc
  .record({
    schema: fc.integer({ min: -1, max: 3 }),
    zeroThreshold: fc.constantFrom(0, 0.001, 0.3, 1),
    zeroCount: fc.integer({ min: 0, max: 5 }),
    positive: side,
    negative: side,
    sum: fc.integer({ min: -100, max: 100 }),
  })
  .map(({ schema, zeroThreshold, zeroCount, positive, negative, sum }) => {
    const total = [zeroCount, ...positive.counts, ...negative.counts].reduce((a, b) => a + b, 0);
    return withoutOverlap(
      floatHistogram({
        schema,
        zeroThreshold,
        zeroCount,
        count: total,
        sum,
        positiveSpans: positive.spans,
        positiveCounts: positive.counts,
        negativeSpans: negative.spans,
        negativeCounts: negative.counts,
      }),
    );
  });

/** Buckets that reach into the zero bucket are against the rules, so they become empty. */
function withoutOverlap(histogram: FloatHistogram): FloatHistogram {
  const { schema, zeroThreshold } = histogram;
  let dropped = 0;
  const clean = (spans: FloatHistogram['positiveSpans'], counts: readonly number[]) =>
    counts.map((count, i) => {
      const lower = 2 ** ((spanIndexes(spans)[i]! - 1) * 2 ** -schema);
      if (lower >= zeroThreshold * 0.999) return count;
      dropped += count;
      return 0;
    });
  const positiveCounts = clean(histogram.positiveSpans, histogram.positiveCounts);
  const negativeCounts = clean(histogram.negativeSpans, histogram.negativeCounts);
  return compactHistogram({
    ...histogram,
    positiveCounts,
    negativeCounts,
    count: histogram.count - dropped,
  });
}

/** Observations between two values that are bounds of all schemas in use. */
function observationsBetween(histogram: FloatHistogram, lower: number, upper: number): number {
  const buckets = newBucketList();
  listBuckets(histogram, buckets);
  let total = 0;
  for (let i = 0; i < buckets.size; i++) {
    if (
      buckets.lowers[i]! >= lower * 0.9999 - 1e-9 &&
      buckets.uppers[i]! <= upper * 1.0001 + 1e-9
    ) {
      total += buckets.counts[i]!;
    }
  }
  return total;
}

test('spans and indexes say the same', () => {
  fc.assert(
    fc.property(indexes, (all) => {
      expect(spanIndexes(spansOf(all))).toEqual(all);
    }),
  );
});

test('a sum has all the observations, and is the same in either order', () => {
  fc.assert(
    fc.property(exponential, exponential, (a, b) => {
      const notes = newCombineNotes();
      const sum = compactHistogram(addHistograms(a, b, notes)!);
      expect(equalHistograms(sum, compactHistogram(addHistograms(b, a, notes)!))).toBe(true);
      expect(sum.count).toBe(a.count + b.count);
      expect(observationsBetween(sum, -Infinity, Infinity)).toBe(a.count + b.count);
      expect(sum.schema).toBe(Math.min(a.schema, b.schema));
      expect(sum.zeroThreshold).toBeGreaterThanOrEqual(Math.max(a.zeroThreshold, b.zeroThreshold));
      // Above both zero buckets, and at bounds that every schema has, nothing moves.
      for (const bound of [1, 4, 16, 64, 256]) {
        if (bound < sum.zeroThreshold) continue;
        const above = (histogram: FloatHistogram) =>
          observationsBetween(histogram, bound, Infinity);
        if (a.zeroThreshold <= bound && b.zeroThreshold <= bound) {
          expect(above(sum)).toBe(above(a) + above(b));
        }
      }
    }),
  );
});

test('taking away what was added leaves the first, in the layout of the sum', () => {
  fc.assert(
    fc.property(exponential, exponential, (a, b) => {
      const notes = newCombineNotes();
      const sum = addHistograms(a, b, notes)!;
      const rest = compactHistogram(subtractHistograms(sum, b, notes)!);
      const empty = { ...sum, count: 0, sum: 0, zeroCount: 0 };
      const zero = {
        ...empty,
        positiveCounts: [],
        positiveSpans: [],
        negativeCounts: [],
        negativeSpans: [],
      };
      const same = compactHistogram(addHistograms(a, zero, notes)!);
      expect(equalHistograms(rest, same)).toBe(true);
    }),
  );
});

test('many histograms add up to what adding them one by one gives', () => {
  fc.assert(
    fc.property(fc.array(exponential, { minLength: 1, maxLength: 6 }), (all) => {
      const notes = newCombineNotes();
      const sum = new HistogramSum(all[0]!);
      for (const one of all.slice(1)) expect(sum.add(one, notes)).toBe(true);
      const folded = all.reduce((a, b) => addHistograms(a, b, notes)!);
      expect(equalHistograms(sum.result(), compactHistogram(folded))).toBe(true);
    }),
  );
});

test('a counter that only rose was not reset, one that fell anywhere was', () => {
  fc.assert(
    fc.property(exponential, exponential, fc.nat(), (a, b, pick) => {
      const later = withHint(addHistograms(a, b, newCombineNotes())!, 'unknown');
      expect(isCounterReset(later, a)).toBe(false);
      const counts = a.positiveCounts;
      if (counts.length === 0) return;
      const index = pick % counts.length;
      const fallen = { ...a, positiveCounts: counts.with(index, counts[index]! - 1) };
      expect(isCounterReset(fallen, a)).toBe(true);
    }),
  );
});

test('a coarser schema moves no observation across a bound that it has', () => {
  fc.assert(
    fc.property(exponential, (histogram) => {
      const coarse = reduceSchema(histogram, -1);
      expect(coarse.count).toBe(histogram.count);
      for (const bound of [1, 4, 16, 64]) {
        if (bound < histogram.zeroThreshold) continue;
        expect(observationsBetween(coarse, bound, Infinity)).toBe(
          observationsBetween(histogram, bound, Infinity),
        );
      }
    }),
  );
});

test('trimming keeps the share that the fraction tells', () => {
  fc.assert(
    fc.property(exponential, fc.double({ min: -20, max: 20, noNaN: true }), (histogram, at) => {
      if (histogram.count === 0) return;
      // At a zero bucket without width it is a matter of taste.
      if (at === 0 && histogram.zeroThreshold === 0) return;
      const below = trimHistogram(histogram, 'below', at).count;
      const above = trimHistogram(histogram, 'above', at).count;
      expect(below).toBeCloseTo(histogramFraction(-Infinity, at, histogram) * histogram.count, 6);
      expect(below + above).toBeCloseTo(histogram.count, 6);
    }),
  );
});
