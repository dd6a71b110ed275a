/** Instant vector selectors: at each step the newest sample that is not too old. */
import type { FloatHistogram, Labels, SampleBuffer } from '../../../model/index.ts';
import type { SelectNode } from '../../plan/nodes.ts';
import { latestPerStep, NO_SAMPLE } from '../kernels/latest.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import { ABSENT, FLOAT, type RowBatch } from '../row-batch.ts';
import type { Scope } from '../scope.ts';
import { histogramSampleCount } from '../stats.ts';
import { toStatsOnly } from './reset-hints.ts';
import type { SeriesReader } from './series-reader.ts';
import { type SmoothedRow, smoothRow } from './smoothed-selector.ts';
import { isStaleSample } from './staleness.ts';

/** What of a sample a selector hands out: itself, or one of its times in seconds. */
export type SelectorYield = 'value' | 'timestamp' | 'start-timestamp';

export class VectorSelector implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName = null;
  held = 0;
  readonly #node: SelectNode;
  readonly #reader: SeriesReader;
  readonly #scope: Scope;
  readonly #context: QueryContext;
  readonly #yields: SelectorYield;
  /** Index of the sample that each looked-at time gets. */
  readonly #chosen: Int32Array;
  #row = 0;

  constructor(
    node: SelectNode,
    reader: SeriesReader,
    scope: Scope,
    context: QueryContext,
    yields: SelectorYield = 'value',
  ) {
    this.stepCount = node.grid.stepCount;
    this.labels = reader.labels;
    this.#node = node;
    this.#yields = yields;
    this.#reader = reader;
    this.#scope = scope;
    this.#context = context;
    this.#chosen = new Int32Array(node.lookGrid.stepCount);
  }

  next(out: RowBatch): boolean {
    out.start(this.#row);
    const end = Math.min(this.labels.length, this.#row + out.rowCapacity);
    let held = 0;
    for (; this.#row < end; this.#row++) {
      const samples = this.#reader.samples(this.#row);
      const at = out.rowCount * this.stepCount;
      held += this.#isSmoothed
        ? this.#smoothRow(this.#reader.freshSamples(this.#row), out, at)
        : samples.histograms === null
          ? this.#floatRow(samples, out, at)
          : this.#mixedRow(samples, samples.histograms, out, at);
      out.rowCount++;
    }
    this.held += held;
    this.#context.hold(held);
    return out.rowCount > 0;
  }

  /** Times are those of the samples: nothing is interpolated. */
  get #isSmoothed(): boolean {
    return this.#node.smoothed && this.#yields === 'value';
  }

  /** Null where no start timestamp is known. */
  #columnOf(samples: SampleBuffer): Float64Array | null {
    if (this.#yields === 'value') return samples.values;
    return this.#yields === 'timestamp' ? samples.timestampsMs : samples.startTimestampsMs;
  }

  #floatRow(samples: SampleBuffer, out: RowBatch, at: number): number {
    const { lookGrid, lookbackMs } = this.#node;
    const chosen = this.#chosen;
    const found = latestPerStep(
      samples.timestampsMs,
      samples.valueHalves,
      samples.count,
      lookGrid.startMs,
      lookGrid.stepMs,
      lookGrid.stepCount,
      lookbackMs,
      chosen,
    );
    const { values, present } = out;
    const source = this.#columnOf(samples);
    const scale = this.#yields === 'value' ? 1 : 1000;
    const { queryable, read } = this.#scope.counts;
    for (let step = 0; step < lookGrid.stepCount; step++) {
      const index = chosen[step]!;
      if (index === NO_SAMPLE) {
        present[at + step] = ABSENT;
        continue;
      }
      values[at + step] = source === null ? 0 : source[index]! / scale;
      present[at + step] = FLOAT;
      queryable[step]!++;
      read[step]!++;
    }
    return found;
  }

  #mixedRow(
    samples: SampleBuffer,
    histograms: readonly (FloatHistogram | null)[],
    out: RowBatch,
    at: number,
  ): number {
    const { lookGrid, lookbackMs, statsOnly } = this.#node;
    const shown = statsOnly ? toStatsOnly(samples) : histograms;
    const { queryable, read } = this.#scope.counts;
    let held = 0;
    let next = 0;
    for (let step = 0; step < lookGrid.stepCount; step++) {
      const timeMs = lookGrid.startMs + step * lookGrid.stepMs;
      while (next < samples.count && samples.timestampsMs[next]! <= timeMs) next++;
      const newest = next - 1;
      out.present[at + step] = ABSENT;
      if (newest < 0 || samples.timestampsMs[newest]! <= timeMs - lookbackMs) continue;
      if (isStaleSample(samples, newest)) continue;
      const histogram = this.#yields === 'value' ? shown[newest] : null;
      let size = 1;
      if (histogram) {
        out.setHistogram(at + step, histogram);
        size = histogramSampleCount(histogram);
      } else {
        const column = this.#columnOf(samples);
        const value = column === null ? 0 : column[newest]!;
        out.setFloat(at + step, this.#yields === 'value' ? value : value / 1000);
      }
      queryable[step]! += size;
      read[step]! += size;
      held += size;
    }
    return held;
  }

  #smoothRow(samples: SampleBuffer, out: RowBatch, at: number): number {
    const row: SmoothedRow = {
      samples,
      lookGrid: this.#node.lookGrid,
      lookbackMs: this.#node.lookbackMs,
      metricName: this.labels[this.#row]!.get('__name__'),
      range: this.#node.range,
    };
    return smoothRow(row, out, at, this.#context);
  }
}
