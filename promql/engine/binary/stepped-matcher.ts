/**
 * Vector matching step by step, for what cannot be settled once for all steps: rows that share a
 * match group and may or may not be there at the same time, and samples to be filled in.
 * Source: PromQL operators documentation, "Vector matching", "Filling in missing matches".
 */
import type { Labels } from '../../../model/index.ts';
import type { Annotation } from '../../annotations.ts';
import type { VectorVectorNode } from '../../plan/nodes.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { QueryContext } from '../context.ts';
import { computedRows, type Operator } from '../operator.ts';
import { ABSENT, FLOAT, RowTable } from '../row-batch.ts';
import { combineSamples, type Element, elementAt, newElementResult } from './element.ts';
import { groupLabels, dropsMetric, type MatchGroup, resultLabels } from './match-rows.ts';

/** A result row that comes into being with its first sample. */
type ResultRow = {
  readonly labels: Labels;
  readonly dropsName: boolean;
  readonly cells: (Element | undefined)[];
};

export class SteppedMatcher {
  readonly #node: VectorVectorNode;
  readonly #groups: readonly MatchGroup[];
  readonly #left: Operator;
  readonly #right: Operator;
  readonly #leftTable: RowTable;
  readonly #rightTable: RowTable;
  readonly #context: QueryContext;
  readonly #rows = new Map<string, ResultRow>();
  /** Group of each row of the "many" side. */
  readonly #groupOfMany: Int32Array;
  /** Results of each match group at this step: one-to-one may have one, others none twice. */
  #inserted: Set<string>[] = [];
  /** The last remark on this step; Prometheus keeps no other. */
  #note: Annotation | null = null;
  readonly #result = newElementResult();

  constructor(
    node: VectorVectorNode,
    groups: readonly MatchGroup[],
    left: Operator,
    right: Operator,
    leftTable: RowTable,
    rightTable: RowTable,
    context: QueryContext,
  ) {
    this.#node = node;
    this.#groups = groups;
    this.#left = left;
    this.#right = right;
    this.#leftTable = leftTable;
    this.#rightTable = rightTable;
    this.#context = context;
    this.#groupOfMany = new Int32Array((this.#isSwapped ? rightTable : leftTable).rowCount);
    groups.forEach((group, index) => {
      const rows = this.#isSwapped ? group.right : group.left;
      for (const row of rows) this.#groupOfMany[row] = index;
    });
  }

  /** @throws ExecutionError when matches are not unique */
  run(): Operator {
    const { stepCount } = this.#leftTable;
    for (let step = 0; step < stepCount; step++) {
      this.#context.tick();
      if (this.#canMatch(step)) this.#matchStep(step);
    }
    return this.#finish(stepCount);
  }

  get #isSwapped(): boolean {
    return this.#node.matching.cardinality === 'one-to-many';
  }

  /** With an empty side and nothing to fill in there is nothing to match, and nothing to complain about. */
  #canMatch(step: number): boolean {
    const { fillLeft, fillRight } = this.#node.matching;
    if (fillLeft !== null || fillRight !== null) return true;
    return !isStepEmpty(this.#leftTable, step) && !isStepEmpty(this.#rightTable, step);
  }

  /** All of the "many" side in the order of its rows, then what is left of the other side. */
  #matchStep(step: number): void {
    // Prometheus fills the "many" side by fill_left and the other by fill_right even where
    // group_right has exchanged the sides; queries that rely on it must give the same.
    const { fillLeft: fillMany, fillRight: fillOne } = this.#node.matching;
    const [manyTable, oneTable] = this.#isSwapped
      ? [this.#rightTable, this.#leftTable]
      : [this.#leftTable, this.#rightTable];
    const oneRows = this.#groups.map((group) => {
      const present = presentRows(oneTable, this.#isSwapped ? group.left : group.right, step);
      if (present.length > 1) this.#failOnDuplicates(present);
      return present[0];
    });
    this.#note = null;
    this.#inserted = this.#groups.map(() => new Set());
    for (let row = 0; row < manyTable.rowCount; row++) {
      if (manyTable.present[row * manyTable.stepCount + step] === ABSENT) continue;
      const group = this.#groupOfMany[row]!;
      const oneRow = oneRows[group];
      if (oneRow === undefined && fillOne === null) continue;
      const one = oneRow === undefined ? filled(fillOne!) : this.#elementOfOne(oneRow, step);
      this.#combine(group, row, oneRow ?? null, this.#elementOfMany(row, step), one, step);
    }
    oneRows.forEach((oneRow, group) => {
      const isMatched = this.#inserted[group]!.size > 0;
      if (oneRow === undefined || isMatched || fillMany === null) return;
      const one = this.#elementOfOne(oneRow, step);
      this.#combine(group, null, oneRow, filled(fillMany), one, step);
    });
    if (this.#note !== null) this.#context.annotate(this.#note);
  }

  #elementOfMany(row: number, step: number): Element {
    const table = this.#isSwapped ? this.#rightTable : this.#leftTable;
    return elementAt(table, row * table.stepCount + step);
  }

