import type { LabelSet } from '../../../api/query-result.ts';

const LABEL_COUNT_MAX = 6;

/** Labels with how many values each has: `job 2, instance 5`; those with one value show it. Pure. */
export function labelSummary(sets: readonly LabelSet[]): string {
  const values = new Map<string, Set<string>>();
  for (const labels of sets) {
    for (const [name, value] of Object.entries(labels)) {
      if (name === '__name__') continue;
      const known = values.get(name) ?? new Set<string>();
      values.set(name, known.add(value));
    }
  }
  const parts = [...values]
    .sort(([, a], [, b]) => b.size - a.size)
    .map(([name, known]) => (known.size === 1 ? name : `${name} ×${known.size}`));
  const rest = parts.length - LABEL_COUNT_MAX;
  return parts.slice(0, LABEL_COUNT_MAX).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
