import type { LabelSet } from '../../api/query-result.ts';

export type LabelChange = { name: string; from: string | undefined; to: string | undefined };

/** Labels that were added, changed or removed between two sets, by name. Pure. */
export function labelChanges(before: LabelSet, after: LabelSet): LabelChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => before[name] !== after[name])
    .sort((a, b) => a.localeCompare(b))
    .map((name) => ({ name, from: before[name], to: after[name] }));
}
