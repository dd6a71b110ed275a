/**
 * Bringing the buckets of histograms in line: all histograms of a chunk have the same ones. Says whether
 * one fits behind another, and adds the empty buckets that it lacks.
 */
import {
  type FloatHistogram,
  type Histogram,
  type Span,
  spanIndexes,
  spansOf,
} from '../../model/index.ts';

/** What becomes of a histogram that is to go behind the others of a chunk. */
export const HistogramFit = {
  /** It goes in; possibly with empty buckets added to it. */
  Fits: 0,
  /** It goes in after the chunk was recoded with more buckets. */
  Wider: 1,
  /** A counter fell back: a new chunk that says so. */
  Reset: 2,
  /** Something else differs: a new chunk that knows nothing of the one before. */
  Differs: 3,
} as const;
export type HistogramFit = (typeof HistogramFit)[keyof typeof HistogramFit];

/** Absolute counts, bucket by bucket of the spans. */
export type Sides = {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
};

export function absoluteSides(histogram: Histogram | FloatHistogram): Sides {
  if (histogram.kind === 'float') {
    return { positive: histogram.positiveCounts, negative: histogram.negativeCounts };
  }
  return {
    positive: summed(histogram.positiveDeltas),
    negative: summed(histogram.negativeDeltas),
  };
}

function summed(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}

export function fitSide(
  spans: readonly Span[],
  counts: readonly number[],
  nextSpans: readonly Span[],
  nextCounts: readonly number[],
  isGauge: boolean,
): HistogramFit {
  const indexes = spanIndexes(spans);
  const nextIndexes = spanIndexes(nextSpans);
  let fit: HistogramFit = HistogramFit.Fits;
  let i = 0;
  let j = 0;
  while (i < indexes.length || j < nextIndexes.length) {
    const index = indexes[i] ?? Number.POSITIVE_INFINITY;
    const nextIndex = nextIndexes[j] ?? Number.POSITIVE_INFINITY;
    if (nextIndex < index) {
      fit = HistogramFit.Wider;
      j++;
    } else {
      // A bucket that is no longer there, or smaller, means that the counter fell back.
      const next = nextIndex === index ? nextCounts[j]! : 0;
      if (!isGauge && next < counts[i]!) return HistogramFit.Reset;
      if (nextIndex === index) j++;
      i++;
    }
  }
  return fit;
}

/** Spans of the buckets of both; `a` itself when `b` adds none. */
export function unitedSpans(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const indexes = new Set(spanIndexes(a));
  const before = indexes.size;
  for (const index of spanIndexes(b)) indexes.add(index);
  if (indexes.size === before) return a;
  return spansOf([...indexes].sort((x, y) => x - y));
}

/** The histogram with the buckets of the spans, of which its own are some. */
export function withSpans(
  histogram: Histogram | FloatHistogram,
  positiveSpans: readonly Span[],
  negativeSpans: readonly Span[],
): Histogram | FloatHistogram {
  const sides = absoluteSides(histogram);
  const positive = spread(histogram.positiveSpans, sides.positive, positiveSpans);
  const negative = spread(histogram.negativeSpans, sides.negative, negativeSpans);
  if (histogram.kind === 'float') {
    return {
      ...histogram,
      positiveSpans,
      negativeSpans,
      positiveCounts: positive,
      negativeCounts: negative,
    };
  }
  return {
    ...histogram,
    positiveSpans,
    negativeSpans,
    positiveDeltas: differences(positive),
    negativeDeltas: differences(negative),
  };
}

function spread(
  spans: readonly Span[],
  counts: readonly number[],
  widerSpans: readonly Span[],
): readonly number[] {
  if (spans === widerSpans) return counts;
  const byIndex = new Map(spanIndexes(spans).map((index, i) => [index, counts[i]!]));
  return spanIndexes(widerSpans).map((index) => byIndex.get(index) ?? 0);
}

function differences(counts: readonly number[]): number[] {
  let before = 0;
  return counts.map((count) => {
    const delta = count - before;
    before = count;
    return delta;
  });
}
