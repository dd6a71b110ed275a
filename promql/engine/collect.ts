/** Rows of the outermost operator become a result. */
import { compareLabels, type FloatHistogram, Labels } from '../../model/index.ts';
import type { Grid } from '../plan/nodes.ts';
import type { QueryContext } from './context.ts';
import { type Operator } from './operator.ts';
import type { MatrixSeries, VectorEntry } from './result.ts';
import { ABSENT, HISTOGRAM, RowBatch } from './row-batch.ts';
import { equalRowTargets, mergedRows, withoutMetricIdentity } from './row-labels.ts';
import { RelabeledRows } from './function/labels.ts';
import type { WindowRows } from './select/window-rows.ts';
import { type Extension, extendedPoints, type Points } from './window/extended-window.ts';

/** With delayed name removal the names go now, and series that become equal are one. */
export function removeDelayedNames(operator: Operator, context: QueryContext): Operator {
  if (!context.features.delayedNameRemoval) return operator;
  const { labels, dropsName } = operator;
  const named =
    dropsName === null
      ? labels
      : labels.map((own, row) => (dropsName[row] ? withoutMetricIdentity(own) : own));
  const rows = new RelabeledRows(operator, named, null);
  const targets = equalRowTargets(named);
  return targets === null ? rows : mergedRows(rows, targets, 'step', context);
}

/** The samples of the only step. */
export function collectVector(operator: Operator, context: QueryContext): VectorEntry[] {
  const entries: VectorEntry[] = [];
  const batch = RowBatch.for(operator.labels.length, 1);
  while (operator.next(batch)) {
    for (let row = 0; row < batch.rowCount; row++) {
      const kind = batch.present[row]!;
      if (kind === ABSENT) continue;
      entries.push({
        labels: operator.labels[batch.firstRow + row]!,
        value: batch.values[row]!,
        histogram: kind === HISTOGRAM ? batch.histograms[row]! : null,
      });
    }
    context.checkInterrupt();
  }
  return entries;
}

/** Series with at least one sample, sorted by labels. */
export function collectMatrix(
  operator: Operator,
  grid: Grid,
  context: QueryContext,
): MatrixSeries[] {
  const allTimesMs = new Float64Array(grid.stepCount);
  for (let step = 0; step < grid.stepCount; step++) {
    allTimesMs[step] = grid.startMs + step * grid.stepMs;
  }
  const series: MatrixSeries[] = [];
  const batch = RowBatch.for(operator.labels.length, grid.stepCount);
  while (operator.next(batch)) {
    for (let row = 0; row < batch.rowCount; row++) {
      const labels = operator.labels[batch.firstRow + row]!;
      const one = seriesOfRow(batch, row, labels, allTimesMs);
      if (one !== null) series.push(one);
    }
    context.checkInterrupt();
  }
  return series;
}

function seriesOfRow(
  batch: RowBatch,
  row: number,
  labels: Labels,
  allTimesMs: Float64Array,
): MatrixSeries | null {
  const { stepCount, present } = batch;
  const at = row * stepCount;
  if (!batch.hasHistograms && !present.subarray(at, at + stepCount).includes(ABSENT)) {
    const values = batch.values.slice(at, at + stepCount);
    return { labels, count: stepCount, timestampsMs: allTimesMs, values, histograms: null };
  }
  let count = 0;
  for (let step = 0; step < stepCount; step++) if (present[at + step] !== ABSENT) count++;
  if (count === 0) return null;
  const timestampsMs = new Float64Array(count);
  const values = new Float64Array(count);
  let histograms: (FloatHistogram | null)[] | null = null;
  let next = 0;
  for (let step = 0; step < stepCount; step++) {
    const kind = present[at + step]!;
    if (kind === ABSENT) continue;
    timestampsMs[next] = allTimesMs[step]!;
    values[next] = batch.values[at + step]!;
    if (kind === HISTOGRAM) {
      histograms ??= new Array<FloatHistogram | null>(count).fill(null);
      histograms[next] = batch.histograms[at + step]!;
    }
    next++;
  }
  return { labels, count, timestampsMs, values, histograms };
}

/** In place; a check first, because rows mostly come sorted. */
export function sortSeries(series: MatrixSeries[]): void {
  for (let i = 1; i < series.length; i++) {
    if (compareLabels(series[i - 1]!.labels, series[i]!.labels) > 0) {
      series.sort((a, b) => compareLabels(a.labels, b.labels));
      return;
    }
  }
}

/** The samples of a range vector as they were read. */
export function collectWindows(
  rows: WindowRows,
  extension: Extension | null,
  context: QueryContext,
): MatrixSeries[] {
  const series: MatrixSeries[] = [];
  while (rows.next()) {
    const { row } = rows;
    if (extension !== null) {
      const points = extendedPoints(row, extension);
      context.hold(points.values.length);
      if (points.values.length > 0) series.push(seriesOfPoints(rows.labels[row.row]!, points));
      continue;
    }
    const start = row.starts[0]!;
    const end = row.ends[0]!;
    if (rows.isRead) context.hold(row.sampleTotal);
    if (end === start) continue;
    const labels = rows.labels[row.row]!;
    const histograms = row.histograms?.slice(start, end) ?? null;
    series.push({
      labels: rows.dropsName?.[row.row] ? withoutMetricIdentity(labels) : labels,
      count: end - start,
      timestampsMs: row.timestampsMs.slice(start, end),
      values: row.values.slice(start, end),
      histograms: histograms?.some((histogram) => histogram !== null) ? histograms : null,
    });
  }
  return series;
}

function seriesOfPoints(labels: Labels, { timestampsMs, values }: Points): MatrixSeries {
  return {
    labels,
    count: values.length,
    timestampsMs: Float64Array.from(timestampsMs),
    values: Float64Array.from(values),
    histograms: null,
  };
}

/** A scalar over time. */
export function scalarSeries(values: Float64Array, grid: Grid): MatrixSeries {
  const timestampsMs = values.map((_, step) => grid.startMs + step * grid.stepMs);
  return { labels: Labels.EMPTY, count: values.length, timestampsMs, values, histograms: null };
}
