/**
 * Turns the JSON of a range query into columns: one row per series, one column per step.
 * Pure, so that it runs in the worker and under test alike.
 */
import type { LabelSet, MatrixSeries, QueryStats } from './query-result.ts';

/** The steps of a range query. `stepCount` includes both ends. */
export type Grid = { startMs: number; stepMs: number; stepCount: number };

export type SeriesSummary = {
  labels: LabelSet;
  /** Steps that carry a finite value. */
  valueCount: number;
  min: number;
  max: number;
  mean: number;
  /** The newest finite value. */
  last: number;
  /** Some value has no neighbour on either side, so that a line alone would not show it. */
  hasLonePoint: boolean;
};

export type RangeColumns = {
  grid: Grid;
  series: SeriesSummary[];
  /** `[series × stepCount]`, row after row; NaN where there is nothing to draw. */
  values: Float64Array;
  /** Series whose samples are native histograms, which lines cannot show. */
  histogramSeriesCount: number;
  stats: QueryStats | undefined;
};

export function gridOf(startMs: number, endMs: number, stepMs: number): Grid {
  return { startMs, stepMs, stepCount: Math.floor((endMs - startMs) / stepMs) + 1 };
}

export function toColumns(
  result: readonly MatrixSeries[],
  grid: Grid,
  stats: QueryStats | undefined,
): RangeColumns {
  const drawable = result.filter((one) => one.values !== undefined);
  const { stepCount } = grid;
  const values = new Float64Array(drawable.length * stepCount).fill(Number.NaN);
  const series = drawable.map((one, row) => {
    const from = row * stepCount;
    const rowValues = values.subarray(from, from + stepCount);
    for (const [timestampSeconds, text] of one.values!) {
      const step = Math.round((timestampSeconds * 1000 - grid.startMs) / grid.stepMs);
      const value = Number(text);
      // Infinities have no place on an axis. (The API writes them +Inf and -Inf, which Number
      // turns into NaN like the absence of a sample.)
      if (step >= 0 && step < stepCount && Number.isFinite(value)) rowValues[step] = value;
    }
    return summarise(one.metric, rowValues);
  });
  return {
    grid,
    series,
    values,
    histogramSeriesCount: result.filter((one) => one.histograms !== undefined).length,
    stats,
  };
}

function summarise(labels: LabelSet, values: Float64Array): SeriesSummary {
  let valueCount = 0;
  let min = Number.NaN;
  let max = Number.NaN;
  let mean = 0;
  let last = Number.NaN;
  let hasLonePoint = false;
  for (let step = 0; step < values.length; step++) {
    const value = values[step]!;
    if (Number.isNaN(value)) continue;
    valueCount++;
    // `!(a <= b)` instead of `a > b`: true for the first value too, while the bound is still NaN.
    if (!(min <= value)) min = value;
    if (!(max >= value)) max = value;
    // A running mean stays finite where a sum of large values would overflow.
    mean += (value - mean) / valueCount;
    last = value;
    const aloneBefore = step === 0 || Number.isNaN(values[step - 1]!);
    const aloneAfter = step === values.length - 1 || Number.isNaN(values[step + 1]!);
    if (aloneBefore && aloneAfter) hasLonePoint = true;
  }
  if (valueCount === 0) mean = Number.NaN;
  return { labels, valueCount, min, max, mean, last, hasLonePoint };
}
