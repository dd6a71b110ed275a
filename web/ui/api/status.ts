/** GET /api/v1/status/*, /api/v1/alertmanagers: what the server says about itself. */
import { useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';

/** One typed hook per endpoint that takes nothing and answers an object. */
function statusHook<T>(path: string, refreshMs: number | false = false) {
  return () =>
    useQuery({
      queryKey: [path],
      queryFn: ({ signal }) => apiGet<T>(path, {}, signal).then((answer) => answer.data),
      refetchInterval: refreshMs,
    });
}

export type BuildInfo = {
  version: string;
  revision: string;
  branch: string;
  buildUser: string;
  buildDate: string;
  goVersion: string;
};
export const useBuildInfo = statusHook<BuildInfo>('status/buildinfo');

/** Servers differ in what they add, so that the page prints whatever there is. */
export type RuntimeInfo = Record<string, string | number | boolean> & {
  startTime: string;
  reloadConfigSuccess: boolean;
  lastConfigTime: string;
};
export const useRuntimeInfo = statusHook<RuntimeInfo>('status/runtimeinfo', 15_000);

export const useFlags = statusHook<Record<string, string>>('status/flags');
export const useConfig = statusHook<{ yaml: string }>('status/config');

export type Alertmanagers = {
  activeAlertmanagers: { url: string }[] | null;
  droppedAlertmanagers: { url: string }[] | null;
};
export const useAlertmanagers = statusHook<Alertmanagers>('alertmanagers', 15_000);

export type NamedCount = { name: string; value: number };
export type TsdbStatus = {
  headStats: {
    numSeries: number;
    numLabelPairs: number;
    chunkCount: number;
    /** Unix milliseconds; the minimum is huge while the head is empty. */
    minTime: number;
    maxTime: number;
  };
  seriesCountByMetricName: NamedCount[] | null;
  labelValueCountByLabelName: NamedCount[] | null;
  memoryInBytesByLabelName: NamedCount[] | null;
  seriesCountByLabelValuePair: NamedCount[] | null;
};

export function useTsdbStatus(limit: number) {
  return useQuery({
    queryKey: ['status/tsdb', limit],
    queryFn: ({ signal }) =>
      apiGet<TsdbStatus>('status/tsdb', { limit }, signal).then((answer) => answer.data),
  });
}

export type Block = {
  ulid: string;
  minTime: number;
  maxTime: number;
  stats: { numSamples?: number; numSeries?: number; numChunks?: number };
  compaction: { level: number };
};
export const useBlocks = statusHook<{ blocks: Block[] | null }>('status/tsdb/blocks');
