/**
 * Samples of one appender between staging and commit, as columns. Floats and histograms share the
 * columns, so that the order of a series that changes from one to the other is kept.
 */
import type { FloatHistogram, Histogram, SampleColumns } from '../../model/index.ts';

export const StagedKind = {
  Float: 0,
  Histogram: 1,
  /** Both again, to be stored out of order. */
  LateFloat: 2,
  LateHistogram: 3,
} as const;
export type StagedKind = (typeof StagedKind)[keyof typeof StagedKind];

/** How many samples a pooled instance may hold; a larger one is left to the garbage collector. */
const POOLED_CAPACITY_MAX = 65_536;

export class StagedSamples implements SampleColumns {
  count = 0;
  /** Addresses of the series records. */
  records = new Uint32Array(256);
  refs = new Float64Array(256);
  timestampsMs = new Float64Array(256);
  values = new Float64Array(256);
  /** `values` in halves: low, high. */
  valueHalves = new Uint32Array(this.values.buffer);
  kinds = new Uint8Array(256);
  /** 0 where unknown; only looked at when `hasStarts`. */
  startTimestampsMs = new Float64Array(256);
  /** By index; only where the kind is a histogram. */
  readonly histograms: (Histogram | FloatHistogram | undefined)[] = [];
  /** Whether all are floats in order: the usual case, which has a short way. */
  isPlain = true;
  /** Whether any came out of order. */
  hasLate = false;
  /** Whether any start timestamp is known. */
  hasStarts = false;

  get isPoolable(): boolean {
    return this.refs.length <= POOLED_CAPACITY_MAX;
  }

  clear(): void {
    this.count = 0;
    this.isPlain = true;
    this.hasLate = false;
    this.hasStarts = false;
    this.histograms.length = 0;
  }

  /** Notes when the counter of a staged sample began; 0: unknown. */
  setStart(index: number, startMs: number): void {
    if (!this.hasStarts) {
      if (startMs === 0) return;
      this.startTimestampsMs.fill(0);
      this.hasStarts = true;
      this.isPlain = false;
    }
    this.startTimestampsMs[index] = startMs;
  }

  /** Makes room for `more` samples. */
  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.refs.length) return;
    const capacity = Math.max(needed, this.refs.length * 2);
    this.records = copied(new Uint32Array(capacity), this.records);
    this.refs = copied(new Float64Array(capacity), this.refs);
    this.timestampsMs = copied(new Float64Array(capacity), this.timestampsMs);
    this.startTimestampsMs = copied(new Float64Array(capacity), this.startTimestampsMs);
    this.kinds = copied(new Uint8Array(capacity), this.kinds);
    const values = new Float64Array(capacity);
    this.valueHalves = copied(new Uint32Array(values.buffer), this.valueHalves);
    this.values = values;
  }
}

function copied<T extends Uint8Array | Uint32Array | Float64Array>(target: T, source: T): T {
  target.set(source);
  return target;
}
