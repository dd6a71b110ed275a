/** Labels of result rows: names that go, and rows that turn out to be the same series. */
import { Labels, METRIC_NAME } from '../../model/index.ts';
import { type QueryContext, sameLabelsetError } from './context.ts';
import { materialize, type Operator, TableOperator } from './operator.ts';
import { ABSENT, HISTOGRAM, RowTable } from './row-batch.ts';

/** Labels that say what a metric is; they go where the value is another one than the metric's. */
const TYPE_LABEL = '__type__';
const UNIT_LABEL = '__unit__';

export type RowLabels = {
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
};

/** Without name, type and unit. */
export function withoutMetricIdentity(labels: Labels): Labels {
  const { flat } = labels;
  // The three sort first, except that upper-case names come before them.
  let i = 0;
  while (i < flat.length && flat[i]! < METRIC_NAME) i += 2;
  if (i > 0 || (flat.length > 2 && isTypeOrUnit(flat[2]!)) || isTypeOrUnit(flat[0] ?? '')) {
    return labels.drop(IDENTITY_LABELS);
  }
  return flat[0] === METRIC_NAME ? Labels.fromSorted(flat.slice(2)) : labels;
}

export const IDENTITY_LABELS: ReadonlySet<string> = new Set([METRIC_NAME, TYPE_LABEL, UNIT_LABEL]);

function isTypeOrUnit(name: string): boolean {
  return name === TYPE_LABEL || name === UNIT_LABEL;
}

/** The labels of rows whose values are no longer those of the metric: the name goes, or will go. */
export function dropMetricIdentity(rows: RowLabels, context: QueryContext): RowLabels {
  if (context.features.delayedNameRemoval) {
    return { labels: rows.labels, dropsName: new Uint8Array(rows.labels.length).fill(1) };
  }
  return { labels: rows.labels.map(withoutMetricIdentity), dropsName: null };
}

/** Whether rows that differed still differ when their names, types and units are gone. */
export function shareMetricIdentity(labels: readonly Labels[]): boolean {
  const [first] = labels;
  if (first === undefined) return true;
  const name = first.get(METRIC_NAME);
  for (let i = 0; i < labels.length; i++) {
    const { flat } = labels[i]!;
    const plain = flat[0] === METRIC_NAME ? flat[1] === name : labels[i]!.get(METRIC_NAME) === name;
    if (!plain || isTypeOrUnit(flat[2] ?? '') || isTypeOrUnit(flat[0] ?? '')) return false;
  }
  return true;
}

/**
 * How equal rows may meet: as one series whose parts lie at different steps ('step'), or only when
 * all but one are empty ('series').
 */
export type Overlap = 'step' | 'series';

/**
 * The same rows, those with equal labels made one.
 * @throws ExecutionError when they overlap
 */
export function mergeEqualRows(
  operator: Operator,
  overlap: Overlap,
  context: QueryContext,
): Operator {
  const targets = equalRowTargets(operator.labels);
  return targets === null ? operator : mergedRows(operator, targets, overlap, context);
}

/** For each row the number of the merged row it goes to; null when all rows differ. */
export function equalRowTargets(labels: readonly Labels[]): Int32Array | null {
  const byKey = new Map<string, number>();
  const targets = new Int32Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const { key } = labels[row]!;
    const known = byKey.get(key);
    targets[row] = known ?? byKey.size;
    if (known === undefined) byKey.set(key, byKey.size);
  }
  return byKey.size === labels.length ? null : targets;
}

export function mergedRows(
  operator: Operator,
  targets: Int32Array,
  overlap: Overlap,
  context: QueryContext,
): Operator {
  const table = materialize(operator, context);
  const labels: Labels[] = [];
  const dropsName: number[] = [];
  for (let row = 0; row < targets.length; row++) {
    labels[targets[row]!] ??= operator.labels[row]!;
    dropsName[targets[row]!] ??= operator.dropsName?.[row] ?? 0;
  }
  const merged = new RowTable(labels.length, table.stepCount);
  const filled = new Uint8Array(labels.length);
  for (let row = 0; row < table.rowCount; row++) {
    if (table.isRowEmpty(row)) continue;
    const target = targets[row]!;
    if (overlap === 'series' && filled[target]) throw sameLabelsetError();
    filled[target] = 1;
    addRow(merged, target, table, row);
  }
  const flags = operator.dropsName === null ? null : Uint8Array.from(dropsName);
  return new TableOperator(merged, labels, flags);
}

function addRow(into: RowTable, target: number, table: RowTable, row: number): void {
  const { stepCount } = table;
  for (let step = 0; step < stepCount; step++) {
    const from = row * stepCount + step;
    const kind = table.present[from]!;
    if (kind === ABSENT) continue;
    const to = target * stepCount + step;
    if (into.present[to] !== ABSENT) throw sameLabelsetError();
    into.present[to] = kind;
    into.values[to] = table.values[from]!;
    if (kind === HISTOGRAM) into.histograms[to] = table.histograms[from];
  }
}
