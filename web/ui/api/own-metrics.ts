/** GET /metrics: the server's own figures, read without waiting for it to scrape itself. */
import { useQuery } from '@tanstack/react-query';
import { withBase } from '../base.ts';
import { parseSamples, type OwnSamples } from './own-samples.ts';

/** Two looks one after the other, because rates need two. */
export type OwnMetrics = { now: OwnSamples; before: OwnSamples | undefined };

let previous: OwnSamples | undefined;

export function useOwnMetrics() {
  return useQuery({
    queryKey: ['own metrics'],
    queryFn: async ({ signal }): Promise<OwnMetrics> => {
      const response = await fetch(withBase('/metrics'), { signal });
      if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
      const now = parseSamples(await response.text(), Date.now());
      const before = previous;
      previous = now;
      return { now, before };
    },
    refetchInterval: 5_000,
    structuralSharing: false,
  });
}
