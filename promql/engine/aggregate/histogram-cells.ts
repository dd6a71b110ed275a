/** sum and avg of histograms, beside those of floats. */
import {
  type FloatHistogram,
  HistogramSum,
  newCombineNotes,
  type TextRange,
} from '../../../model/index.ts';
import {
  counterResetCollision,
  mismatchedCustomBuckets,
  mixedExponentialCustomHistograms,
  mixedFloatsHistogramsAggregation,
} from '../../annotations.ts';
import type { QueryContext } from '../context.ts';
import { HistogramMean } from '../histogram-mean.ts';
import { ABSENT, FLOAT, HISTOGRAM, type RowTable } from '../row-batch.ts';

type Cell = {
  readonly combined: HistogramSum | HistogramMean;
  sawReset: boolean;
  sawNoReset: boolean;
  /** Exponential and custom buckets do not go together: no result. */
  isSpoiled: boolean;
};

export class HistogramCells {
  readonly #cells = new Map<number, Cell>();
  readonly #isMean: boolean;
  readonly #range: TextRange;
  readonly #context: QueryContext;
  readonly #notes = newCombineNotes();
  /** Cells with floats that came before the first histogram. */
  readonly #mixed = new Set<number>();

  constructor(isMean: boolean, range: TextRange, context: QueryContext) {
    this.#isMean = isMean;
    this.#range = range;
    this.#context = context;
  }

  get isEmpty(): boolean {
    return this.#cells.size === 0 && this.#mixed.size === 0;
  }

  add(at: number, histogram: FloatHistogram, metricName: string): void {
    const cell = this.#cells.get(at);
    if (cell === undefined) {
      this.#cells.set(at, {
        combined: this.#isMean ? new HistogramMean(histogram) : new HistogramSum(histogram),
        sawReset: histogram.hint === 'reset',
        sawNoReset: histogram.hint === 'not_reset',
        isSpoiled: false,
      });
      return;
    }
    if (cell.isSpoiled) return;
    if (histogram.hint === 'reset') cell.sawReset = true;
    if (histogram.hint === 'not_reset') cell.sawNoReset = true;
    if (!cell.combined.add(histogram, this.#notes)) {
      cell.isSpoiled = true;
      this.#context.annotate(mixedExponentialCustomHistograms(metricName, this.#range));
    }
  }

  /** A histogram came to a cell that has floats. */
  addBesideFloats(at: number): void {
    this.#mixed.add(at);
  }

  /** Puts the results beside those of the floats; a cell with both kinds has none. */
  finish(table: RowTable): void {
    const { annotations } = this.#context;
    for (const at of this.#mixed) {
      annotations.add(mixedFloatsHistogramsAggregation(this.#range));
      table.present[at] = ABSENT;
    }
    for (const [at, cell] of this.#cells) {
      if (this.#mixed.has(at)) continue;
      if (table.present[at] === FLOAT) {
        annotations.add(mixedFloatsHistogramsAggregation(this.#range));
        table.present[at] = ABSENT;
        continue;
      }
      if (cell.isSpoiled) continue;
      if (cell.sawReset && cell.sawNoReset) {
        annotations.add(counterResetCollision('aggregation', this.#range));
      }
      table.histograms[at] = cell.combined.result();
      table.present[at] = HISTOGRAM;
    }
    if (this.#notes.boundsReconciled) {
      annotations.add(mismatchedCustomBuckets('aggregation', this.#range));
    }
  }
}
