/** A storage that keeps everything in maps, so that a test can look at what a scrape stored. */
import {
  AppendOutcome,
  type Appendable,
  type Appender,
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  highBits,
  isStaleAt,
  type Labels,
  lowBits,
  type MetricMetadata,
  NO_SERIES,
  type SampleColumns,
  type SeriesRef,
} from '../../../model/index.ts';

export type StoredSample = {
  readonly timestampMs: number;
  readonly value: number | 'stale' | Histogram | FloatHistogram;
  /** Where one came along. */
  readonly startMs?: number;
};

export class StoredSeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
  readonly samples: StoredSample[] = [];
  readonly exemplars: Exemplar[] = [];
  metadata: MetricMetadata | null = null;
  bitsOfLast = '';

  constructor(ref: SeriesRef, labels: Labels) {
    this.ref = ref;
    this.labels = labels;
  }

  /** Values in order, a marker as 'stale', a native histogram as its count. */
  get values(): (number | 'stale')[] {
    return this.samples.map(({ value }) => {
      if (typeof value !== 'object') return value;
      return value.stale ? 'stale' : value.count;
    });
  }
}

export class MemoryStorage implements Appendable {
  readonly byRef = new Map<number, StoredSeries>();
  readonly #byLabels = new Map<string, StoredSeries>();
  #nextRef = 1;
  commits = 0;
  /** How often a scrape asked for a series by its labels. */
  lookups = 0;
  appendCalls = 0;
  /** New series are refused when this many exist. */
  seriesCountMax = Infinity;
  /** Samples older than this are out of bounds. */
  minTimestampMs = -Infinity;

  appender(): Appender {
    return new MemoryAppender(this);
  }

  series(labels: Labels): SeriesRef {
    this.lookups++;
    let series = this.#byLabels.get(labels.key);
    if (series === undefined) {
      if (this.byRef.size >= this.seriesCountMax) return NO_SERIES;
      series = new StoredSeries(this.#nextRef++ as SeriesRef, labels);
      this.#byLabels.set(labels.key, series);
      this.byRef.set(series.ref, series);
    }
    return series.ref;
  }

  /** Forgets the series, as the head does with those that stay silent. */
  collect(selects: (labels: Labels) => boolean): void {
    for (const series of this.all()) {
      if (!selects(series.labels)) continue;
      this.byRef.delete(series.ref);
      this.#byLabels.delete(series.labels.key);
    }
  }

  all(): StoredSeries[] {
    return [...this.byRef.values()];
  }

  /** The series with this name and these labels, if any. */
  find(name: string, labels: Record<string, string> = {}): StoredSeries | undefined {
    return this.all().find(
      (series) =>
        series.labels.get('__name__') === name &&
        Object.entries(labels).every(([label, value]) => series.labels.get(label) === value),
    );
  }

  /** The newest sample of every series, as text → value, markers left out. */
  newest(): Map<string, StoredSample['value']> {
    const newest = new Map<string, StoredSample['value']>();
    for (const series of this.byRef.values()) {
      const last = series.samples.at(-1);
      if (last !== undefined) newest.set(series.labels.toString(), last.value);
    }
    return newest;
  }
}

class MemoryAppender implements Appender {
  readonly #storage: MemoryStorage;
  #staged: (() => void)[] = [];

  constructor(storage: MemoryStorage) {
    this.#storage = storage;
  }

  series(labels: Labels): SeriesRef {
    return this.#storage.series(labels);
  }

  appendSamples(samples: SampleColumns, outcomes: Uint8Array): number {
    this.#storage.appendCalls++;
    let rejected = 0;
    for (let i = 0; i < samples.count; i++) {
      const value = isStaleAt(samples.values, i) ? 'stale' : samples.values[i]!;
      const startMs = samples.startTimestampsMs?.[i] ?? 0;
      const outcome = this.#append(samples.refs[i]!, samples.timestampsMs[i]!, value, startMs);
      outcomes[i] = outcome;
      if (outcome !== AppendOutcome.Ok) rejected++;
    }
    return rejected;
  }

  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startMs = 0,
  ): AppendOutcome {
    return this.#append(ref, timestampMs, histogram, startMs);
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): boolean {
    const series = this.#storage.byRef.get(ref);
    if (series === undefined) return false;
    const last = series.exemplars.at(-1);
    if (last?.timestampMs !== undefined && last.timestampMs > (exemplar.timestampMs ?? Infinity)) {
      return false;
    }
    this.#staged.push(() => series.exemplars.push(exemplar));
    return true;
  }

  updateMetadata(ref: SeriesRef, metadata: MetricMetadata): void {
    const series = this.#storage.byRef.get(ref);
    if (series !== undefined) this.#staged.push(() => (series.metadata = metadata));
  }

  commit(): void {
    for (const apply of this.#staged) apply();
    this.#staged = [];
    this.#storage.commits++;
  }

  rollback(): void {
    this.#staged = [];
  }

  #append(
    ref: number,
    timestampMs: number,
    value: StoredSample['value'],
    startMs: number,
  ): AppendOutcome {
    const series = this.#storage.byRef.get(ref);
    if (series === undefined) return AppendOutcome.UnknownSeries;
    if (timestampMs < this.#storage.minTimestampMs) return AppendOutcome.OutOfBounds;
    const last = series.samples.at(-1);
    const bits =
      typeof value === 'number' ? `${highBits(value)}/${lowBits(value)}` : JSON.stringify(value);
    if (last !== undefined && timestampMs < last.timestampMs) return AppendOutcome.OutOfOrder;
    if (last !== undefined && timestampMs === last.timestampMs) {
      return bits === series.bitsOfLast ? AppendOutcome.Ok : AppendOutcome.DuplicateTimestamp;
    }
    // Visible at once: the tests look only after the commit, and order within a batch counts.
    series.samples.push({ timestampMs, value, ...(startMs === 0 ? {} : { startMs }) });
    series.bitsOfLast = bits;
    return AppendOutcome.Ok;
  }
}
