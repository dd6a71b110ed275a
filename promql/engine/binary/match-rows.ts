/** Which rows of two vectors belong together, by `on` and `ignoring`; computed once per query. */
import { Labels, METRIC_NAME } from '../../../model/index.ts';
import type { VectorMatching } from '../../ast.ts';
import type { VectorVectorNode } from '../../plan/nodes.ts';
import { withoutMetricIdentity } from '../row-labels.ts';
import { comparesSamples } from './element.ts';

/** A text that is equal for rows that match. */
export function signatureOf(matching: VectorMatching): (labels: Labels) => string {
  const { labels: names } = matching;
  if (!matching.on) {
    if (names.length === 0) return (labels) => labels.withoutName().key;
    const ignored = new Set([...names, METRIC_NAME]);
    return (labels) => labels.drop(ignored).key;
  }
  const [only] = names;
  if (only === undefined) return () => '';
  if (names.length === 1) return (labels) => labels.get(only);
  return (labels) => names.map((name) => labels.get(name)).join('\ud800');
}

/** Rows of the two sides with the same signature. */
export type MatchGroup = { readonly left: number[]; readonly right: number[] };

export function matchRows(
  left: readonly Labels[],
  right: readonly Labels[],
  matching: VectorMatching,
): MatchGroup[] {
  const signature = signatureOf(matching);
  const bySignature = new Map<string, MatchGroup>();
  const add = (labels: readonly Labels[], side: 'left' | 'right'): void => {
    for (let row = 0; row < labels.length; row++) {
      const key = signature(labels[row]!);
      let group = bySignature.get(key);
      if (group === undefined) {
        group = { left: [], right: [] };
        bySignature.set(key, group);
      }
      group[side].push(row);
    }
  };
  add(left, 'left');
  add(right, 'right');
  return [...bySignature.values()];
}

/** The labels that a match group is named by in errors, and a filled-in sample gets. */
export function groupLabels(labels: Labels, matching: VectorMatching): Labels {
  return matching.on
    ? labels.keep(new Set(matching.labels))
    : labels.drop(new Set([...matching.labels, METRIC_NAME]));
}

/**
 * Labels of the result for a sample of the "many" side (the left one in one-to-one) and its match.
 *
 * @param dropsName  whether the name goes
 */
export function resultLabels(
  many: Labels,
  one: Labels | null,
  matching: VectorMatching,
  dropsName: boolean,
): Labels {
  let result = dropsName ? withoutMetricIdentity(many) : many;
  if (matching.cardinality === 'one-to-one' && matching.labels.length > 0) {
    const names = new Set(matching.labels);
    result = matching.on ? result.keep(names) : result.drop(names);
  } else if (matching.cardinality === 'one-to-one' && matching.on) {
    result = Labels.EMPTY;
  }
  for (const name of matching.include) result = result.with(name, one?.get(name) ?? '');
  return result;
}

/**
 * Whether the result of an operator is another metric, so that the name goes. It goes at once where
 * the operator says so, delayed name removal or not; with `bool` it can wait.
 */
export function dropsMetric({ operator, returnBool, matching }: VectorVectorNode): {
  readonly atOnce: boolean;
  readonly inTheEnd: boolean;
} {
  if (matching.include.includes(METRIC_NAME)) return { atOnce: false, inTheEnd: false };
  const filters = comparesSamples(operator) || operator === '</' || operator === '>/';
  return { atOnce: !filters, inTheEnd: returnBool || !filters };
}
