/** Which rows an aggregation puts together; computed once per query. */
import { Labels, METRIC_NAME } from '../../../model/index.ts';
import { withoutMetricIdentity } from '../row-labels.ts';

export type Grouping = {
  /** Group of each row. */
  readonly groupOf: Int32Array;
  /** Labels of each group, in order of first appearance. */
  readonly labels: readonly Labels[];
  /** Delayed name removal: groups with a member whose name goes. */
  readonly dropsName: Uint8Array | null;
};

export function groupRows(
  labels: readonly Labels[],
  dropsName: Uint8Array | null,
  names: readonly string[],
  without: boolean,
): Grouping {
  const groupOf = new Int32Array(labels.length);
  const groupLabels: Labels[] = [];
  const byKey = new Map<string, number>();
  const keyOf = without ? keyWithout(names) : keyBy(names);
  for (let row = 0; row < labels.length; row++) {
    const key = keyOf(labels[row]!);
    let group = byKey.get(key);
    if (group === undefined) {
      group = groupLabels.length;
      byKey.set(key, group);
      groupLabels.push(groupLabelsOf(labels[row]!, names, without));
    }
    groupOf[row] = group;
  }
  return {
    groupOf,
    labels: groupLabels,
    dropsName: groupFlags(groupOf, groupLabels.length, dropsName),
  };
}

export function groupLabelsOf(labels: Labels, names: readonly string[], without: boolean): Labels {
  if (without) return withoutMetricIdentity(labels.drop(new Set([...names, METRIC_NAME])));
  return names.length === 0 ? Labels.EMPTY : labels.keep(new Set(names));
}

function keyBy(names: readonly string[]): (labels: Labels) => string {
  const [first, second] = names;
  if (first === undefined) return () => '';
  if (second === undefined) return (labels) => labels.get(first);
  return (labels) => {
    let key = labels.get(first);
    for (let i = 1; i < names.length; i++) key += `\ud800${labels.get(names[i]!)}`;
    return key;
  };
}

function keyWithout(names: readonly string[]): (labels: Labels) => string {
  const dropped = new Set([...names, METRIC_NAME]);
  return (labels) => withoutMetricIdentity(labels.drop(dropped)).key;
}

function groupFlags(
  groupOf: Int32Array,
  groupCount: number,
  dropsName: Uint8Array | null,
): Uint8Array | null {
  if (dropsName === null) return null;
  const flags = new Uint8Array(groupCount);
  for (let row = 0; row < groupOf.length; row++) if (dropsName[row]) flags[groupOf[row]!] = 1;
  return flags;
}
