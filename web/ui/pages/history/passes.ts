import type { LabelSet } from '../../api/query-result.ts';
import { passesFilter } from '../../parts/text-filter.ts';

/** Whether name, expression or labels of an alert have what somebody types. */
export function passes(
  { rule, query, labels }: { rule: string; query: string; labels: LabelSet },
  text: string,
): boolean {
  const labelTexts = () => Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return passesFilter(text, () => [rule, query, ...labelTexts()]);
}
