/** Straight lines and exponential smoothing over the windows of one series of floats. */

/** A line through samples: its slope per second and its value at the intercept time. */
const line = { slope: 0, intercept: 0 };

/** Least squares with compensated sums; the result is left in `line`. */
function fitLine(
  timestampsMs: Float64Array,
  values: Float64Array,
  start: number,
  end: number,
  interceptMs: number,
): void {
  const firstY = values[start]!;
  let constant = true;
  let sumX = 0;
  let lossX = 0;
  let sumY = 0;
  let lossY = 0;
  let sumXY = 0;
  let lossXY = 0;
  let sumXX = 0;
  let lossXX = 0;
  for (let i = start; i < end; i++) {
    const y = values[i]!;
    if (y !== firstY) constant = false;
    const x = (timestampsMs[i]! - interceptMs) / 1e3;
    let total = sumX + x;
    if (total === Infinity || total === -Infinity) lossX = 0;
    else if (Math.abs(sumX) >= Math.abs(x)) lossX += sumX - total + x;
    else lossX += x - total + sumX;
    sumX = total;
    total = sumY + y;
    if (total === Infinity || total === -Infinity) lossY = 0;
    else if (Math.abs(sumY) >= Math.abs(y)) lossY += sumY - total + y;
    else lossY += y - total + sumY;
    sumY = total;
    const xy = x * y;
    total = sumXY + xy;
    if (total === Infinity || total === -Infinity) lossXY = 0;
    else if (Math.abs(sumXY) >= Math.abs(xy)) lossXY += sumXY - total + xy;
    else lossXY += xy - total + sumXY;
    sumXY = total;
    const xx = x * x;
    total = sumXX + xx;
    if (total === Infinity || total === -Infinity) lossXX = 0;
    else if (Math.abs(sumXX) >= Math.abs(xx)) lossXX += sumXX - total + xx;
    else lossXX += xx - total + sumXX;
    sumXX = total;
  }
  if (constant) {
    const infinite = firstY === Infinity || firstY === -Infinity;
    line.slope = infinite ? NaN : 0;
    line.intercept = infinite ? NaN : firstY;
    return;
  }
  const count = end - start;
  sumX += lossX;
  sumY += lossY;
  sumXY += lossXY;
  sumXX += lossXX;
  const covariance = sumXY - (sumX * sumY) / count;
  const variance = sumXX - (sumX * sumX) / count;
  line.slope = covariance / variance;
  line.intercept = sumY / count - (line.slope * sumX) / count;
}

/** deriv: the slope; needs two samples. */
export function derivOverTime(
  timestampsMs: Float64Array,
  values: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  for (let step = 0; step < stepCount; step++) {
    const start = starts[step]!;
    const end = ends[step]!;
    present[outStart + step] = end - start >= 2 ? 1 : 0;
    if (end - start < 2) continue;
    // Any time near the samples will do; a far one costs digits.
    fitLine(timestampsMs, values, start, end, timestampsMs[start]!);
    out[outStart + step] = line.slope;
  }
}

/** predict_linear: the line's value so many seconds (one number per step) after the step. */
export function predictLinear(
  timestampsMs: Float64Array,
  values: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  startMs: number,
  stepMs: number,
  stepCount: number,
  aheadSeconds: Float64Array,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
): void {
  for (let step = 0; step < stepCount; step++) {
    const start = starts[step]!;
    const end = ends[step]!;
    present[outStart + step] = end - start >= 2 ? 1 : 0;
    if (end - start < 2) continue;
    fitLine(timestampsMs, values, start, end, startMs + step * stepMs);
    out[outStart + step] = line.slope * aheadSeconds[step]! + line.intercept;
  }
}

/**
 * double_exponential_smoothing of one window of at least two samples.
 * Source: NIST Engineering Statistics Handbook 6.4.3.3.
 */
export function smoothWindow(
  values: Float64Array,
  start: number,
  end: number,
  smoothing: number,
  trending: number,
): number {
  let before = 0;
  let smoothed = values[start]!;
  let trend = values[start + 1]! - values[start]!;
  for (let i = start + 1; i < end; i++) {
    const scaled = smoothing * values[i]!;
    if (i > start + 1) trend = trending * (smoothed - before) + (1 - trending) * trend;
    const next = scaled + (1 - smoothing) * (smoothed + trend);
    before = smoothed;
    smoothed = next;
  }
  return smoothed;
}
