/**
 * The operators `</` (keep what is below) and `>/` (keep what is above) on native histograms. A
 * bucket that the threshold cuts is divided by interpolation. Once anything is removed, the sum is
 * estimated anew: each bucket counts with its middle.
 * Source: PromQL operators documentation; the treatment of infinite buckets was observed on 3.14.
 */
import { log2 } from '../powers.ts';
import { lowerBound, upperBound } from './bucket-bounds.ts';
import {
  compactHistogram,
  floatHistogram,
  type FloatHistogram,
  spanIndexes,
  usesCustomBuckets,
} from './float-histogram.ts';
import type { Span } from './histogram.ts';

export type TrimKeep = 'below' | 'above';

/** What remains of a bucket: a share of its count, and the middle of what remains. */
type Remainder = { share: number; middle: number };

/** The part of `histogram` below or above `threshold`. */
export function trimHistogram(
  histogram: FloatHistogram,
  keep: TrimKeep,
  threshold: number,
): FloatHistogram {
  const custom = usesCustomBuckets(histogram);
  if (Number.isNaN(threshold)) {
    if (isEmpty(histogram)) return histogram;
    const { hint, schema, zeroThreshold, customBounds } = histogram;
    // Interpolation in the zero bucket is what makes NaN of it all.
    const nothing = !custom && histogram.zeroCount > 0 ? NaN : 0;
    return floatHistogram({
      hint,
      schema,
      zeroThreshold,
      customBounds,
      zeroCount: nothing,
      count: nothing,
      sum: nothing,
    });
  }
  const total = { count: 0, sum: 0, trimmed: false };
  const take = (count: number, { share, middle }: Remainder): number => {
    if (count === 0) return 0;
    if (share < 1) total.trimmed = true;
    if (share === 0) return 0;
    const kept = count * share;
    total.count += kept;
    total.sum += kept * middle;
    return kept;
  };
  const { schema, customBounds } = histogram;
  const trimSide = (spans: readonly Span[], counts: readonly number[], sign: 1 | -1): number[] => {
    const indexes = spanIndexes(spans);
    return counts.map((count, i) => {
      const near = lowerBound(indexes[i]!, schema, customBounds);
      const far = upperBound(indexes[i]!, schema, customBounds);
      if (custom) return take(count, trimCustom(near, far, keep, threshold));
      const [lower, upper] = sign > 0 ? [near, far] : [-far, -near];
      return take(count, trimExponential(lower, upper, keep, threshold));
    });
  };
  const positiveCounts = trimSide(histogram.positiveSpans, histogram.positiveCounts, 1);
  const negativeCounts = trimSide(histogram.negativeSpans, histogram.negativeCounts, -1);
  const [zeroLower, zeroUpper] = zeroBucketEnds(histogram);
  // A zero bucket below zero is no bucket to anybody who walks them.
  const zeroCount =
    histogram.zeroCount > 0
      ? take(histogram.zeroCount, trimLinear(zeroLower, zeroUpper, keep, threshold))
      : 0;
  if (!total.trimmed) return histogram;
  return compactHistogram({
    ...histogram,
    zeroCount,
    count: total.count,
    sum: total.sum,
    positiveCounts,
    negativeCounts,
  });
}

function isEmpty({ positiveCounts, negativeCounts, zeroCount }: FloatHistogram): boolean {
  const isZero = (count: number): boolean => count === 0;
  return zeroCount === 0 && positiveCounts.every(isZero) && negativeCounts.every(isZero);
}

/** A zero bucket beside buckets of one sign only is taken to hold nothing of the other sign. */
function zeroBucketEnds(histogram: FloatHistogram): [lower: number, upper: number] {
  const { zeroThreshold, positiveCounts, negativeCounts } = histogram;
  if (negativeCounts.length === 0 && positiveCounts.length > 0) return [0, zeroThreshold];
  if (positiveCounts.length === 0 && negativeCounts.length > 0) return [-zeroThreshold, 0];
  return [-zeroThreshold, zeroThreshold];
}

function trimLinear(lower: number, upper: number, keep: TrimKeep, threshold: number): Remainder {
  const kept = keepWholeOrNothing(lower, upper, keep, threshold);
  if (kept !== null) return { share: kept, middle: (lower + upper) / 2 };
  const below = (threshold - lower) / (upper - lower);
  return keep === 'below'
    ? { share: below, middle: (lower + threshold) / 2 }
    : { share: 1 - below, middle: (threshold + upper) / 2 };
}

function trimExponential(
  lower: number,
  upper: number,
  keep: TrimKeep,
  threshold: number,
): Remainder {
  const kept = keepWholeOrNothing(lower, upper, keep, threshold);
  if (kept !== null) return { share: kept, middle: geometricMiddle(lower, upper) };
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  const below = (log2(Math.abs(threshold)) - logLower) / (logUpper - logLower);
  return keep === 'below'
    ? { share: below, middle: geometricMiddle(lower, threshold) }
    : { share: 1 - below, middle: geometricMiddle(threshold, upper) };
}

function geometricMiddle(lower: number, upper: number): number {
  const middle = Math.sqrt(lower * upper);
  return lower < 0 ? -middle : middle;
}

/** Whether the threshold leaves all (1) or nothing (0) of a bucket; null when it cuts it. */
function keepWholeOrNothing(
  lower: number,
  upper: number,
  keep: TrimKeep,
  threshold: number,
): 0 | 1 | null {
  if (threshold >= upper) return keep === 'below' ? 1 : 0;
  if (threshold <= lower) return keep === 'below' ? 0 : 1;
  return null;
}

/** Custom buckets are divided linearly; infinite ones stay whole at one point, or go. */
function trimCustom(lower: number, upper: number, keep: TrimKeep, threshold: number): Remainder {
  if (lower === -Infinity && upper === Infinity) {
    const whole = threshold === (keep === 'below' ? Infinity : -Infinity);
    return { share: whole ? 1 : 0, middle: 0 };
  }
  if (upper === Infinity) {
    if (keep === 'below') return { share: threshold === Infinity ? 1 : 0, middle: lower };
    return { share: threshold === Infinity ? 0 : 1, middle: Math.max(lower, threshold) };
  }
  if (lower !== -Infinity) return trimLinear(lower, upper, keep, threshold);
  if (threshold === -Infinity) return { share: keep === 'below' ? 0 : 1, middle: upper };
  if (upper > 0) {
    if (keep === 'above' && threshold < 0) return { share: 0, middle: 0 };
    return trimLinear(0, upper, keep, threshold);
  }
  return keep === 'below'
    ? { share: 1, middle: Math.min(upper, threshold) }
    : { share: 0, middle: upper };
}
