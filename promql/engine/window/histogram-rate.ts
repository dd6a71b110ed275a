/** rate, increase, delta, irate and idelta of histograms. */
import {
  addHistograms,
  compactHistogram,
  type FloatHistogram,
  floatHistogram,
  isCounterReset,
  divideHistogram,
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
import type { WindowRow } from '../select/window-rows.ts';
import { startsOver } from './start-timestamps.ts';
import type { WindowEnv } from './window-function.ts';

/**
 * The difference between last and first histogram of `[start, end)`, resets of a counter made up
 * for; null, with a warning, when layouts do not go together.
 *
 * @param fromZero  the counter is known to have begun inside the window: nothing is taken off
 */
export function histogramIncrease(
  row: WindowRow,
  start: number,
  end: number,
  isCounter: boolean,
  fromZero: boolean,
  env: WindowEnv,
): FloatHistogram | null {
  const histograms = row.histograms!;
  const last = histograms[end - 1]!;
  let first = histograms[start]!;
  // A first sample right before a reset takes no part, so its layout must not spoil the rest.
  const firstIsVoid = isCounter && end - start > 1 && isReset(row, start + 1, env);
  if (firstIsVoid && !fromZero) first = emptyLike(histograms[start + 1]!);
  warnOfFlavor(histograms.slice(start, end) as FloatHistogram[], isCounter, row, env);
  let schema = Math.min(first.schema, last.schema);
  for (let i = start; i < end; i++) {
    const histogram = i === start ? first : histograms[i]!;
    if (usesCustomBuckets(histogram) !== usesCustomBuckets(last)) {
      env.context.annotate(mixedExponentialCustomHistograms(row.metricName, env.range));
      return null;
    }
    if (isCounter && histogram.schema < schema) schema = histogram.schema;
  }
  const notes = { subtraction: newCombineNotes(), addition: newCombineNotes() };
  const reduced = usesCustomBuckets(last) ? last : reduceSchema(last, schema);
  let increase = fromZero ? reduced : subtractHistograms(reduced, first, notes.subtraction);
  if (isCounter) {
    for (let i = start + 1; i < end && increase !== null; i++) {
      const previous = i === start + 1 ? first : histograms[i - 1]!;
      if (isReset(row, i, env)) increase = addHistograms(increase, previous, notes.addition);
    }
  }
  if (increase === null) return null;
  for (const operation of ['subtraction', 'addition'] as const) {
    if (!notes[operation].boundsReconciled) continue;
    env.context.annotate(mismatchedCustomBuckets(operation, env.range));
  }
  return withHint(compactHistogram(increase), 'gauge');
}

/** Whether the counter starts over at sample `index` of a row. */
export function isReset(row: WindowRow, index: number, env: WindowEnv): boolean {
  const histogram = row.histograms![index]!;
  return startsOver(row, index, env) || isCounterReset(histogram, row.histograms![index - 1]!);
}

function emptyLike({ schema, customBounds }: FloatHistogram): FloatHistogram {
  return floatHistogram({ schema, customBounds });
}

/** Warns when gauges are treated as counters or the reverse. */
function warnOfFlavor(
  histograms: readonly FloatHistogram[],
  isCounter: boolean,
  row: WindowRow,
  env: WindowEnv,
): void {
  if (isCounter) {
    if (histograms.some(({ hint }) => hint === 'gauge')) {
      env.context.annotate(nativeHistogramNotCounter(row.metricName, env.range));
    }
  } else if (histograms[0]!.hint !== 'gauge' || histograms.at(-1)!.hint !== 'gauge') {
    env.context.annotate(nativeHistogramNotGauge(row.metricName, env.range));
  }
}

/** irate (`isRate`) or idelta of the two histograms before `end`; null with a warning likewise. */
export function histogramInstantRate(
  row: WindowRow,
  end: number,
  isRate: boolean,
  env: WindowEnv,
): FloatHistogram | null {
  const last = row.histograms![end - 1]!;
  const previous = row.histograms![end - 2]!;
  const { context, range } = env;
  if (isRate) {
    if (last.hint === 'gauge' || previous.hint === 'gauge') {
      context.annotate(nativeHistogramNotCounter(row.metricName, range));
    }
  } else if (last.hint !== 'gauge' || previous.hint !== 'gauge') {
    context.annotate(nativeHistogramNotGauge(row.metricName, range));
  }
  let difference: FloatHistogram | null = last;
  if (!isRate || !isReset(row, end - 1, env)) {
    const notes = newCombineNotes();
    difference = subtractHistograms(last, previous, notes);
    if (difference === null) {
      context.annotate(mixedExponentialCustomHistograms(row.metricName, range));
      return null;
    }
    if (notes.boundsReconciled) context.annotate(mismatchedCustomBuckets('subtraction', range));
  }
  if (isRate) {
    const seconds = (row.timestampsMs[end - 1]! - row.timestampsMs[end - 2]!) / 1000;
    difference = divideHistogram(difference, seconds);
  }
  return withHint(compactHistogram(difference), 'gauge');
}
