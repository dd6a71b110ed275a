/**
 * rate, increase and delta over `anchored` and `smoothed` windows: from a value at the start of the
 * window to one at its end, nothing extrapolated.
 *
 *   anchored   start: the newest sample at or before it, else the first inside; end: the last inside
 *   smoothed   both: on the line between the samples around; where one side is missing, the nearest
 *
 * Source: PromQL feature documentation ("Extended Range Selectors"); details observed on 3.14.
 */
import {
  addHistograms,
  combineHints,
  compactHistogram,
  divideHistogram,
  type FloatHistogram,
  isCounterReset,
  newCombineNotes,
  reduceSchema,
  subtractHistograms,
  usesCustomBuckets,
  withHint,
} from '../../../model/index.ts';
import {
  mismatchedCustomBuckets,
  mixedExponentialCustomHistograms,
  nativeHistogramNotCounter,
  nativeHistogramNotGauge,
} from '../../annotations.ts';
import { secondsOf } from '../kernels/rate.ts';
import { ABSENT, type RowBatch } from '../row-batch.ts';
import { interpolateFloats, interpolateHistograms } from '../select/interpolate.ts';
import type { WindowRow } from '../select/window-rows.ts';
import { endsOf, type Surroundings, surroundingsOf } from './extended-window.ts';
import { warnMixed, type WindowEnv } from './window-function.ts';

export function extendedRate(
  row: WindowRow,
  out: RowBatch,
  at: number,
  env: WindowEnv,
  isCounter: boolean,
  isRate: boolean,
): void {
  const { startMs, stepMs, stepCount } = row.lookGrid;
  const divisor = isRate ? secondsOf(row.windowMs) : 1;
  for (let step = 0; step < stepCount; step++) {
    out.present[at + step] = ABSENT;
    const endMs = startMs + step * stepMs;
    const around = surroundingsOf(row, endMs, env.extension!);
    if (around.floatCount > 0 && around.histogramCount > 0) {
      warnMixed(row, env);
    } else if (around.histogramCount > 0) {
      const increase = histogramDifference(row, around, endMs, isCounter, env);
      if (increase !== null) {
        out.setHistogram(at + step, divideHistogram(increase, divisor));
      }
    } else if (around.floatCount > 0) {
      const increase = floatDifference(row, around, endMs, isCounter, env);
      if (increase !== null) out.setFloat(at + step, increase / divisor);
    }
  }
}

function floatDifference(
  row: WindowRow,
  around: Surroundings,
  endMs: number,
  isCounter: boolean,
  env: WindowEnv,
): number | null {
  const ends = endsOf(around, env.extension!);
  if (ends === null) return null;
  const { timestampsMs, values, windowMs } = row;
  const smoothed = env.extension!.kind === 'smoothed';
  const at = (left: number, right: number, timeMs: number): number =>
    interpolateFloats(
      timestampsMs[left]!,
      values[left]!,
      timestampsMs[right]!,
      values[right]!,
      timeMs,
      isCounter,
    );
  const { before, after, first } = around;
  const beginMs = endMs - windowMs;
  const afterBegin = first >= 0 ? first : after;
  let left = values[ends.left]!;
  if (smoothed && before >= 0 && afterBegin >= 0 && timestampsMs[before]! < beginMs) {
    left = at(before, afterBegin, beginMs);
  }
  let right = values[ends.right]!;
  if (smoothed && after >= 0 && timestampsMs[ends.right]! < endMs) {
    right = at(ends.right, after, endMs);
  }
  if (!isCounter) return right - left;
  // What resets have swallowed is added up by itself, then added: the order shows in last digits.
  let swallowed = 0;
  let previous = left;
  for (let i = Math.max(first, 0); first >= 0 && i < around.end; i++) {
    if (values[i]! < previous) swallowed += previous;
    previous = values[i]!;
  }
  if (right < previous) swallowed += previous;
  return right - left + swallowed;
}

