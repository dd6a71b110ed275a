/** topk, bottomk, limitk, limit_ratio: some of the rows, as they are. */
import { formatFloatShort, type Labels } from '../../../model/index.ts';
import { histogramIgnoredInAggregation, invalidRatio } from '../../annotations.ts';
import type { AggregateNode } from '../../plan/nodes.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { QueryContext } from '../context.ts';
import { aggregatedRows, materialize, type Operator } from '../operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, RowTable } from '../row-batch.ts';
import { groupRows, type Grouping } from './grouping.ts';
import { BestOf } from './best-of.ts';
import { labelShare } from './label-share.ts';
import { boundsOf } from './param-bounds.ts';

/** @param param  k or the ratio, one number per step */
export function selectRows(
  node: AggregateNode,
  child: Operator,
  param: Float64Array,
  context: QueryContext,
): Operator {
  const { operator } = node;
  const counts = operator === 'limit_ratio' ? null : countsOf(param);
  const ratios = operator === 'limit_ratio' ? ratiosOf(param, node, context) : null;
  const table = materialize(child, context);
  const grouping = groupRows(child.labels, child.dropsName, node.grouping, node.without);
  const chosen = new Uint8Array(table.present.length);
  let order: number[] | null = null;
  if (ratios !== null) {
    chooseByRatio(table, child.labels, ratios, chosen);
  } else if (operator === 'limitk') {
    chooseFirst(table, grouping, counts!, chosen);
  } else {
    order = chooseBest(table, grouping, counts!, node, chosen, context);
  }
  return chosenRows(table, child, chosen, table.stepCount === 1 ? order : null, context);
}

/** @throws ExecutionError when a count is no whole number of 64 bits */
function countsOf(param: Float64Array): Float64Array {
  const { min, max, hasNaN } = boundsOf(param);
  if (hasNaN) throw new ExecutionError('Parameter value is NaN');
  // Where nothing is taken at any step it does not matter how much less than nothing that is.
  if (max < 1) return new Float64Array(param.length);
  if (min <= -(2 ** 63)) {
    throw new ExecutionError(`Scalar value ${formatFloatShort(min)} underflows int64`);
  }
  if (max >= 2 ** 63) {
    throw new ExecutionError(`Scalar value ${formatFloatShort(max)} overflows int64`);
  }
  return param.map(Math.trunc);
}

/** @throws ExecutionError when a ratio is NaN */
function ratiosOf(param: Float64Array, node: AggregateNode, context: QueryContext): Float64Array {
  const { min, max, hasNaN } = boundsOf(param);
  if (hasNaN) throw new ExecutionError('Ratio value is NaN');
  if (max > 1) context.annotate(invalidRatio(max, 1, node.paramRange!));
  if (min < -1) context.annotate(invalidRatio(min, -1, node.paramRange!));
  return param.map((ratio) => Math.max(-1, Math.min(1, ratio)));
}

function chooseByRatio(
  table: RowTable,
  labels: readonly Labels[],
  ratios: Float64Array,
  chosen: Uint8Array,
): void {
  const { stepCount } = table;
  for (let row = 0; row < table.rowCount; row++) {
    const share = labelShare(labels[row]!);
    for (let step = 0; step < stepCount; step++) {
      const ratio = ratios[step]!;
      const taken = ratio >= 0 ? share < ratio : share >= 1 + ratio;
      chosen[row * stepCount + step] = taken ? 1 : 0;
    }
  }
}

function chooseFirst(
  table: RowTable,
  { groupOf, labels }: Grouping,
  counts: Float64Array,
  chosen: Uint8Array,
): void {
  const { stepCount } = table;
  const taken = new Int32Array(labels.length * stepCount);
  for (let row = 0; row < table.rowCount; row++) {
    for (let step = 0; step < stepCount; step++) {
      const at = row * stepCount + step;
      const cell = groupOf[row]! * stepCount + step;
      if (table.present[at] === ABSENT || taken[cell]! >= counts[step]!) continue;
      taken[cell]!++;
      chosen[at] = 1;
    }
  }
}

/** Returns the rows in the order of the last step: groups in turn, best first. */
function chooseBest(
  table: RowTable,
  { groupOf, labels }: Grouping,
  counts: Float64Array,
  node: AggregateNode,
  chosen: Uint8Array,
  context: QueryContext,
): number[] {
  const { stepCount, rowCount } = table;
  const choosesAny = counts.some((count) => count >= 1);
  if (choosesAny && table.hasHistograms && table.present.includes(HISTOGRAM)) {
    context.annotate(histogramIgnoredInAggregation(node.operator, node.range));
  }
  let order: number[] = [];
  for (let step = 0; step < stepCount; step++) {
    context.tick();
    order = [];
    const count = Math.min(counts[step]!, rowCount);
    if (count < 1) continue;
    const best = labels.map(() => new BestOf(count, node.operator === 'topk'));
    for (let row = 0; row < rowCount; row++) {
      const at = row * stepCount + step;
      if (table.present[at] === FLOAT) best[groupOf[row]!]!.offer(table.values[at]!, row);
    }
    for (const group of best) {
      for (const row of group.rowsInOrder()) {
        chosen[row * stepCount + step] = 1;
        order.push(row);
      }
    }
  }
  return order;
}

/** The rows that were chosen at any step; in `order` where one is given. */
function chosenRows(
  table: RowTable,
  child: Operator,
  chosen: Uint8Array,
  order: readonly number[] | null,
  context: QueryContext,
): Operator {
  const { stepCount } = table;
  const rows: number[] = [];
  for (let row = 0; order === null && row < table.rowCount; row++) {
    if (chosen.subarray(row * stepCount, (row + 1) * stepCount).includes(1)) rows.push(row);
  }
  const kept = order ?? rows;
  const result = new RowTable(kept.length, stepCount);
  kept.forEach((row, target) => {
    for (let step = 0; step < stepCount; step++) {
      const from = row * stepCount + step;
      const kind = table.present[from]!;
      if (chosen[from] === 0 || kind === ABSENT) continue;
      const to = target * stepCount + step;
      result.present[to] = kind;
      result.values[to] = table.values[from]!;
      if (kind === HISTOGRAM) result.histograms[to] = table.histograms[from];
    }
  });
  const labels = kept.map((row) => child.labels[row]!);
  const { dropsName } = child;
  const flags = dropsName === null ? null : Uint8Array.from(kept, (row) => dropsName[row]!);
  context.touch(stepCount);
  return aggregatedRows(result, labels, flags, child, context);
}
