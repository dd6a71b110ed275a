/**
 * `x smoothed`: at each step the value on the line between the samples before and after, or that of
 * the sample before where none follows.
 * Source: PromQL feature documentation ("Extended Range Selectors"); details observed on 3.14.
 */
import type { FloatHistogram, SampleBuffer, TextRange } from '../../../model/index.ts';
import {
  mismatchedCustomBuckets,
  mixedExponentialCustomHistograms,
  mixedFloatsHistograms,
} from '../../annotations.ts';
import type { Grid } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { ABSENT, type RowBatch } from '../row-batch.ts';
import { histogramSampleCount } from '../stats.ts';
import { interpolateFloats, interpolateHistograms } from './interpolate.ts';

export type SmoothedRow = {
  /** Without staleness markers; they do not end a smoothed series. */
  readonly samples: SampleBuffer;
  readonly lookGrid: Grid;
  readonly lookbackMs: number;
  readonly metricName: string;
  readonly range: TextRange;
};

/**
 * Fills the cells from `at` on; returns how many samples there are to hold. As in Prometheus, they
 * are not counted as read.
 */
export function smoothRow(
  row: SmoothedRow,
  out: RowBatch,
  at: number,
  context: QueryContext,
): number {
  const { samples, lookGrid, lookbackMs } = row;
  let held = 0;
  for (let step = 0; step < lookGrid.stepCount; step++) {
    out.present[at + step] = ABSENT;
    const timeMs = lookGrid.startMs + step * lookGrid.stepMs;
    const nearby = samplesAround(samples, timeMs, lookbackMs);
    if (nearby.floatCount > 0 && nearby.histogramCount > 0) {
      context.annotate(mixedFloatsHistograms(row.metricName, row.range));
      continue;
    }
    const { before, after } = nearby;
    if (before < 0) continue;
    let size = 1;
    if (nearby.histogramCount > 0) {
      const histogram = histogramAt(row, before, after, timeMs, context);
      if (histogram === null) {
        context.annotate(mixedExponentialCustomHistograms(row.metricName, row.range));
        continue;
      }
      out.setHistogram(at + step, histogram);
      size = histogramSampleCount(histogram);
    } else {
      out.setFloat(at + step, floatAt(samples, before, after, timeMs));
    }
    held += size;
  }
  return held;
}

/** Index of the newest sample at or before a time and of the first after it, -1 where none is. */
function samplesAround(samples: SampleBuffer, timeMs: number, lookbackMs: number) {
  const { timestampsMs, histograms, count } = samples;
  const around = { before: -1, after: -1, floatCount: 0, histogramCount: 0 };
  for (let i = 0; i < count; i++) {
    const sampleMs = timestampsMs[i]!;
    if (sampleMs <= timeMs - lookbackMs) continue;
    if (sampleMs > timeMs + lookbackMs) break;
    if (histograms?.[i]) around.histogramCount++;
    else around.floatCount++;
    if (sampleMs <= timeMs) around.before = i;
    else if (around.after < 0) around.after = i;
  }
  return around;
}

function floatAt(samples: SampleBuffer, before: number, after: number, timeMs: number): number {
  const { timestampsMs, values } = samples;
  if (after < 0 || timestampsMs[before] === timeMs) return values[before]!;
  return interpolateFloats(
    timestampsMs[before]!,
    values[before]!,
    timestampsMs[after]!,
    values[after]!,
    timeMs,
    false,
  );
}

function histogramAt(
  { samples, range }: SmoothedRow,
  before: number,
  after: number,
  timeMs: number,
  context: QueryContext,
): FloatHistogram | null {
  const { timestampsMs, histograms } = samples;
  const left = histograms![before]!;
  if (after < 0 || timestampsMs[before] === timeMs) return left;
  return interpolateHistograms(
    timestampsMs[before]!,
    left,
    timestampsMs[after]!,
    histograms![after]!,
    timeMs,
    left.hint !== 'gauge',
    (operation) => context.annotate(mismatchedCustomBuckets(operation, range)),
  );
}
