/** /targets: what is scraped, whether it answers, and what to do when it does not. */
import { SegmentedControl } from '@mantine/core';
import { IconTargetArrow } from '@tabler/icons-react';
import { useDeferredValue, useMemo } from 'react';
import { useScrapePools, useTargets } from '../../api/targets.ts';
import { FilterInput } from '../../parts/filter-input.tsx';
import { Page, Toolbar } from '../../parts/page.tsx';
import { Select } from '../../parts/select.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { PoolCard } from './pool-card.tsx';
import { countHealth, poolsOf, type TargetFilter } from './target-pools.ts';

const REFRESH_MS = 5000;
/** With more pools than this, only one is asked for at a time. */
const POOL_COUNT_AT_ONCE_MAX = 20;

const HEALTHS = new Set(['up', 'down', 'unknown']);

export default function TargetsPage() {
  const [search, change] = useUrlFilters<'pool' | 'scrapePool' | 'health' | 'search'>();
  const pools = useScrapePools();
  const poolNames = pools.data ?? [];
  const isLarge = poolNames.length > POOL_COUNT_AT_ONCE_MAX;
  const pool = search.pool ?? search.scrapePool ?? (isLarge ? poolNames[0]! : '');
  const targets = useTargets('active', pool, REFRESH_MS);

  const filter: TargetFilter = {
    health: HEALTHS.has(search.health ?? '') ? (search.health as TargetFilter['health']) : 'all',
    text: search.search ?? '',
  };

  const all = targets.data?.activeTargets;
  const counts = useMemo(() => countHealth(all ?? []), [all]);
  return (
    <Page
      title="Targets"
      intro="Everything this server scrapes, and how the last scrape went."
      aside={
        all !== undefined && (
          <SegmentedControl
            size="xs"
            aria-label="Health"
            value={filter.health}
            data={[
              { value: 'all', label: `All ${all.length}` },
              { value: 'up', label: `Up ${counts.up}` },
              { value: 'down', label: `Down ${counts.down}` },
              { value: 'unknown', label: `Unknown ${counts.unknown}` },
            ]}
            onChange={(health) => change({ health: health === 'all' ? '' : health })}
          />
        )
      }
    >
      <Toolbar>
        <FilterInput
          label="Filter by address, label or error"
          width={360}
          value={filter.text}
          onChange={(text) => change({ search: text })}
        />
        {poolNames.length > 1 && (
          <Select
            label="Pool"
            value={pool}
            data={[...(isLarge ? [] : [{ value: '', label: 'All pools' }]), ...poolNames]}
            onChange={(value) => change({ pool: value, scrapePool: '' })}
          />
        )}
      </Toolbar>
      <Loaded query={targets}>
        {({ activeTargets }) =>
          activeTargets.length === 0 ? (
            <NoTargets />
          ) : (
            <Pools targets={activeTargets} filter={filter} />
          )
        }
      </Loaded>
    </Page>
  );
}

type PoolsProps = { targets: Parameters<typeof poolsOf>[0]; filter: TargetFilter };

function Pools({ targets, filter }: PoolsProps) {
  const text = useDeferredValue(filter.text);
  const pools = useMemo(
    () => poolsOf(targets, { health: filter.health, text }),
    [targets, filter.health, text],
  );
  if (pools.length === 0) return <Empty title="No target passes these filters" />;
  return pools.map((pool) => <PoolCard key={pool.name} pool={pool} />);
}

function NoTargets() {
  return (
    <Empty icon={<IconTargetArrow size={36} />} title="There is nothing to scrape yet">
      <p>A target is one address whose metrics are collected. Name some in the configuration:</p>
      <pre>{`scrape_configs:
  - job_name: my-app
    static_configs:
      - targets: ['localhost:8000']`}</pre>
      <p>
        Then reload it: <code>kill -HUP</code> the server, or <code>POST /-/reload</code> when it
        runs with <code>--web.enable-lifecycle</code>.
      </p>
    </Empty>
  );
}
