/**
 * Errors as the HTTP API tells them. Source: Prometheus HTTP API documentation; the status codes of
 * the types that it does not list were observed on 3.14 (`unavailable` is 500 there, not 503).
 */
import { messageOf, NarthexError } from '../model/index.ts';

export const STATUS_OF_ERROR_TYPE = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  canceled: 499,
  internal: 500,
  unavailable: 500,
  not_found: 404,
  not_acceptable: 406,
} as const;
export type ApiErrorType = keyof typeof STATUS_OF_ERROR_TYPE;

/** Something that a client is told. The message is for people and is sent as it is. */
export class ApiError extends NarthexError {
  readonly code = 'API';
  readonly errorType: ApiErrorType;

  constructor(errorType: ApiErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.errorType = errorType;
  }

  get statusCode(): number {
    return STATUS_OF_ERROR_TYPE[this.errorType];
  }
}

/** By `code`, because an error that crossed threads may have lost its class. */
const TYPE_OF_CODE: Readonly<Record<string, ApiErrorType>> = {
  VALUE: 'bad_data',
  PROMQL_PARSE: 'bad_data',
  PROMQL_BAD_QUERY: 'bad_data',
  PROMQL_DURATION: 'bad_data',
  PROMQL_EXECUTION: 'execution',
  LIMIT: 'execution',
  PROMQL_TIMEOUT: 'timeout',
  CANCELED: 'canceled',
};

/** What a client is told about anything that was thrown. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  const known = typeof code === 'string' ? TYPE_OF_CODE[code] : undefined;
  return new ApiError(known ?? 'internal', messageOf(error), { cause: error });
}
