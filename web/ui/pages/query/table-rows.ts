/** Rows of the result table, and the same as CSV. Pure. */
import type {
  LabelSet,
  MatrixSeries,
  VectorSample,
  WireHistogram,
  WireSample,
} from '../../api/query-result.ts';

export type Row = {
  key: string;
  labels: LabelSet;
  /** The server's own digits; empty for histograms and ranges. */
  value: string;
  histogram?: WireHistogram;
  /** A range vector's samples. */
  samples?: readonly WireSample[];
};

export type ValueOrder = 'descending' | 'ascending' | undefined;

export function rowsOf(
  result:
    | { resultType: 'vector'; result: VectorSample[] }
    | { resultType: 'matrix'; result: MatrixSeries[] },
): Row[] {
  if (result.resultType === 'matrix') {
    return result.result.map((one, index) => {
      const row: Row = { key: String(index), labels: one.metric, value: '' };
      if (one.values !== undefined) return { ...row, samples: one.values };
      const newest = one.histograms?.at(-1)?.[1];
      return newest === undefined ? row : { ...row, histogram: newest };
    });
  }
  return result.result.map((one, index) => {
    const row: Row = { key: String(index), labels: one.metric, value: one.value?.[1] ?? '' };
    return one.histogram === undefined ? row : { ...row, histogram: one.histogram[1] };
  });
}

/** Names of all labels that occur; the metric's name first, the rest in order of first sight. */
export function labelColumns(rows: readonly Row[]): string[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row.labels)));
  const hasMetric = names.delete('__name__');
  return hasMetric ? ['__name__', ...names] : [...names];
}

export function sortRows(rows: readonly Row[], order: ValueOrder): readonly Row[] {
  if (order === undefined) return rows;
  const sign = order === 'descending' ? -1 : 1;
  const valueOf = (row: Row) => {
    const newest = row.histogram?.count ?? row.samples?.at(-1)?.[1] ?? row.value;
    return Number(newest.replace('+Inf', 'Infinity').replace('-Inf', '-Infinity'));
  };
  return rows.toSorted((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    // NaN has no place in an order; it goes last either way.
    if (Number.isNaN(left) || Number.isNaN(right)) {
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    }
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  });
}

const csvField = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function csvOf(rows: readonly Row[], columns: readonly string[]): string {
  const lines = rows.map((row) =>
    [...columns.map((name) => row.labels[name] ?? ''), row.samples?.at(-1)?.[1] ?? row.value]
      .map(csvField)
      .join(','),
  );
  return [[...columns, 'value'].map(csvField).join(','), ...lines].join('\n');
}
