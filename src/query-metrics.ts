/** Figures about queries. Kept in the main thread, where all of them pass. */
import type { Counter, Distribution, Registry, Summary } from '../model/index.ts';

/** What a query cost, as its worker measured it. */
export type QueryCost = {
  /** Samples that the query looked at. */
  readonly samples: number;
  /** Samples that were read from storage for it. */
  readonly samplesRead: number;
  readonly seriesCount: number;
  readonly prepareSeconds: number;
  readonly evalSeconds: number;
  readonly sortSeconds: number;
};

const SLICES = ['inner_eval', 'prepare_time', 'queue_time', 'result_sort'] as const;
type Slice = (typeof SLICES)[number];
const BUCKETS_SECONDS = [
  0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 60, 80, 100, 120,
];

export class QueryMetrics {
  readonly #slices: Readonly<Record<Slice, { summary: Summary; histogram: Distribution }>>;
  readonly #samples: Counter;
  readonly #samplesRead: Counter;

  constructor(registry: Registry, queryCountMax: number, queryCount: () => number) {
    const summaries = registry.summaries(
      'prometheus_engine_query_duration_seconds',
      'Query timings',
      ['slice'],
      [0.5, 0.9, 0.99],
    );
    const histograms = registry.histograms(
      'prometheus_engine_query_duration_histogram_seconds',
      'The duration of various parts of PromQL query execution.',
      ['slice'],
      BUCKETS_SECONDS,
    );
    this.#slices = Object.fromEntries(
      SLICES.map((slice) => [
        slice,
        { summary: summaries.labels(slice), histogram: histograms.labels(slice) },
      ]),
    ) as Record<Slice, { summary: Summary; histogram: Distribution }>;
    this.#samples = registry.counter(
      'prometheus_engine_query_samples_total',
      'The total number of samples loaded by all queries.',
    );
    this.#samplesRead = registry.counter(
      'prometheus_engine_query_samples_read_total',
      'The total number of samples read from storage by all queries.',
    );
    registry
      .gauge('prometheus_engine_queries_concurrent_max', 'The max number of concurrent queries.')
      .set(queryCountMax);
    const queries = registry.gauge(
      'prometheus_engine_queries',
      'The current number of queries being executed or waiting.',
    );
    registry.beforeSnapshot(() => queries.set(queryCount()));
  }

  waited(seconds: number): void {
    this.#observe('queue_time', seconds);
  }

  answered(cost: QueryCost): void {
    this.#observe('prepare_time', cost.prepareSeconds);
    this.#observe('inner_eval', cost.evalSeconds);
    this.#observe('result_sort', cost.sortSeconds);
    this.#samples.increase(cost.samples);
    this.#samplesRead.increase(cost.samplesRead);
  }

  #observe(slice: Slice, seconds: number): void {
    const { summary, histogram } = this.#slices[slice];
    summary.observe(seconds);
    histogram.observe(seconds);
  }
}
