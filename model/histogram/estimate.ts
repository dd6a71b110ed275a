/**
 * What can be told about the observations in a native histogram: quantiles, fractions, spread.
 * Source: PromQL function documentation; native histogram specification, "Interpolation within a
 * bucket": linear in the zero bucket and in custom buckets, exponential elsewhere.
 */
import { exp2, log2 } from '../powers.ts';
import { type BucketList, listBuckets, newBucketList } from './bucket-list.ts';
import { type FloatHistogram, usesCustomBuckets } from './float-histogram.ts';

/** What NaN observations did to a quantile. */
export type QuantileNote = 'none' | 'nan-result' | 'nan-skew';
export type QuantileEstimate = { value: number; note: QuantileNote };

const buckets: BucketList = newBucketList();

/** The φ-quantile of `histogram`, written into `out`. */
export function histogramQuantile(
  quantile: number,
  histogram: FloatHistogram,
  out: QuantileEstimate,
): void {
  out.note = 'none';
  out.value = quantile < 0 ? -Infinity : quantile > 1 ? Infinity : NaN;
  if (!(quantile >= 0 && quantile <= 1) || histogram.count === 0) return;
  listBuckets(histogram, buckets);
  const hasNaN = Number.isNaN(histogram.sum);
  // NaN observations are in no bucket; counted from below they act like +Inf.
  const fromBelow = hasNaN || quantile < 0.5;
  const wanted = (fromBelow ? quantile : 1 - quantile) * histogram.count;
  const { counts, size } = buckets;
  let reached = 0;
  let at = -1;
  for (let i = 0; i < size; i++) {
    const candidate = fromBelow ? i : size - 1 - i;
    at = candidate;
    if (counts[candidate] === 0) continue;
    reached += counts[candidate]!;
    if (reached >= wanted) break;
  }
  let lower = at < 0 ? 0 : buckets.lowers[at]!;
  let upper = at < 0 ? 0 : buckets.uppers[at]!;
  const inBucket = at < 0 ? 0 : counts[at]!;
  const custom = usesCustomBuckets(histogram);
  if (custom) {
    if (lower === -Infinity) {
      if (upper <= 0) {
        out.value = upper;
        return;
      }
      lower = 0;
    } else if (upper === Infinity) {
      out.value = lower;
      return;
    }
  } else if (lower < 0 && upper > 0) {
    [lower, upper] = narrowedZeroBucket(histogram, lower, upper);
  }
  if (reached > histogram.count) reached = histogram.count;
  if (reached < wanted) {
    if (hasNaN) {
      out.value = NaN;
      out.note = 'nan-result';
    } else {
      out.value = upper;
    }
    return;
  }
  const rankInBucket = fromBelow ? wanted - (reached - inBucket) : reached - wanted;
  let bucketCount = inBucket;
  if (hasNaN && at < size - 1) {
    // As Prometheus 3.14 does it: having counted on to the end, to learn whether any observation
    // is missing, it interpolates in the bucket where it stopped. See docs/decisions/0005.
    for (let i = at + 1; i < size; i++) reached += counts[i]!;
    lower = buckets.lowers[size - 1]!;
    upper = buckets.uppers[size - 1]!;
    bucketCount = counts[size - 1]!;
  }
  // Without missing ones the sum is NaN because +Inf and -Inf were both observed.
  if (hasNaN && reached < histogram.count) out.note = 'nan-skew';
  const fraction = rankInBucket / bucketCount;
  if (custom || (lower <= 0 && upper >= 0)) {
    out.value = lower + (upper - lower) * fraction;
    return;
  }
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  out.value =
    lower > 0
      ? exp2(logLower + (logUpper - logLower) * fraction)
      : -exp2(logUpper + (logLower - logUpper) * (1 - fraction));
}

