/** Instant vector selectors: at each step the newest sample that is not too old. */
import type { FloatHistogram, Labels, SampleBuffer } from '../../../model/index.ts';
import type { SelectNode } from '../../plan/nodes.ts';
import { newestPerStep, takeChosen } from '../kernels/latest.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import { ABSENT, type RowBatch } from '../row-batch.ts';
import type { Scope } from '../scope.ts';
import { histogramSampleCount } from '../stats.ts';
import { KnownTimes } from './known-times.ts';
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
  readonly #knownTimes = new KnownTimes();
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
    const { startMs, stepMs, stepCount } = lookGrid;
    const { values, valueHalves, timestampsMs, count } = samples;
    const chosen = this.#chosen;
    // At one step, finding the sample costs less than to see whether the times are known.
    if (stepCount === 1 || !this.#knownTimes.areThoseOf(samples)) {
      newestPerStep(timestampsMs, count, startMs, stepMs, stepCount, lookbackMs, chosen);
    }
    const isValue = this.#yields === 'value';
    const found = takeChosen(
      values,
      valueHalves,
      this.#columnOf(samples) ?? new Float64Array(count),
      isValue ? 1 : 1000,
      chosen,
      stepCount,
      out.values,
      out.present,
      at,
    );
    const { counts } = this.#scope;
    if (found === stepCount) {
      counts.addAtEveryStep();
    } else if (found > 0) {
      const { queryable, read } = counts;
      for (let step = 0; step < stepCount; step++) {
        queryable[step]! += out.present[at + step]!;
        read[step]! += out.present[at + step]!;
      }
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
