import { describe, expect, test } from 'vitest';
import {
  addHistograms,
  CUSTOM_BUCKETS_SCHEMA,
  divideHistogram,
  exponentialBound,
  type FloatHistogram,
  floatHistogram,
  formatHistogram,
  type Histogram,
  hasNaNObservations,
  histogramQuantile,
  isCounterReset,
  newCombineNotes,
  type QuantileEstimate,
  reduceSchema,
  subtractHistograms,
  toFloatHistogram,
  trimHistogram,
  validateHistogram,
} from '../../model/index.ts';

function exponential(counts: number[], more: Partial<FloatHistogram> = {}): FloatHistogram {
  const count = counts.reduce((a, b) => a + b, 0) + (more.zeroCount ?? 0);
  return floatHistogram({
    count,
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveCounts: counts,
    ...more,
  });
}

function custom(bounds: number[], counts: number[], sum = 0): FloatHistogram {
  return exponential(counts, { schema: CUSTOM_BUCKETS_SCHEMA, customBounds: bounds, sum });
}

function integer(more: Partial<Histogram>): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positiveSpans: [],
    negativeSpans: [],
    positiveDeltas: [],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
    ...more,
  };
}

describe('bounds of exponential buckets', () => {
  // Read off the query API of Prometheus 3.14.
  test.each([
    [0, 0, 1],
    // oxlint-disable-next-line approx-constant -- its last bit differs from SQRT2
    [1, 1, 1.414213562373095],
    [2, 3, 1.6817928305074288],
    [3, 3, 1.2968395546510096],
    [8, 1, 1.0027112750502025],
    [8, 255, 1.9945921121709396],
    [-4, 1, 65536],
    [0, 1024, Number.MAX_VALUE],
    [0, 1025, Infinity],
    [0, -1074, 5e-324],
    [-4, -68, 0],
  ])('schema %d, bucket %d ends at %d', (schema, index, bound) => {
    expect(exponentialBound(index, schema)).toBe(bound);
  });
});

describe('adding', () => {
  test('takes the coarser schema and the wider zero bucket', () => {
    const fine = exponential([1, 2, 3, 4], { schema: 1, zeroThreshold: 0.001 });
    const coarse = exponential([20], {
      schema: 0,
      zeroThreshold: 1,
      zeroCount: 5,
      positiveSpans: [{ offset: 1, length: 1 }],
    });
    const sum = addHistograms(fine, coarse, newCombineNotes())!;
    // Bucket 0 of the first ends at 1 and so goes into the zero bucket.
    expect(sum).toMatchObject({ schema: 0, zeroThreshold: 1, zeroCount: 5 + 1, count: 35 });
    expect(sum.positiveCounts).toEqual([2 + 3 + 20, 4]);
    expect(sum.positiveSpans).toEqual([{ offset: 1, length: 2 }]);
  });

  test('grows the zero bucket to the end of a bucket that it would cut', () => {
    const a = exponential([4], { zeroThreshold: 0.1 });
    const b = exponential([], { zeroThreshold: 0.75, zeroCount: 1 });
    const sum = addHistograms(a, b, newCombineNotes())!;
    expect(sum).toMatchObject({ zeroThreshold: 1, zeroCount: 5, positiveCounts: [] });
  });

  test('brings custom bounds to the common ones, and says so', () => {
    const notes = newCombineNotes();
    const sum = addHistograms(
      custom([1, 2, 3], [1, 2, 3, 4]),
      custom([2, 5], [10, 20, 30]),
      notes,
    )!;
    expect(sum.customBounds).toEqual([2]);
    expect(sum.positiveCounts).toEqual([1 + 2 + 10, 3 + 4 + 20 + 30]);
    expect(notes.boundsReconciled).toBe(true);
  });

  test('refuses to mix exponential and custom buckets', () => {
    expect(addHistograms(exponential([1]), custom([1], [1]), newCombineNotes())).toBeNull();
  });

  test.each([
    ['not_reset', 'not_reset', 'not_reset', false],
    ['reset', 'reset', 'reset', false],
    ['unknown', 'not_reset', 'unknown', false],
    ['reset', 'not_reset', 'unknown', true],
    ['gauge', 'reset', 'gauge', false],
  ] as const)('hints %s and %s give %s', (a, b, hint, collides) => {
    const notes = newCombineNotes();
    const sum = addHistograms(exponential([1], { hint: a }), exponential([1], { hint: b }), notes);
    expect(sum!.hint).toBe(hint);
    expect(notes.counterResetCollision).toBe(collides);
  });
});

