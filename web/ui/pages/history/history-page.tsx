/** /alert-history: what fired, from when to when, and who was told. */
import { SegmentedControl } from '@mantine/core';
import { IconHistory, IconX } from '@tabler/icons-react';
import { useDeferredValue, useMemo } from 'react';
import { useAlertTimelines } from '../../api/alert-history.ts';
import { useNowMs } from '../../parts/ago.tsx';
import { FilterInput } from '../../parts/filter-input.tsx';
import { Notice } from '../../parts/notice.tsx';
import { Card, Page, Toolbar } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { parseDurationMs } from '../../parts/time/duration.ts';
import { MomentInput } from '../../parts/time/moment-input.tsx';
import { momentFromUrl, momentToUrl } from '../../parts/time/moment-text.ts';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { Changes } from './changes.tsx';
import classes from './history.module.css';
import { passes } from './passes.ts';
import { Timelines } from './timelines.tsx';
import { DEFAULT_RANGE, RANGES, windowOf } from './window.ts';

export default function HistoryPage() {
  const [search, change] = useUrlFilters<'range' | 'end' | 'search' | 'alert'>();
  const nowMs = useNowMs();
  const { range = DEFAULT_RANGE, end, alert } = search;
  const shown = windowOf(range, end, nowMs);
  const { startMs, endMs } = shown;
  const filter = useMemo(() => ({ startMs, endMs, fingerprint: alert }), [startMs, endMs, alert]);
  const timelines = useAlertTimelines(filter);
  const text = useDeferredValue(search.search ?? '');

  return (
    <Page
      title="Alert history"
      intro="What was pending or firing, from when to when, and who was told."
      aside={
        <div className={classes.window}>
          <MomentInput
            label="End"
            momentMs={momentFromUrl(end ?? '')}
            stepMs={(parseDurationMs(range) ?? 0) / 2}
            onChange={(ms) => change({ end: ms === undefined ? '' : momentToUrl(ms) })}
          />
          <SegmentedControl
            size="xs"
            aria-label="Range"
            value={range}
            data={[...RANGES]}
            onChange={(value) => change({ range: value === DEFAULT_RANGE ? '' : value })}
          />
        </div>
      }
    >
      <Loaded query={timelines}>
        {({ alerts, isCut }) =>
          alerts.length === 0 ? (
            <Empty icon={<IconHistory size={36} />} title="No alert was active in this time">
              <p>Changes of alerts are kept as long as --rules.alert.history-retention says.</p>
            </Empty>
          ) : (
            <>
              <Toolbar>
                {alert === undefined ? (
                  <FilterInput
                    label="Filter by name, label or expression"
                    width={360}
                    value={search.search ?? ''}
                    onChange={(value) => change({ search: value })}
                  />
                ) : (
                  <button
                    type="button"
                    className={classes.only}
                    onClick={() => change({ alert: '' })}
                  >
                    Only this alert <IconX size={14} />
                  </button>
                )}
              </Toolbar>
              {isCut && (
                <Notice tone="info">
                  There is more than can be shown: choose a shorter range or one alert.
                </Notice>
              )}
              <Card flush title="Timeline">
                <Timelines
                  alerts={alerts.filter((one) => passes(one, text))}
                  window={shown}
                  onChoose={(fingerprint) => change({ alert: fingerprint })}
                />
              </Card>
              <Changes filter={filter} text={text} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
