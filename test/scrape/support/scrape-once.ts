/** Feeds bodies to a target's series without HTTP, clock or loop. */
import { Labels, type MetricMetadata, Relabeler } from '../../../model/index.ts';
import { ClassicFamilies } from '../../../scrape/classic-families.ts';
import type { ScrapeTally } from '../../../scrape/append-staged.ts';
import { SampleLabels } from '../../../scrape/sample-labels.ts';
import type { SeriesOptions } from '../../../scrape/series-options.ts';
import { Staging } from '../../../scrape/staging.ts';
import { type CacheFormat, TargetSeries } from '../../../scrape/target-series.ts';
import { ProtobufIngest } from '../../../scrape/protobuf-ingest.ts';
import { TextReader } from '../../../scrape/text-ingest.ts';
import { ExpositionError } from '../../../scrape/exposition/exposition-error.ts';
import { MemoryStorage } from './memory-storage.ts';

export const PLAIN_OPTIONS: Omit<SeriesOptions, 'sampleLabels'> = {
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  sampleLimit: 0,
  scrapeNativeHistograms: false,
  convertClassicHistograms: false,
  keepClassicHistograms: false,
  nativeHistogramBucketLimit: 0,
  nativeHistogramSchemaMax: Infinity,
  appendMetadata: false,
  readsStarts: false,
  synthesizesStarts: false,
};

export const NO_TARGET_LABELS = new SampleLabels({
  targetLabels: Labels.EMPTY,
  honorLabels: true,
  nameScheme: 'utf8',
  metricRelabeler: new Relabeler([]),
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
});

export type Feed = CacheFormat;

/** A target whose scrapes come from the test. */
export class FedTarget {
  readonly storage: MemoryStorage;
  readonly series: TargetSeries;
  readonly #staging = new Staging(16);
  readonly #readers = { text: new TextReader(false), openmetrics: new TextReader(true) };
  readonly #protobuf = new ProtobufIngest();
  readonly #classic: ClassicFamilies | null;
  timestampMs = 1_000_000;
  tally: ScrapeTally | null = null;

  constructor(options: Partial<SeriesOptions> = {}, storage = new MemoryStorage()) {
    this.storage = storage;
    this.series = new TargetSeries({
      sampleLabels: NO_TARGET_LABELS,
      ...PLAIN_OPTIONS,
      ...options,
    });
    this.#classic = options.convertClassicHistograms === true ? new ClassicFamilies() : null;
    this.series.onMove = (moved) => this.#classic?.move(moved);
  }

  metadata(): Map<string, MetricMetadata> {
    const { format } = this.series;
    if (format === null) return new Map();
    const reader = format === 'protobuf' ? this.#protobuf : this.#readers[format];
    return reader.metadataOf(this.series);
  }

  /** One scrape; returns the error that made it fail, or ''. */
  scrape(body: string | Uint8Array, feed: Feed = 'text'): string {
    const { series } = this;
    this.timestampMs += 1000;
    const appender = this.storage.appender();
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const bytes = new Uint8Array(content.length + 2);
    bytes.set(content);
    let error = '';
    try {
      if (feed === 'protobuf') {
        series.begin(appender, this.#staging, this.timestampMs, feed, this.#protobuf);
        this.#protobuf.read(series, bytes, content.length);
      } else {
        const reader = this.#readers[feed];
        series.begin(appender, this.#staging, this.timestampMs, feed, reader);
        reader.read(series, this.#classic, bytes, content.length);
      }
      series.finish();
    } catch (thrown) {
      if (!(thrown instanceof ExpositionError)) throw thrown;
      error = thrown.message;
      series.abandon();
    }
    series.append({ refs: new Float64Array(0), labels: () => Labels.EMPTY });
    appender.commit();
    this.tally = series.tally;
    return error;
  }
}
