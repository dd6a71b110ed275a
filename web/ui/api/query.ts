/** GET /api/v1/query: an expression at one moment. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';
import type { QueryResult, QueryStats } from './query-result.ts';
import type { Answer } from './transport.ts';

type InstantData = QueryResult & { stats?: QueryStats };
export type InstantAnswer = Answer<InstantData> & { evaluatedAtMs: number };

/** The most series a table is given; the server cuts the rest off and says so in a warning. */
const SERIES_COUNT_MAX = 10_000;

export async function fetchInstant(
  expr: string,
  atMs: number | undefined,
  limit?: number,
  signal?: AbortSignal,
): Promise<InstantAnswer> {
  const evaluatedAtMs = atMs ?? Date.now();
  const answer = await apiGet<InstantData>(
    'query',
    { query: expr, time: evaluatedAtMs / 1000, stats: 'true', limit },
    signal,
  );
  return { ...answer, evaluatedAtMs };
}

/**
 * @param atMs  when to evaluate; undefined means now, at the time of asking
 * @param runCount  part of the key, so that running the same text again asks again
 * @param refreshMs  ask again after so long; 0 for never
 */
export function useInstantQuery(
  expr: string,
  atMs: number | undefined,
  runCount: number,
  refreshMs: number,
) {
  return useQuery({
    queryKey: ['query', expr, atMs ?? 'now', runCount],
    queryFn: ({ signal }) => fetchInstant(expr, atMs, SERIES_COUNT_MAX, signal),
    enabled: expr !== '',
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    refetchInterval: atMs === undefined && refreshMs > 0 ? refreshMs : false,
    retry: false,
  });
}
