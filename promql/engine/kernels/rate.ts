/**
 * rate, increase, delta, irate and idelta of floats.
 *
 *        rangeStart                                   rangeEnd
 *            │   first ─── · ─── · ─── · ─── last         │
 *            │◀─▶│◀────── sampledSeconds ───▶│◀──────────▶│
 *         secondsToStart                        secondsToEnd
 *
 * The difference between first and last sample is extended to the edges of the window: fully
 * where an edge is nearer than 1.1 average sample distances, else by half a distance; for a counter
 * never to before it was zero.
 * Source: PromQL function documentation. The order of the arithmetic decides the last bit; it was
 * settled by comparing answers with Prometheus 3.14.
 */

export type RateKind = { readonly isCounter: boolean; readonly isRate: boolean };

/** Go's `Duration.Seconds`: whole seconds plus the fraction. */
export function secondsOf(durationMs: number): number {
  const whole = Math.trunc(durationMs / 1000);
  return whole + (durationMs - whole * 1000) / 1000;
}

/**
 * By how much the first-to-last difference is to be multiplied.
 *
 * @param firstMs, lastMs       timestamps of the outermost samples, which differ
 * @param sampleCount           samples in the window, at least 2
 * @param firstValue, increase  for counters: the first value and the difference; NaN for gauges
 * @param divisorSeconds        length of the window for a rate, 1 for an increase
 */
export function extrapolationFactor(
  firstMs: number,
  lastMs: number,
  sampleCount: number,
  rangeStartMs: number,
  rangeEndMs: number,
  firstValue: number,
  increase: number,
  isRate: boolean,
  divisorSeconds: number,
): number {
  let secondsToStart = (firstMs - rangeStartMs) / 1000;
  let secondsToEnd = (rangeEndMs - lastMs) / 1000;
  const sampledSeconds = (lastMs - firstMs) / 1000;
  const averageSeconds = sampledSeconds / (sampleCount - 1);
  const thresholdSeconds = averageSeconds * 1.1;
  if (secondsToStart >= thresholdSeconds) secondsToStart = averageSeconds / 2;
  if (increase > 0 && firstValue >= 0) {
    const secondsToZero = sampledSeconds * (firstValue / increase);
    if (secondsToZero < secondsToStart) secondsToStart = secondsToZero;
  }
  if (secondsToEnd >= thresholdSeconds) secondsToEnd = averageSeconds / 2;
  const factor = (sampledSeconds + secondsToStart + secondsToEnd) / sampledSeconds;
  return isRate ? factor / divisorSeconds : factor;
}

/**
 * rate (counter, rate), increase (counter), delta (neither) of one series.
 *
 * @param starts, ends  windows, see slideWindows
 * @param resets        scratch `[sampleCount]`
 * @param out, present  `[outStart, outStart + stepCount)` is written
 */
export function rateOfFloats(
  timestampsMs: Float64Array,
  values: Float64Array,
  sampleCount: number,
  starts: Int32Array,
  ends: Int32Array,
  startMs: number,
  stepMs: number,
  stepCount: number,
  windowMs: number,
  isCounter: boolean,
  isRate: boolean,
  resets: Int32Array,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  const divisorSeconds = secondsOf(windowMs);
  let resetCount = 0;
  if (isCounter) {
    for (let i = 1; i < sampleCount; i++) {
      if (values[i]! < values[i - 1]!) resets[resetCount++] = i;
    }
  }
  let firstReset = 0;
  for (let step = 0; step < stepCount; step++) {
    const first = starts[step]!;
    const last = ends[step]! - 1;
    if (last <= first) {
      present[outStart + step] = 0;
      continue;
    }
    let increase = values[last]! - values[first]!;
    if (firstReset < resetCount) {
      while (firstReset < resetCount && resets[firstReset]! <= first) firstReset++;
      // One by one and in this order, as the last bit wants it.
      for (let r = firstReset; r < resetCount && resets[r]! <= last; r++) {
        increase += values[resets[r]! - 1]!;
      }
    }
    const rangeEndMs = startMs + step * stepMs;
    const firstMs = timestampsMs[first]!;
    const lastMs = timestampsMs[last]!;
    const firstValue = values[first]!;
    // extrapolationFactor, written out: a call costs as much as the work.
    let secondsToStart = (firstMs - (rangeEndMs - windowMs)) / 1000;
    let secondsToEnd = (rangeEndMs - lastMs) / 1000;
    const sampledSeconds = (lastMs - firstMs) / 1000;
    const averageSeconds = sampledSeconds / (last - first);
    const thresholdSeconds = averageSeconds * 1.1;
    if (secondsToStart >= thresholdSeconds) secondsToStart = averageSeconds / 2;
    if (isCounter && increase > 0 && firstValue >= 0) {
      const secondsToZero = sampledSeconds * (firstValue / increase);
      if (secondsToZero < secondsToStart) secondsToStart = secondsToZero;
    }
    if (secondsToEnd >= thresholdSeconds) secondsToEnd = averageSeconds / 2;
    let factor = (sampledSeconds + secondsToStart + secondsToEnd) / sampledSeconds;
    if (isRate) factor /= divisorSeconds;
    out[outStart + step] = increase * factor;
    present[outStart + step] = 1;
  }
}

