import { assert, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../../model/index.ts';

/** No sample for this step. */
export const NO_SAMPLE = -1;

/**
 * The instant-vector rule for one series as far as it is about time: at each step the newest sample
 * in `(stepMs - lookbackMs, stepMs]`. Writes its index, or NO_SAMPLE, to `chosen`.
 *
 * @param timestampsMs  `[sampleCount]`, strictly ascending
 * Source: PromQL documentation, "Staleness"; the left edge is open since 3.0.
 */
export function newestPerStep(
  timestampsMs: Float64Array,
  sampleCount: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  lookbackMs: number,
  chosen: Int32Array,
): void {
  assert(sampleCount <= timestampsMs.length, 'sampleCount exceeds timestampsMs');
  assert(stepCount <= chosen.length, 'stepCount exceeds chosen');
  let next = 0;
  if (stepCount === 1) {
    // The one time of an instant query is mostly near the end.
    next = sampleCount;
    while (next > 0 && timestampsMs[next - 1]! > startMs) next--;
  }
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    while (next < sampleCount && timestampsMs[next]! <= endMs) next++;
    const newest = next - 1;
    const isFresh = newest >= 0 && timestampsMs[newest]! > endMs - lookbackMs;
    chosen[step] = isFresh ? newest : NO_SAMPLE;
  }
}

/**
 * The other half of the rule: hands out the chosen samples, unless they are staleness markers.
 * Returns how many steps have one.
 *
 * @param valueHalves   the values as (low, high) halves: comparison cannot tell NaN from NaN
 * @param source        what to hand out of each sample, divided by `divisor`
 * @param out, present  `[outStart, outStart + stepCount)` is written
 */
export function takeChosen(
  values: Float64Array,
  valueHalves: Uint32Array,
  source: Float64Array,
  divisor: number,
  chosen: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): number {
  let found = 0;
  for (let step = 0; step < stepCount; step++) {
    const index = chosen[step]!;
    if (index === NO_SAMPLE || isStale(values, valueHalves, index)) {
      present[outStart + step] = 0;
      continue;
    }
    out[outStart + step] = source[index]! / divisor;
    present[outStart + step] = 1;
    found++;
  }
  return found;
}

/** Whether sample `index` says that its series has ended. */
export function isStale(values: Float64Array, valueHalves: Uint32Array, index: number): boolean {
  const value = values[index]!;
  if (value === value) return false;
  return valueHalves[index * 2] === STALE_NAN_LOW && valueHalves[index * 2 + 1] === STALE_NAN_HIGH;
}
