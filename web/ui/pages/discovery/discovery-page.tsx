/** /service-discovery: what was found, what became a target, and what relabelling did to it. */
import { SegmentedControl } from '@mantine/core';
import { IconCompass } from '@tabler/icons-react';
import { lazy, Suspense, useDeferredValue, useMemo, useState } from 'react';
import { useScrapePools, useTargets } from '../../api/targets.ts';
import { FilterInput } from '../../parts/filter-input.tsx';
import { Page, Toolbar } from '../../parts/page.tsx';
import { Select } from '../../parts/select.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { DiscoveryPool } from './discovery-pool.tsx';
import { discoveredPools, type Found } from './found-targets.ts';

const RelabelDialog = lazy(() => import('./relabel-dialog.tsx'));

const REFRESH_MS = 10_000;
const POOL_COUNT_AT_ONCE_MAX = 20;

export default function DiscoveryPage() {
  const [search, change] = useUrlFilters<'pool' | 'state' | 'search'>();
  const poolNames = useScrapePools().data ?? [];
  const isLarge = poolNames.length > POOL_COUNT_AT_ONCE_MAX;
  const pool = search.pool ?? (isLarge ? poolNames[0]! : '');
  const targets = useTargets('any', pool, REFRESH_MS);
  const [shownSteps, setShownSteps] = useState<Found>();
  const text = useDeferredValue(search.search ?? '');
  const state = search.state ?? 'all';
  const pools = useMemo(
    () => targets.data && discoveredPools(targets.data, state, text),
    [targets.data, state, text],
  );

  return (
    <Page
      title="Service discovery"
      intro="What was found, with which labels, and what relabelling made of it."
      aside={
        <SegmentedControl
          size="xs"
          aria-label="State"
          value={state}
          data={[
            { value: 'all', label: 'All' },
            { value: 'active', label: 'Active' },
            { value: 'dropped', label: 'Dropped' },
          ]}
          onChange={(value) => change({ state: value === 'all' ? '' : value })}
        />
      }
    >
      <Toolbar>
        <FilterInput
          label="Filter by label or value"
          width={360}
          value={search.search ?? ''}
          onChange={(value) => change({ search: value })}
        />
        {poolNames.length > 1 && (
          <Select
            label="Pool"
            value={pool}
            data={[...(isLarge ? [] : [{ value: '', label: 'All pools' }]), ...poolNames]}
            onChange={(value) => change({ pool: value })}
          />
        )}
      </Toolbar>
      <Loaded query={{ ...targets, data: pools }}>
        {(found) =>
          found.length === 0 ? (
            <Empty icon={<IconCompass size={36} />} title="Nothing found">
              {text === '' && state === 'all'
                ? 'No scrape configuration has discovered anything yet.'
                : 'Nothing passes these filters.'}
            </Empty>
          ) : (
            found.map((one) => (
              <DiscoveryPool key={one.name} pool={one} onShowSteps={setShownSteps} />
            ))
          )
        }
      </Loaded>
      {shownSteps !== undefined && (
        <Suspense>
          <RelabelDialog found={shownSteps} onClose={() => setShownSteps(undefined)} />
        </Suspense>
      )}
    </Page>
  );
}
