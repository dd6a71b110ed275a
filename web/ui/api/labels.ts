/** GET /api/v1/labels, /api/v1/label/<name>/values and /api/v1/series. */
import { useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';
import { queryClient } from './query-client.ts';
import type { LabelSet } from './query-result.ts';

/** Names and values change slowly; asking at every keystroke would not be kind. */
const FRESH_MS = 30_000;

/** A name that is not a classic identifier travels escaped, as the API asks for. */
function inPath(labelName: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(labelName)) return labelName;
  let escaped = 'U__';
  for (const character of labelName) {
    if (character === '_') escaped += '__';
    else if (/[a-zA-Z0-9:]/.test(character)) escaped += character;
    else escaped += `_${character.codePointAt(0)!.toString(16)}_`;
  }
  return escaped;
}

function labelNamesQuery(match: string | undefined) {
  return {
    queryKey: ['labels', match ?? ''],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      apiGet<string[]>('labels', { 'match[]': match }, signal).then((answer) => answer.data),
    staleTime: FRESH_MS,
  };
}

function labelValuesQuery(name: string, match: string | undefined, limit: number | undefined) {
  return {
    queryKey: ['label values', name, match ?? '', limit ?? 0],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      apiGet<string[]>(`label/${inPath(name)}/values`, { 'match[]': match, limit }, signal).then(
        (answer) => answer.data,
      ),
    staleTime: FRESH_MS,
  };
}

export const fetchLabelNames = (match?: string) => queryClient.fetchQuery(labelNamesQuery(match));

export const fetchLabelValues = (name: string, match?: string) =>
  queryClient.fetchQuery(labelValuesQuery(name, match, undefined));

export const useMetricNames = () => useQuery(labelValuesQuery('__name__', undefined, undefined));

export function fetchSeries(match: string): Promise<LabelSet[]> {
  return queryClient.fetchQuery({
    queryKey: ['series', match],
    queryFn: ({ signal }) =>
      apiGet<LabelSet[]>('series', { 'match[]': match }, signal).then((answer) => answer.data),
    staleTime: FRESH_MS,
  });
}

/** The series of one metric, at most `limit` of them. */
export function useSeries(match: string, limit: number) {
  return useQuery({
    queryKey: ['series', match, limit],
    queryFn: ({ signal }) => apiGet<LabelSet[]>('series', { 'match[]': match, limit }, signal),
    staleTime: FRESH_MS,
  });
}
