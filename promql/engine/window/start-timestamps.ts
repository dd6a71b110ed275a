/**
 * Counter resets that show in start timestamps (feature `use-start-timestamps`).
 *
 *        previous sample           sample
 *   ───────────│──────────────────────│────────▶ time
 *              ▲      ▲                        a start in between, or at the previous sample when
 *            start  start                      that has an earlier start itself: started over
 *
 * Source: conformance scripts for start timestamps; answers of Prometheus 3.14.
 */
import { startTimeOverlap } from '../../annotations.ts';
import type { WindowRow } from '../select/window-rows.ts';
import type { WindowEnv } from './window-function.ts';

/** Whether the start timestamps say that the counter started over before sample `index` (> 0). */
export function startsOver(row: WindowRow, index: number, env: WindowEnv): boolean {
  const starts = row.startTimestampsMs;
  if (starts === null || !env.context.features.startTimestamps) return false;
  const startMs = starts[index]!;
  const previousStartMs = starts[index - 1]!;
  if (startMs === 0) return false;
  const previousMs = row.timestampsMs[index - 1]!;
  if (startMs < previousMs) {
    if (startMs === previousStartMs) return false;
    env.context.annotate(startTimeOverlap(row.metricName, env.range));
    return false;
  }
  if (startMs >= row.timestampsMs[index]!) return false;
  return startMs > previousMs || (previousStartMs !== 0 && previousStartMs < previousMs);
}

/**
 * When the counter of the first sample of a window was zero, if that lies inside the window; else
 * NaN.
 */
export function zeroTimeMs(
  row: WindowRow,
  first: number,
  rangeStartMs: number,
  env: WindowEnv,
): number {
  if (row.startTimestampsMs === null || !env.context.features.startTimestamps) return NaN;
  const startMs = row.startTimestampsMs[first]!;
  const inside = startMs !== 0 && startMs > rangeStartMs && startMs < row.timestampsMs[first]!;
  return inside ? startMs : NaN;
}
