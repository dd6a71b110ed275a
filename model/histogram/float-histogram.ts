import { assert } from '../assert.ts';
import {
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  type Histogram,
  type Span,
} from './histogram.ts';

/** Float form: absolute bucket counts. What queries compute with. Never changed once made. */
export type FloatHistogram = {
  readonly kind: 'float';
  readonly hint: CounterResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly positiveCounts: readonly number[];
  readonly negativeCounts: readonly number[];
  /** Upper bounds of custom buckets, ascending, without +Inf; empty for exponential schemas. */
  readonly customBounds: readonly number[];
  /** True for the end of a series; then nothing else counts. */
  readonly stale: boolean;
};

const NO_SPANS: readonly Span[] = [];
const NO_NUMBERS: readonly number[] = [];

/** A histogram without observations, with the given fields in place of the zero ones. */
export function floatHistogram(fields: Partial<Omit<FloatHistogram, 'kind'>> = {}): FloatHistogram {
  return {
    kind: 'float',
    hint: fields.hint ?? 'unknown',
    schema: fields.schema ?? 0,
    zeroThreshold: fields.zeroThreshold ?? 0,
    zeroCount: fields.zeroCount ?? 0,
    count: fields.count ?? 0,
    sum: fields.sum ?? 0,
    positiveSpans: fields.positiveSpans ?? NO_SPANS,
    negativeSpans: fields.negativeSpans ?? NO_SPANS,
    positiveCounts: fields.positiveCounts ?? NO_NUMBERS,
    negativeCounts: fields.negativeCounts ?? NO_NUMBERS,
    customBounds: fields.customBounds ?? NO_NUMBERS,
    stale: fields.stale ?? false,
  };
}

/** The same histogram with another hint. */
export function withHint(histogram: FloatHistogram, hint: CounterResetHint): FloatHistogram {
  return histogram.hint === hint ? histogram : { ...histogram, hint };
}

export function usesCustomBuckets(histogram: FloatHistogram | Histogram): boolean {
  return histogram.schema === CUSTOM_BUCKETS_SCHEMA;
}

/** Sums the deltas up; everything else is carried over. */
export function toFloatHistogram(histogram: Histogram | FloatHistogram): FloatHistogram {
  if (histogram.kind === 'float') return histogram;
  return {
    kind: 'float',
    hint: histogram.hint,
    schema: histogram.schema,
    zeroThreshold: histogram.zeroThreshold,
    zeroCount: histogram.zeroCount,
    count: histogram.count,
    sum: histogram.sum,
    positiveSpans: histogram.positiveSpans,
    negativeSpans: histogram.negativeSpans,
    positiveCounts: sumDeltas(histogram.positiveDeltas),
    negativeCounts: sumDeltas(histogram.negativeDeltas),
    customBounds: histogram.customBounds,
    stale: histogram.stale,
  };
}

function sumDeltas(deltas: readonly number[]): number[] {
  const counts: number[] = [];
  let count = 0;
  for (const delta of deltas) counts.push((count += delta));
  return counts;
}

/**
 * The bucket indexes that spans cover, ascending. Histograms of one chunk share their spans, so the
 * last answer is kept.
 */
export function spanIndexes(spans: readonly Span[]): readonly number[] {
  if (spans === lastSpans) return lastIndexes;
  const indexes: number[] = [];
  let index = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) indexes.push(index++);
  }
  lastSpans = spans;
  lastIndexes = indexes;
  return indexes;
}

let lastSpans: readonly Span[] = NO_SPANS;
let lastIndexes: readonly number[] = NO_NUMBERS;

/** Spans that cover exactly `indexes`, which ascend. Neighbours share a span. */
export function spansOf(indexes: readonly number[]): readonly Span[] {
  if (indexes.length === 0) return NO_SPANS;
  const spans: Span[] = [];
  let start = indexes[0]!;
  let end = start + 1;
  let previousEnd = 0;
  for (let i = 1; i < indexes.length; i++) {
    const index = indexes[i]!;
    assert(index >= end, 'bucket indexes must ascend');
    if (index > end) {
      spans.push({ offset: start - previousEnd, length: end - start });
      previousEnd = end;
      start = index;
    }
    end = index + 1;
  }
  spans.push({ offset: start - previousEnd, length: end - start });
  return spans;
}

/** Without empty buckets and with as few spans as possible. */
export function compactHistogram(histogram: FloatHistogram): FloatHistogram {
  const { positiveSpans, positiveCounts, negativeSpans, negativeCounts } = histogram;
  if (isCompact(positiveSpans, positiveCounts) && isCompact(negativeSpans, negativeCounts)) {
    return histogram;
  }
  const positive = compactSide(positiveSpans, positiveCounts);
  const negative = compactSide(negativeSpans, negativeCounts);
  return {
    ...histogram,
    positiveSpans: positive.spans,
    positiveCounts: positive.counts,
    negativeSpans: negative.spans,
    negativeCounts: negative.counts,
  };
}

function isCompact(spans: readonly Span[], counts: readonly number[]): boolean {
  for (let i = 0; i < counts.length; i++) if (counts[i] === 0) return false;
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!;
    if (span.length === 0 || (i > 0 && span.offset === 0)) return false;
  }
  return true;
}

function compactSide(spans: readonly Span[], counts: readonly number[]) {
  const indexes = spanIndexes(spans);
  const keptIndexes: number[] = [];
  const keptCounts: number[] = [];
  for (let i = 0; i < indexes.length; i++) {
    if (counts[i] === 0) continue;
    keptIndexes.push(indexes[i]!);
    keptCounts.push(counts[i]!);
  }
  return { spans: spansOf(keptIndexes), counts: keptCounts };
}

/**
 * Whether two histograms say the same, buckets and layout included. NaN equals NaN when `sum` is
 * meant, as in the original; hints do not count.
 */
export function equalHistograms(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count + 0, b.count + 0) &&
    Object.is(a.sum + 0, b.sum + 0) &&
    a.zeroThreshold === b.zeroThreshold &&
    Object.is(a.zeroCount + 0, b.zeroCount + 0) &&
    equalNumbers(a.customBounds, b.customBounds) &&
    equalSide(a.positiveSpans, a.positiveCounts, b.positiveSpans, b.positiveCounts) &&
    equalSide(a.negativeSpans, a.negativeCounts, b.negativeSpans, b.negativeCounts)
  );
}

function equalSide(
  aSpans: readonly Span[],
  aCounts: readonly number[],
  bSpans: readonly Span[],
  bCounts: readonly number[],
): boolean {
  if (!equalNumbers(aCounts, bCounts)) return false;
  return aSpans === bSpans || equalNumbers(spanIndexes(aSpans), spanIndexes(bSpans));
}

/** Equal length and, one by one, equal numbers (a NaN equals a NaN). */
export function equalNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && (a[i] === a[i] || b[i] === b[i])) return false;
  }
  return true;
}

/** Whether two histograms have the same schema, zero threshold and custom bounds. */
export function sameHistogramLayout(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    equalNumbers(a.customBounds, b.customBounds)
  );
}
