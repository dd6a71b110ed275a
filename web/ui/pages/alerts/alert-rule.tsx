import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { memo, useId, useState } from 'react';
import type { AlertingRule } from '../../api/rules.ts';
import { LabelChips } from '../../parts/labels.tsx';
import { Notice } from '../../parts/notice.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import { ActiveAlerts } from './active-alerts.tsx';
import classes from './alerts.module.css';
import { RuleFacts } from './rule-facts.tsx';
import { STATE_TONES } from './state-tones.ts';

type AlertRuleProps = { rule: AlertingRule; group: string; file: string };

export const AlertRule = memo(function AlertRule({ rule, group, file }: AlertRuleProps) {
  const [isOpen, setOpen] = useState(false);
  const bodyId = useId();
  const why = { alertname: rule.name, rule_group: group, file };
  const firingCount = rule.alerts.filter(({ state }) => state === 'firing').length;
  const pendingCount = rule.alerts.length - firingCount;
  return (
    <div className={classes.rule}>
      <button
        type="button"
        className={classes.header}
        aria-expanded={isOpen}
        aria-controls={bodyId}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? <IconChevronDown size={17} /> : <IconChevronRight size={17} />}
        <StatusBadge tone={STATE_TONES[rule.state]}>{rule.state}</StatusBadge>
        <span className={classes.name}>{rule.name}</span>
        <LabelChips labels={rule.labels ?? {}} />
        <span className={classes.counts}>
          {firingCount > 0 && <span data-tone="bad">{firingCount} firing</span>}
          {pendingCount > 0 && <span data-tone="warn">{pendingCount} pending</span>}
        </span>
      </button>
      {rule.health === 'err' && (
        <div className={classes.error}>
          <Notice tone="bad" title="The rule could not be evaluated">
            {rule.lastError}
          </Notice>
        </div>
      )}
      <div id={bodyId} className={classes.body} hidden={!isOpen}>
        {isOpen && (
          <>
            <RuleFacts rule={rule} why={why} />
            <ActiveAlerts rule={rule} why={why} />
          </>
        )}
      </div>
    </div>
  );
});
