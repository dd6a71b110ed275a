/** absent, absent_over_time, vector: rows made from nothing. */
import { Labels } from '../../../model/index.ts';
import type { QueryContext } from '../context.ts';
import { computedRows, type Operator, TableOperator } from '../operator.ts';
import { ABSENT, FLOAT, RowBatch, RowTable } from '../row-batch.ts';
import type { WindowRows } from '../select/window-rows.ts';

export function absentRows(
  child: Operator,
  promised: readonly (readonly [string, string])[],
  context: QueryContext,
): Operator {
  const { stepCount } = child;
  const seen = new Uint8Array(stepCount);
  const batch = RowBatch.for(child.labels.length, stepCount);
  while (child.next(batch)) {
    for (let i = 0; i < batch.rowCount * stepCount; i++) {
      if (batch.present[i] !== ABSENT) seen[i % stepCount] = 1;
    }
    context.checkInterrupt();
  }
  return computedRows(absences(seen), [Labels.fromPairs(promised)], null, [child], context);
}

export function absentOverTimeRows(
  rows: WindowRows,
  promised: readonly (readonly [string, string])[],
  context: QueryContext,
): Operator {
  const { row } = rows;
  const seen = new Uint8Array(row.lookGrid.stepCount);
  while (rows.next()) {
    for (let step = 0; step < seen.length; step++) {
      if (row.ends[step]! > row.starts[step]!) seen[step] = 1;
    }
    context.tick();
  }
  return computedRows(absences(seen), [Labels.fromPairs(promised)], null, [], context);
}

/** One row with 1 wherever nothing was seen. */
function absences(seen: Uint8Array): RowTable {
  const table = new RowTable(1, seen.length);
  for (let step = 0; step < seen.length; step++) {
    if (seen[step]) continue;
    table.values[step] = 1;
    table.present[step] = FLOAT;
  }
  return table;
}

/** A vector of one element without labels. */
export function vectorOf(values: Float64Array): Operator {
  const table = new RowTable(1, values.length);
  table.values.set(values);
  table.present.fill(FLOAT);
  return new TableOperator(table, [Labels.EMPTY], null);
}