/**
 * What {@link rateOfFloats} works out of the timestamps, kept for series that have the same ones.
 * Arrays are `[stepCount]`.
 */
export type RateTerms = {
  readonly sampledSeconds: Float64Array;
  readonly secondsToStart: Float64Array;
  readonly secondsToEnd: Float64Array;
  /** Where no counter was zero on the way to the start; NaN in windows of less than two samples. */
  readonly factors: Float64Array;
  readonly isRate: boolean;
};

/** @param starts, ends  windows, see slideWindows */
export function rateTermsOf(
  timestampsMs: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  startMs: number,
  stepMs: number,
  stepCount: number,
  windowMs: number,
  isRate: boolean,
): RateTerms {
  const divisorSeconds = secondsOf(windowMs);
  const sampled = new Float64Array(stepCount);
  const toStart = new Float64Array(stepCount);
  const toEnd = new Float64Array(stepCount);
  const factors = new Float64Array(stepCount);
  for (let step = 0; step < stepCount; step++) {
    const first = starts[step]!;
    const last = ends[step]! - 1;
    if (last <= first) {
      factors[step] = NaN;
      continue;
    }
    const rangeEndMs = startMs + step * stepMs;
    const firstMs = timestampsMs[first]!;
    const lastMs = timestampsMs[last]!;
    // As in extrapolationFactor.
    let secondsToStart = (firstMs - (rangeEndMs - windowMs)) / 1000;
    let secondsToEnd = (rangeEndMs - lastMs) / 1000;
    const sampledSeconds = (lastMs - firstMs) / 1000;
    const averageSeconds = sampledSeconds / (last - first);
    const thresholdSeconds = averageSeconds * 1.1;
    if (secondsToStart >= thresholdSeconds) secondsToStart = averageSeconds / 2;
    if (secondsToEnd >= thresholdSeconds) secondsToEnd = averageSeconds / 2;
    const factor = (sampledSeconds + secondsToStart + secondsToEnd) / sampledSeconds;
    factors[step] = isRate ? factor / divisorSeconds : factor;
    sampled[step] = sampledSeconds;
    toStart[step] = secondsToStart;
    toEnd[step] = secondsToEnd;
  }
  return {
    sampledSeconds: sampled,
    secondsToStart: toStart,
    secondsToEnd: toEnd,
    factors,
    isRate,
  };
}

/** {@link rateOfFloats} of a series whose windows are those of a series before. */
export function rateWithTerms(
  values: Float64Array,
  sampleCount: number,
  starts: Int32Array,
  ends: Int32Array,
  stepCount: number,
  windowMs: number,
  isCounter: boolean,
  terms: RateTerms,
  resets: Int32Array,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  const { sampledSeconds, secondsToStart, secondsToEnd, factors, isRate } = terms;
  const divisorSeconds = secondsOf(windowMs);
  let resetCount = 0;
  if (isCounter) {
    for (let i = 1; i < sampleCount; i++) {
      if (values[i]! < values[i - 1]!) resets[resetCount++] = i;
    }
  }
  let firstReset = 0;
  for (let step = 0; step < stepCount; step++) {
    const first = starts[step]!;
    const last = ends[step]! - 1;
    if (last <= first) {
      present[outStart + step] = 0;
      continue;
    }
    const firstValue = values[first]!;
    let increase = values[last]! - firstValue;
    if (firstReset < resetCount) {
      while (firstReset < resetCount && resets[firstReset]! <= first) firstReset++;
      // One by one and in this order, as the last bit wants it.
      for (let r = firstReset; r < resetCount && resets[r]! <= last; r++) {
        increase += values[resets[r]! - 1]!;
      }
    }
    let factor = factors[step]!;
    if (isCounter && increase > 0 && firstValue >= 0) {
      const sampled = sampledSeconds[step]!;
      const secondsToZero = sampled * (firstValue / increase);
      if (secondsToZero < secondsToStart[step]!) {
        factor = (sampled + secondsToZero + secondsToEnd[step]!) / sampled;
        if (isRate) factor /= divisorSeconds;
      }
    }
    out[outStart + step] = increase * factor;
    present[outStart + step] = 1;
  }
}

/** irate (rate) and idelta (not): the last two samples of each window. */
export function instantRateOfFloats(
  timestampsMs: Float64Array,
  values: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  stepCount: number,
  isRate: boolean,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  for (let step = 0; step < stepCount; step++) {
    const last = ends[step]! - 1;
    if (last <= starts[step]!) {
      present[outStart + step] = 0;
      continue;
    }
    const value = values[last]!;
    const previous = values[last - 1]!;
    let result = isRate && value < previous ? value : value - previous;
    if (isRate) result /= (timestampsMs[last]! - timestampsMs[last - 1]!) / 1000;
    out[outStart + step] = result;
    present[outStart + step] = 1;
  }
}
