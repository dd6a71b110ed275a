/** quantile and count_values: aggregations that look at all values of a group side by side. */
import {
  formatFloatPlain,
  formatHistogram,
  isValidLabelName,
  type Labels,
  METRIC_NAME,
  quoteText,
} from '../../../model/index.ts';
import { histogramIgnoredInAggregation, invalidQuantile } from '../../annotations.ts';
import type { AggregateNode } from '../../plan/nodes.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { QueryContext } from '../context.ts';
import { quantileOfSorted, sortNaNFirst } from '../kernels/spread.ts';
import { aggregatedRows, materialize, type Operator } from '../operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, RowTable } from '../row-batch.ts';
import { groupRows } from './grouping.ts';
import { boundsOf } from './param-bounds.ts';

export function quantileRows(
  node: AggregateNode,
  child: Operator,
  quantiles: Float64Array,
  context: QueryContext,
): Operator {
  const { min, max, hasNaN } = boundsOf(quantiles);
  if (hasNaN) context.annotate(invalidQuantile(NaN, node.paramRange!));
  if (max > 1) context.annotate(invalidQuantile(max, node.paramRange!));
  if (min < 0) context.annotate(invalidQuantile(min, node.paramRange!));
  const table = materialize(child, context);
  const grouping = groupRows(child.labels, child.dropsName, node.grouping, node.without);
  const { stepCount } = table;
  const result = new RowTable(grouping.labels.length, stepCount);
  const members: number[][] = grouping.labels.map(() => []);
  for (let row = 0; row < table.rowCount; row++) members[grouping.groupOf[row]!]!.push(row);
  const values = new Float64Array(table.rowCount);
  for (const [group, rows] of members.entries()) {
    context.tick();
    for (let step = 0; step < stepCount; step++) {
      let count = 0;
      for (const row of rows) {
        const at = row * stepCount + step;
        if (table.present[at] === FLOAT) values[count++] = table.values[at]!;
        else if (table.present[at] === HISTOGRAM) {
          context.annotate(histogramIgnoredInAggregation('quantile', node.childRange));
        }
      }
      if (count === 0) continue;
      sortNaNFirst(values, count);
      const cell = group * stepCount + step;
      result.values[cell] = quantileOfSorted(quantiles[step]!, values, count);
      result.present[cell] = FLOAT;
    }
  }
  context.touch(stepCount);
  return aggregatedRows(result, grouping.labels, grouping.dropsName, child, context);
}

/** One row per group and value that occurs, with the value as a label. */
export function countValuesRows(
  node: AggregateNode,
  child: Operator,
  labelName: string,
  context: QueryContext,
): Operator {
  if (!isValidLabelName(labelName)) {
    throw new ExecutionError(`invalid label name ${quoteText(labelName)}`);
  }
  const table = materialize(child, context);
  const { stepCount } = table;
  const grouping = groupRows(child.labels, child.dropsName, node.grouping, node.without);
  // A label that the grouping takes away takes the value away with it.
  const isHidden = node.without && (labelName === METRIC_NAME || node.grouping.includes(labelName));
  const labels: Labels[] = [];
  const dropsName: number[] = [];
  const counts: Float64Array[] = [];
  const byKey = new Map<string, number>();
  for (let row = 0; row < table.rowCount; row++) {
    const group = grouping.groupOf[row]!;
    for (let step = 0; step < stepCount; step++) {
      const at = row * stepCount + step;
      if (table.present[at] === ABSENT) continue;
      const text =
        table.present[at] === HISTOGRAM
          ? formatHistogram(table.histograms[at]!)
          : formatFloatPlain(table.values[at]!);
      const groupLabels = grouping.labels[group]!;
      const own = isHidden ? groupLabels : groupLabels.with(labelName, text);
      const key = own.key;
      let target = byKey.get(key);
      if (target === undefined) {
        target = labels.length;
        byKey.set(key, target);
        labels.push(own);
        dropsName.push(grouping.dropsName?.[group] ?? 0);
        counts.push(new Float64Array(stepCount));
      }
      counts[target]![step]!++;
    }
    context.tick();
  }
  const result = new RowTable(labels.length, stepCount);
  counts.forEach((row, target) => {
    row.forEach((count, step) => {
      if (count === 0) return;
      result.values[target * stepCount + step] = count;
      result.present[target * stepCount + step] = FLOAT;
    });
  });
  const flags = grouping.dropsName === null ? null : Uint8Array.from(dropsName);
  context.touch(stepCount);
  return aggregatedRows(result, labels, flags, child, context);
}
