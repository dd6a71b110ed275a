/** sort, sort_desc, sort_by_label, sort_by_label_desc: the order of an instant query's answer. */
import { compareLabels, type Labels } from '../../../model/index.ts';
import type { TextRange } from '../../../model/index.ts';
import { sortInRangeQuery } from '../../annotations.ts';
import type { Grid } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { computedRows, materialize, type Operator } from '../operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, RowTable } from '../row-batch.ts';

export function sortRows(
  name: string,
  child: Operator,
  labelNames: readonly string[],
  grid: Grid,
  range: TextRange,
  context: QueryContext,
): Operator {
  if (grid.endMs !== grid.startMs) context.annotate(sortInRangeQuery(range));
  const byLabel = name.startsWith('sort_by_label');
  const table = materialize(child, context);
  if (!byLabel) removeHistograms(table);
  const order = Array.from(child.labels.keys());
  if (table.stepCount === 1) {
    const sign = name.endsWith('_desc') ? -1 : 1;
    order.sort(
      byLabel
        ? (a, b) => sign * compareByLabels(child.labels[a]!, child.labels[b]!, labelNames)
        : (a, b) => compareNaNLast(table.values[a]!, table.values[b]!, sign),
    );
  }
  return reorderRows(table, order, child, context);
}

function removeHistograms(table: RowTable): void {
  if (!table.hasHistograms) return;
  for (let i = 0; i < table.present.length; i++) {
    if (table.present[i] === HISTOGRAM) table.present[i] = ABSENT;
  }
}

/** NaN comes last whatever the direction. */
function compareNaNLast(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : sign * (a < b ? -1 : 1);
}

function compareByLabels(a: Labels, b: Labels, names: readonly string[]): number {
  for (const name of names) {
    const order = compareNatural(a.get(name), b.get(name));
    if (order !== 0) return order;
  }
  return compareLabels(a, b);
}

/** Runs of digits compare as numbers, everything else by characters. */
export function compareNatural(a: string, b: string): number {
  const aParts = a.match(CHUNK) ?? [];
  const bParts = b.match(CHUNK) ?? [];
  for (let i = 0; i < Math.min(aParts.length, bParts.length); i++) {
    const x = aParts[i]!;
    const y = bParts[i]!;
    if (x === y) continue;
    if (isDigits(x) && isDigits(y)) {
      const difference = BigInt(x) - BigInt(y);
      if (difference !== 0n) return difference < 0n ? -1 : 1;
      return y.length - x.length;
    }
    return x < y ? -1 : 1;
  }
  return aParts.length - bParts.length;
}

const CHUNK = /\d+|\D+/g;

function isDigits(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}

function reorderRows(
  table: RowTable,
  order: readonly number[],
  child: Operator,
  context: QueryContext,
): Operator {
  const { stepCount } = table;
  const sorted = new RowTable(order.length, stepCount);
  order.forEach((row, target) => {
    for (let step = 0; step < stepCount; step++) {
      const from = row * stepCount + step;
      const kind = table.present[from]!;
      if (kind === HISTOGRAM) {
        sorted.setHistogram(target * stepCount + step, table.histograms[from]!);
      } else if (kind === FLOAT) {
        sorted.present[target * stepCount + step] = kind;
        sorted.values[target * stepCount + step] = table.values[from]!;
      }
    }
  });
  const labels = order.map((row) => child.labels[row]!);
  const dropsName =
    child.dropsName === null ? null : Uint8Array.from(order, (row) => child.dropsName![row]!);
  return computedRows(sorted, labels, dropsName, [child], context);
}
