/** Series and matchers as PromQL text. */
import type { LabelSet } from '../api/query-result.ts';

const CLASSIC_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const CLASSIC_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export const quoteLabelName = (name: string): string =>
  CLASSIC_LABEL.test(name) ? name : JSON.stringify(name);

/** A selector for exactly these matchers: `up{job="a"}`, or `{"my.metric", job="a"}`. */
export function selectorText(metric: string, matchers: LabelSet = {}): string {
  const pairs = Object.entries(matchers).map(
    ([name, value]) => `${quoteLabelName(name)}=${JSON.stringify(value)}`,
  );
  if (!CLASSIC_METRIC.test(metric)) return `{${[JSON.stringify(metric), ...pairs].join(', ')}}`;
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(', ')}}`;
}

export function seriesText(labels: LabelSet): string {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(
    ([label, value]) => `${quoteLabelName(label)}=${JSON.stringify(value)}`,
  );
  return pairs.length === 0 && name !== '' ? name : `${name}{${pairs.join(', ')}}`;
}

/** The label sets without what all of them share: what tells the series of one graph apart. */
export function commonLabels(sets: readonly LabelSet[]): LabelSet {
  const [first, ...others] = sets;
  if (first === undefined || others.length === 0) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((set) => set[name] === value)),
  );
}
