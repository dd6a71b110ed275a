/** timestamp() of anything but a selector: samples are as old as the step that they belong to. */
import type { Labels } from '../../../model/index.ts';
import type { Grid } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import { ABSENT, FLOAT, type RowBatch } from '../row-batch.ts';
import { dropMetricIdentity } from '../row-labels.ts';

export class StepTimes implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  readonly #child: Operator;
  readonly #grid: Grid;

  constructor(child: Operator, grid: Grid, context: QueryContext) {
    const { labels, dropsName } = dropMetricIdentity(child, context);
    this.stepCount = child.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#child = child;
    this.#grid = grid;
  }

  get held(): number {
    return this.#child.held;
  }

  next(out: RowBatch): boolean {
    if (!this.#child.next(out)) return false;
    const { values, present, stepCount } = out;
    const { startMs, stepMs } = this.#grid;
    for (let i = 0; i < out.rowCount * stepCount; i++) {
      if (present[i] === ABSENT) continue;
      present[i] = FLOAT;
      values[i] = (startMs + (i % stepCount) * stepMs) / 1000;
    }
    out.hasHistograms = false;
    return true;
  }
}
