/** Rule groups with only the rules that pass; groups without any are left out. Pure. */
import type { RuleGroup } from '../../api/rules.ts';
import { passesFilter } from '../../parts/text-filter.ts';

export function filterGroups(
  groups: readonly RuleGroup[],
  health: string,
  text: string,
): RuleGroup[] {
  return groups
    .map((group) => ({
      ...group,
      rules: group.rules.filter(
        (rule) =>
          (health === 'all' || rule.health === health) &&
          passesFilter(text, () => [
            rule.name,
            rule.query,
            group.name,
            group.file,
            rule.lastError ?? '',
            ...Object.entries(rule.labels ?? {}).map(([name, value]) => `${name}=${value}`),
          ]),
      ),
    }))
    .filter(({ rules }) => rules.length > 0);
}
