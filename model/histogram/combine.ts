/**
 * Sums and differences of two histograms, and their multiples. Layouts are reconciled first: the
 * wider zero bucket and the coarser schema win; custom bounds shrink to the common ones.
 * Source: Prometheus native histogram specification; PromQL operators documentation.
 */
import {
  type BucketSide,
  coarsenSide,
  dropBelowThreshold,
  mergeSides,
  sideOf,
  skipInsideZeroBucket,
  widenedZeroBucket,
} from './bucket-side.ts';
import { commonBounds, moveToBounds, sameBounds } from './custom-bounds.ts';
import {
  floatHistogram,
  type FloatHistogram,
  spansOf,
  toFloatHistogram,
  usesCustomBuckets,
} from './float-histogram.ts';
import type { CounterResetHint, Histogram, Span } from './histogram.ts';

/** What was found while histograms were put together; flags are only ever raised. */
export type CombineNotes = {
  /** One says that its counter was reset, the other that it was not. */
  counterResetCollision: boolean;
  /** Custom bounds differed. */
  boundsReconciled: boolean;
};

export function newCombineNotes(): CombineNotes {
  return { counterResetCollision: false, boundsReconciled: false };
}

/** The hint of a sum. Gauges make gauges; only equal counters keep what is known about them. */
export function combineHints(
  a: CounterResetHint,
  b: CounterResetHint,
  notes: CombineNotes,
): CounterResetHint {
  if (a === b) return a;
  if (a === 'gauge' || b === 'gauge') return 'gauge';
  if (a !== 'unknown' && b !== 'unknown') notes.counterResetCollision = true;
  return 'unknown';
}

/** `a + b`, or null where one has custom bounds and the other has not. */
export function addHistograms(
  a: FloatHistogram,
  b: FloatHistogram,
  notes: CombineNotes,
): FloatHistogram | null {
  return combine(a, b, 1, combineHints(a.hint, b.hint, notes), notes);
}

/** `a - b`, a gauge; null likewise. */
export function subtractHistograms(
  a: FloatHistogram,
  b: FloatHistogram,
  notes: CombineNotes,
): FloatHistogram | null {
  combineHints(a.hint, b.hint, notes);
  return combine(a, b, -1, 'gauge', notes);
}

function combine(
  a: FloatHistogram,
  b: FloatHistogram,
  sign: 1 | -1,
  hint: CounterResetHint,
  notes: CombineNotes,
): FloatHistogram | null {
  if (usesCustomBuckets(a) !== usesCustomBuckets(b)) return null;
  return usesCustomBuckets(a)
    ? combineCustom(a, b, sign, hint, notes)
    : combineExponential(a, b, sign, hint);
}

function combineCustom(
  a: FloatHistogram,
  b: FloatHistogram,
  sign: 1 | -1,
  hint: CounterResetHint,
  notes: CombineNotes,
): FloatHistogram {
  let customBounds = a.customBounds;
  let aSide = sideOf(a.positiveSpans, a.positiveCounts);
  let bSide = sideOf(b.positiveSpans, b.positiveCounts);
  if (!sameBounds(a.customBounds, b.customBounds)) {
    notes.boundsReconciled = true;
    customBounds = commonBounds(a.customBounds, b.customBounds);
    aSide = moveToBounds(aSide, a.customBounds, customBounds);
    bSide = moveToBounds(bSide, b.customBounds, customBounds);
  }
  const positive = mergeSides(aSide, bSide, sign);
  return {
    ...a,
    hint,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positiveSpans: spansOf(positive.indexes),
    positiveCounts: positive.counts,
    customBounds,
  };
}

function combineExponential(
  a: FloatHistogram,
  b: FloatHistogram,
  sign: 1 | -1,
  hint: CounterResetHint,
): FloatHistogram {
  const left = exponentialParts(a);
  const right = exponentialParts(b);
  reconcileZeroBuckets(left, right);
  const schema = Math.min(a.schema, b.schema);
  const { threshold } = left.zero;
  const merge = (to: BucketSide, from: BucketSide): BucketSide =>
    mergeSides(
      coarsenSide(to, a.schema, schema),
      skipInsideZeroBucket(coarsenSide(from, b.schema, schema), threshold, schema),
      sign,
    );
  const positive = merge(left.positive, right.positive);
  const negative = merge(left.negative, right.negative);
  return {
    kind: 'float',
    hint,
    schema,
    zeroThreshold: left.zero.threshold,
    zeroCount: left.zero.count + sign * right.zero.count,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positiveSpans: spansOf(positive.indexes),
    positiveCounts: positive.counts,
    negativeSpans: spansOf(negative.indexes),
    negativeCounts: negative.counts,
    customBounds: a.customBounds,
    stale: false,
  };
}

