/** Functions of single histograms: count, sum, avg, stddev, stdvar, fraction. */
import { type FloatHistogram, histogramVariance } from '../../../model/index.ts';
import type { Labels } from '../../../model/index.ts';
import type { QueryContext } from '../context.ts';
import { type Operator, presentCount, releaseOperands } from '../operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, type RowBatch } from '../row-batch.ts';
import { dropMetricIdentity } from '../row-labels.ts';

export type HistogramFunction = (histogram: FloatHistogram) => number;

export const HISTOGRAM_FUNCTIONS: ReadonlyMap<string, HistogramFunction> = new Map([
  ['histogram_count', ({ count }: FloatHistogram) => count],
  ['histogram_sum', ({ sum }: FloatHistogram) => sum],
  ['histogram_avg', ({ sum, count }: FloatHistogram) => sum / count],
  ['histogram_stdvar', histogramVariance],
  ['histogram_stddev', (histogram: FloatHistogram) => Math.sqrt(histogramVariance(histogram))],
]);

/** Turns each histogram into a float; floats are left out. */
export class HistogramMap implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #child: Operator;
  readonly #context: QueryContext;
  readonly #map: HistogramFunction;

  constructor(map: HistogramFunction, child: Operator, context: QueryContext) {
    const { labels, dropsName } = dropMetricIdentity(child, context);
    this.stepCount = child.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#map = map;
    this.#child = child;
    this.#context = context;
  }

  next(out: RowBatch): boolean {
    if (!this.#child.next(out)) {
      releaseOperands([this.#child], this.stepCount, 0, this.#context);
      return false;
    }
    const { values, present } = out;
    const cellCount = out.rowCount * out.stepCount;
    if (out.hasHistograms) {
      const { histograms } = out;
      for (let i = 0; i < cellCount; i++) {
        if (present[i] !== HISTOGRAM) {
          present[i] = ABSENT;
          continue;
        }
        values[i] = this.#map(histograms[i]!);
        present[i] = FLOAT;
      }
      out.hasHistograms = false;
    } else {
      present.fill(ABSENT, 0, cellCount);
    }
    const count = presentCount(out);
    this.held += count;
    this.#context.hold(count);
    return true;
  }
}
