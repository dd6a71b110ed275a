/** rate, increase, delta, irate, idelta: which samples they look at, and with what. */
import { multiplyHistogram } from '../../../model/index.ts';
import {
  extrapolationFactor,
  instantRateOfFloats,
  rateOfFloats,
  rateTermsOf,
  rateWithTerms,
  secondsOf,
} from '../kernels/rate.ts';
import { ABSENT, type RowBatch } from '../row-batch.ts';
import type { WindowRow } from '../select/window-rows.ts';
import { extendedRate } from './extended-rate.ts';
import { histogramIncrease, histogramInstantRate } from './histogram-rate.ts';
import { startsOver, zeroTimeMs } from './start-timestamps.ts';
import { mixOf, warnMixed, type WindowEnv, type WindowFunction } from './window-function.ts';

let resetScratch = new Int32Array(1024);

export function rateFunction(isCounter: boolean, isRate: boolean): WindowFunction {
  return (row, out, at, env) => {
    if (env.extension !== null) return extendedRate(row, out, at, env, isCounter, isRate);
    const usesStarts =
      isCounter && row.startTimestampsMs !== null && env.context.features.startTimestamps;
    if (row.histograms !== null || usesStarts) {
      return rateOfWindows(row, out, at, env, isCounter, isRate);
    }
    if (resetScratch.length < row.count) resetScratch = new Int32Array(row.count * 2);
    const { timestampsMs, values, count, starts, ends, windowMs } = row;
    const { startMs, stepMs, stepCount } = row.lookGrid;
    if (!row.hasWindowsOfRowBefore) {
      rateOfFloats(
        timestampsMs,
        values,
        count,
        starts,
        ends,
        startMs,
        stepMs,
        stepCount,
        windowMs,
        isCounter,
        isRate,
        resetScratch,
        out.values,
        out.present,
        at,
      );
      return;
    }
    row.rateTerms ??= rateTermsOf(
      timestampsMs,
      starts,
      ends,
      startMs,
      stepMs,
      stepCount,
      windowMs,
      isRate,
    );
    rateWithTerms(
      values,
      count,
      starts,
      ends,
      stepCount,
      windowMs,
      isCounter,
      row.rateTerms,
      resetScratch,
      out.values,
      out.present,
      at,
    );
  };
}

/** Window by window, for rows with histograms or start timestamps. */
function rateOfWindows(
  row: WindowRow,
  out: RowBatch,
  at: number,
  env: WindowEnv,
  isCounter: boolean,
  isRate: boolean,
): void {
  const { startMs, stepMs, stepCount } = row.lookGrid;
  for (let step = 0; step < stepCount; step++) {
    out.present[at + step] = ABSENT;
    const start = row.starts[step]!;
    const end = row.ends[step]!;
    if (end === start) continue;
    const rangeEndMs = startMs + step * stepMs;
    if (row.histograms === null) {
      const value = floatRate(row, start, end, rangeEndMs, env, isCounter, isRate);
      if (value !== null) out.setFloat(at + step, value);
      continue;
    }
    const { floatCount, histogramCount } = mixOf(row, step);
    if (floatCount > 0 && histogramCount > 0) {
      warnMixed(row, env);
    } else if (histogramCount === 0) {
      const value = floatRate(row, start, end, rangeEndMs, env, isCounter, isRate);
      if (value !== null) out.setFloat(at + step, value);
    } else {
      histogramRate(row, start, end, rangeEndMs, env, isCounter, isRate, out, at + step);
    }
  }
}

/** What extrapolation needs to know of a window. */
function factorOf(
  row: WindowRow,
  start: number,
  end: number,
  rangeEndMs: number,
  zeroMs: number,
  firstValue: number,
  increase: number,
  isRate: boolean,
): number {
  const divisorSeconds = secondsOf(row.windowMs);
  const rangeStartMs = rangeEndMs - row.windowMs;
  const firstMs = row.timestampsMs[start]!;
  const lastMs = row.timestampsMs[end - 1]!;
  if (Number.isNaN(zeroMs)) {
    return extrapolationFactor(
      firstMs,
      lastMs,
      end - start,
      rangeStartMs,
      rangeEndMs,
      firstValue,
      increase,
      isRate,
      divisorSeconds,
    );
  }
  // The zero is known: nothing is extrapolated to the left.
  const sampledSeconds = (lastMs - zeroMs) / 1000;
  let secondsToEnd = 0;
  if (end - start > 1) {
    const averageSeconds = (lastMs - firstMs) / 1000 / (end - start - 1);
    secondsToEnd = (rangeEndMs - lastMs) / 1000;
    if (secondsToEnd >= averageSeconds * 1.1) secondsToEnd = averageSeconds / 2;
  }
  const factor = (sampledSeconds + secondsToEnd) / sampledSeconds;
  return isRate ? factor / divisorSeconds : factor;
}

