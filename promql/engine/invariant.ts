/** What does not change from step to step is evaluated once, and its result given to every step. */
import type { Labels } from '../../model/index.ts';
import type { QueryContext } from './context.ts';
import { type Operator, presentCount } from './operator.ts';
import { ABSENT, HISTOGRAM, RowBatch } from './row-batch.ts';
import type { Scope } from './scope.ts';

export class RepeatedStep implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #child: Operator;
  readonly #childScope: Scope;
  readonly #scope: Scope;
  readonly #context: QueryContext;
  #batch: RowBatch | null = null;
  #released = 0;

  constructor(
    child: Operator,
    childScope: Scope,
    scope: Scope,
    stepCount: number,
    context: QueryContext,
  ) {
    this.stepCount = stepCount;
    this.labels = child.labels;
    this.dropsName = child.dropsName;
    this.#child = child;
    this.#childScope = childScope;
    this.#scope = scope;
    this.#context = context;
  }

  next(out: RowBatch): boolean {
    this.#batch ??= new RowBatch(out.rowCapacity, 1);
    const batch = this.#batch;
    if (!this.#child.next(batch)) {
      this.#finish();
      return false;
    }
    out.start(batch.firstRow);
    out.rowCount = batch.rowCount;
    const { stepCount } = this;
    for (let row = 0; row < batch.rowCount; row++) {
      const kind = batch.present[row]!;
      const from = row * stepCount;
      out.present.fill(kind, from, from + stepCount);
      if (kind === ABSENT) continue;
      out.values.fill(batch.values[row]!, from, from + stepCount);
      if (kind !== HISTOGRAM) continue;
      const histogram = batch.histograms[row]!;
      for (let step = 0; step < stepCount; step++) out.setHistogram(from + step, histogram);
    }
    const count = presentCount(out);
    // The single step turns into all of them.
    this.#context.release(this.#child.held - this.#released);
    this.#released = this.#child.held;
    this.held += count;
    this.#context.hold(count);
    return true;
  }

  /** Every step looks at the samples, but they are read once. */
  #finish(): void {
    const { queryable, read } = this.#childScope.counts;
    for (let step = 0; step < this.stepCount; step++) {
      this.#scope.counts.queryable[step]! += queryable[0]!;
    }
    this.#scope.counts.read[0]! += read[0]!;
    queryable[0] = 0;
    read[0] = 0;
  }
}
