/** sum, avg, min, max, count, group, stddev, stdvar: rows stream through, groups remain. */
import { METRIC_NAME } from '../../../model/index.ts';
import { histogramIgnoredInAggregation } from '../../annotations.ts';
import type { AggregateNode } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { aggregatedRows, type Operator } from '../operator.ts';
import { HISTOGRAM, RowBatch, RowTable } from '../row-batch.ts';
import {
  type Accumulator,
  AvgAccumulator,
  CountAccumulator,
  ExtremeAccumulator,
  SumAccumulator,
  VarianceAccumulator,
} from './accumulators.ts';
import { groupRows } from './grouping.ts';
import { HistogramCells } from './histogram-cells.ts';

export type SimpleAggregation =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'group'
  | 'stddev'
  | 'stdvar';

function accumulatorFor(operator: SimpleAggregation, cellCount: number): Accumulator {
  switch (operator) {
    case 'sum':
      return new SumAccumulator(cellCount);
    case 'avg':
      return new AvgAccumulator(cellCount);
    case 'min':
    case 'max':
      return new ExtremeAccumulator(cellCount, operator === 'max');
    case 'stddev':
    case 'stdvar':
      return new VarianceAccumulator(cellCount, operator === 'stddev');
    case 'count':
    case 'group':
      return new CountAccumulator(cellCount, operator === 'group');
  }
}

export function aggregateRows(
  node: AggregateNode,
  operator: SimpleAggregation,
  child: Operator,
  context: QueryContext,
): Operator {
  const { stepCount } = child;
  const grouping = groupRows(child.labels, child.dropsName, node.grouping, node.without);
  const { groupOf } = grouping;
  context.checkCells(grouping.labels.length * stepCount);
  const table = new RowTable(grouping.labels.length, stepCount);
  const accumulator = accumulatorFor(operator, table.values.length);
  const addsHistograms = operator === 'sum' || operator === 'avg';
  const countsHistograms = operator === 'count' || operator === 'group';
  const histograms = addsHistograms
    ? new HistogramCells(operator === 'avg', node.childRange, context)
    : null;
  const batch = RowBatch.for(child.labels.length, stepCount);
  while (child.next(batch)) {
    const takesHistograms = batch.hasHistograms && !countsHistograms;
    for (let row = 0; row < batch.rowCount; row++) {
      const cell = groupOf[batch.firstRow + row]! * stepCount;
      if (takesHistograms) {
        const name = child.labels[batch.firstRow + row]!.get(METRIC_NAME);
        takeHistograms(batch, row, cell, name, accumulator, node, histograms, context);
      }
      accumulator.addRow(batch, row, cell);
    }
    context.checkInterrupt();
  }
  accumulator.finish(table.values, table.present);
  if (histograms !== null && !histograms.isEmpty) histograms.finish(table);
  return aggregatedRows(table, grouping.labels, grouping.dropsName, child, context);
}

/** Of one row, before its floats are added. */
function takeHistograms(
  batch: RowBatch,
  row: number,
  cell: number,
  metricName: string,
  accumulator: Accumulator,
  node: AggregateNode,
  histograms: HistogramCells | null,
  context: QueryContext,
): void {
  const { stepCount } = batch;
  for (let step = 0; step < stepCount; step++) {
    const at = row * stepCount + step;
    if (batch.present[at] !== HISTOGRAM) continue;
    if (histograms === null) {
      context.annotate(histogramIgnoredInAggregation(node.operator, node.childRange));
      return;
    }
    // What has floats already gets no result, so there is nothing to add to either.
    if (accumulator.has?.(cell + step)) histograms.addBesideFloats(cell + step);
    else histograms.add(cell + step, batch.histograms[at]!, metricName);
  }
}
