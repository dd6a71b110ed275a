/**
 * Everything that query workers answer, as the ports that the web asks. Here queries meet the pool,
 * their deadline, the figures and the logs; no value of an answer is looked at.
 */
import { CanceledError, type Clock, type Logger, messageOf } from '../model/index.ts';
import type {
  AnswerBytes,
  FederationPort,
  InstantQuery,
  LabelPort,
  LanguagePort,
  QueryOptions,
  QueryPort,
  RangeQuery,
  SeriesPort,
} from '../web/index.ts';
import type { QueryLog } from './history/query-log.ts';
import type { QueryCost, QueryMetrics } from './query-metrics.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import type { QueryPool } from './threads/query-pool.ts';
import type { QueryClient } from './threads/query-workers.ts';
import type { QueryAnswer } from './threads/query-worker.ts';

export type QueriesOptions = {
  readonly pool: QueryPool<QueryClient>;
  readonly ingest: IngestClient;
  readonly metrics: QueryMetrics;
  readonly clock: Clock;
  /** `--query.timeout`; a request may ask for less. */
  readonly timeoutMs: number;
  readonly lookbackMs: number;
  /** `evaluation_interval` in force. */
  readonly subqueryStepMs: () => number;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  /** History; null while there is none. */
  readonly queryLog: () => QueryLog | null;
  /** `query_log_file`; null when none is configured. */
  readonly queryLogFile: () => Logger | null;
};

type Asked = {
  readonly kind: 'instant' | 'range';
  readonly request: QueryOptions;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
};

export class Queries implements QueryPort, LanguagePort, LabelPort, SeriesPort, FederationPort {
  readonly #options: QueriesOptions;

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  instant(request: InstantQuery, signal: AbortSignal): Promise<AnswerBytes> {
    const { timeMs } = request;
    const asked = { kind: 'instant', request, startMs: timeMs, endMs: timeMs, stepMs: 0 } as const;
    return this.#ask(asked, signal, (client, added) =>
      client.start('instant', { ...request, ...added }),
    );
  }

  range(request: RangeQuery, signal: AbortSignal): Promise<AnswerBytes> {
    const { startMs, endMs, stepMs } = request;
    const asked = { kind: 'range', request, startMs, endMs, stepMs } as const;
    return this.#ask(asked, signal, (client, added) =>
      client.start('range', { ...request, ...added }),
    );
  }

  async exemplars(
    { query, minMs, maxMs }: { query: string; minMs: number; maxMs: number },
    signal: AbortSignal,
  ): Promise<AnswerBytes | null> {
    const sets = await this.#other(signal, (client) => client.start('selectorsOf', query));
    if (sets.length === 0) return null;
    // Exemplars lie with the writer, not in shared memory.
    return this.#options.ingest.call('exemplars', { minMs, maxMs, sets }, { signal });
  }

  format(query: string, signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('format', query));
  }

  parse(query: string, signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('parse', query));
  }

  selectors(texts: readonly string[], signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('selectors', texts));
  }

  names(request: Parameters<LabelPort['names']>[0], signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('labelNames', request));
  }

  values(request: Parameters<LabelPort['values']>[0], signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('labelValues', request));
  }

  series(request: Parameters<SeriesPort['series']>[0], signal: AbortSignal) {
    return this.#other(signal, (client) => client.start('series', request));
  }

  federate(request: Parameters<FederationPort['federate']>[0], signal: AbortSignal) {
    const { clock, lookbackMs, externalLabels } = this.#options;
    const job = {
      ...request,
      nowMs: clock.nowMs(),
      lookbackMs,
      externalLabels: externalLabels(),
    };
    return this.#other(signal, (client) => client.start('federate', job));
  }

  /** Work that is no query: neither counted nor logged, but bounded in time like one. */
  #other<T>(
    signal: AbortSignal,
    begin: (client: QueryClient) => { result: Promise<T>; cancel: () => void },
  ): Promise<T> {
    const { pool, timeoutMs } = this.#options;
    return pool.run({ isQuery: false, signal, timeoutMs }, begin);
  }

  async #ask(
    asked: Asked,
    signal: AbortSignal,
    begin: (
      client: QueryClient,
      added: { timeoutMs: number; queuedSeconds: number; subqueryStepMs: number },
    ) => { result: Promise<QueryAnswer>; cancel: () => void },
  ): Promise<AnswerBytes> {
    const { pool, metrics, clock } = this.#options;
    const askedMs = asked.request.timeoutMs ?? this.#options.timeoutMs;
    const timeoutMs = Math.min(askedMs, this.#options.timeoutMs);
    const startedMs = clock.monotonicMs();
    let waitedMs = 0;
    try {
      const { bytes, cost } = await pool.run(
        { isQuery: true, signal, timeoutMs },
        (client, waited) => {
          waitedMs = waited;
          metrics.waited(waited / 1000);
          return begin(client, {
            timeoutMs: Math.max(1, timeoutMs - waited),
            queuedSeconds: waited / 1000,
            subqueryStepMs: this.#options.subqueryStepMs(),
          });
        },
      );
      metrics.answered(cost);
      this.#log(asked, clock.monotonicMs() - startedMs, waitedMs, cost, null);
      return bytes;
    } catch (error) {
      const isOurs = error instanceof CanceledError && signal.aborted;
      if (!isOurs) this.#log(asked, clock.monotonicMs() - startedMs, waitedMs, null, error);
      throw error;
    }
  }

  #log(
    { kind, request, startMs, endMs, stepMs }: Asked,
    durationMs: number,
    waitedMs: number,
    cost: QueryCost | null,
    error: unknown,
  ): void {
    const { query } = request;
    const message = error === null ? null : messageOf(error);
    this.#options.queryLog()?.add({
      query,
      kind,
      atMs: this.#options.clock.nowMs(),
      durationMs,
      samples: cost?.samples ?? 0,
      series: cost?.seriesCount ?? 0,
      error: message,
    });
    const file = this.#options.queryLogFile();
    if (file === null) return;
    file.info('promql query logged', {
      params: {
        end: new Date(endMs).toISOString(),
        query,
        start: new Date(startMs).toISOString(),
        step: stepMs / 1000,
      },
      ...(message === null ? {} : { error: message }),
      stats: {
        timings: {
          evalTotalTime: (cost?.prepareSeconds ?? 0) + (cost?.evalSeconds ?? 0),
          resultSortTime: cost?.sortSeconds ?? 0,
          queryPreparationTime: cost?.prepareSeconds ?? 0,
          innerEvalTime: cost?.evalSeconds ?? 0,
          execQueueTime: waitedMs / 1000,
          execTotalTime: durationMs / 1000,
        },
        samples: {
          totalQueryableSamples: cost?.samples ?? 0,
          samplesRead: cost?.samplesRead ?? 0,
        },
      },
    });
  }
}
