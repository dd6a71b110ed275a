/**
 * What a running query is made of. An operator has rows (series) that are known before the first
 * sample, and hands them out in batches of whole rows, each row once, in order.
 *
 * Contract of `next(out)`: the caller owns `out`, whose step count is the operator's; the operator
 * fills rows 0 … out.rowCount-1, sets `out.firstRow`, and returns false (with no rows) when all
 * have been handed out. A row may be without any sample. The operator must not look at `out`
 * afterwards; the caller may change it. An operator is read once, by one reader.
 */
import type { Labels } from '../../model/index.ts';
import type { QueryContext } from './context.ts';
import type { RowBatch } from './row-batch.ts';
import { FLOAT, HISTOGRAM, RowTable } from './row-batch.ts';
import { histogramSampleCount } from './stats.ts';

export interface Operator {
  readonly stepCount: number;
  /** One label set per row. Rows of vectors differ in labels, unless names are removed later. */
  readonly labels: readonly Labels[];
  /** Delayed name removal: 1 for rows whose name is to go in the end; null: for none. */
  readonly dropsName: Uint8Array | null;
  /**
   * Samples handed out so far and counted as held (see QueryContext.hold). Who reads an operator to
   * its end releases them, as Prometheus frees the operands of what it has computed.
   */
  readonly held: number;
  next(out: RowBatch): boolean;
}

/** How many samples the rows of a batch have, as the sample limit counts them. */
export function presentCount(batch: RowBatch): number {
  const cellCount = batch.rowCount * batch.stepCount;
  const { present } = batch;
  let count = 0;
  if (!batch.hasHistograms) {
    for (let i = 0; i < cellCount; i++) count += present[i]!;
    return count;
  }
  for (let i = 0; i < cellCount; i++) {
    if (present[i] === FLOAT) count++;
    else if (present[i] === HISTOGRAM) count += histogramSampleCount(batch.histograms[i]!);
  }
  return count;
}

/** Reads everything that `operator` has. */
export function materialize(operator: Operator, context: QueryContext): RowTable {
  if (operator instanceof TableOperator && operator.isUntouched) return operator.takeTable();
  context.checkCells(operator.labels.length * operator.stepCount);
  const table = new RowTable(operator.labels.length, operator.stepCount);
  for (let row = 0; row < table.rowCount; ) {
    const batch = table.batchAt(row);
    if (!operator.next(batch)) break;
    table.adoptHistograms(batch);
    row += batch.rowCount;
    context.checkInterrupt();
  }
  return table;
}

/** Hands out rows that exist already. */
export class TableOperator implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  readonly held: number;
  readonly #table: RowTable;
  #row = 0;

  constructor(table: RowTable, labels: readonly Labels[], dropsName: Uint8Array | null, held = 0) {
    this.stepCount = table.stepCount;
    this.#table = table;
    this.labels = labels;
    this.dropsName = dropsName;
    this.held = held;
  }

  get isUntouched(): boolean {
    return this.#row === 0;
  }

  takeTable(): RowTable {
    this.#row = this.#table.rowCount;
    return this.#table;
  }

  next(out: RowBatch): boolean {
    const table = this.#table;
    out.start(this.#row);
    const rowCount = Math.min(out.rowCapacity, table.rowCount - this.#row);
    if (rowCount <= 0) return false;
    const from = this.#row * table.stepCount;
    const to = from + rowCount * table.stepCount;
    out.values.set(table.values.subarray(from, to));
    out.present.set(table.present.subarray(from, to));
    if (table.hasHistograms) {
      for (let i = from; i < to; i++) {
        const histogram = table.histograms[i];
        if (table.present[i] === HISTOGRAM && histogram) out.setHistogram(i - from, histogram);
      }
    }
    out.rowCount = rowCount;
    this.#row += rowCount;
    return true;
  }
}

/** The result of an operator that needed all rows of its operands, which are released now. */
export function computedRows(
  table: RowTable,
  labels: readonly Labels[],
  dropsName: Uint8Array | null,
  operands: readonly Operator[],
  context: QueryContext,
): Operator {
  const held = tableCount(table);
  context.hold(held);
  releaseOperands(operands, table.stepCount, 0, context);
  return new TableOperator(table, labels, dropsName, held);
}

/** The result of an aggregation, which gives its operand up while it goes through it. */
export function aggregatedRows(
  table: RowTable,
  labels: readonly Labels[],
  dropsName: Uint8Array | null,
  operand: Operator,
  context: QueryContext,
): Operator {
  context.release(operand.held);
  const held = tableCount(table);
  context.hold(held);
  return new TableOperator(table, labels, dropsName, held);
}

/**
 * Lets go of operands that were read to their end. Prometheus holds them whole beside the result,
 * and the samples of one step once more; scalar operands are rows as well.
 */
export function releaseOperands(
  operands: readonly Operator[],
  stepCount: number,
  scalarCount: number,
  context: QueryContext,
): void {
  let held = 0;
  for (const operand of operands) held += operand.held;
  const perStep = stepCount > 0 ? Math.ceil(held / stepCount) : 0;
  context.touch(perStep + scalarCount * (stepCount + 1));
  context.release(held);
}

function tableCount(table: RowTable): number {
  let count = 0;
  for (let i = 0; i < table.present.length; i++) {
    const kind = table.present[i]!;
    count += kind === HISTOGRAM ? histogramSampleCount(table.histograms[i]!) : kind;
  }
  return count;
}

/** An operator without rows. */
export function emptyOperator(stepCount: number): Operator {
  return new TableOperator(new RowTable(0, stepCount), [], null);
}
