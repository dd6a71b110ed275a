/** Range functions that treat floats and histograms alike: first, last, count, changes, resets. */
import { equalHistograms } from '../../../model/index.ts';
import {
  changesOverTime,
  countOverTime,
  firstOverTime,
  lastOverTime,
  presentOverTime,
  resetsOverTime,
  type WindowKernel,
} from '../kernels/over-time.ts';
import { ABSENT } from '../row-batch.ts';
import type { WindowRow } from '../select/window-rows.ts';
import { isReset } from './histogram-rate.ts';
import { startsOver } from './start-timestamps.ts';
import type { WindowEnv, WindowFunction } from './window-function.ts';

/** A kernel that only looks at the edges of the windows, and so serves histograms as well. */
function edgesOnly(kernel: WindowKernel): WindowFunction {
  return (row, out, at) => {
    const { stepCount } = row.lookGrid;
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
  };
}

export const countWindows = edgesOnly(countOverTime);
export const presentWindows = edgesOnly(presentOverTime);

/** The sample at one end of each window. */
function edgeSample(kernel: WindowKernel, indexOf: (row: WindowRow, step: number) => number) {
  const floats = edgesOnly(kernel);
  const choose: WindowFunction = (row, out, at, env) => {
    floats(row, out, at, env);
    if (row.histograms === null) return;
    for (let step = 0; step < row.lookGrid.stepCount; step++) {
      if (out.present[at + step] === ABSENT) continue;
      const histogram = row.histograms[indexOf(row, step)];
      if (histogram) out.setHistogram(at + step, histogram);
    }
  };
  return choose;
}

export const firstWindows = edgeSample(firstOverTime, (row, step) => row.starts[step]!);
export const lastWindows = edgeSample(lastOverTime, (row, step) => row.ends[step]! - 1);

/** When the sample at one end of each window was taken, in seconds. */
function edgeTime(indexOf: (row: WindowRow, step: number) => number): WindowFunction {
  return (row, out, at) => {
    for (let step = 0; step < row.lookGrid.stepCount; step++) {
      out.present[at + step] = ABSENT;
      if (row.ends[step] === row.starts[step]) continue;
      out.setFloat(at + step, row.timestampsMs[indexOf(row, step)]! / 1000);
    }
  };
}

export const timeOfFirstWindows = edgeTime((row, step) => row.starts[step]!);
export const timeOfLastWindows = edgeTime((row, step) => row.ends[step]! - 1);

/** Whether something happens between sample `index` and the one before. */
type Transition = (row: WindowRow, index: number, env: WindowEnv) => boolean;

function countTransitions(kernel: WindowKernel, happens: Transition): WindowFunction {
  return (row, out, at, env) => {
    const { stepCount } = row.lookGrid;
    const needsAll = row.histograms !== null || row.startTimestampsMs !== null;
    if (!needsAll && env.extension === null) {
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
      return;
    }
    for (let step = 0; step < stepCount; step++) {
      out.present[at + step] = ABSENT;
      const start = row.starts[step]!;
      const end = row.ends[step]!;
      if (end === start) continue;
      let count = 0;
      for (let i = anchorOf(row, step, env) + 1; i < end; i++) if (happens(row, i, env)) count++;
      out.setFloat(at + step, count);
    }
  };
}

/** The first sample to look at: for anchored windows, one before the window where there is one. */
function anchorOf(row: WindowRow, step: number, env: WindowEnv): number {
  const start = row.starts[step]!;
  if (env.extension === null || start === 0) return start;
  const { startMs, stepMs } = row.lookGrid;
  const beginMs = startMs + step * stepMs - row.windowMs;
  return row.timestampsMs[start - 1]! > beginMs - env.extension.lookbackMs ? start - 1 : start;
}

export const changesWindows = countTransitions(changesOverTime, (row, index) => {
  const histogram = row.histograms?.[index];
  const previousHistogram = row.histograms?.[index - 1];
  if (histogram && previousHistogram) return !equalHistograms(histogram, previousHistogram);
  if (histogram || previousHistogram) return true;
  const value = row.values[index]!;
  const previous = row.values[index - 1]!;
  return value !== previous && !(Number.isNaN(value) && Number.isNaN(previous));
});

export const resetsWindows = countTransitions(resetsOverTime, (row, index, env) => {
  const histogram = row.histograms?.[index];
  const previousHistogram = row.histograms?.[index - 1];
  if (histogram && previousHistogram) {
    const flavorChanges = (histogram.hint === 'gauge') !== (previousHistogram.hint === 'gauge');
    return flavorChanges || isReset(row, index, env);
  }
  if (histogram || previousHistogram) return true;
  return row.values[index]! < row.values[index - 1]! || startsOver(row, index, env);
});
