/**
 * Quantiles and fractions of classic histograms: cumulative counts by upper bound.
 * Source: PromQL function documentation (`histogram_quantile`, `histogram_fraction`).
 */

/** Differences below this share of the two counts together come from rounding. */
const ROUNDING_TOLERANCE = 1e-12;
const NORMAL_MIN = 2.2250738585072014e-308;

/** The buckets of one histogram at one time, ascending by bound. Reused. */
export class ClassicBuckets {
  size = 0;
  bounds: Float64Array = new Float64Array(32);
  counts: Float64Array = new Float64Array(32);

  clear(): void {
    this.size = 0;
  }

  /** Bounds must not fall; of equal ones the counts are added up. */
  push(bound: number, count: number): void {
    if (this.size > 0 && this.bounds[this.size - 1] === bound) {
      this.counts[this.size - 1]! += count;
      return;
    }
    if (this.size === this.bounds.length) {
      this.bounds = doubled(this.bounds);
      this.counts = doubled(this.counts);
    }
    this.bounds[this.size] = bound;
    this.counts[this.size++] = count;
  }
}

function doubled(values: Float64Array): Float64Array {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

/** What had to be done to make counts rise. */
export type MonotonicRepair = {
  repaired: boolean;
  lowestBound: number;
  highestBound: number;
  differenceMax: number;
};

/** Raises counts that fall to the count before; tiny differences either way are levelled. */
export function repairMonotonicity(buckets: ClassicBuckets, repair: MonotonicRepair): void {
  repair.repaired = false;
  const { bounds, counts, size } = buckets;
  let previous = counts[0]!;
  for (let i = 1; i < size; i++) {
    const count = counts[i]!;
    if (count === previous) continue;
    if (isNearlyEqual(previous, count)) {
      counts[i] = previous;
    } else if (count < previous) {
      const difference = previous - count;
      if (!repair.repaired) {
        repair.repaired = true;
        repair.lowestBound = repair.highestBound = bounds[i]!;
        repair.differenceMax = difference;
      } else {
        repair.highestBound = bounds[i]!;
        if (difference > repair.differenceMax) repair.differenceMax = difference;
      }
      counts[i] = previous;
    } else {
      previous = count;
    }
  }
}

function isNearlyEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const total = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || total < NORMAL_MIN) return difference < ROUNDING_TOLERANCE * NORMAL_MIN;
  return difference / Math.min(total, Number.MAX_VALUE) < ROUNDING_TOLERANCE;
}

/** The φ-quantile; NaN where the buckets do not tell. */
export function classicQuantile(
  quantile: number,
  buckets: ClassicBuckets,
  repair: MonotonicRepair,
): number {
  repair.repaired = false;
  const { bounds, counts, size } = buckets;
  if (quantile !== quantile) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  if (bounds[size - 1] !== Infinity) return NaN;
  repairMonotonicity(buckets, repair);
  if (size < 2) return NaN;
  const total = counts[size - 1]!;
  if (total === 0) return NaN;
  let rank = quantile * total;
  let at = 0;
  while (at < size - 1 && !(counts[at]! >= rank)) at++;
  if (at === size - 1) return bounds[size - 2]!;
  if (at === 0 && bounds[0]! <= 0) return bounds[0]!;
  const end = bounds[at]!;
  let start = 0;
  let count = counts[at]!;
  if (at > 0) {
    start = bounds[at - 1]!;
    count -= counts[at - 1]!;
    rank -= counts[at - 1]!;
  }
  return start + (end - start) * (rank / count);
}

/** The share of observations between `lower` and `upper`. */
export function classicFraction(lower: number, upper: number, buckets: ClassicBuckets): number {
  const { bounds, counts, size } = buckets;
  if (bounds[size - 1] !== Infinity) return NaN;
  const total = counts[size - 1]!;
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return NaN;
  if (lower >= upper) return 0;
  return (rankBelow(upper, buckets) - rankBelow(lower, buckets)) / total;
}

/** How many observations lie below `value`; infinite buckets are not divided. */
function rankBelow(value: number, { bounds, counts, size }: ClassicBuckets): number {
  const total = counts[size - 1]!;
  let rank = 0;
  for (let i = 0; i < size; i++) {
    const upper = bounds[i]!;
    const lower = i > 0 ? bounds[i - 1]! : upper > 0 ? 0 : -Infinity;
    if (lower >= value) return Math.min(rank, total);
    if (upper > value) {
      const count = counts[i]! - rank;
      if (upper === Infinity) return Math.min(rank, total);
      const share = lower === -Infinity ? 1 : (value - lower) / (upper - lower);
      return Math.min(rank + count * share, total);
    }
    rank = counts[i]!;
  }
  return total;
}
