/** Variance, quantile and median absolute deviation over the windows of one series of floats. */
import type { WindowKernel } from './over-time.ts';

/** Population variance by Welford's method, both running sums compensated. */
function varianceKernel(finish: (variance: number) => number): WindowKernel {
  return (_timestampsMs, values, starts, ends, stepCount, out, present, outStart) => {
    for (let step = 0; step < stepCount; step++) {
      const end = ends[step]!;
      const start = starts[step]!;
      if (end === start) {
        present[outStart + step] = 0;
        continue;
      }
      let mean = 0;
      let meanLoss = 0;
      let sum = 0;
      let sumLoss = 0;
      for (let i = start; i < end; i++) {
        const value = values[i]!;
        const delta = value - (mean + meanLoss);
        const shift = delta / (i - start + 1);
        let total = mean + shift;
        if (total === Infinity || total === -Infinity) meanLoss = 0;
        else if (Math.abs(mean) >= Math.abs(shift)) meanLoss += mean - total + shift;
        else meanLoss += shift - total + mean;
        mean = total;
        const square = delta * (value - (mean + meanLoss));
        total = sum + square;
        if (total === Infinity || total === -Infinity) sumLoss = 0;
        else if (Math.abs(sum) >= Math.abs(square)) sumLoss += sum - total + square;
        else sumLoss += square - total + sum;
        sum = total;
      }
      out[outStart + step] = finish((sum + sumLoss) / (end - start));
      present[outStart + step] = 1;
    }
  };
}

export const stdvarOverTime = varianceKernel((variance) => variance);
export const stddevOverTime = varianceKernel(Math.sqrt);

/**
 * The φ-quantile of the first `count` entries of `sorted`, which ascend with NaN first.
 * Source: PromQL documentation (`quantile`): linear between neighbouring ranks.
 */
export function quantileOfSorted(quantile: number, sorted: Float64Array, count: number): number {
  if (count === 0 || quantile !== quantile) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  const rank = quantile * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}

/** Sorts the first `count` entries in place: NaN first, then ascending. */
export function sortNaNFirst(values: Float64Array, count: number): void {
  if (count <= 32) {
    // Insertion: for a handful of samples a sort call costs more than the sorting.
    for (let i = 1; i < count; i++) {
      const value = values[i]!;
      let at = i - 1;
      while (
        at >= 0 &&
        (values[at]! > value || (Number.isNaN(value) && !Number.isNaN(values[at]!)))
      ) {
        values[at + 1] = values[at]!;
        at--;
      }
      values[at + 1] = value;
    }
    return;
  }
  // The default order of typed arrays puts NaN last.
  values.subarray(0, count).sort();
  let nanStart = count;
  while (nanStart > 0 && values[nanStart - 1]! !== values[nanStart - 1]!) nanStart--;
  const nanCount = count - nanStart;
  if (nanCount === 0) return;
  values.copyWithin(nanCount, 0, nanStart);
  values.fill(NaN, 0, nanCount);
}

let scratch = new Float64Array(64);

function scratchOf(count: number): Float64Array {
  if (scratch.length < count) scratch = new Float64Array(Math.max(count, scratch.length * 2));
  return scratch;
}

/** quantile_over_time with one quantile per step. */
export function quantileOverTime(
  values: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  stepCount: number,
  quantiles: Float64Array,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  for (let step = 0; step < stepCount; step++) {
    const start = starts[step]!;
    const count = ends[step]! - start;
    present[outStart + step] = count > 0 ? 1 : 0;
    if (count === 0) continue;
    const sorted = scratchOf(count);
    for (let i = 0; i < count; i++) sorted[i] = values[start + i]!;
    sortNaNFirst(sorted, count);
    out[outStart + step] = quantileOfSorted(quantiles[step]!, sorted, count);
  }
}

/** mad_over_time: the median of the distances from the median; NaN where any sample is. */
export const madOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const start = starts[step]!;
    const count = ends[step]! - start;
    present[outStart + step] = count > 0 ? 1 : 0;
    if (count === 0) continue;
    const sorted = scratchOf(count);
    for (let i = 0; i < count; i++) sorted[i] = values[start + i]!;
    sortNaNFirst(sorted, count);
    const median = sorted[0] !== sorted[0] ? NaN : quantileOfSorted(0.5, sorted, count);
    for (let i = 0; i < count; i++) sorted[i] = Math.abs(values[start + i]! - median);
    sortNaNFirst(sorted, count);
    out[outStart + step] = quantileOfSorted(0.5, sorted, count);
  }
};
