/** How a query can fail, by the classes that the query API tells apart. */
import { CanceledError, LimitError, NarthexError } from '../model/index.ts';

export type QueryErrorType = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'internal';

/** The query is fine, but evaluating it on this data is not possible. */
export class ExecutionError extends NarthexError {
  readonly code = 'PROMQL_EXECUTION';
}

/** The query makes no sense as asked, which shows only after parsing. */
export class BadQueryError extends NarthexError {
  readonly code = 'PROMQL_BAD_QUERY';
}

export class QueryTimeoutError extends NarthexError {
  readonly code = 'PROMQL_TIMEOUT';

  constructor(where = 'expression evaluation') {
    super(`query timed out in ${where}`);
  }
}

export class QueryCanceledError extends CanceledError {
  constructor(where = 'expression evaluation') {
    super(`query was canceled in ${where}`);
  }
}

/** A bound on what a query may use was met. */
export class QueryLimitError extends LimitError {}

/** Where in the API's classes an error belongs. */
export function queryErrorType(error: unknown): QueryErrorType {
  if (error instanceof QueryTimeoutError) return 'timeout';
  if (error instanceof CanceledError) return 'canceled';
  if (error instanceof ExecutionError || error instanceof LimitError) return 'execution';
  return error instanceof NarthexError ? 'bad_data' : 'internal';
}
