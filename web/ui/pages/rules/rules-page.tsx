/** /rules: every rule group, whether it keeps up, and what its rules say. */
import { SegmentedControl } from '@mantine/core';
import { IconListCheck } from '@tabler/icons-react';
import { useDeferredValue, useMemo } from 'react';
import { useRuleChecks } from '../../api/alert-history.ts';
import { type RuleGroup, useRules } from '../../api/rules.ts';
import { FilterInput } from '../../parts/filter-input.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { Notice } from '../../parts/notice.tsx';
import { Page, Toolbar } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/state-views.tsx';
import { useUrlFilters } from '../../parts/url-filters.ts';
import { filterGroups } from './filter-groups.ts';
import { RuleGroupCard, type RuleGroupCardProps } from './rule-group-card.tsx';

const REFRESH_MS = 10_000;

export default function RulesPage() {
  const [search, change] = useUrlFilters<'health' | 'search'>();
  const rules = useRules(undefined, REFRESH_MS);
  const { data: checks } = useRuleChecks();
  const health = search.health ?? 'all';
  const text = search.search ?? '';
  const brokenCount = useMemo(
    () =>
      (rules.data ?? []).flatMap((group) => group.rules).filter((rule) => rule.health === 'err')
        .length,
    [rules.data],
  );
  return (
    <Page
      title="Rules"
      intro="Recording and alerting rules, in the groups that are evaluated together."
      aside={
        (rules.data?.length ?? 0) > 0 && (
          <SegmentedControl
            size="xs"
            aria-label="Health"
            value={health}
            data={[
              { value: 'all', label: 'All' },
              { value: 'ok', label: 'Healthy' },
              { value: 'err', label: `Failing ${brokenCount}` },
              { value: 'unknown', label: 'Not yet run' },
            ]}
            onChange={(value) => change({ health: value === 'all' ? '' : value })}
          />
        )
      }
    >
      {checks?.quarantined.map(({ file, group, error }) => (
        <Notice
          key={`${file} ${group}`}
          tone="bad"
          title={group === '' ? `${file} is quarantined` : `Group ${group} is quarantined`}
        >
          {error}
        </Notice>
      ))}
      <Loaded query={rules}>
        {(groups) =>
          groups.length === 0 ? (
            <NoRules />
          ) : (
            <>
              <Toolbar>
                <FilterInput
                  label="Filter by rule, group or expression"
                  width={360}
                  value={text}
                  onChange={(value) => change({ search: value })}
                />
              </Toolbar>
              <Groups groups={groups} health={health} text={text} silent={checks?.silent} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

type GroupsProps = {
  groups: readonly RuleGroup[];
  health: string;
  text: string;
  silent: RuleGroupCardProps['silent'];
};

function Groups({ groups, health, text, silent }: GroupsProps) {
  const deferredText = useDeferredValue(text);
  const shown = useMemo(
    () => filterGroups(groups, health, deferredText),
    [groups, health, deferredText],
  );
  const { shownCount, sentinel } = useGrowing(shown.length, 20);
  if (shown.length === 0) return <Empty title="No rule passes these filters" />;
  return (
    <>
      {shown.slice(0, shownCount).map((group) => (
        <RuleGroupCard key={`${group.file} ${group.name}`} group={group} silent={silent} />
      ))}
      {sentinel}
    </>
  );
}

function NoRules() {
  return (
    <Empty icon={<IconListCheck size={36} />} title="No rules yet">
      <p>
        A recording rule keeps the result of an expression as a new metric, so that dashboards need
        not compute it again. Put rules into a file and name it under <code>rule_files</code>:
      </p>
      <pre>{`groups:
  - name: http
    interval: 30s
    rules:
      - record: job:http_requests:rate5m
        expr: sum by (job) (rate(http_requests_total[5m]))`}</pre>
    </Empty>
  );
}
