/** Which labels of the selected series a query looks at; storage need not read the others. */
import { type Matcher, METRIC_NAME } from '../../model/index.ts';
import type { Aggregation } from '../ast.ts';

/** What is done with the labels of series. */
export type LabelNeeds = {
  /** Those that are looked at; null for all. */
  readonly labelNames: ReadonlySet<string> | null;
  /** Whether names, types and units are taken off on the way. */
  readonly dropsIdentity: boolean;
};

/** Without its name a series may equal another one, which only all of its labels can tell. */
export function neededNames(
  matchers: readonly Matcher[],
  { labelNames, dropsIdentity }: LabelNeeds,
): ReadonlySet<string> | null {
  const hasOneName = matchers.some(
    ({ name, operator }) => name === METRIC_NAME && operator === '=',
  );
  return dropsIdentity && !hasOneName ? null : labelNames;
}

export const NO_LABELS: ReadonlySet<string> = new Set();

/** Aggregations that give rows as they are, with all their labels. */
const ROW_KEEPING_AGGREGATIONS: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'limitk',
  'limit_ratio',
]);

/** Labels of its argument that an aggregation looks at; null for all. */
export function labelsOfGroups({
  operator,
  grouping,
  without,
}: Aggregation): ReadonlySet<string> | null {
  return without || ROW_KEEPING_AGGREGATIONS.has(operator) ? null : new Set(grouping);
}

/** Functions that look at labels of their argument, or tell rows apart by them. */
const LABEL_FUNCTIONS: ReadonlySet<string> = new Set([
  'histogram_fraction',
  'histogram_quantile',
  'histogram_quantiles',
  'label_join',
  'label_replace',
  'sort_by_label',
  'sort_by_label_desc',
]);

/** Labels of its argument that a function and what stands around it look at; null for all. */
export function labelsInside(
  name: string,
  around: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  if (LABEL_FUNCTIONS.has(name)) return null;
  return name === 'absent' || name === 'absent_over_time' ? NO_LABELS : around;
}
