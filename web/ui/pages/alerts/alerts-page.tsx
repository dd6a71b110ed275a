/** /alerts: which alerts fire, since when, and what they mean. */
import { SegmentedControl } from '@mantine/core';
import { IconBellRinging } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';
import { type AlertState, type RuleGroup, useRules } from '../../api/rules.ts';
import { FilterInput } from '../../parts/filter-input.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { Card, Page, Toolbar } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { type AlertFilter, alertGroups, countStates } from './alert-groups.ts';
import { AlertRule } from './alert-rule.tsx';

const REFRESH_MS = 10_000;

const STATES = new Set(['firing', 'pending', 'inactive', 'unknown']);

export default function AlertsPage() {
  const [search, change] = useUrlFilters<'state' | 'search'>();
  const rules = useRules('alert', REFRESH_MS);
  const state = STATES.has(search.state ?? '') ? (search.state as AlertState) : 'all';
  const text = search.search ?? '';
  const counts = useMemo(() => countStates(rules.data ?? []), [rules.data]);
  const total = counts.firing + counts.pending + counts.inactive + counts.unknown;

  return (
    <Page
      title="Alerts"
      intro="Alerting rules and what they see right now."
      aside={
        <>
          <Link to="/alert-history">History</Link>
          {total > 0 && (
            <SegmentedControl
              size="xs"
              aria-label="State"
              value={state}
              data={[
                { value: 'all', label: `All ${total}` },
                { value: 'firing', label: `Firing ${counts.firing}` },
                { value: 'pending', label: `Pending ${counts.pending}` },
                { value: 'inactive', label: `Inactive ${counts.inactive}` },
              ]}
              onChange={(value) => change({ state: value === 'all' ? '' : value })}
            />
          )}
        </>
      }
    >
      <Loaded query={rules}>
        {(groups) =>
          countStatesTotal(groups) === 0 ? (
            <NoAlerts />
          ) : (
            <>
              <Toolbar>
                <FilterInput
                  label="Filter by name, label or expression"
                  width={360}
                  value={text}
                  onChange={(value) => change({ search: value })}
                />
              </Toolbar>
              <Groups groups={groups} filter={{ state, text }} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

const countStatesTotal = (groups: readonly RuleGroup[]) =>
  groups.flatMap(({ rules }) => rules).filter(({ type }) => type === 'alerting').length;

function Groups({ groups, filter }: { groups: readonly RuleGroup[]; filter: AlertFilter }) {
  const text = useDeferredValue(filter.text);
  const shown = useMemo(
    () => alertGroups(groups, { state: filter.state, text }),
    [groups, filter.state, text],
  );
  const { shownCount, sentinel } = useGrowing(shown.length, 25);
  if (shown.length === 0) return <Empty title="No alert passes these filters" />;
  return (
    <>
      {shown.slice(0, shownCount).map((group) => (
        <Card
          key={`${group.file} ${group.name}`}
          flush
          title={group.name}
          aside={<span className="nx-mono nx-dim">{group.file}</span>}
        >
          {group.rules.map((rule, index) => (
            // Several rules of a group may share a name: their places tell them apart.
            <AlertRule
              key={`${rule.name} ${index}`}
              rule={rule}
              group={group.name}
              file={group.file}
            />
          ))}
        </Card>
      ))}
      {sentinel}
    </>
  );
}

function NoAlerts() {
  return (
    <Empty icon={<IconBellRinging size={36} />} title="No alerting rules yet">
      <p>
        An alerting rule is an expression that should never have a result. Put rules into a file and
        name it under <code>rule_files</code> in the configuration:
      </p>
      <pre>{`groups:
  - name: availability
    rules:
      - alert: TargetDown
        expr: up == 0
        for: 5m
        labels:
          severity: critical
        annotations:
          summary: '{{ $labels.instance }} does not answer'`}</pre>
    </Empty>
  );
}
