/** What a range function is, and what it may ask of its surroundings. */
import type { TextRange } from '../../../model/index.ts';
import { histogramIgnoredInMixedRange, mixedFloatsHistograms } from '../../annotations.ts';
import type { Grid } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import type { RowBatch } from '../row-batch.ts';
import type { WindowRow } from '../select/window-rows.ts';
import type { Extension } from './extended-window.ts';

export type WindowEnv = {
  readonly context: QueryContext;
  /** Evaluation times, which differ from the ends of the windows by the offset. */
  readonly grid: Grid;
  /** Where the range vector stands. */
  readonly range: TextRange;
  /** Scalar arguments, one number per step. */
  readonly params: readonly Float64Array[];
  readonly paramRanges: readonly TextRange[];
  /** Of `anchored` and `smoothed` windows. */
  readonly extension: Extension | null;
};

/** Fills the cells of one row, `[at, at + stepCount)`, all of them. */
export type WindowFunction = (row: WindowRow, out: RowBatch, at: number, env: WindowEnv) => void;

/** How many floats and histograms lie in a window. */
export type WindowMix = { floatCount: number; histogramCount: number };

export function mixOf(row: WindowRow, step: number): WindowMix {
  const mix = { floatCount: 0, histogramCount: 0 };
  for (let i = row.starts[step]!; i < row.ends[step]!; i++) {
    if (row.histograms![i]) mix.histogramCount++;
    else mix.floatCount++;
  }
  return mix;
}

export function warnMixed(row: WindowRow, env: WindowEnv): void {
  env.context.annotate(mixedFloatsHistograms(row.metricName, env.range));
}

/**
 * A function that only knows floats: histograms are left out, which is worth a note where a window
 * has both kinds.
 */
export function floatsOnly(compute: WindowFunction): WindowFunction {
  return (row, out, at, env) => {
    if (row.histograms === null) return compute(row, out, at, env);
    noteIgnoredHistograms(row, env);
    compute(withoutHistograms(row), out, at, env);
  };
}

function noteIgnoredHistograms(row: WindowRow, env: WindowEnv): void {
  for (let step = 0; step < row.lookGrid.stepCount; step++) {
    const { floatCount, histogramCount } = mixOf(row, step);
    if (floatCount === 0 || histogramCount === 0) continue;
    env.context.annotate(histogramIgnoredInMixedRange(row.metricName, env.range));
    return;
  }
}

/** The same row with its floats only; what is returned is made anew. */
function withoutHistograms(row: WindowRow): WindowRow {
  const floats: WindowRow = Object.create(row) as WindowRow;
  const timestampsMs = new Float64Array(row.count);
  const values = new Float64Array(row.count);
  /** How many floats come before each sample. */
  const before = new Int32Array(row.count + 1);
  let count = 0;
  for (let i = 0; i < row.count; i++) {
    before[i] = count;
    if (row.histograms![i]) continue;
    timestampsMs[count] = row.timestampsMs[i]!;
    values[count++] = row.values[i]!;
  }
  before[row.count] = count;
  return Object.assign(floats, {
    count,
    timestampsMs,
    values,
    histograms: null,
    starts: row.starts.map((start) => before[start]!),
    ends: row.ends.map((end) => before[end]!),
  });
}