/** The parts of an exponential histogram that change when zero buckets are reconciled. */
export type ExponentialParts = {
  readonly schema: number;
  zero: { threshold: number; count: number };
  positive: BucketSide;
  negative: BucketSide;
};

export function exponentialParts(histogram: FloatHistogram): ExponentialParts {
  return {
    schema: histogram.schema,
    zero: { threshold: histogram.zeroThreshold, count: histogram.zeroCount },
    positive: sideOf(histogram.positiveSpans, histogram.positiveCounts),
    negative: sideOf(histogram.negativeSpans, histogram.negativeCounts),
  };
}

/** Widens the two zero buckets until they are equally wide. */
export function reconcileZeroBuckets(a: ExponentialParts, b: ExponentialParts): void {
  while (a.zero.threshold !== b.zero.threshold) {
    if (a.zero.threshold < b.zero.threshold) widenZeroBucket(a, b.zero.threshold);
    else widenZeroBucket(b, a.zero.threshold);
  }
}

export function widenZeroBucket(parts: ExponentialParts, threshold: number): void {
  const { schema, positive, negative } = parts;
  parts.zero = widenedZeroBucket(parts.zero, threshold, schema, [positive, negative]);
  parts.positive = dropBelowThreshold(positive, parts.zero.threshold, schema);
  parts.negative = dropBelowThreshold(negative, parts.zero.threshold, schema);
}

/** Every count and the sum times `factor`; a negative factor makes a gauge. */
export function multiplyHistogram(histogram: FloatHistogram, factor: number): FloatHistogram {
  return {
    ...histogram,
    hint: factor < 0 ? 'gauge' : histogram.hint,
    zeroCount: histogram.zeroCount * factor,
    count: histogram.count * factor,
    sum: histogram.sum * factor,
    positiveCounts: histogram.positiveCounts.map((count) => count * factor),
    negativeCounts: histogram.negativeCounts.map((count) => count * factor),
  };
}

/** Divides likewise. Division by zero leaves no buckets but the zero bucket. */
export function divideHistogram(histogram: FloatHistogram, divisor: number): FloatHistogram {
  const scalars = {
    hint: divisor < 0 ? 'gauge' : histogram.hint,
    zeroCount: histogram.zeroCount / divisor,
    count: histogram.count / divisor,
    sum: histogram.sum / divisor,
  } as const;
  if (divisor === 0) {
    const { schema, zeroThreshold, customBounds } = histogram;
    return floatHistogram({ schema, zeroThreshold, customBounds, ...scalars });
  }
  return {
    ...histogram,
    ...scalars,
    positiveCounts: histogram.positiveCounts.map((count) => count / divisor),
    negativeCounts: histogram.negativeCounts.map((count) => count / divisor),
  };
}

/** The same observations in a coarser exponential schema; a finer one is not possible. */
export function reduceSchema<T extends Histogram | FloatHistogram>(
  histogram: T,
  schema: number,
): T {
  if (schema >= histogram.schema) return histogram;
  const coarsen = (spans: readonly Span[], counts: readonly number[]) => {
    const side = coarsenSide(sideOf(spans, counts), histogram.schema, schema);
    return { spans: spansOf(side.indexes), counts: side.counts };
  };
  if (histogram.kind === 'float') {
    const positive = coarsen(histogram.positiveSpans, histogram.positiveCounts);
    const negative = coarsen(histogram.negativeSpans, histogram.negativeCounts);
    return {
      ...histogram,
      schema,
      positiveSpans: positive.spans,
      positiveCounts: positive.counts,
      negativeSpans: negative.spans,
      negativeCounts: negative.counts,
    };
  }
  const { positiveCounts, negativeCounts } = toFloatHistogram(histogram);
  const positive = coarsen(histogram.positiveSpans, positiveCounts);
  const negative = coarsen(histogram.negativeSpans, negativeCounts);
  return {
    ...histogram,
    schema,
    positiveSpans: positive.spans,
    positiveDeltas: deltasOf(positive.counts),
    negativeSpans: negative.spans,
    negativeDeltas: deltasOf(negative.counts),
  };
}

function deltasOf(counts: readonly number[]): number[] {
  return counts.map((count, i) => (i === 0 ? count : count - counts[i - 1]!));
}
