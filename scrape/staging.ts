/**
 * The samples of one scrape on their way to storage, in columns. One instance serves all targets of
 * a manager in turn: a scrape is taken in, appended and settled without a pause.
 */
import {
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  type MetricMetadata,
  type SampleColumns,
  writeStaleNaN,
} from '../model/index.ts';
import { NO_ENTRY } from './series-cache.ts';

export type StagedHistogram = {
  readonly entry: number;
  readonly timestampMs: number;
  readonly histogram: Histogram | FloatHistogram;
  /** 0 where unknown. */
  startMs: number;
};
export type StagedExemplar = { readonly entry: number; readonly exemplar: Exemplar };
export type StagedMetadata = { readonly entry: number; readonly metadata: MetricMetadata };

export class Staging implements SampleColumns {
  count = 0;
  refs: Float64Array;
  timestampsMs: Float64Array;
  values: Float64Array;
  /** Undefined as long as no start is known. */
  startTimestampsMs: Float64Array | undefined;
  /** The memory for these, kept from scrape to scrape. */
  #starts = new Float64Array(0);
  /** Which entry of the target's cache a sample belongs to; NO_ENTRY for the scrape's own ones. */
  entries: Int32Array;
  /** Written by storage. */
  outcomes: Uint8Array;
  readonly histograms: StagedHistogram[] = [];
  readonly exemplars: StagedExemplar[] = [];
  readonly metadata: StagedMetadata[] = [];

  constructor(capacity = 1024) {
    this.refs = new Float64Array(capacity);
    this.timestampsMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.entries = new Int32Array(capacity);
    this.outcomes = new Uint8Array(capacity);
  }

  get capacity(): number {
    return this.refs.length;
  }

  clear(): void {
    this.count = 0;
    this.startTimestampsMs = undefined;
    this.histograms.length = 0;
    this.exemplars.length = 0;
    this.metadata.length = 0;
  }

  /** Gives memory back that one large scrape needed. Call between scrapes. */
  shrink(): void {
    this.count = 0;
    const capacity = Math.max(1024, this.capacity >> 2);
    this.startTimestampsMs = undefined;
    this.#starts = new Float64Array(0);
    this.refs = new Float64Array(capacity);
    this.timestampsMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.entries = new Int32Array(capacity);
    this.outcomes = new Uint8Array(capacity);
  }

  push(entry: number, ref: number, timestampMs: number, value: number): void {
    const index = this.#next();
    this.entries[index] = entry;
    this.refs[index] = ref;
    this.timestampsMs[index] = timestampMs;
    this.values[index] = value;
  }

  /** Says when the counter of a staged sample began; 0: unknown. */
  setStart(index: number, startMs: number): void {
    if (this.startTimestampsMs === undefined) {
      if (startMs === 0) return;
      if (this.#starts.length < this.capacity) this.#starts = new Float64Array(this.capacity);
      else this.#starts.fill(0);
      this.startTimestampsMs = this.#starts;
    }
    this.startTimestampsMs[index] = startMs;
  }

  /** Puts a sample in the place of an earlier one. */
  move(from: number, to: number): void {
    this.entries[to] = this.entries[from]!;
    this.refs[to] = this.refs[from]!;
    this.timestampsMs[to] = this.timestampsMs[from]!;
    // As bytes, so that the bits of a NaN survive.
    this.values.copyWithin(to, from, from + 1);
    this.startTimestampsMs?.copyWithin(to, from, from + 1);
  }

  /** Says that a series has ended. */
  pushStale(ref: number, timestampMs: number, entry = NO_ENTRY): void {
    this.push(entry, ref, timestampMs, 0);
    writeStaleNaN(this.values, this.count - 1);
  }

  #next(): number {
    if (this.count === this.refs.length) this.reserve(this.count * 2);
    return this.count++;
  }

  /** Makes room for `capacity` samples, keeping those that are there. */
  reserve(capacity: number): void {
    if (capacity <= this.refs.length) return;
    const { count } = this;
    const refs = new Float64Array(capacity);
    refs.set(this.refs.subarray(0, count));
    this.refs = refs;
    const timestampsMs = new Float64Array(capacity);
    timestampsMs.set(this.timestampsMs.subarray(0, count));
    this.timestampsMs = timestampsMs;
    const values = new Float64Array(capacity);
    // As halves, so that the bits of a NaN survive.
    new Uint32Array(values.buffer).set(new Uint32Array(this.values.buffer, 0, count * 2));
    this.values = values;
    const entries = new Int32Array(capacity);
    entries.set(this.entries.subarray(0, count));
    this.entries = entries;
    this.outcomes = new Uint8Array(capacity);
    if (this.startTimestampsMs !== undefined) {
      this.#starts = new Float64Array(capacity);
      this.#starts.set(this.startTimestampsMs.subarray(0, count));
      this.startTimestampsMs = this.#starts;
    }
  }
}
