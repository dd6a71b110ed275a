/**
 * Aggregations over the windows of one series of floats. Every window is computed from its own
 * samples: a compensated sum that slid along would end in other bits than Prometheus's.
 *
 * All take `[starts[i], ends[i])` of `values` per step, and write `out` and `present` from
 * `outStart`; empty windows have no result.
 */

export type WindowKernel = (
  timestampsMs: Float64Array,
  values: Float64Array,
  starts: Int32Array,
  ends: Int32Array,
  stepCount: number,
  out: Float64Array,
  present: Uint8Array,
  outStart: number,
) => void;

/** sum_over_time: Neumaier's compensated sum. */
export const sumOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    if (end === start) {
      present[outStart + step] = 0;
      continue;
    }
    let sum = 0;
    let loss = 0;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      const total = sum + value;
      if (total === Infinity || total === -Infinity) loss = 0;
      else if (Math.abs(sum) >= Math.abs(value)) loss += sum - total + value;
      else loss += value - total + sum;
      sum = total;
    }
    out[outStart + step] = sum === Infinity || sum === -Infinity ? sum : sum + loss;
    present[outStart + step] = 1;
  }
};

/** avg_over_time: compensated sum by count, or a running mean once the sum overflows. */
export const avgOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    if (end === start) {
      present[outStart + step] = 0;
      continue;
    }
    let sum = values[start]!;
    let loss = 0;
    let i = start + 1;
    for (; i < end; i++) {
      const value = values[i]!;
      const total = sum + value;
      if (total === Infinity || total === -Infinity) break;
      if (Math.abs(sum) >= Math.abs(value)) loss += sum - total + value;
      else loss += value - total + sum;
      sum = total;
    }
    const count = end - start;
    out[outStart + step] =
      i === end ? sum / count + loss / count : runningMean(values, start, i, end, sum, loss);
    present[outStart + step] = 1;
  }
};

/** Continues at `from` with the mean in place of the sum. */
function runningMean(
  values: Float64Array,
  start: number,
  from: number,
  end: number,
  sum: number,
  sumLoss: number,
): number {
  let mean = sum / (from - start);
  let loss = sumLoss / (from - start);
  for (let i = from; i < end; i++) {
    const count = i - start + 1;
    const share = (count - 1) / count;
    const value = values[i]! / count;
    const weighted = share * mean;
    const total = weighted + value;
    loss *= share;
    if (total === Infinity || total === -Infinity) loss = 0;
    else if (Math.abs(weighted) >= Math.abs(value)) loss += weighted - total + value;
    else loss += value - total + weighted;
    mean = total;
  }
  return mean + loss;
}

export const minOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    if (end === start) {
      present[outStart + step] = 0;
      continue;
    }
    let min = values[start]!;
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!;
      if (value < min || min !== min) min = value;
    }
    out[outStart + step] = min;
    present[outStart + step] = 1;
  }
};

export const maxOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    if (end === start) {
      present[outStart + step] = 0;
      continue;
    }
    let max = values[start]!;
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!;
      if (value > max || max !== max) max = value;
    }
    out[outStart + step] = max;
    present[outStart + step] = 1;
  }
};

/** The time of the last smallest (`sign` 1) or largest (-1) value, in seconds. */
function timeOfExtreme(sign: 1 | -1): WindowKernel {
  return (timestampsMs, values, starts, ends, stepCount, out, present, outStart) => {
    for (let step = 0; step < stepCount; step++) {
      const end = ends[step]!;
      const start = starts[step]!;
      if (end === start) {
        present[outStart + step] = 0;
        continue;
      }
      let best = start;
      for (let i = start + 1; i < end; i++) {
        const value = values[i]! * sign;
        const bestValue = values[best]! * sign;
        if (value <= bestValue || bestValue !== bestValue) best = i;
      }
      out[outStart + step] = timestampsMs[best]! / 1000;
      present[outStart + step] = 1;
    }
  };
}

export const timeOfMinOverTime = timeOfExtreme(1);
export const timeOfMaxOverTime = timeOfExtreme(-1);

/** What needs no more than the edges of the windows. */
export const countOverTime: WindowKernel = (
  _timestampsMs,
  _values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const count = ends[step]! - starts[step]!;
    out[outStart + step] = count;
    present[outStart + step] = count > 0 ? 1 : 0;
  }
};

export const presentOverTime: WindowKernel = (
  _timestampsMs,
  _values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    out[outStart + step] = 1;
    present[outStart + step] = ends[step]! > starts[step]! ? 1 : 0;
  }
};

export const firstOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const start = starts[step]!;
    const some = ends[step]! > start;
    present[outStart + step] = some ? 1 : 0;
    if (some) out[outStart + step] = values[start]!;
  }
};

export const lastOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const some = end > starts[step]!;
    present[outStart + step] = some ? 1 : 0;
    if (some) out[outStart + step] = values[end - 1]!;
  }
};

/** changes: a NaN after a NaN is none. */
export const changesOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    let changes = 0;
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!;
      const previous = values[i - 1]!;
      if (value !== previous && (value === value || previous === previous)) changes++;
    }
    out[outStart + step] = changes;
    present[outStart + step] = end > start ? 1 : 0;
  }
};

/** resets: every fall of the value. */
export const resetsOverTime: WindowKernel = (
  _timestampsMs,
  values,
  starts,
  ends,
  stepCount,
  out,
  present,
  outStart,
) => {
  for (let step = 0; step < stepCount; step++) {
    const end = ends[step]!;
    const start = starts[step]!;
    let resets = 0;
    for (let i = start + 1; i < end; i++) if (values[i]! < values[i - 1]!) resets++;
    out[outStart + step] = resets;
    present[outStart + step] = end > start ? 1 : 0;
  }
};
