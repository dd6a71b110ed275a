/** Which rows are buckets of the same classic histogram; computed once per query. */
import { type Labels, parseFloatText } from '../../../model/index.ts';
import { HISTOGRAM, type RowTable } from '../row-batch.ts';

const BUCKET_LABEL = 'le';
const ONLY_BUCKET_LABEL: ReadonlySet<string> = new Set([BUCKET_LABEL]);

export type HistogramGroup = {
  /** Labels without `le`. */
  readonly labels: Labels;
  /** Rows with a bound, ascending by it. */
  readonly bucketRows: number[];
  readonly bounds: number[];
  /** The row that may hold native histograms of the same name and labels, or -1. */
  nativeRow: number;
  /** Whether the name will be removed in the end. */
  dropsName: boolean;
};

export type HistogramGroups = {
  readonly groups: readonly HistogramGroup[];
  /** Rows whose `le` is absent or no number, which matters where they hold floats. */
  readonly malformedRows: readonly { readonly row: number; readonly le: string }[];
};

export function groupHistograms(
  labels: readonly Labels[],
  dropsName: Uint8Array | null,
  table: RowTable,
): HistogramGroups {
  const byKey = new Map<string, HistogramGroup>();
  const malformedRows: { row: number; le: string }[] = [];
  const groupOf = (key: Labels, row: number): HistogramGroup => {
    const known = byKey.get(key.key);
    if (known !== undefined) return known;
    const group = {
      labels: key,
      bucketRows: [],
      bounds: [],
      nativeRow: -1,
      dropsName: dropsName?.[row] === 1,
    };
    byKey.set(key.key, group);
    return group;
  };
  for (let row = 0; row < labels.length; row++) {
    const le = labels[row]!.get(BUCKET_LABEL);
    const bound = le === '' ? undefined : parseFloatText(le);
    if (table.hasHistograms && hasHistogram(table, row)) {
      groupOf(labels[row]!, row).nativeRow = row;
    }
    if (bound === undefined) {
      malformedRows.push({ row, le });
      continue;
    }
    const group = groupOf(labels[row]!.drop(ONLY_BUCKET_LABEL), row);
    group.bucketRows.push(row);
    group.bounds.push(bound);
  }
  const groups = [...byKey.values()];
  for (const group of groups) sortBuckets(group);
  return { groups, malformedRows };
}

function sortBuckets(group: HistogramGroup): void {
  const order = group.bounds.map((_, i) => i).sort((a, b) => group.bounds[a]! - group.bounds[b]!);
  const rows = order.map((i) => group.bucketRows[i]!);
  const bounds = order.map((i) => group.bounds[i]!);
  group.bucketRows.splice(0, rows.length, ...rows);
  group.bounds.splice(0, bounds.length, ...bounds);
}

function hasHistogram(table: RowTable, row: number): boolean {
  const from = row * table.stepCount;
  return table.present.subarray(from, from + table.stepCount).includes(HISTOGRAM);
}
