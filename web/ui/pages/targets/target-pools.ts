/** Targets in their pools, filtered and counted. Pure. */
import type { ActiveTarget, TargetHealth } from '../../api/targets.ts';
import { passesFilter } from '../../parts/text-filter.ts';

export type HealthCounts = Record<TargetHealth, number>;

export type Pool = {
  name: string;
  /** Those that pass the filters, unhealthy ones first. */
  targets: ActiveTarget[];
  /** Of all targets of the pool, whatever the filters say. */
  counts: HealthCounts;
};

export type TargetFilter = { health: TargetHealth | 'all'; text: string };

const HEALTH_ORDER: HealthCounts = { down: 0, unknown: 1, up: 2 };

export function countHealth(targets: readonly ActiveTarget[]): HealthCounts {
  const counts: HealthCounts = { up: 0, down: 0, unknown: 0 };
  for (const { health } of targets) counts[health]++;
  return counts;
}

function passes(target: ActiveTarget, filter: TargetFilter): boolean {
  if (filter.health !== 'all' && target.health !== filter.health) return false;
  return passesFilter(filter.text, () => [
    target.scrapePool,
    target.scrapeUrl,
    target.lastError,
    ...Object.entries(target.labels).map(([name, value]) => `${name}=${value}`),
  ]);
}

/** Pools with trouble come first, then by name. Pools without a passing target are left out. */
export function poolsOf(targets: readonly ActiveTarget[], filter: TargetFilter): Pool[] {
  const byName = Map.groupBy(targets, ({ scrapePool }) => scrapePool);
  return [...byName]
    .map(([name, ofPool]) => ({
      name,
      counts: countHealth(ofPool),
      targets: ofPool
        .filter((target) => passes(target, filter))
        .sort((a, b) => HEALTH_ORDER[a.health] - HEALTH_ORDER[b.health]),
    }))
    .filter((pool) => pool.targets.length > 0)
    .sort(
      (a, b) =>
        Number(b.counts.down > 0) - Number(a.counts.down > 0) || a.name.localeCompare(b.name),
    );
}
