import { assert, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../../model/index.ts';

/** No sample for this step. */
export const NO_SAMPLE = -1;

/**
 * The instant-vector rule for one series: at each step the newest sample in
 * `(stepMs - lookbackMs, stepMs]`, unless that sample is a staleness marker. Writes its index, or
 * NO_SAMPLE, to `chosen`; returns how many steps have one.
 *
 * @param timestampsMs  `[sampleCount]`, strictly ascending
 * @param valueHalves   the values as (low, high) halves: comparison cannot tell NaN from NaN
 * Source: PromQL documentation, "Staleness"; the left edge is open since 3.0.
 */
export function latestPerStep(
  timestampsMs: Float64Array,
  valueHalves: Uint32Array,
  sampleCount: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  lookbackMs: number,
  chosen: Int32Array,
): number {
  assert(sampleCount <= timestampsMs.length, 'sampleCount exceeds timestampsMs');
  assert(sampleCount * 2 <= valueHalves.length, 'sampleCount exceeds valueHalves');
  assert(stepCount <= chosen.length, 'stepCount exceeds chosen');
  let next = 0;
  let found = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    while (next < sampleCount && timestampsMs[next]! <= endMs) next++;
    const newest = next - 1;
    chosen[step] = NO_SAMPLE;
    if (newest < 0 || timestampsMs[newest]! <= endMs - lookbackMs) continue;
    if (
      valueHalves[newest * 2] === STALE_NAN_LOW &&
      valueHalves[newest * 2 + 1] === STALE_NAN_HIGH
    ) {
      continue;
    }
    chosen[step] = newest;
    found++;
  }
  return found;
}

/**
 * Removes staleness markers in place, as range selectors do; returns the new sample count.
 */
export function dropStale(
  timestampsMs: Float64Array,
  values: Float64Array,
  valueHalves: Uint32Array,
  sampleCount: number,
): number {
  let first = 0;
  while (
    first < sampleCount &&
    !(valueHalves[first * 2] === STALE_NAN_LOW && valueHalves[first * 2 + 1] === STALE_NAN_HIGH)
  ) {
    first++;
  }
  if (first === sampleCount) return sampleCount;
  let kept = first;
  for (let i = first + 1; i < sampleCount; i++) {
    if (valueHalves[i * 2] === STALE_NAN_LOW && valueHalves[i * 2 + 1] === STALE_NAN_HIGH) continue;
    timestampsMs[kept] = timestampsMs[i]!;
    values[kept++] = values[i]!;
  }
  return kept;
}
