/**
 * Errors of queries that met a bound of the server, completed by which bound that was, its value and
 * its flag. The engine names the bounds that are its own; these two only the server knows.
 */
import { CanceledError, formatDuration, LimitError, NarthexError } from '../model/index.ts';

export type QueryBounds = {
  /** `--query.timeout` */
  readonly timeoutMs: number;
  /** `--query.max-concurrency` */
  readonly queryCountMax: number;
  /** Heap that a worker may have; there is no flag for it. */
  readonly heapSizeMb: number;
};

/** Code by which the API knows a query that ran out of time. */
const TIMEOUT_CODE = 'PROMQL_TIMEOUT';

export class TimedOutError extends NarthexError {
  readonly code = TIMEOUT_CODE;
}

/**
 * What to tell the asker in place of `error`; most errors are left as they are.
 * @param timeoutMs  time that the query had, which a request may have made shorter
 */
export function explainBound(error: unknown, timeoutMs: number, bounds: QueryBounds): unknown {
  if (!(error instanceof Error) || error instanceof CanceledError) return error;
  const { code } = error as { code?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new LimitError(
      `query ran its worker out of memory (limit of ${bounds.heapSizeMb}MiB; ` +
        '--query.max-bytes and --query.max-samples stop queries before that)',
      'query.max-bytes',
      { cause: error },
    );
  }
  if (code !== TIMEOUT_CODE) return error;
  const text = `${error.message} (${timeBound(timeoutMs, bounds)}${queueBound(error, bounds)})`;
  return new TimedOutError(text, { cause: error });
}

function timeBound(timeoutMs: number, bounds: QueryBounds): string {
  const limit = `limit of ${formatDuration(timeoutMs)}`;
  return timeoutMs < bounds.timeoutMs
    ? `${limit} set by the request; --query.timeout is ${formatDuration(bounds.timeoutMs)}`
    : `${limit}, --query.timeout`;
}

/** Who only waited should know for what. */
function queueBound({ message }: Error, { queryCountMax }: QueryBounds): string {
  if (!message.endsWith('in query queue')) return '';
  return `; at most ${queryCountMax} queries run at once, --query.max-concurrency`;
}
