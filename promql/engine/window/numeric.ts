/** Range functions that only know floats. */
import { invalidQuantile } from '../../annotations.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { WindowKernel } from '../kernels/over-time.ts';
import { quantileOverTime } from '../kernels/spread.ts';
import { predictLinear, smoothWindow } from '../kernels/trend.ts';
import { ABSENT } from '../row-batch.ts';
import { floatsOnly, type WindowFunction } from './window-function.ts';

/** A kernel as a range function. */
export function numeric(kernel: WindowKernel): WindowFunction {
  return floatsOnly((row, out, at) => {
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
  });
}

export const predictLinearWindows = floatsOnly((row, out, at, env) => {
  const { startMs, stepMs, stepCount } = env.grid;
  predictLinear(
    row.timestampsMs,
    row.values,
    row.starts,
    row.ends,
    startMs,
    stepMs,
    stepCount,
    env.params[0]!,
    out.values,
    out.present,
    at,
  );
});

export const quantileWindows = floatsOnly((row, out, at, env) => {
  const quantiles = env.params[0]!;
  const { stepCount } = row.lookGrid;
  quantileOverTime(
    row.values,
    row.starts,
    row.ends,
    stepCount,
    quantiles,
    out.values,
    out.present,
    at,
  );
  for (let step = 0; step < stepCount; step++) {
    const quantile = quantiles[step]!;
    if (out.present[at + step] === ABSENT || (quantile >= 0 && quantile <= 1)) continue;
    env.context.annotate(invalidQuantile(quantile, env.paramRanges[0]!));
  }
});

/** The factors are checked wherever there is a sample, of whatever kind. */
export const smoothingWindows: WindowFunction = (row, out, at, env) => {
  const [smoothing, trending] = env.params as [Float64Array, Float64Array];
  for (let step = 0; step < row.lookGrid.stepCount; step++) {
    if (row.ends[step] === row.starts[step]) continue;
    requireFactor('smoothing', 'sf', smoothing[step]!);
    requireFactor('trend', 'tf', trending[step]!);
  }
  smoothFloats(row, out, at, env);
};

const smoothFloats = floatsOnly((row, out, at, env) => {
  const [smoothing, trending] = env.params as [Float64Array, Float64Array];
  for (let step = 0; step < row.lookGrid.stepCount; step++) {
    out.present[at + step] = ABSENT;
    const start = row.starts[step]!;
    const end = row.ends[step]!;
    if (end - start < 2) continue;
    const value = smoothWindow(row.values, start, end, smoothing[step]!, trending[step]!);
    out.setFloat(at + step, value);
  }
});

/** The bounds themselves are excluded; NaN passes. */
function requireFactor(kind: string, symbol: string, value: number): void {
  if (!(value <= 0 || value >= 1)) return;
  const got = Number.isFinite(value) ? value.toFixed(6) : value > 0 ? '+Inf' : '-Inf';
  throw new ExecutionError(`invalid ${kind} factor. Expected: 0 < ${symbol} < 1, got: ${got}`);
}
