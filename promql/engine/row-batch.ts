/**
 * Columns of a few whole rows: all steps of some series, row after row.
 *
 *   cell (row, step) is index row · stepCount + step of `values` and `present`
 *
 * `present` says what a cell holds: nothing, a float (in `values`) or a histogram (in
 * `histograms`). What stands in `values` or `histograms` where `present` says otherwise is garbage.
 */
import { assert, type FloatHistogram } from '../../model/index.ts';

export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** Cells that a batch should have: enough to spread the cost of a call, few enough for the cache. */
const CELL_COUNT = 16_384;
const ROW_COUNT_MAX = 1024;

export type HistogramCells = (FloatHistogram | undefined)[];

export class RowBatch {
  readonly stepCount: number;
  readonly rowCapacity: number;
  /** Rows that are filled; the first of them is row `firstRow` of the operator. */
  rowCount = 0;
  firstRow = 0;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** Whether any cell holds a histogram. */
  hasHistograms = false;
  #histograms: HistogramCells | null = null;

  constructor(
    rowCapacity: number,
    stepCount: number,
    values: Float64Array = new Float64Array(rowCapacity * stepCount),
    present: Uint8Array = new Uint8Array(rowCapacity * stepCount),
  ) {
    assert(values.length >= rowCapacity * stepCount, 'batch too small');
    this.rowCapacity = rowCapacity;
    this.stepCount = stepCount;
    this.values = values;
    this.present = present;
  }

  /** A batch of the customary size for an operator with `rowCount` rows. */
  static for(rowCount: number, stepCount: number): RowBatch {
    return new RowBatch(RowBatch.rowCapacityFor(rowCount, stepCount), stepCount);
  }

  static rowCapacityFor(rowCount: number, stepCount: number): number {
    const wanted = Math.min(ROW_COUNT_MAX, Math.floor(CELL_COUNT / Math.max(1, stepCount)));
    return Math.max(1, Math.min(wanted, rowCount));
  }

  /** Made on first use; most batches never need it. */
  get histograms(): HistogramCells {
    this.#histograms ??= new Array<FloatHistogram | undefined>(this.values.length);
    return this.#histograms;
  }

  /** Empties the batch for rows from `firstRow` on. */
  start(firstRow: number): void {
    this.firstRow = firstRow;
    this.rowCount = 0;
    this.hasHistograms = false;
  }

  setFloat(cell: number, value: number): void {
    this.values[cell] = value;
    this.present[cell] = FLOAT;
  }

  setHistogram(cell: number, histogram: FloatHistogram): void {
    this.histograms[cell] = histogram;
    this.present[cell] = HISTOGRAM;
    this.hasHistograms = true;
  }

  /** Marks the cells of a row absent. */
  clearRow(row: number): void {
    this.present.fill(ABSENT, row * this.stepCount, (row + 1) * this.stepCount);
  }

  /** Copies a row of another batch of equal step count into `row`. */
  copyRow(row: number, from: RowBatch | RowTable, fromRow: number): void {
    const { stepCount } = this;
    const at = row * stepCount;
    const fromAt = fromRow * stepCount;
    for (let step = 0; step < stepCount; step++) {
      const kind = from.present[fromAt + step]!;
      this.present[at + step] = kind;
      this.values[at + step] = from.values[fromAt + step]!;
      if (kind === HISTOGRAM) this.setHistogram(at + step, from.histograms[fromAt + step]!);
    }
  }
}

/** All rows of an operator at once, for those who need to see them side by side. */
export class RowTable {
  readonly stepCount: number;
  readonly rowCount: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  #histograms: HistogramCells | null = null;

  constructor(rowCount: number, stepCount: number) {
    this.rowCount = rowCount;
    this.stepCount = stepCount;
    this.values = new Float64Array(rowCount * stepCount);
    this.present = new Uint8Array(rowCount * stepCount);
  }

  get hasHistograms(): boolean {
    return this.#histograms !== null;
  }

  get histograms(): HistogramCells {
    this.#histograms ??= new Array<FloatHistogram | undefined>(this.values.length);
    return this.#histograms;
  }

  setHistogram(cell: number, histogram: FloatHistogram): void {
    this.histograms[cell] = histogram;
    this.present[cell] = HISTOGRAM;
  }

  /** A batch whose memory is that of rows `firstRow` and following. */
  batchAt(firstRow: number): RowBatch {
    const remaining = this.rowCount - firstRow;
    const rowCapacity = RowBatch.rowCapacityFor(remaining, this.stepCount);
    const from = firstRow * this.stepCount;
    const to = from + rowCapacity * this.stepCount;
    const batch = new RowBatch(
      rowCapacity,
      this.stepCount,
      this.values.subarray(from, to),
      this.present.subarray(from, to),
    );
    batch.start(firstRow);
    return batch;
  }

  /** Takes over the histograms of a batch that was made by {@link batchAt}. */
  adoptHistograms(batch: RowBatch): void {
    if (!batch.hasHistograms) return;
    const from = batch.firstRow * this.stepCount;
    const cellCount = batch.rowCount * this.stepCount;
    for (let i = 0; i < cellCount; i++) {
      if (batch.present[i] === HISTOGRAM) this.histograms[from + i] = batch.histograms[i]!;
    }
  }

  /** Whether a row has any sample. */
  isRowEmpty(row: number): boolean {
    const end = (row + 1) * this.stepCount;
    for (let i = row * this.stepCount; i < end; i++) if (this.present[i] !== ABSENT) return false;
    return true;
  }
}
