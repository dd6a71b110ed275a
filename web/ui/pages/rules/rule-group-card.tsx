import { memo } from 'react';
import { ruleKey, type SelectorCheck } from '../../api/alert-history.ts';
import type { RuleGroup } from '../../api/rules.ts';
import { Ago } from '../../parts/ago.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { Card } from '../../parts/page.tsx';
import { describeDurationMs, formatDurationMs } from '../../parts/time/duration.ts';
import { RuleRow } from './rule-row.tsx';
import classes from './rules.module.css';

export type RuleGroupCardProps = {
  group: RuleGroup;
  silent: ReadonlyMap<string, readonly SelectorCheck[]> | undefined;
};

export const RuleGroupCard = memo(function RuleGroupCard({ group, silent }: RuleGroupCardProps) {
  const { shownCount, sentinel } = useGrowing(group.rules.length, 50);
  return (
    <Card
      flush
      title={
        <>
          {group.name} <span className={classes.file}>{group.file}</span>
        </>
      }
      aside={<GroupFigures group={group} />}
    >
      {group.rules.slice(0, shownCount).map((rule, index) => (
        // Rules of a group may share a name: their places tell them apart.
        <RuleRow
          key={`${rule.name} ${index}`}
          rule={rule}
          selectors={silent?.get(ruleKey({ ...rule, group: group.name, file: group.file }))}
        />
      ))}
      {sentinel}
    </Card>
  );
});

function GroupFigures({ group }: { group: RuleGroup }) {
  const share = group.interval > 0 ? group.evaluationTime / group.interval : 0;
  return (
    <span className={classes.figures}>
      <span>
        ran <Ago iso={group.lastEvaluation} />
      </span>
      <span
        data-tone={share > 0.8 ? 'bad' : undefined}
        data-tip={`${(share * 100).toFixed(1)}% of the interval`}
      >
        took {describeDurationMs(group.evaluationTime * 1000)}
      </span>
      <span>every {formatDurationMs(group.interval * 1000)}</span>
    </span>
  );
}
