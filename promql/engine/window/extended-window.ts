/** Which samples an `anchored` or `smoothed` window takes its values from. */
import { ExecutionError } from '../../query-errors.ts';
import { interpolateFloats } from '../select/interpolate.ts';
import type { WindowRow } from '../select/window-rows.ts';

export type Extension = { readonly kind: 'anchored' | 'smoothed'; readonly lookbackMs: number };

/** Samples around one window. Indexes are -1 where there is none. */
export type Surroundings = {
  /** Newest at or before the start of the window, not older than the lookback. */
  before: number;
  /** First after the end, within the lookback (smoothed only). */
  after: number;
  /** Inside the window: `[first, end)`. */
  first: number;
  end: number;
  floatCount: number;
  histogramCount: number;
};

export function surroundingsOf(
  row: WindowRow,
  endMs: number,
  { kind, lookbackMs }: Extension,
): Surroundings {
  const { timestampsMs, histograms, count, windowMs } = row;
  const beginMs = endMs - windowMs;
  const around = { before: -1, after: -1, first: -1, end: -1, floatCount: 0, histogramCount: 0 };
  for (let i = 0; i < count; i++) {
    const sampleMs = timestampsMs[i]!;
    if (sampleMs <= beginMs - lookbackMs) continue;
    if (sampleMs > endMs + (kind === 'smoothed' ? lookbackMs : 0)) break;
    if (histograms?.[i]) around.histogramCount++;
    else around.floatCount++;
    if (sampleMs <= beginMs) around.before = i;
    else if (sampleMs > endMs) {
      if (around.after < 0) around.after = i;
    } else {
      if (around.first < 0) around.first = i;
      around.end = i + 1;
    }
  }
  return around;
}

/** What the two ends of a window take their values from. */
export function endsOf(
  around: Surroundings,
  { kind }: Extension,
): { left: number; right: number } | null {
  const { before, after, first, end } = around;
  if (kind === 'anchored') {
    if (first < 0) return null;
    return { left: before >= 0 ? before : first, right: end - 1 };
  }
  if (first >= 0) return { left: before >= 0 ? before : first, right: end - 1 };
  // An empty window lies on one line, if there are samples on both sides.
  return before >= 0 && after >= 0 ? { left: before, right: before } : null;
}

export type Points = { timestampsMs: number[]; values: number[] };

/**
 * The samples of the only window of a row as a bare range vector shows them: with a value at the
 * start and one at the end of the window.
 * @throws ExecutionError when there are histograms
 */
export function extendedPoints(row: WindowRow, extension: Extension): Points {
  const points: Points = { timestampsMs: [], values: [] };
  const endMs = row.lookGrid.startMs;
  const beginMs = endMs - row.windowMs;
  const around = surroundingsOf(row, endMs, extension);
  if (around.histogramCount > 0) {
    throw new ExecutionError(`${extension.kind} modifier is not supported with histograms`);
  }
  const { timestampsMs, values } = row;
  const push = (timeMs: number, value: number): void => {
    points.timestampsMs.push(timeMs);
    points.values.push(value);
  };
  const ends = endsOf(around, extension);
  if (ends === null) {
    // Prometheus shows the sample to come at both ends, though functions make nothing of it.
    if (around.before < 0 && around.after >= 0) {
      for (const timeMs of [beginMs, endMs]) push(timeMs, values[around.after]!);
    }
    return points;
  }
  const between = (left: number, right: number, timeMs: number): number =>
    interpolateFloats(
      timestampsMs[left]!,
      values[left]!,
      timestampsMs[right]!,
      values[right]!,
      timeMs,
      false,
    );
  const { before, after, first, end } = around;
  const next = first >= 0 ? first : after;
  const smoothed = extension.kind === 'smoothed';
  push(
    beginMs,
    smoothed && before >= 0 && next >= 0 ? between(before, next, beginMs) : values[ends.left]!,
  );
  for (let i = first; first >= 0 && i < end; i++) push(timestampsMs[i]!, values[i]!);
  if (points.timestampsMs.at(-1) === endMs) return points;
  push(endMs, smoothed && after >= 0 ? between(ends.right, after, endMs) : values[ends.right]!);
  return points;
}