test('a difference is a gauge', () => {
  const difference = subtractHistograms(exponential([5]), exponential([2]), newCombineNotes())!;
  expect(difference).toMatchObject({ hint: 'gauge', count: 3, positiveCounts: [3] });
});

test('division by zero leaves only the zero bucket', () => {
  const histogram = exponential([1], { sum: -2, zeroCount: 0 });
  expect(divideHistogram(histogram, 0)).toMatchObject({
    count: Infinity,
    sum: -Infinity,
    zeroCount: NaN,
    positiveCounts: [],
  });
});

describe('a counter reset', () => {
  const before = exponential([1, 2], { zeroThreshold: 0.001, zeroCount: 1 });

  test.each([
    ['nothing changed', before, false],
    ['everything rose', exponential([2, 3], { zeroThreshold: 0.001, zeroCount: 1 }), false],
    ['the count fell', exponential([1, 1], { zeroThreshold: 0.001, zeroCount: 1 }), true],
    ['one bucket fell', exponential([5, 1], { zeroThreshold: 0.001, zeroCount: 1 }), true],
    ['a bucket vanished', exponential([9], { zeroThreshold: 0.001, zeroCount: 1 }), true],
    ['the zero bucket fell', exponential([9, 9], { zeroThreshold: 0.001 }), true],
    ['the zero bucket got narrower', exponential([9, 9], { zeroCount: 9 }), true],
    [
      'the zero bucket swallowed buckets',
      exponential([9], { zeroThreshold: 2, zeroCount: 4 }),
      false,
    ],
    [
      'the resolution rose',
      exponential([9, 9], { schema: 1, zeroThreshold: 0.001, zeroCount: 1 }),
      true,
    ],
    [
      'the resolution fell',
      exponential([3], { schema: -1, zeroThreshold: 0.001, zeroCount: 1 }),
      true,
    ],
    ['buckets became custom', custom([1], [9, 9]), true],
    ['the hint says so', exponential([9, 9], { hint: 'reset' }), true],
    ['the hint denies it', exponential([0], { hint: 'not_reset' }), false],
  ])('when %s: ', (_what, now, expected) => {
    expect(isCounterReset(now, before)).toBe(expected);
  });

  test('is looked for in the common buckets of custom bounds that differ', () => {
    const early = custom([2, 4, 6], [1, 2, 5, 7]);
    expect(isCounterReset(custom([2, 3, 4, 6], [1, 1, 1, 5, 8]), early)).toBe(false);
    expect(isCounterReset(custom([2, 3, 4, 6], [1, 0, 1, 5, 8]), early)).toBe(true);
  });
});

test('a coarser schema keeps integers integers', () => {
  const fine = integer({
    schema: 9,
    count: 6,
    positiveSpans: [{ offset: 1, length: 3 }],
    positiveDeltas: [1, 1, 1],
  });
  const reduced = reduceSchema(fine, 8);
  expect(reduced).toMatchObject({ kind: 'integer', schema: 8, positiveDeltas: [3, 0] });
  expect(toFloatHistogram(reduced).positiveCounts).toEqual([3, 3]);
});

test('prints as Prometheus prints it', () => {
  const histogram = exponential([3, 0, 4], {
    zeroThreshold: 0.001,
    zeroCount: 1,
    sum: 1.485973e6,
    negativeSpans: [{ offset: 1, length: 1 }],
    negativeCounts: [2],
  });
  expect(formatHistogram(histogram)).toBe(
    '{count:8, sum:1.485973e+06, [-2,-1):2, [-0.001,0.001]:1, (0.5,1]:3, (2,4]:4}',
  );
  expect(formatHistogram(custom([5], [1, 2]))).toBe('{count:3, sum:0, [-Inf,5]:1, (5,+Inf]:2}');
});

