/** Columns of a range query, arranged the way uPlot draws them. Pure. */
import type { AlignedData } from 'uplot';
import type { Grid, RangeColumns } from '../../api/range-columns.ts';

/** Seconds of every step, uPlot's unit on a time axis. */
function stepSeconds({ startMs, stepMs, stepCount }: Grid): number[] {
  return Array.from({ length: stepCount }, (_, step) => (startMs + step * stepMs) / 1000);
}

/** uPlot leaves a gap at null, and only at null. */
function withGaps(values: Float64Array): (number | null)[] {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}

function rowOf(columns: RangeColumns, series: number): Float64Array {
  const { stepCount } = columns.grid;
  return columns.values.subarray(series * stepCount, (series + 1) * stepCount);
}

/** @param drawnCount  series beyond it are left out */
export function lineData(columns: RangeColumns, drawnCount: number): AlignedData {
  const rows = Array.from({ length: drawnCount }, (_, series) => withGaps(rowOf(columns, series)));
  return [stepSeconds(columns.grid), ...rows];
}

/**
 * Every row is the sum of itself and the visible rows before it; absent values add nothing, and
 * where all are absent there is a gap. Hidden rows are passed through, since they are not drawn.
 */
export function stackedData(
  columns: RangeColumns,
  drawnCount: number,
  isHidden: (series: number) => boolean,
): AlignedData {
  const total = new Float64Array(columns.grid.stepCount);
  const isPresent = new Uint8Array(columns.grid.stepCount);
  for (let series = 0; series < drawnCount; series++) {
    if (isHidden(series)) continue;
    for (const [step, value] of rowOf(columns, series).entries()) {
      if (!Number.isNaN(value)) isPresent[step] = 1;
    }
  }
  const rows = Array.from({ length: drawnCount }, (_, series) => {
    const row = rowOf(columns, series);
    if (isHidden(series)) return withGaps(row);
    for (let step = 0; step < total.length; step++) {
      const value = row[step]!;
      if (!Number.isNaN(value)) total[step]! += value;
    }
    return Array.from(total, (sum, step) => (isPresent[step] === 1 ? sum : null));
  });
  return [stepSeconds(columns.grid), ...rows];
}

/** The visible series whose drawn value at `step` is nearest to `value`; -1 when none has one. */
export function nearestSeries(
  data: AlignedData,
  step: number,
  value: number,
  isHidden: (series: number) => boolean,
): number {
  let nearest = -1;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (let row = 1; row < data.length; row++) {
    const drawn = data[row]![step];
    if (drawn === null || drawn === undefined || isHidden(row - 1)) continue;
    const distance = Math.abs(drawn - value);
    if (distance < nearestDistance) {
      nearest = row - 1;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Lower and upper edge of the value axis around what is visible. */
export function valueRange(
  min: number | null,
  max: number | null,
  fromZero: boolean,
): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = fromZero ? Math.min(0, min) : min;
  const high = fromZero ? Math.max(0, max) : max;
  if (low === 0 && high === 0) return [0, 1];
  // A flat line lies in the middle of a band as tall as its value.
  const padding = high === low ? Math.abs(high) / 2 : (high - low) * 0.07;
  return [
    low >= 0 && low - padding < 0 ? 0 : low - padding,
    high <= 0 && high + padding > 0 ? 0 : high + padding,
  ];
}
