/** and, or, unless. */
import type { Labels } from '../../../model/index.ts';
import type { VectorMatching } from '../../ast.ts';
import type { QueryContext } from '../context.ts';
import {
  computedRows,
  materialize,
  type Operator,
  presentCount,
  releaseOperands,
} from '../operator.ts';
import { ABSENT, RowBatch, RowTable } from '../row-batch.ts';
import { mergeEqualRows } from '../row-labels.ts';
import { signatureOf } from './match-rows.ts';

/** Numbers for signatures, shared by both sides. */
class Signatures {
  readonly #ids = new Map<string, number>();
  readonly #signature: (labels: Labels) => string;

  constructor(matching: VectorMatching) {
    this.#signature = signatureOf(matching);
  }

  get count(): number {
    return this.#ids.size;
  }

  idsOf(labels: readonly Labels[]): Int32Array {
    return Int32Array.from(labels, (own) => {
      const key = this.#signature(own);
      let id = this.#ids.get(key);
      if (id === undefined) {
        id = this.#ids.size;
        this.#ids.set(key, id);
      }
      return id;
    });
  }
}

/** At which steps any row of a signature has a sample: `[id × step]`. */
function presenceOf(table: RowTable, ids: Int32Array, idCount: number): Uint8Array {
  const { stepCount } = table;
  const presence = new Uint8Array(idCount * stepCount);
  for (let row = 0; row < table.rowCount; row++) {
    const to = ids[row]! * stepCount;
    const from = row * stepCount;
    for (let step = 0; step < stepCount; step++) {
      if (table.present[from + step] !== ABSENT) presence[to + step] = 1;
    }
  }
  return presence;
}

/** `and` (keeps what has a match) and `unless` (keeps what has none): rows of the left side. */
class FilteredRows implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #left: Operator;
  readonly #right: Operator;
  readonly #context: QueryContext;
  readonly #ids: Int32Array;
  readonly #presence: Uint8Array;
  readonly #wanted: 0 | 1;

  constructor(
    left: Operator,
    right: Operator,
    ids: Int32Array,
    presence: Uint8Array,
    wanted: 0 | 1,
    context: QueryContext,
  ) {
    this.stepCount = left.stepCount;
    this.labels = left.labels;
    this.dropsName = left.dropsName;
    this.#left = left;
    this.#right = right;
    this.#context = context;
    this.#ids = ids;
    this.#presence = presence;
    this.#wanted = wanted;
  }

  next(out: RowBatch): boolean {
    if (!this.#left.next(out)) {
      releaseOperands([this.#left, this.#right], this.stepCount, 0, this.#context);
      return false;
    }
    const { stepCount } = this;
    for (let row = 0; row < out.rowCount; row++) {
      const at = this.#ids[out.firstRow + row]! * stepCount;
      for (let step = 0; step < stepCount; step++) {
        if (this.#presence[at + step] !== this.#wanted) {
          out.present[row * stepCount + step] = ABSENT;
        }
      }
    }
    const count = presentCount(out);
    this.held += count;
    this.#context.hold(count);
    return true;
  }
}

export function filterRows(
  left: Operator,
  right: Operator,
  matching: VectorMatching,
  operator: 'and' | 'unless',
  context: QueryContext,
): Operator {
  const signatures = new Signatures(matching);
  const leftIds = signatures.idsOf(left.labels);
  const rightIds = signatures.idsOf(right.labels);
  const presence = presenceOf(materialize(right, context), rightIds, signatures.count);
  return new FilteredRows(left, right, leftIds, presence, operator === 'and' ? 1 : 0, context);
}

/** All of the left side, and of the right side what has no match there. */
export function uniteRows(
  left: Operator,
  right: Operator,
  matching: VectorMatching,
  context: QueryContext,
): Operator {
  const signatures = new Signatures(matching);
  const leftIds = signatures.idsOf(left.labels);
  const rightIds = signatures.idsOf(right.labels);
  const { stepCount } = left;
  const leftTable = materialize(left, context);
  const presence = presenceOf(leftTable, leftIds, signatures.count);
  context.checkCells((left.labels.length + right.labels.length) * stepCount);
  const union = new RowTable(left.labels.length + right.labels.length, stepCount);
  copyRows(leftTable, union);
  const batch = RowBatch.for(right.labels.length, stepCount);
  while (right.next(batch)) {
    for (let row = 0; row < batch.rowCount; row++) {
      const own = batch.firstRow + row;
      const to = (left.labels.length + own) * stepCount;
      const at = rightIds[own]! * stepCount;
      for (let step = 0; step < stepCount; step++) {
        const from = row * stepCount + step;
        const kind = batch.present[from]!;
        if (kind === ABSENT || presence[at + step] === 1) continue;
        union.present[to + step] = kind;
        union.values[to + step] = batch.values[from]!;
        if (batch.hasHistograms) union.histograms[to + step] = batch.histograms[from];
      }
    }
    context.checkInterrupt();
  }
  const labels = [...left.labels, ...right.labels];
  const rows = computedRows(union, labels, joinedFlags(left, right), [left, right], context);
  return mergeEqualRows(rows, 'step', context);
}

function copyRows(from: RowTable, to: RowTable): void {
  to.values.set(from.values);
  to.present.set(from.present);
  if (!from.hasHistograms) return;
  for (let i = 0; i < from.present.length; i++) to.histograms[i] = from.histograms[i];
}

function joinedFlags(left: Operator, right: Operator): Uint8Array | null {
  if (left.dropsName === null && right.dropsName === null) return null;
  const flags = new Uint8Array(left.labels.length + right.labels.length);
  if (left.dropsName !== null) flags.set(left.dropsName);
  if (right.dropsName !== null) flags.set(right.dropsName, left.labels.length);
  return flags;
}