describe('quantiles', () => {
  const estimate: QuantileEstimate = { value: 0, note: 'none' };
  const quantileOf = (quantile: number, histogram: FloatHistogram) => {
    histogramQuantile(quantile, histogram, estimate);
    return { ...estimate };
  };

  test('interpolate exponentially, linearly in custom buckets', () => {
    expect(quantileOf(0.5, exponential([1, 2, 1])).value).toBeCloseTo(Math.SQRT2, 12);
    expect(quantileOf(0.25, custom([2, 4], [2, 2, 0])).value).toBe(1);
    expect(quantileOf(1, custom([2, 4], [2, 2, 4])).value).toBe(4);
  });

  test('say what NaN observations did to them', () => {
    const some = exponential([12], { count: 15, sum: NaN });
    expect(quantileOf(0.8, some)).toEqual({ value: 1, note: 'nan-skew' });
    expect(quantileOf(0.81, some)).toEqual({ value: NaN, note: 'nan-result' });
    expect(hasNaNObservations(some)).toBe(true);
  });

  // Answers of Prometheus 3.14, which looks into the last bucket; see docs/decisions/0005.
  test.each([
    [0.1, exponential([12, 2], { count: 15, sum: NaN }), 2 ** 0.75],
    [0.1, exponential([1, 2, 3, 4, 5, 6], { count: 30, sum: NaN }), 2 ** (4 + 2 / 6)],
    [0.2, custom([1, 5, 10], [3, 4, 5, 2], NaN), Infinity],
  ])('the %d-quantile beside NaN observations', (quantile, histogram, value) => {
    expect(quantileOf(quantile, histogram).value).toBeCloseTo(value, 12);
  });

  test('take a NaN sum that +Inf and -Inf made for what it is', () => {
    const whole = exponential([12, 2], { count: 14, sum: NaN });
    expect(quantileOf(1, whole)).toEqual({ value: 2, note: 'none' });
    expect(hasNaNObservations(whole)).toBe(false);
  });
});

describe('trimming', () => {
  // Answers of Prometheus 3.14.
  const split = custom([5], [1, 100], 33);
  test.each([
    ['below', 10, 1, 2.5],
    ['below', 2, 0.4, 0.4],
    ['below', 0, 0, 0],
    ['above', -10, 100, 500],
    ['above', 0, 101, 33],
    ['above', 2, 100.6, 502.1],
    ['above', 10, 100, 1000],
    ['below', NaN, 0, 0],
  ] as const)('%s %d leaves %d observations with sum %d', (keep, threshold, count, sum) => {
    const trimmed = trimHistogram(split, keep, threshold);
    expect(trimmed.count).toBeCloseTo(count, 12);
    expect(trimmed.sum).toBeCloseTo(sum, 9);
  });
});

describe('validation', () => {
  const S = (offset: number, length: number) => [{ offset, length }];

  // Texts as the remote write receiver of Prometheus 3.14 gives them.
  test.each([
    [integer({ count: 5 }), '0 observations found in buckets, but the Count field is 5'],
    [
      integer({ count: 1, sum: NaN, positiveSpans: S(0, 2), positiveDeltas: [1, 1] }),
      'should be at least the number of observations found in the buckets',
    ],
    [
      integer({ positiveSpans: S(0, 2), positiveDeltas: [1] }),
      'positive side: spans need 2 buckets, have 1 buckets',
    ],
    [
      integer({ negativeSpans: S(0, 1), negativeDeltas: [-1] }),
      'negative side: bucket number 1 has observation count of -1',
    ],
    [integer({ schema: 9 }), 'histogram has an invalid schema'],
    [
      integer({ schema: -53, customBounds: [1, 1] }),
      'custom buckets: previous bound is 1.000000 and current is 1.000000',
    ],
    [
      integer({ schema: -53, customBounds: [1, Infinity] }),
      'histogram custom bounds must be finite',
    ],
    [integer({ schema: -53, customBounds: [NaN] }), 'histogram custom bounds must not be NaN'],
    [integer({ schema: -53, zeroCount: 1, count: 1 }), 'must have zero count of 0'],
    [integer({ customBounds: [1] }), 'exponential schema must not have custom bounds'],
    [floatHistogram({ count: -1 }), "histogram's observation count is negative"],
    [floatHistogram({ zeroCount: -1.5 }), 'zero bucket has observation count of -1.5'],
  ])('%# says what is wrong', (histogram, message) => {
    expect(() => validateHistogram(histogram)).toThrow(message);
  });

  test('lets good ones and stale ones pass', () => {
    validateHistogram(integer({ count: 3, positiveSpans: S(-4, 2), positiveDeltas: [1, 1] }));
    validateHistogram(integer({ count: 5, sum: NaN, positiveSpans: S(0, 1), positiveDeltas: [3] }));
    validateHistogram(integer({ stale: true, count: 7 }));
    validateHistogram(custom([1, 2], [1, 2, 3]));
  });
});