  #elementOfOne(row: number, step: number): Element {
    const table = this.#isSwapped ? this.#leftTable : this.#rightTable;
    return elementAt(table, row * table.stepCount + step);
  }

  #combine(
    group: number,
    manyRow: number | null,
    oneRow: number | null,
    many: Element,
    one: Element,
    step: number,
  ): void {
    const { operator, returnBool, range, matching } = this.#node;
    const out = this.#result;
    const [left, right] = this.#isSwapped ? [one, many] : [many, one];
    combineSamples(operator, returnBool, left, right, out, range);
    if (out.note !== null) this.#note = out.note;
    if (!out.isDefined) return;
    const row = this.#resultRow(manyRow, oneRow);
    const inserted = this.#inserted[group]!;
    if (matching.cardinality === 'one-to-one') {
      if (inserted.size > 0) {
        throw new ExecutionError(
          'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
        );
      }
    } else if (inserted.has(row.labels.key)) {
      throw new ExecutionError(
        'multiple matches for labels: grouping labels must ensure unique matches',
      );
    }
    inserted.add(row.labels.key);
    if (!out.keep) return;
    if (row.cells[step] !== undefined) this.#failOnSameLabels();
    row.cells[step] = { value: out.value, histogram: out.histogram };
  }

  #resultRow(manyRow: number | null, oneRow: number | null): ResultRow {
    const key = `${manyRow ?? ''} ${this.#node.matching.include.length > 0 || manyRow === null ? (oneRow ?? '') : ''}`;
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#newRow(manyRow, oneRow);
    this.#rows.set(key, row);
    return row;
  }

  #newRow(manyRow: number | null, oneRow: number | null): ResultRow {
    const { matching } = this.#node;
    const [manySide, oneSide] = this.#isSwapped
      ? [this.#right, this.#left]
      : [this.#left, this.#right];
    const drops = dropsMetric(this.#node);
    const delayed = this.#context.features.delayedNameRemoval;
    const one = oneRow === null ? null : oneSide.labels[oneRow]!;
    // What is filled in has no labels but those that it was matched by.
    const many = manyRow === null ? groupLabels(one!, matching) : manySide.labels[manyRow]!;
    return {
      labels: resultLabels(many, one, matching, delayed ? drops.atOnce : drops.inTheEnd),
      dropsName: drops.inTheEnd,
      cells: [],
    };
  }

  #failOnDuplicates(rows: readonly number[]): never {
    const { matching } = this.#node;
    const side = this.#isSwapped ? 'left' : 'right';
    const { labels } = this.#isSwapped ? this.#left : this.#right;
    const [first, second] = [labels[rows[0]!]!, labels[rows[1]!]!];
    throw new ExecutionError(
      `found duplicate series for the match group ${groupLabels(first, matching).toString()} on ` +
        `the ${side} hand-side of the operation: [${second.toString()}, ${first.toString()}];` +
        'many-to-many matching not allowed: matching labels must be unique on one side',
    );
  }

  #failOnSameLabels(): never {
    throw new ExecutionError('vector cannot contain metrics with the same labelset');
  }

  #finish(stepCount: number): Operator {
    const rows = [...this.#rows.values()];
    const table = new RowTable(rows.length, stepCount);
    rows.forEach(({ cells }, row) => {
      cells.forEach((cell, step) => {
        if (cell === undefined) return;
        const at = row * stepCount + step;
        table.values[at] = cell.value;
        table.present[at] = FLOAT;
        if (cell.histogram !== null) table.setHistogram(at, cell.histogram);
      });
    });
    const flags = this.#context.features.delayedNameRemoval
      ? Uint8Array.from(rows, ({ dropsName }) => (dropsName ? 1 : 0))
      : null;
    const operands = [this.#left, this.#right];
    return computedRows(
      table,
      rows.map(({ labels }) => labels),
      flags,
      operands,
      this.#context,
    );
  }
}

function filled(value: number): Element {
  return { value, histogram: null };
}

function isStepEmpty(table: RowTable, step: number): boolean {
  for (let row = 0; row < table.rowCount; row++) {
    if (table.present[row * table.stepCount + step] !== ABSENT) return false;
  }
  return true;
}

function presentRows(table: RowTable, rows: readonly number[], step: number): number[] {
  return rows.filter((row) => table.present[row * table.stepCount + step] !== ABSENT);
}
