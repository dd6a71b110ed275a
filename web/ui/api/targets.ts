/** GET /api/v1/targets, /api/v1/scrape_pools and /api/v1/targets/relabel_steps. */
import { useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';
import type { LabelSet } from './query-result.ts';

export type TargetHealth = 'up' | 'down' | 'unknown';

export type ActiveTarget = {
  discoveredLabels: LabelSet;
  labels: LabelSet;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl: string;
  lastError: string;
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: TargetHealth;
  scrapeInterval: string;
  scrapeTimeout: string;
};

type DroppedTarget = { discoveredLabels: LabelSet; scrapePool?: string };

export type Targets = {
  activeTargets: ActiveTarget[];
  droppedTargets: DroppedTarget[];
  droppedTargetCounts?: Record<string, number> | null;
};

/** @param refreshMs  ask again after so long */
export function useTargets(state: 'active' | 'any', scrapePool: string, refreshMs: number) {
  return useQuery({
    queryKey: ['targets', state, scrapePool],
    queryFn: ({ signal }) =>
      apiGet<Targets>('targets', { state, scrapePool: scrapePool || undefined }, signal).then(
        (answer) => answer.data,
      ),
    refetchInterval: refreshMs,
  });
}

export function useScrapePools() {
  return useQuery({
    queryKey: ['scrape pools'],
    queryFn: ({ signal }) =>
      apiGet<{ scrapePools: string[] }>('scrape_pools', {}, signal).then(
        (answer) => answer.data.scrapePools,
      ),
    staleTime: 30_000,
  });
}

export type RelabelStep = { rule: Record<string, unknown>; output: LabelSet; keep: boolean };

export function useRelabelSteps(scrapePool: string, labels: LabelSet) {
  return useQuery({
    queryKey: ['relabel steps', scrapePool, labels],
    queryFn: ({ signal }) =>
      apiGet<{ steps: RelabelStep[] | null }>(
        'targets/relabel_steps',
        { scrapePool, labels: JSON.stringify(labels) },
        signal,
      ).then((answer) => answer.data.steps ?? []),
    retry: false,
  });
}