/** A zero bucket holds nothing of a sign that no other bucket has, unless it stands alone. */
function narrowedZeroBucket(
  histogram: FloatHistogram,
  lower: number,
  upper: number,
): [lower: number, upper: number] {
  const hasNegative = histogram.negativeCounts.length > 0;
  const hasPositive = histogram.positiveCounts.length > 0;
  if (!hasNegative && hasPositive) return [0, upper];
  if (hasNegative && !hasPositive) return [lower, 0];
  return [lower, upper];
}

/**
 * The share of observations between `lower` and `upper`. NaN observations count in the whole and
 * in no part.
 */
export function histogramFraction(lower: number, upper: number, histogram: FloatHistogram): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  listBuckets(histogram, buckets);
  let total = histogram.count;
  if (Number.isNaN(histogram.sum)) total = countListed();
  const lowerRank = rankOf(lower, histogram, total);
  const upperRank = rankOf(upper, histogram, total);
  return (upperRank - lowerRank) / histogram.count;
}

/** Did it see NaN? Such observations are counted, and are in no bucket. */
export function hasNaNObservations(histogram: FloatHistogram): boolean {
  if (!Number.isNaN(histogram.sum)) return false;
  listBuckets(histogram, buckets);
  return countListed() < histogram.count;
}

function countListed(): number {
  let total = 0;
  for (let i = 0; i < buckets.size; i++) total += buckets.counts[i]!;
  return total;
}

/** How many of the listed observations lie below `value`, at most `total`. */
function rankOf(value: number, histogram: FloatHistogram, total: number): number {
  const custom = usesCustomBuckets(histogram);
  let rank = 0;
  for (let i = 0; i < buckets.size; i++) {
    let bucketLower = buckets.lowers[i]!;
    let bucketUpper = buckets.uppers[i]!;
    const count = buckets.counts[i]!;
    const isZeroBucket = !custom && bucketLower <= 0 && bucketUpper >= 0;
    if (isZeroBucket) {
      [bucketLower, bucketUpper] = narrowedZeroBucket(histogram, bucketLower, bucketUpper);
    }
    if (bucketLower >= value) return Math.min(rank, total);
    if (bucketUpper > value) {
      const share =
        custom || isZeroBucket
          ? linearShare(value, bucketLower, bucketUpper)
          : exponentialShare(value, bucketLower, bucketUpper);
      return Math.min(rank + count * share, total);
    }
    rank += count;
  }
  return total;
}

/** How much of a bucket lies below `value`; the outermost custom buckets are only half known. */
function linearShare(value: number, lower: number, upper: number): number {
  if (upper === Infinity) return value === Infinity ? 1 : 0;
  if (lower !== -Infinity) return (value - lower) / (upper - lower);
  // The first bucket is taken to begin at 0, or, ending at or below 0, to be all at its end.
  if (upper <= 0) return value === -Infinity ? 0 : 1;
  return value <= 0 ? 0 : value / upper;
}

function exponentialShare(value: number, lower: number, upper: number): number {
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  const logValue = log2(Math.abs(value));
  return value > 0
    ? (logValue - logLower) / (logUpper - logLower)
    : 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** Population variance, each bucket standing for its middle. */
export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const custom = usesCustomBuckets(histogram);
  listBuckets(histogram, buckets);
  let variance = 0;
  let loss = 0;
  for (let i = 0; i < buckets.size; i++) {
    const count = buckets.counts[i]!;
    if (count === 0) continue;
    const delta = middleOf(buckets.lowers[i]!, buckets.uppers[i]!, custom) - mean;
    const term = count * delta * delta;
    const total = variance + term;
    if (total === Infinity || total === -Infinity) loss = 0;
    else if (Math.abs(variance) >= Math.abs(term)) loss += variance - total + term;
    else loss += term - total + variance;
    variance = total;
  }
  return (variance + loss) / histogram.count;
}

function middleOf(lower: number, upper: number, custom: boolean): number {
  if (custom) return (lower + upper) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const middle = Math.sqrt(upper * lower);
  return upper < 0 ? -middle : middle;
}
