/** Finds metric names, and suggests what to do with one. Pure. */
import type { LabelSet } from '../../api/query-result.ts';
import { selectorText } from '../../parts/series-text.ts';

/**
 * Names that fit what was typed, best first: those that contain every word, earlier and shorter
 * ones before others. When none does, names that contain the letters in this order.
 */
export function searchNames(names: readonly string[], typed: string): readonly string[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return names;
  const scored: { name: string; score: number }[] = [];
  for (const name of names) {
    const lower = name.toLowerCase();
    if (!words.every((word) => lower.includes(word))) continue;
    const at = lower.indexOf(words[0]!);
    const startsWord = at === 0 || lower[at - 1] === '_' || lower[at - 1] === ':';
    scored.push({ name, score: at + (startsWord ? 0 : 100) + name.length / 1000 });
  }
  if (scored.length > 0) return scored.sort((a, b) => a.score - b.score).map(({ name }) => name);
  const letters = words.join('');
  return names.filter((name) => hasInOrder(name.toLowerCase(), letters));
}

function hasInOrder(name: string, letters: string): boolean {
  let at = 0;
  for (const letter of letters) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

export type Suggestion = { title: string; expr: string; tab: 'graph' | 'table' };

/** @param type  the metric's type as the metadata endpoint says it, if it does */
export function suggestQueries(
  name: string,
  type: string | undefined,
  matchers: LabelSet,
): Suggestion[] {
  const selector = selectorText(name, matchers);
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  const suggestions: Suggestion[] = [];
  const add = (title: string, expr: string, tab: Suggestion['tab'] = 'graph') =>
    suggestions.push({ title, expr, tab });

  const isPart = type === 'histogram' || type === 'summary';
  if (type === 'histogram' && name.endsWith('_bucket')) {
    const rate = `sum by (le) (rate(${selector}[5m]))`;
    add('95th percentile', `histogram_quantile(0.95, ${rate})`);
    add('Median', `histogram_quantile(0.5, ${rate})`);
  } else if (type === 'histogram' && name === base) {
    add('95th percentile', `histogram_quantile(0.95, sum(rate(${selector}[5m])))`);
    add('Average', `histogram_avg(sum(rate(${selector}[5m])))`);
  } else if (isPart && /_(?:sum|count)$/.test(name)) {
    const part = (suffix: string) => `rate(${selectorText(base + suffix, matchers)}[5m])`;
    add('Average of observations', `${part('_sum')} / ${part('_count')}`);
    add('Per second', `rate(${selector}[5m])`);
  } else if (type === 'counter' || (type !== 'gauge' && name.endsWith('_total'))) {
    add('Per second', `rate(${selector}[5m])`);
    add('Per second, by job', `sum by (job) (rate(${selector}[5m]))`);
    add('Growth in an hour', `increase(${selector}[1h])`, 'table');
  } else {
    add('Over time', selector);
    add('Average by job', `avg by (job) (${selector})`);
    add('Highest in an hour', `max_over_time(${selector}[1h])`, 'table');
  }
  add('Newest values', selector, 'table');
  return suggestions;
}

export type LabelUse = { name: string; values: { value: string; seriesCount: number }[] };

/** How often each label value occurs; labels with several values first, as those tell apart. */
export function labelUse(series: readonly LabelSet[]): LabelUse[] {
  const counts = new Map<string, Map<string, number>>();
  for (const labels of series) {
    for (const [name, value] of Object.entries(labels)) {
      if (name === '__name__') continue;
      const ofName = counts.get(name) ?? new Map<string, number>();
      ofName.set(value, (ofName.get(value) ?? 0) + 1);
      counts.set(name, ofName);
    }
  }
  return [...counts]
    .map(([name, ofName]) => ({
      name,
      values: [...ofName]
        .map(([value, seriesCount]) => ({ value, seriesCount }))
        .sort((a, b) => b.seriesCount - a.seriesCount || a.value.localeCompare(b.value)),
    }))
    .sort((a, b) => Number(b.values.length > 1) - Number(a.values.length > 1));
}
