/** What the targets of one job share: compiled rules, limits, headers, the way to fetch. */
import { type Labels, type Logger, Relabeler } from '../model/index.ts';
import type { ScrapeConfig } from './config.ts';
import { schemaMaxOf } from './exposition/histogram-limits.ts';
import { acceptHeader } from './exposition/negotiate.ts';
import type { HttpRequest, HttpResponse } from './http/http-request.ts';
import { SampleLabels } from './sample-labels.ts';
import type { Target } from './target.ts';
import type { SeriesOptions } from './series-options.ts';

/** The way to a target. The real one is `HttpClient`. */
export interface Fetcher {
  /** @throws FetchError */
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export class ScrapeJob {
  readonly config: ScrapeConfig;
  readonly fetcher: Fetcher;
  readonly targetRelabeler: Relabeler;
  /** Where failed scrapes are logged to, besides `lastError`; null for nowhere. */
  readonly failureLog: Logger | null;
  readonly #metricRelabeler: Relabeler;
  readonly #accept: string;
  readonly #appendMetadata: boolean;
  readonly #readsStarts: boolean;
  readonly #synthesizesStarts: boolean;

  constructor(
    config: ScrapeConfig,
    fetcher: Fetcher,
    options: {
      appendMetadata: boolean;
      readsStarts: boolean;
      synthesizesStarts: boolean;
      failureLog: Logger | null;
    },
  ) {
    this.config = config;
    this.fetcher = fetcher;
    this.failureLog = options.failureLog;
    this.#appendMetadata = options.appendMetadata;
    this.#readsStarts = options.readsStarts;
    this.#synthesizesStarts = options.synthesizesStarts;
    this.targetRelabeler = new Relabeler(config.relabelConfigs, config.nameScheme);
    this.#metricRelabeler = new Relabeler(config.metricRelabelConfigs, config.nameScheme);
    this.#accept = acceptHeader(config.scrapeProtocols, config.nameEscapingScheme);
  }

  sampleLabels(targetLabels: Labels): SampleLabels {
    const { config } = this;
    return new SampleLabels({
      targetLabels,
      honorLabels: config.honorLabels,
      nameScheme: config.nameScheme,
      metricRelabeler: this.#metricRelabeler,
      labelLimit: config.labelLimit,
      labelNameLengthLimit: config.labelNameLengthLimit,
      labelValueLengthLimit: config.labelValueLengthLimit,
    });
  }

  seriesOptions(target: Target): SeriesOptions {
    const { config } = this;
    return {
      sampleLabels: this.sampleLabels(target.labels),
      honorTimestamps: config.honorTimestamps,
      trackTimestampsStaleness: config.trackTimestampsStaleness,
      sampleLimit: config.sampleLimit,
      scrapeNativeHistograms: target.scrapeNativeHistograms,
      convertClassicHistograms: target.convertClassicHistogramsToNhcb,
      keepClassicHistograms: target.alwaysScrapeClassicHistograms,
      nativeHistogramBucketLimit: config.nativeHistogramBucketLimit,
      nativeHistogramSchemaMax: schemaMaxOf(config.nativeHistogramMinBucketFactor),
      appendMetadata: this.#appendMetadata,
      readsStarts: this.#readsStarts,
      synthesizesStarts: this.#synthesizesStarts,
    };
  }

  request(target: Target): HttpRequest {
    return {
      url: target.url,
      ...(target.unixSocket === '' ? {} : { unixSocket: target.unixSocket }),
      headers: {
        Accept: this.#accept,
        'Accept-Encoding': this.config.enableCompression ? 'gzip' : 'identity',
        'X-Prometheus-Scrape-Timeout-Seconds': String(target.scrapeTimeoutMs / 1000),
      },
      timeoutMs: target.scrapeTimeoutMs,
      bodySizeLimitBytes: this.config.bodySizeLimitBytes,
    };
  }
}
