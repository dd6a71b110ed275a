/** Active and dropped targets side by side, by pool. Pure. */
import type { LabelSet } from '../../api/query-result.ts';
import type { Targets } from '../../api/targets.ts';
import { passesFilter } from '../../parts/text-filter.ts';

export type Found = {
  scrapePool: string;
  discoveredLabels: LabelSet;
  /** undefined: dropped by relabelling. */
  labels: LabelSet | undefined;
};

export type DiscoveredPool = {
  name: string;
  found: Found[];
  activeCount: number;
  /** As counted by the server, which may keep only some of them. */
  droppedCount: number;
  /** Dropped ones whose labels the server still knows. */
  keptDroppedCount: number;
};

export function discoveredPools(targets: Targets, state: string, text: string): DiscoveredPool[] {
  const active = targets.activeTargets.map((target): Found => target);
  const dropped = targets.droppedTargets.map(
    (target): Found => ({
      // Before 2.47 dropped targets did not say whose they were; their job label does.
      scrapePool: target.scrapePool ?? target.discoveredLabels.job ?? '',
      discoveredLabels: target.discoveredLabels,
      labels: undefined,
    }),
  );
  const byPool = Map.groupBy([...active, ...dropped], ({ scrapePool }) => scrapePool);
  return [...byPool]
    .map(([name, all]) => {
      const activeCount = all.filter(({ labels }) => labels !== undefined).length;
      const keptDroppedCount = all.length - activeCount;
      return {
        name,
        activeCount,
        keptDroppedCount,
        droppedCount: targets.droppedTargetCounts?.[name] ?? keptDroppedCount,
        found: all.filter((one) => passes(one, state, text)),
      };
    })
    .filter(({ found }) => found.length > 0)
    .sort((a, b) => a.name.localeCompare(b.name));
}

function passes(found: Found, state: string, text: string): boolean {
  const isActive = found.labels !== undefined;
  if ((state === 'active' && !isActive) || (state === 'dropped' && isActive)) return false;
  return passesFilter(text, () =>
    Object.entries({ ...found.discoveredLabels, ...found.labels }).map(
      ([name, value]) => `${name}=${value}`,
    ),
  );
}
