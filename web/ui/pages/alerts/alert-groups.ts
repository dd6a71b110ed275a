/** Alerting rules in their groups, filtered and ordered. Pure. */
import type { Alert, AlertingRule, AlertState, RuleGroup } from '../../api/rules.ts';
import { passesFilter } from '../../parts/text-filter.ts';

export type AlertGroup = {
  name: string;
  file: string;
  interval: number;
  rules: AlertingRule[];
};

export type AlertFilter = { state: AlertState | 'all'; text: string };

/** Most urgent first. */
const STATE_ORDER: Record<AlertState, number> = { firing: 0, pending: 1, unknown: 2, inactive: 3 };

export const byUrgency = (a: { state: AlertState }, b: { state: AlertState }) =>
  STATE_ORDER[a.state] - STATE_ORDER[b.state];

const alertingRules = (group: RuleGroup) => group.rules.filter((rule) => rule.type === 'alerting');

function passes(rule: AlertingRule, group: RuleGroup, filter: AlertFilter): boolean {
  if (filter.state !== 'all' && rule.state !== filter.state) return false;
  return passesFilter(filter.text, () => [
    rule.name,
    rule.query,
    group.name,
    group.file,
    ...labelTexts(rule.labels),
    ...rule.alerts.flatMap((alert: Alert) => labelTexts(alert.labels)),
  ]);
}

const labelTexts = (labels: Record<string, string> = {}) =>
  Object.entries(labels).map(([name, value]) => `${name}=${value}`);

/** Groups without a passing rule are left out; groups with the most urgent rules come first. */
export function alertGroups(groups: readonly RuleGroup[], filter: AlertFilter): AlertGroup[] {
  return groups
    .map((group) => ({
      name: group.name,
      file: group.file,
      interval: group.interval,
      rules: alertingRules(group)
        .filter((rule) => passes(rule, group, filter))
        .sort(byUrgency),
    }))
    .filter(({ rules }) => rules.length > 0)
    .sort((a, b) => byUrgency(a.rules[0]!, b.rules[0]!));
}

export type StateCounts = Record<AlertState, number>;

export function countStates(groups: readonly RuleGroup[]): StateCounts {
  const counts: StateCounts = { firing: 0, pending: 0, unknown: 0, inactive: 0 };
  for (const group of groups) for (const rule of alertingRules(group)) counts[rule.state]++;
  return counts;
}