function histogramDifference(
  row: WindowRow,
  around: Surroundings,
  endMs: number,
  isCounter: boolean,
  env: WindowEnv,
): FloatHistogram | null {
  const ends = endsOf(around, env.extension!);
  if (ends === null) return null;
  const line = histogramLine(row, around, ends, endMs, isCounter, env);
  if (line === null || line.some((h) => usesCustomBuckets(h) !== usesCustomBuckets(line[0]!))) {
    env.context.annotate(mixedExponentialCustomHistograms(row.metricName, env.range));
    return null;
  }
  warnOfFlavor(line, isCounter, row, env);
  const notes = { subtraction: newCombineNotes(), addition: newCombineNotes() };
  const firstIsVoid = isCounter && line.length > 1 && isCounterReset(line[1]!, line[0]!);
  const last = line.at(-1)!;
  // Its buckets take no part, but their width does.
  let increase: FloatHistogram | null = firstIsVoid
    ? reduceSchema(last, Math.min(last.schema, line[0]!.schema))
    : subtractHistograms(last, line[0]!, notes.subtraction);
  for (let i = firstIsVoid ? 2 : 1; isCounter && i < line.length; i++) {
    if (!isCounterReset(line[i]!, line[i - 1]!) || increase === null) continue;
    increase = addHistograms(increase, line[i - 1]!, notes.addition);
  }
  if (increase === null) return null;
  for (const operation of ['subtraction', 'addition'] as const) {
    if (!notes[operation].boundsReconciled) continue;
    env.context.annotate(mismatchedCustomBuckets(operation, env.range));
  }
  return withHint(compactHistogram(increase), 'gauge');
}

/** The histograms from the left end over the inside to the right end; null when layouts clash. */
function histogramLine(
  row: WindowRow,
  around: Surroundings,
  ends: { left: number; right: number },
  endMs: number,
  isCounter: boolean,
  env: WindowEnv,
): FloatHistogram[] | null {
  const { timestampsMs, windowMs } = row;
  const histograms = row.histograms!;
  const smoothed = env.extension!.kind === 'smoothed';
  const { before, after, first, end } = around;
  const beginMs = endMs - windowMs;
  const onReconciled = (operation: 'addition' | 'subtraction') =>
    env.context.annotate(mismatchedCustomBuckets(operation, env.range));
  const between = (left: number, right: number, timeMs: number): FloatHistogram | null => {
    const a = histograms[left]!;
    const b = histograms[right]!;
    const [aMs, bMs] = [timestampsMs[left]!, timestampsMs[right]!];
    const middle = interpolateHistograms(aMs, a, bMs, b, timeMs, isCounter, onReconciled);
    return middle && withHint(middle, lineHint(a, b));
  };
  const line: FloatHistogram[] = [];
  const afterBegin = first >= 0 ? first : after;
  if (smoothed && before >= 0 && afterBegin >= 0 && timestampsMs[before]! < beginMs) {
    const left = between(before, afterBegin, beginMs);
    if (left === null) return null;
    line.push(left);
  } else {
    line.push(histograms[ends.left]!);
  }
  const leftIsSample = line[0] === histograms[ends.left];
  for (let i = first; first >= 0 && i < end; i++) {
    if (i === ends.left) continue;
    // A reset on the way to the first sample is in the value at the start already.
    const spent = i === first && !leftIsSample && histograms[i]!.hint === 'reset';
    line.push(spent ? withHint(histograms[i]!, 'unknown') : histograms[i]!);
  }
  if (smoothed && after >= 0 && timestampsMs[ends.right]! < endMs) {
    const right = between(ends.right, after, endMs);
    if (right === null) return null;
    line.push(right);
  }
  return line;
}

/** An interpolated counter says nothing of resets: the values next to it do. */
function lineHint(a: FloatHistogram, b: FloatHistogram): FloatHistogram['hint'] {
  return combineHints(a.hint, b.hint, newCombineNotes()) === 'gauge' ? 'gauge' : 'unknown';
}

function warnOfFlavor(
  line: readonly FloatHistogram[],
  isCounter: boolean,
  row: WindowRow,
  env: WindowEnv,
): void {
  if (isCounter) {
    if (line.some(({ hint }) => hint === 'gauge')) {
      env.context.annotate(nativeHistogramNotCounter(row.metricName, env.range));
    }
  } else if (line.some(({ hint }) => hint !== 'gauge')) {
    env.context.annotate(nativeHistogramNotGauge(row.metricName, env.range));
  }
}
