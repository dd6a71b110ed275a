/**
 * What range functions read: the samples of one series after another, with the windows of all steps
 * marked in them.
 */
import type { FloatHistogram, Labels, SampleBuffer, TextRange } from '../../../model/index.ts';
import type { Grid, SeriesWindowNode } from '../../plan/nodes.ts';
import type { RateTerms } from '../kernels/rate.ts';
import { slideWindows } from '../kernels/windows.ts';
import type { Scope } from '../scope.ts';
import { histogramSampleCount } from '../stats.ts';
import { KnownTimes } from './known-times.ts';
import { toStatsOnly } from './reset-hints.ts';
import type { SeriesReader } from './series-reader.ts';

/** One series under its windows. The arrays are reused from row to row. */
export class WindowRow {
  /** Ends of the windows. */
  readonly lookGrid: Grid;
  readonly windowMs: number;
  /** Window of step i: samples starts[i] … ends[i]-1. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  row = 0;
  count = 0;
  timestampsMs: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** Null while there are only floats. */
  histograms: readonly (FloatHistogram | null)[] | null = null;
  startTimestampsMs: Float64Array | null = null;
  /** Samples in all windows together, as the sample limit counts them. */
  sampleTotal = 0;
  /** Samples in the last window. */
  lastWindowTotal = 0;
  /** Name of the series, for annotations. */
  metricName = '';
  hasWindowsOfRowBefore = false;
  /** What rate and its kin worked out for these windows; null for nothing yet. */
  rateTerms: RateTerms | null = null;
  readonly #knownTimes = new KnownTimes();
  #windowTotal = 0;

  constructor(lookGrid: Grid, windowMs: number) {
    this.lookGrid = lookGrid;
    this.windowMs = windowMs;
    this.starts = new Int32Array(lookGrid.stepCount);
    this.ends = new Int32Array(lookGrid.stepCount);
  }

  /**
   * Takes over samples (not copied) and slides the windows over them.
   * @param beforeChange  called when the windows are not those of the row before
   */
  take(
    samples: SampleBuffer,
    histograms: readonly (FloatHistogram | null)[] | null,
    beforeChange?: () => void,
  ): void {
    this.count = samples.count;
    this.timestampsMs = samples.timestampsMs;
    this.values = samples.values;
    this.histograms = histograms;
    this.startTimestampsMs = samples.startTimestampsMs;
    this.hasWindowsOfRowBefore = this.#knownTimes.areThoseOf(samples);
    if (!this.hasWindowsOfRowBefore) {
      beforeChange?.();
      this.rateTerms = null;
      const { startMs, stepMs, stepCount } = this.lookGrid;
      this.#windowTotal = slideWindows(
        samples.timestampsMs,
        samples.count,
        startMs,
        stepMs,
        stepCount,
        this.windowMs,
        this.starts,
        this.ends,
      );
    }
    this.sampleTotal = this.#windowTotal;
  }
}

/** A stream of rows for range functions. */
export interface WindowRows {
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  /** Where the selector or subquery stands, for annotations. */
  readonly range: TextRange;
  readonly row: WindowRow;
  /** Whether the samples are read from storage, and not accounted for yet. */
  readonly isRead: boolean;
  /** Makes `row` the next series; false at the end. */
  next(): boolean;
}

/** Rows straight from storage. */
export class SeriesWindowRows implements WindowRows {
  readonly labels: readonly Labels[];
  readonly dropsName = null;
  readonly isRead = true;
  readonly range: TextRange;
  readonly row: WindowRow;
  readonly #node: SeriesWindowNode;
  readonly #reader: SeriesReader;
  readonly #scope: Scope;
  /** Of each sample, where the row has histograms. */
  #sizes: number[] = [];
  #next = 0;
  readonly #settleCounts = () => this.#scope.counts.settle();

  constructor(node: SeriesWindowNode, reader: SeriesReader, scope: Scope) {
    this.#node = node;
    this.#reader = reader;
    this.#scope = scope;
    this.labels = reader.labels;
    this.range = node.range;
    this.row = new WindowRow(node.lookGrid, node.windowMs);
  }

  next(): boolean {
    if (this.#next >= this.labels.length) return false;
    const samples = this.#reader.freshSamples(this.#next);
    const { row } = this;
    row.row = this.#next;
    row.metricName = this.labels[this.#next]!.get('__name__');
    const { histograms } = samples;
    const shown = histograms !== null && this.#node.statsOnly ? toStatsOnly(samples) : histograms;
    row.take(samples, shown, this.#settleCounts);
    this.#count(shown);
    this.#next++;
    return true;
  }

  #count(histograms: readonly (FloatHistogram | null)[] | null): void {
    const { row } = this;
    const { counts } = this.#scope;
    const { stepCount } = row.lookGrid;
    const { starts, ends } = row;
    if (this.#node.anchored || this.#node.smoothed) return this.#countExtended(histograms);
    if (histograms === null) {
      counts.addWindows(starts, ends);
      row.lastWindowTotal = stepCount > 0 ? ends[stepCount - 1]! - starts[stepCount - 1]! : 0;
      return;
    }
    const { queryable, read } = counts;
    let readTo = 0;
    this.#sizes = histograms.map((histogram) => (histogram ? histogramSampleCount(histogram) : 1));
    let total = 0;
    for (let step = 0; step < stepCount; step++) {
      const windowTotal = this.#sizeOf(starts[step]!, ends[step]!);
      queryable[step]! += windowTotal;
      read[step]! += this.#sizeOf(Math.max(readTo, starts[step]!), ends[step]!);
      readTo = ends[step]!;
      total += windowTotal;
      row.lastWindowTotal = windowTotal;
    }
    row.sampleTotal = total;
  }

  /** Extended windows reach back, and when smoothed also ahead, by the lookback. */
  #countExtended(histograms: readonly (FloatHistogram | null)[] | null): void {
    const { row } = this;
    const { lookGrid, windowMs, lookbackMs, smoothed } = this.#node;
    const { queryable, read } = this.#scope.counts;
    let readTo = 0;
    row.sampleTotal = 0;
    for (let step = 0; step < lookGrid.stepCount; step++) {
      const endMs = lookGrid.startMs + step * lookGrid.stepMs;
      let windowTotal = 0;
      for (let i = 0; i < row.count; i++) {
        const sampleMs = row.timestampsMs[i]!;
        if (sampleMs <= endMs - windowMs - lookbackMs) continue;
        if (sampleMs > endMs + (smoothed ? lookbackMs : 0)) break;
        const histogram = histograms?.[i];
        const size = histogram ? histogramSampleCount(histogram) : 1;
        windowTotal += size;
        if (i < readTo) continue;
        read[step]! += size;
        readTo = i + 1;
      }
      queryable[step]! += windowTotal;
      row.sampleTotal += windowTotal;
      row.lastWindowTotal = windowTotal;
    }
  }

  #sizeOf(start: number, end: number): number {
    let size = 0;
    for (let i = start; i < end; i++) size += this.#sizes[i]!;
    return size;
  }
}
