/**
 * A remote-write request as columns. Samples of all series lie behind one another; what is rare
 * (histograms, exemplars, metadata) are objects.
 */
import type {
  FloatHistogram,
  Histogram,
  MetricMetadata,
  SampleColumns,
} from '../../model/index.ts';

export type WrittenHistogram = {
  readonly series: number;
  /** So many of the request's floats come before it. */
  floatsBefore: number;
  readonly timestampMs: number;
  readonly histogram: Histogram | FloatHistogram;
  /** When it began; 0 where unknown. */
  readonly startMs: number;
};

export type WrittenExemplar = {
  readonly series: number;
  /** Names and values, as sent. */
  readonly labels: readonly string[];
  readonly value: number;
  readonly timestampMs: number;
};

export class WriteColumns implements SampleColumns {
  seriesCount = 0;
  /** Where a series' labels lie; what the numbers mean is the reader's affair. */
  labelStarts = new Uint32Array(256);
  labelEnds = new Uint32Array(256);
  /** References of the series; NO_SERIES where there is none. */
  seriesRefs = new Float64Array(256);

  count = 0;
  /** Which series of the request a sample belongs to. */
  seriesOf = new Uint32Array(1024);
  refs = new Float64Array(1024);
  timestampsMs = new Float64Array(1024);
  values = new Float64Array(1024);
  /** The same memory in halves (low, high), which tell one NaN from another. */
  valueHalves = new Uint32Array(this.values.buffer);
  /** Undefined as long as no start is known; 0 where it is not. */
  startTimestampsMs: Float64Array | undefined;
  /** Written by storage. */
  outcomes = new Uint8Array(1024);

  readonly histograms: WrittenHistogram[] = [];
  readonly exemplars: WrittenExemplar[] = [];
  readonly metadata: { readonly series: number; readonly metadata: MetricMetadata }[] = [];
  /** What could not be read, though the message is well-formed. */
  readonly problems: { readonly series: number; readonly problem: string }[] = [];
  /** Series without samples, histograms and exemplars. */
  readonly emptySeries: number[] = [];
  newestMs = -Infinity;

  clear(): void {
    this.seriesCount = 0;
    this.count = 0;
    this.startTimestampsMs = undefined;
    this.histograms.length = 0;
    this.exemplars.length = 0;
    this.metadata.length = 0;
    this.problems.length = 0;
    this.emptySeries.length = 0;
    this.newestMs = -Infinity;
  }

  /** Makes room for one more series and returns its number. */
  addSeries(): number {
    const series = this.seriesCount++;
    if (series === this.labelStarts.length) {
      this.labelStarts = grown(this.labelStarts, new Uint32Array(series * 2));
      this.labelEnds = grown(this.labelEnds, new Uint32Array(series * 2));
      this.seriesRefs = new Float64Array(series * 2);
    }
    return series;
  }

  /** @param startMs  0 where unknown */
  addSample(series: number, timestampMs: number, low: number, high: number, startMs = 0): void {
    const index = this.count++;
    if (index === this.refs.length) this.#growSamples(index * 2);
    this.seriesOf[index] = series;
    this.timestampsMs[index] = timestampMs;
    this.valueHalves[index * 2] = low;
    this.valueHalves[index * 2 + 1] = high;
    if (startMs !== 0) this.startTimestampsMs ??= new Float64Array(this.refs.length);
    if (this.startTimestampsMs !== undefined) this.startTimestampsMs[index] = startMs;
    if (timestampMs > this.newestMs) this.newestMs = timestampMs;
  }

  /** Puts sample `from` in the place of sample `to`. */
  moveSample(from: number, to: number): void {
    this.seriesOf[to] = this.seriesOf[from]!;
    this.timestampsMs[to] = this.timestampsMs[from]!;
    this.valueHalves[to * 2] = this.valueHalves[from * 2]!;
    this.valueHalves[to * 2 + 1] = this.valueHalves[from * 2 + 1]!;
    this.startTimestampsMs?.copyWithin(to, from, from + 1);
  }

  /** Samples `[start, end)`, over the same memory. */
  slice(start: number, end: number): SampleColumns {
    if (start === 0 && end === this.count) return this;
    return {
      count: end - start,
      refs: this.refs.subarray(start, end),
      timestampsMs: this.timestampsMs.subarray(start, end),
      values: this.values.subarray(start, end),
      startTimestampsMs: this.startTimestampsMs?.subarray(start, end),
    };
  }

  #growSamples(capacity: number): void {
    this.seriesOf = grown(this.seriesOf, new Uint32Array(capacity));
    this.refs = new Float64Array(capacity);
    this.timestampsMs = grown(this.timestampsMs, new Float64Array(capacity));
    const values = new Float64Array(capacity);
    // As halves, so that the bits of a NaN survive.
    this.valueHalves = grown(this.valueHalves, new Uint32Array(values.buffer));
    this.values = values;
    this.outcomes = new Uint8Array(capacity);
    if (this.startTimestampsMs !== undefined) {
      this.startTimestampsMs = grown(this.startTimestampsMs, new Float64Array(capacity));
    }
  }
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
