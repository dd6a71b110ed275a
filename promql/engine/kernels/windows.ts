/**
 * Which samples of one series lie in the window of each step.
 *
 *        window of step i: (stepMs - windowMs, stepMs]
 *   samples   · · · · · · · · · · ·
 *                 [starts[i] … ends[i])
 */
import { assert } from '../../../model/index.ts';

/**
 * Fills `starts` and `ends` for steps 0 … stepCount-1. Both only move forward, so a series costs
 * O(samples + steps). Returns how many samples there are in all windows together.
 *
 * @param timestampsMs  `[sampleCount]`, strictly ascending
 * @param startMs       end of the first window
 */
export function slideWindows(
  timestampsMs: Float64Array,
  sampleCount: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  windowMs: number,
  starts: Int32Array,
  ends: Int32Array,
): number {
  assert(sampleCount <= timestampsMs.length, 'sampleCount exceeds timestampsMs');
  assert(stepCount <= starts.length && stepCount <= ends.length, 'too many steps');
  let first = 0;
  let next = 0;
  let total = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + step * stepMs;
    const beginMs = endMs - windowMs;
    while (next < sampleCount && timestampsMs[next]! <= endMs) next++;
    while (first < next && timestampsMs[first]! <= beginMs) first++;
    starts[step] = first;
    ends[step] = next;
    total += next - first;
  }
  return total;
}
