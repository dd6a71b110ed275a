/** sum_over_time and avg_over_time where a series has histograms. */
import {
  type CombineNotes,
  type FloatHistogram,
  HistogramSum,
  newCombineNotes,
} from '../../../model/index.ts';
import {
  counterResetCollision,
  mismatchedCustomBuckets,
  mixedExponentialCustomHistograms,
} from '../../annotations.ts';
import { avgOverTime, sumOverTime, type WindowKernel } from '../kernels/over-time.ts';
import { HistogramMean } from '../histogram-mean.ts';
import { ABSENT } from '../row-batch.ts';
import type { WindowRow } from '../select/window-rows.ts';
import { mixOf, warnMixed, type WindowEnv, type WindowFunction } from './window-function.ts';

type Combine = (
  histograms: readonly FloatHistogram[],
  notes: CombineNotes,
) => FloatHistogram | null;

function additive(kernel: WindowKernel, combine: Combine): WindowFunction {
  return (row, out, at, env) => {
    const { stepCount } = row.lookGrid;
    // Right for windows of floats; what it says of others is overwritten.
    kernel(
      row.timestampsMs,
      row.values,
      row.starts,
      row.ends,
      stepCount,
      out.values,
      out.present,
      at,
    );
    if (row.histograms === null) return;
    for (let step = 0; step < stepCount; step++) {
      const { floatCount, histogramCount } = mixOf(row, step);
      if (histogramCount === 0) continue;
      out.present[at + step] = ABSENT;
      if (floatCount > 0) {
        warnMixed(row, env);
        continue;
      }
      const window = row.histograms.slice(row.starts[step], row.ends[step]) as FloatHistogram[];
      const combined = combineWindow(window, combine, row, env);
      if (combined !== null) out.setHistogram(at + step, combined);
    }
  };
}

function combineWindow(
  window: readonly FloatHistogram[],
  combine: Combine,
  row: WindowRow,
  { context, range }: WindowEnv,
): FloatHistogram | null {
  // One alone keeps its layout, empty buckets included.
  if (window.length === 1) return window[0]!;
  const notes = newCombineNotes();
  const combined = combine(window, notes);
  if (combined === null) {
    context.annotate(mixedExponentialCustomHistograms(row.metricName, range));
    return null;
  }
  if (hasResetConflict(window)) context.annotate(counterResetCollision('aggregation', range));
  if (notes.boundsReconciled) context.annotate(mismatchedCustomBuckets('aggregation', range));
  return combined;
}

/** Whether some say that their counter was reset and others that it was not. */
export function hasResetConflict(histograms: readonly FloatHistogram[]): boolean {
  return (
    histograms.some(({ hint }) => hint === 'reset') &&
    histograms.some(({ hint }) => hint === 'not_reset')
  );
}

export const sumWindows = additive(sumOverTime, (histograms, notes) => {
  const sum = new HistogramSum(histograms[0]!);
  for (let i = 1; i < histograms.length; i++) {
    if (!sum.add(histograms[i]!, notes)) return null;
  }
  return sum.result();
});

export const avgWindows = additive(avgOverTime, (histograms, notes) => {
  const mean = new HistogramMean(histograms[0]!);
  for (let i = 1; i < histograms.length; i++) {
    if (!mean.add(histograms[i]!, notes)) return null;
  }
  return mean.result();
});