function floatRate(
  row: WindowRow,
  start: number,
  end: number,
  rangeEndMs: number,
  env: WindowEnv,
  isCounter: boolean,
  isRate: boolean,
): number | null {
  const { values } = row;
  const zeroMs = isCounter ? zeroTimeMs(row, start, rangeEndMs - row.windowMs, env) : NaN;
  if (end - start < 2 && Number.isNaN(zeroMs)) return null;
  const first = Number.isNaN(zeroMs) ? values[start]! : 0;
  let increase = values[end - 1]! - first;
  if (isCounter) {
    for (let i = start + 1; i < end; i++) {
      if (values[i]! < values[i - 1]! || startsOver(row, i, env)) increase += values[i - 1]!;
    }
  }
  const firstValue = isCounter ? first : NaN;
  const factor = factorOf(row, start, end, rangeEndMs, zeroMs, firstValue, increase, isRate);
  return increase * factor;
}

function histogramRate(
  row: WindowRow,
  start: number,
  end: number,
  rangeEndMs: number,
  env: WindowEnv,
  isCounter: boolean,
  isRate: boolean,
  out: RowBatch,
  cell: number,
): void {
  const zeroMs = isCounter ? zeroTimeMs(row, start, rangeEndMs - row.windowMs, env) : NaN;
  const zeroKnown = !Number.isNaN(zeroMs);
  if (end - start < 2 && !zeroKnown) return;
  const increase = histogramIncrease(row, start, end, isCounter, zeroKnown, env);
  if (increase === null) return;
  const firstCount = zeroKnown ? 0 : row.histograms![start]!.count;
  const factor = factorOf(
    row,
    start,
    end,
    rangeEndMs,
    zeroMs,
    isCounter ? firstCount : NaN,
    increase.count,
    isRate,
  );
  out.setHistogram(cell, multiplyHistogram(increase, factor));
}

export function instantRateFunction(isRate: boolean): WindowFunction {
  return (row, out, at, env) => {
    const usesStarts =
      isRate && row.startTimestampsMs !== null && env.context.features.startTimestamps;
    const { stepCount } = row.lookGrid;
    const { starts, ends } = row;
    if (row.histograms === null && !usesStarts) {
      return instantRateOfFloats(
        row.timestampsMs,
        row.values,
        starts,
        ends,
        stepCount,
        isRate,
        out.values,
        out.present,
        at,
      );
    }
    for (let step = 0; step < stepCount; step++) {
      out.present[at + step] = ABSENT;
      const end = ends[step]!;
      if (end - starts[step]! >= 2) instantRateOfPair(row, end, isRate, env, out, at + step);
    }
  };
}

function instantRateOfPair(
  row: WindowRow,
  end: number,
  isRate: boolean,
  env: WindowEnv,
  out: RowBatch,
  cell: number,
): void {
  const lastIsHistogram = Boolean(row.histograms?.[end - 1]);
  if (lastIsHistogram !== Boolean(row.histograms?.[end - 2])) return warnMixed(row, env);
  if (lastIsHistogram) {
    const rate = histogramInstantRate(row, end, isRate, env);
    if (rate !== null) out.setHistogram(cell, rate);
    return;
  }
  const last = row.values[end - 1]!;
  const previous = row.values[end - 2]!;
  const isReset = isRate && (last < previous || startsOver(row, end - 1, env));
  const difference = isReset ? last : last - previous;
  const seconds = (row.timestampsMs[end - 1]! - row.timestampsMs[end - 2]!) / 1000;
  out.setFloat(cell, isRate ? difference / seconds : difference);
}
