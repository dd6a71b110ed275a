/**
 * What the server says about its own HTTP traffic: Prometheus's names, labels and buckets. A handler
 * is a route as it is registered, without the route prefix.
 */
import type { Counter, Distribution, Family, Registry } from '../model/index.ts';

const DURATION_BOUNDS = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const SIZE_BOUNDS = [100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Figures of one handler, looked up once. */
export type HandlerMetrics = {
  /** Counts one answer. */
  observe(statusCode: number, durationSeconds: number, sizeBytes: number): void;
};

export class HttpMetrics {
  readonly #requests: Family<Counter>;
  readonly #durations: Family<Distribution>;
  readonly #sizes: Family<Distribution>;

  constructor(registry: Registry) {
    this.#requests = registry.counters(
      'prometheus_http_requests_total',
      'Counter of HTTP requests.',
      ['handler', 'code'],
    );
    this.#durations = registry.histograms(
      'prometheus_http_request_duration_seconds',
      'Histogram of latencies for HTTP requests.',
      ['handler'],
      DURATION_BOUNDS,
    );
    this.#sizes = registry.histograms(
      'prometheus_http_response_size_bytes',
      'Histogram of response size for HTTP requests.',
      ['handler'],
      SIZE_BOUNDS,
    );
  }

  handler(name: string): HandlerMetrics {
    const successes = this.#requests.labels(name, '200');
    // Children of the histograms appear with the first request, as they do there.
    let duration: Distribution | undefined;
    let size: Distribution | undefined;
    return {
      observe: (statusCode, durationSeconds, sizeBytes) => {
        const requests =
          statusCode === 200 ? successes : this.#requests.labels(name, String(statusCode));
        requests.increase();
        (duration ??= this.#durations.labels(name)).observe(durationSeconds);
        (size ??= this.#sizes.labels(name)).observe(sizeBytes);
      },
    };
  }
}
