/**
 * Stretches of time that were deleted from a series: `[min0, max0, min1, max1, …]` in milliseconds, both
 * ends included, ascending, with at least a millisecond between two.
 */
import type { SampleBuffer } from '../../model/index.ts';

export type Intervals = readonly number[];

/** With one more; those that overlap or touch it become one. */
export function addInterval(intervals: Intervals, minMs: number, maxMs: number): Intervals {
  const out: number[] = [];
  let min = minMs;
  let max = maxMs;
  let isPlaced = false;
  for (let i = 0; i < intervals.length; i += 2) {
    const otherMin = intervals[i]!;
    const otherMax = intervals[i + 1]!;
    if (otherMax + 1 < min) {
      out.push(otherMin, otherMax);
    } else if (max + 1 < otherMin) {
      if (!isPlaced) out.push(min, max);
      isPlaced = true;
      out.push(otherMin, otherMax);
    } else {
      min = Math.min(min, otherMin);
      max = Math.max(max, otherMax);
    }
  }
  if (!isPlaced) out.push(min, max);
  return out;
}

/** Whether one of them covers all of `[minMs, maxMs]`. */
export function covers(intervals: Intervals, minMs: number, maxMs: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) {
    if (intervals[i]! <= minMs && maxMs <= intervals[i + 1]!) return true;
  }
  return false;
}

/** Whether any of them reaches into `[minMs, maxMs]`. */
export function overlaps(intervals: Intervals, minMs: number, maxMs: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) {
    if (intervals[i]! <= maxMs && minMs <= intervals[i + 1]!) return true;
  }
  return false;
}

/** Takes the samples that lie in an interval out of `samples`, from index `from` on. */
export function removeDeleted(samples: SampleBuffer, from: number, intervals: Intervals): void {
  const { timestampsMs, valueHalves, histograms, startTimestampsMs } = samples;
  let kept = from;
  let next = 0;
  for (let i = from; i < samples.count; i++) {
    const timestampMs = timestampsMs[i]!;
    while (next < intervals.length && intervals[next + 1]! < timestampMs) next += 2;
    if (next < intervals.length && intervals[next]! <= timestampMs) continue;
    if (kept !== i) {
      timestampsMs[kept] = timestampMs;
      valueHalves[kept * 2] = valueHalves[i * 2]!;
      valueHalves[kept * 2 + 1] = valueHalves[i * 2 + 1]!;
      if (histograms !== null) histograms[kept] = histograms[i] ?? null;
      if (startTimestampsMs !== null) startTimestampsMs[kept] = startTimestampsMs[i]!;
    }
    kept++;
  }
  samples.count = kept;
}
