/** Which alerts somebody asks for. */
import { Matcher } from '../../model/index.ts';
import type { AlertHistoryRequest, LabelObject } from '../../web/index.ts';

/** @param matcherSets  one of them must match; empty: every alert does */
export function alertFilter(
  matcherSets: AlertHistoryRequest['matcherSets'],
): (labels: LabelObject) => boolean {
  if (matcherSets.length === 0) return () => true;
  const sets = matcherSets.map((set) => set.map((m) => new Matcher(m.name, m.operator, m.value)));
  return (labels) => sets.some((set) => set.every((m) => m.matches(labels[m.name] ?? '')));
}
