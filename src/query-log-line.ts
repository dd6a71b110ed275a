/** A line of `query_log_file`, with Prometheus's names. Durations are in seconds. */
import type { LogFields, SpanContext } from '../model/index.ts';
import type { QueryCost } from './query-metrics.ts';

const NO_SPAN = '0'.repeat(16);
const NO_TRACE = '0'.repeat(32);

export type LoggedQuery = {
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for instant queries. */
  readonly stepMs: number;
  readonly durationMs: number;
  readonly waitedMs: number;
  /** Null when it failed. */
  readonly cost: QueryCost | null;
  readonly error: string | null;
  /** Of its evaluation; null while tracing is off. */
  readonly traced: SpanContext | null;
  /** Who asked. */
  readonly origin: QueryOrigin;
};

export type QueryOrigin =
  | {
      readonly httpRequest: {
        readonly clientIP: string;
        readonly method: string;
        readonly path: string;
      };
    }
  | { readonly ruleGroup: { readonly file: string; readonly name: string } };

export function queryLogLine(logged: LoggedQuery): LogFields {
  const { query, startMs, endMs, stepMs, durationMs, waitedMs, cost, error, traced } = logged;
  return {
    params: {
      end: new Date(endMs).toISOString(),
      query,
      start: new Date(startMs).toISOString(),
      step: stepMs / 1000,
    },
    ...(error === null ? {} : { error }),
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
    spanID: traced?.spanId ?? NO_SPAN,
    traceID: traced?.traceId ?? NO_TRACE,
    ...logged.origin,
  };
}
