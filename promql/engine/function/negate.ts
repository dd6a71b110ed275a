/** Unary minus. */
import { type Labels, multiplyHistogram, withHint } from '../../../model/index.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import { HISTOGRAM, type RowBatch } from '../row-batch.ts';
import { dropMetricIdentity } from '../row-labels.ts';

export class Negated implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  readonly #child: Operator;

  constructor(child: Operator, context: QueryContext) {
    const { labels, dropsName } = dropMetricIdentity(child, context);
    this.stepCount = child.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#child = child;
  }

  /** Done in place. */
  get held(): number {
    return this.#child.held;
  }

  next(out: RowBatch): boolean {
    if (!this.#child.next(out)) return false;
    const { values, present } = out;
    const cellCount = out.rowCount * out.stepCount;
    for (let i = 0; i < cellCount; i++) values[i] = -values[i]!;
    if (out.hasHistograms) {
      for (let i = 0; i < cellCount; i++) {
        if (present[i] !== HISTOGRAM) continue;
        out.histograms[i] = withHint(multiplyHistogram(out.histograms[i]!, -1), 'gauge');
      }
    }
    return true;
  }
}
