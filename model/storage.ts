/**
 * The two doors of the storage room. `Appender` is the only way in, `Queryable` the only way out;
 * scrape and promql know these interfaces and never see tsdb.
 *
 * Everything here is synchronous: reading happens in threads that have nothing else to do.
 * Samples travel in columns (typed arrays of equal meaning at equal index), one call per batch.
 */
import type { FloatHistogram } from './histogram/float-histogram.ts';
import type { Histogram } from './histogram/histogram.ts';
import type { Exemplar } from './exemplar.ts';
import type { Labels } from './labels/labels.ts';
import type { Matcher } from './labels/matcher.ts';
import type { MetricMetadata } from './metadata.ts';
import type { SeriesRef } from './refs.ts';

/** What became of one sample. Everything but `Ok` means: not stored. */
export const AppendOutcome = {
  Ok: 0,
  /** Older than the newest sample of its series, and out-of-order samples are not allowed. */
  OutOfOrder: 1,
  /** Same time as the newest sample of its series, but another value. */
  DuplicateTimestamp: 2,
  /** Older than the head takes in. */
  OutOfBounds: 3,
  /** Older than the out-of-order window. */
  TooOld: 4,
  /** The series reference is not (or no longer) known; look it up again by its labels. */
  UnknownSeries: 5,
  /** The memory budget is used up and the series is new. */
  SeriesRefused: 6,
} as const;
export type AppendOutcome = (typeof AppendOutcome)[keyof typeof AppendOutcome];

/** Float samples on their way in; the first `count` entries of each array belong together. */
export type SampleColumns = {
  count: number;
  refs: Float64Array;
  timestampsMs: Float64Array;
  /** Bits are kept as they are, so a staleness marker is written with `writeStaleNaN`. */
  values: Float64Array;
  /** When the counter of each sample began to count, 0 where unknown; nothing where none is known. */
  startTimestampsMs?: Float64Array | undefined;
};

/**
 * Takes in the samples of one scrape, one request, one rule evaluation: staged by the append calls,
 * made durable and visible together by `commit`. A query sees all of a commit or nothing.
 * Use it for one batch, then drop it.
 */
export interface Appender {
  /**
   * The reference of the series with these labels, which is created when it is new.
   * Returns NO_SERIES when the head's memory budget refuses new series (counted there).
   */
  series(labels: Labels): SeriesRef;
  /**
   * Stages `samples`, writing an AppendOutcome per sample into `outcomes`; returns how many are
   * not `Ok`. An equal sample (same time, same bits) as the newest one is `Ok` and stored once.
   */
  appendSamples(samples: SampleColumns, outcomes: Uint8Array): number;
  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startTimestampMs?: number,
  ): AppendOutcome;
  /**
   * False when the exemplar is older than the last one of its series. One that is there already, or
   * for which there is no room at all, is true and changes nothing.
   */
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): boolean;
  updateMetadata(ref: SeriesRef, metadata: MetricMetadata): void;
  /** Writes the log, then publishes. When the log cannot be written nothing is stored: it throws. */
  commit(): void;
  rollback(): void;
}

export interface Appendable {
  appender(): Appender;
}

/** What a query is about to do with the samples; storage may use it to read less. */
export type SelectHints = {
  /** Samples outside [minMs, maxMs] are not needed. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Distance of evaluation steps; 0 for instant queries. */
  readonly stepMs?: number;
  /** Length of a range selector; 0 for instant selectors. */
  readonly rangeMs?: number;
  /** Name of the function or aggregation right around the selector. */
  readonly function?: string;
  /** At most so many series; 0 means all. */
  readonly limit?: number;
  /** Only the labels are wanted. */
  readonly labelsOnly?: boolean;
  /**
   * Of the labels only these are wanted. Rows stay what they are: one for each series, in the order
   * of whole label sets; several may look the same. Storage may give more labels.
   */
  readonly labelNames?: readonly string[];
};

export interface Queryable {
  /** A consistent view of [minMs, maxMs], both inclusive. Close it. */
  querier(minMs: number, maxMs: number): Querier;
}

export interface Querier {
  /** The series that satisfy all matchers, sorted by labels, without duplicates. */
  select(matchers: readonly Matcher[], hints: SelectHints): SelectedSeries;
  /** Sorted names of the labels of the series that satisfy all matchers. */
  labelNames(matchers: readonly Matcher[], limit?: number): LabelTexts;
  /** Sorted values of a label, likewise. */
  labelValues(name: string, matchers: readonly Matcher[], limit?: number): LabelTexts;
  close(): void;
}

export type LabelTexts = {
  readonly texts: readonly string[];
  readonly warnings: readonly string[];
};

/** Series that are known before the first sample is read: rows 0 … labels.length-1. */
export interface SelectedSeries {
  readonly labels: readonly Labels[];
  readonly warnings: readonly string[];
  /**
   * Replaces the content of `out` by the samples of `row` with minMs ≤ t ≤ maxMs, ascending,
   * deleted ones left out, staleness markers included. Rows may be read in any order.
   */
  read(row: number, minMs: number, maxMs: number, out: SampleBuffer): void;
}

/** Columns of one series' samples, reused from series to series. */
export class SampleBuffer {
  count = 0;
  timestampsMs: Float64Array;
  /** At a histogram's index the value is meaningless. */
  values: Float64Array;
  /** The same memory as `values` in halves (low, high), which tell one NaN from another. */
  valueHalves: Uint32Array;
  /** Null while there are only floats; otherwise null where a float is. */
  histograms: (FloatHistogram | null)[] | null = null;
  /** Start timestamps (0 = unknown); null while none is known. */
  startTimestampsMs: Float64Array | null = null;

  constructor(capacity = 256) {
    this.timestampsMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.valueHalves = new Uint32Array(this.values.buffer);
  }

  get capacity(): number {
    return this.values.length;
  }

  clear(): void {
    this.count = 0;
    this.histograms = null;
    this.startTimestampsMs = null;
  }

  /** Makes room for `count` samples in all, keeping what is there. */
  reserve(count: number): void {
    if (count <= this.values.length) return;
    const capacity = Math.max(count, this.values.length * 2);
    // Bytes are copied, not numbers, so that NaN payloads survive.
    const timestampsMs = new Float64Array(capacity);
    timestampsMs.set(this.timestampsMs.subarray(0, this.count));
    this.timestampsMs = timestampsMs;
    const values = new Float64Array(capacity);
    const halves = new Uint32Array(values.buffer);
    halves.set(this.valueHalves.subarray(0, this.count * 2));
    this.values = values;
    this.valueHalves = halves;
    if (this.startTimestampsMs !== null) {
      const starts = new Float64Array(capacity);
      starts.set(this.startTimestampsMs.subarray(0, this.count));
      this.startTimestampsMs = starts;
    }
  }
}

/** Exemplars of the series that satisfy any of the matcher sets, in [minMs, maxMs]. */
export interface ExemplarQueryable {
  exemplars(
    minMs: number,
    maxMs: number,
    matcherSets: readonly (readonly Matcher[])[],
  ): { readonly series: Labels; readonly exemplars: readonly Exemplar[] }[];
}
