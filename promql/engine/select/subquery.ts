/** Subqueries: the results of an inner evaluation, read like samples. */
import {
  type FloatHistogram,
  type Labels,
  SampleBuffer,
  type TextRange,
  withHint,
} from '../../../model/index.ts';
import type { Grid, SubqueryWindowNode } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import { ABSENT, HISTOGRAM, RowBatch } from '../row-batch.ts';
import type { Scope } from '../scope.ts';
import { histogramSampleCount, type SampleCounts } from '../stats.ts';
import { WindowRow, type WindowRows } from './window-rows.ts';

export class SubqueryRows implements WindowRows {
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  readonly isRead = false;
  readonly range: TextRange;
  readonly row: WindowRow;
  readonly #inner: Operator;
  readonly #innerScope: Scope;
  readonly #scope: Scope;
  readonly #context: QueryContext;
  readonly #batch: RowBatch;
  readonly #buffer: SampleBuffer;
  #batchRow = 0;
  #done = false;

  constructor(
    node: SubqueryWindowNode,
    inner: Operator,
    innerScope: Scope,
    scope: Scope,
    context: QueryContext,
  ) {
    this.labels = inner.labels;
    this.dropsName = inner.dropsName;
    this.range = node.range;
    this.row = new WindowRow(node.lookGrid, node.windowMs);
    this.#inner = inner;
    this.#innerScope = innerScope;
    this.#scope = scope;
    this.#context = context;
    this.#batch = RowBatch.for(inner.labels.length, inner.stepCount);
    this.#buffer = new SampleBuffer(Math.max(1, inner.stepCount));
  }

  next(): boolean {
    if (this.#batchRow >= this.#batch.rowCount && !this.#nextBatch()) return false;
    const { row } = this;
    row.row = this.#batch.firstRow + this.#batchRow;
    row.metricName = this.labels[row.row]!.get('__name__');
    this.#fillBuffer(this.#batchRow * this.#batch.stepCount);
    row.take(this.#buffer, this.#buffer.histograms);
    this.#count(this.#buffer.histograms);
    this.#batchRow++;
    this.#context.tick();
    return true;
  }

  #nextBatch(): boolean {
    if (this.#done) return false;
    this.#batchRow = 0;
    this.#done = !this.#inner.next(this.#batch);
    if (!this.#done) return this.#batch.rowCount > 0;
    attributeReads(this.#innerScope, this.#scope, this.row);
    return false;
  }

  #fillBuffer(from: number): void {
    const buffer = this.#buffer;
    const batch = this.#batch;
    const { startMs, stepMs, stepCount } = this.#innerScope.grid;
    buffer.clear();
    let count = 0;
    for (let step = 0; step < stepCount; step++) {
      const kind = batch.present[from + step]!;
      if (kind === ABSENT) continue;
      if (kind === HISTOGRAM && buffer.histograms === null) {
        buffer.histograms = new Array<FloatHistogram | null>(count).fill(null);
      }
      buffer.timestampsMs[count] = startMs + step * stepMs;
      buffer.values[count] = batch.values[from + step]!;
      buffer.histograms?.push(
        kind === HISTOGRAM ? withoutResetHint(batch.histograms[from + step]!) : null,
      );
      count++;
    }
    buffer.count = count;
  }

  #count(histograms: readonly (FloatHistogram | null)[] | null): void {
    const { row } = this;
    const { queryable } = this.#scope.counts;
    let total = 0;
    for (let step = 0; step < row.lookGrid.stepCount; step++) {
      let windowTotal = row.ends[step]! - row.starts[step]!;
      if (histograms !== null) {
        for (let i = row.starts[step]!; i < row.ends[step]!; i++) {
          const histogram = histograms[i];
          if (histogram) windowTotal += histogramSampleCount(histogram) - 1;
        }
      }
      queryable[step]! += windowTotal;
      total += windowTotal;
      row.lastWindowTotal = windowTotal;
    }
    row.sampleTotal = total;
  }
}

/**
 * A hint tells about the sample before in storage, which need not be the sample before here. Only
 * that something is a gauge stays true.
 */
function withoutResetHint(histogram: FloatHistogram): FloatHistogram {
  return histogram.hint === 'gauge' ? histogram : withHint(histogram, 'unknown');
}

/** What the inner evaluation read counts for the first outer step whose window needs it. */
function attributeReads(inner: Scope, outer: Scope, row: WindowRow): void {
  const { lookGrid, windowMs } = row;
  const read: Float64Array = outer.counts.read;
  const innerCounts: SampleCounts = inner.counts;
  let outerStep = 0;
  for (let step = 0; step < inner.grid.stepCount; step++) {
    const timeMs = inner.grid.startMs + step * inner.grid.stepMs;
    while (outerStep < lookGrid.stepCount - 1 && endOf(lookGrid, outerStep) < timeMs) outerStep++;
    if (timeMs > endOf(lookGrid, outerStep) || timeMs <= lookGrid.startMs - windowMs) continue;
    read[outerStep]! += innerCounts.read[step]!;
  }
}

function endOf(grid: Grid, step: number): number {
  return grid.startMs + step * grid.stepMs;
}
