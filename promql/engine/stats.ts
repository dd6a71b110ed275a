/**
 * What a query touched. Counted as Prometheus 3.14 counts (read off its `stats=all` answers):
 *
 *   totalQueryableSamples  samples in the windows of all steps, however often a window re-reads one
 *   samplesRead            samples that had to be read newly for a step
 *   peakSamples            most samples that were held at one time
 *
 * A histogram counts as many samples as fit into its bytes.
 */
import type { FloatHistogram } from '../../model/index.ts';

/** Bytes of a float sample, and of a histogram without its lists. */
const FLOAT_SIZE_BYTES = 16;
const HISTOGRAM_SIZE_BYTES = 168;
const TIMESTAMP_SIZE_BYTES = 8;
const LIST_ITEM_SIZE_BYTES = 8;

/** How many float samples a histogram counts as. */
export function histogramSampleCount(histogram: FloatHistogram): number {
  const itemCount =
    histogram.positiveSpans.length +
    histogram.negativeSpans.length +
    histogram.positiveCounts.length +
    histogram.negativeCounts.length +
    histogram.customBounds.length;
  const sizeBytes = HISTOGRAM_SIZE_BYTES + itemCount * LIST_ITEM_SIZE_BYTES + TIMESTAMP_SIZE_BYTES;
  return Math.floor(sizeBytes / FLOAT_SIZE_BYTES);
}

/**
 * Samples that one evaluation grid looked at, step by step. Series that were scraped together have
 * the same windows, so those are only noted, and counted when they change or someone asks.
 */
export class SampleCounts {
  readonly #queryable: Float64Array;
  readonly #read: Float64Array;
  /** Samples that each step has, of series with one at every step. */
  #atEveryStep = 0;
  #starts: Int32Array | null = null;
  #ends: Int32Array | null = null;
  #seriesCount = 0;

  constructor(stepCount: number) {
    this.#queryable = new Float64Array(stepCount);
    this.#read = new Float64Array(stepCount);
  }

  /** `[stepCount]` */
  get queryable(): Float64Array {
    this.settle();
    return this.#queryable;
  }

  /** `[stepCount]` */
  get read(): Float64Array {
    this.settle();
    return this.#read;
  }

  /** A series with one sample at every step. */
  addAtEveryStep(): void {
    this.#atEveryStep++;
  }

  /** A series with the samples `starts[step] … ends[step]-1` in its windows. Call settle before they change. */
  addWindows(starts: Int32Array, ends: Int32Array): void {
    if (this.#starts !== starts) this.settle();
    this.#starts = starts;
    this.#ends = ends;
    this.#seriesCount++;
  }

  settle(): void {
    const queryable = this.#queryable;
    const read = this.#read;
    if (this.#atEveryStep > 0) {
      for (let step = 0; step < queryable.length; step++) {
        queryable[step]! += this.#atEveryStep;
        read[step]! += this.#atEveryStep;
      }
      this.#atEveryStep = 0;
    }
    if (this.#seriesCount === 0) return;
    const starts = this.#starts!;
    const ends = this.#ends!;
    const seriesCount = this.#seriesCount;
    let readTo = 0;
    for (let step = 0; step < starts.length; step++) {
      const start = starts[step]!;
      const end = ends[step]!;
      queryable[step]! += (end - start) * seriesCount;
      read[step]! += (end - (readTo > start ? readTo : start)) * seriesCount;
      readTo = end;
    }
    this.#starts = null;
    this.#ends = null;
    this.#seriesCount = 0;
  }

  get queryableTotal(): number {
    return sumOf(this.queryable);
  }

  get readTotal(): number {
    return sumOf(this.read);
  }
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

export type QueryTimings = {
  /** Seconds. */
  evalTotalTime: number;
  resultSortTime: number;
  queryPreparationTime: number;
  innerEvalTime: number;
  execQueueTime: number;
  execTotalTime: number;
};

export type QueryStats = {
  readonly timings: QueryTimings;
  readonly samples: {
    readonly totalQueryableSamples: number;
    readonly samplesRead: number;
    readonly peakSamples: number;
    /** Per step; null unless asked for. */
    readonly perStep: {
      readonly timestampsMs: Float64Array;
      readonly totalQueryableSamples: Float64Array;
      readonly samplesRead: Float64Array;
    } | null;
  };
};
