/**
 * A storage in memory for scripts, rule unit tests and engine tests: series in a map, samples in
 * columns. Histograms come back with the counter reset hints that Prometheus's storage derives: it
 * only knows, inside one chunk, that there was no reset.
 */
import {
  compareLabels,
  type FloatHistogram,
  type Histogram,
  isCounterReset,
  type Labels,
  type LabelTexts,
  type Matcher,
  type Querier,
  type Queryable,
  sameHistogramLayout,
  SampleBuffer,
  type SelectedSeries,
  toFloatHistogram,
  withHint,
  writeStaleNaN,
} from '../../model/index.ts';

/** A float, the end of the series, or a histogram. */
export type StoredValue = number | 'stale' | Histogram | FloatHistogram;

type StoredSeries = { readonly labels: Labels; readonly samples: SampleBuffer };

export class MemoryStorage implements Queryable {
  readonly #series = new Map<string, StoredSeries>();
  #sorted: StoredSeries[] | null = null;

  clear(): void {
    this.#series.clear();
    this.#sorted = null;
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  /** Adds a sample; one that is not newer than the last of its series is ignored. */
  append(labels: Labels, timestampMs: number, value: StoredValue, startTimestampMs = 0): void {
    const { samples } = this.#seriesOf(labels);
    const at = samples.count;
    if (at > 0 && timestampMs <= samples.timestampsMs[at - 1]!) return;
    samples.reserve(at + 1);
    samples.timestampsMs[at] = timestampMs;
    if (startTimestampMs !== 0 && samples.startTimestampsMs === null) {
      samples.startTimestampsMs = new Float64Array(samples.capacity);
    }
    if (samples.startTimestampsMs !== null) samples.startTimestampsMs[at] = startTimestampMs;
    if (value === 'stale') {
      writeStaleNaN(samples.values, at);
      samples.histograms?.push(null);
    } else if (typeof value === 'number') {
      samples.values[at] = value;
      samples.histograms?.push(null);
    } else {
      samples.values[at] = 0;
      samples.histograms ??= new Array<FloatHistogram | null>(at).fill(null);
      samples.histograms.push(hinted(toFloatHistogram(value), samples.histograms[at - 1] ?? null));
    }
    samples.count++;
  }

  /** Forgets the samples of one series. */
  drop(labels: Labels): void {
    this.#series.delete(labels.key);
    this.#sorted = null;
  }

  #seriesOf(labels: Labels): StoredSeries {
    let series = this.#series.get(labels.key);
    if (series === undefined) {
      series = { labels, samples: new SampleBuffer(16) };
      this.#series.set(labels.key, series);
      this.#sorted = null;
    }
    return series;
  }

  querier(): Querier {
    return {
      select: (matchers, { labelNames }) => this.#select(matchers, labelNames),
      labelNames: (matchers) => texts(this.#find(matchers).flatMap(namesOf)),
      labelValues: (name, matchers) =>
        texts(this.#find(matchers).map(({ labels }) => labels.get(name))),
      close: () => undefined,
    };
  }

  #find(matchers: readonly Matcher[]): StoredSeries[] {
    this.#sorted ??= [...this.#series.values()].sort((a, b) => compareLabels(a.labels, b.labels));
    return this.#sorted.filter(({ labels }) =>
      matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
    );
  }

  #select(matchers: readonly Matcher[], names: readonly string[] | undefined): SelectedSeries {
    const found = this.#find(matchers);
    const wanted = names && new Set(names);
    return {
      labels: found.map(({ labels }) => (wanted ? labels.keep(wanted) : labels)),
      warnings: [],
      read: (row, minMs, maxMs, out) => copySamples(found[row]!.samples, minMs, maxMs, out),
    };
  }
}

function namesOf({ labels }: StoredSeries): string[] {
  return [...labels].map(([name]) => name);
}

function texts(all: readonly string[]): LabelTexts {
  return { texts: [...new Set(all)].filter((text) => text !== '').sort(), warnings: [] };
}

/** The histogram with the hint that storage gives it after `previous` (null: nothing, or a float). */
function hinted(histogram: FloatHistogram, previous: FloatHistogram | null): FloatHistogram {
  if (histogram.stale || histogram.hint === 'gauge') return histogram;
  const continues =
    previous !== null &&
    !previous.stale &&
    previous.hint !== 'gauge' &&
    histogram.hint !== 'reset' &&
    sameHistogramLayout(histogram, previous) &&
    !isCounterReset(withHint(histogram, 'unknown'), previous);
  return withHint(histogram, continues ? 'not_reset' : 'unknown');
}

function copySamples(samples: SampleBuffer, minMs: number, maxMs: number, out: SampleBuffer): void {
  out.clear();
  const { timestampsMs, count } = samples;
  let start = 0;
  while (start < count && timestampsMs[start]! < minMs) start++;
  let end = start;
  while (end < count && timestampsMs[end]! <= maxMs) end++;
  out.reserve(end - start);
  out.timestampsMs.set(timestampsMs.subarray(start, end));
  // By halves, so that one NaN does not become another.
  out.valueHalves.set(samples.valueHalves.subarray(start * 2, end * 2));
  const histograms = samples.histograms?.slice(start, end);
  if (histograms?.some((histogram) => histogram !== null)) out.histograms = histograms;
  if (samples.startTimestampsMs !== null) {
    out.startTimestampsMs = new Float64Array(out.capacity);
    out.startTimestampsMs.set(samples.startTimestampsMs.subarray(start, end));
  }
  out.count = end - start;
}
