/** What instant and range queries have in common. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.ts';
import type { Form } from '../form.ts';
import { namingParameter, optionalDuration, parseDurationMs } from '../params.ts';
import type { LanguagePort, QueryOptions } from '../ports.ts';

/** Everything but the limit, which is the first thing to be checked. */
export function queryOptions(form: Form, limit: number, request: FastifyRequest): QueryOptions {
  const timeoutMs = optionalDuration(form, 'timeout');
  const lookbackMs = lookback(form);
  const { stats, warnings } = statsParameter(form);
  const client = {
    address: request.ip,
    userAgent: request.headers['user-agent'] ?? '',
    method: request.method,
    path: request.url.split('?', 1)[0]!,
  };
  return { query: form.first('query'), timeoutMs, lookbackMs, limit, stats, warnings, client };
}

/** Who gives a query no time at all is told what is wrong with it nevertheless. */
export async function refuseWithoutTime(
  { query, timeoutMs }: QueryOptions,
  language: LanguagePort,
  signal: AbortSignal,
): Promise<void> {
  if (timeoutMs === null || timeoutMs > 0) return;
  await namingParameter('query', language.parse(query, signal));
  throw new ApiError('timeout', 'query timed out in query execution');
}

function lookback(form: Form): number | null {
  const text = form.first('lookback_delta');
  if (text === '') return null;
  try {
    const lookbackMs = parseDurationMs(text);
    return lookbackMs > 0 ? lookbackMs : null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError('bad_data', `error parsing lookback delta duration: ${error.message}`);
  }
}

function statsParameter(form: Form): Pick<QueryOptions, 'stats' | 'warnings'> {
  const text = form.first('stats');
  if (text === '') return { stats: 'none', warnings: [] };
  if (text === 'all') return { stats: 'all', warnings: [] };
  if (text === 'true') return { stats: 'basic', warnings: [] };
  const warning =
    `value ${JSON.stringify(text)} for parameter "stats" is deprecated and will be rejected ` +
    'in the next major release, use "true" or "all"';
  return { stats: 'basic', warnings: [warning] };
}
