/** Float samples of log records, as columns that grow: what replay decodes into, batch by batch. */
import type { SampleColumns } from '../../model/index.ts';

export class SampleBatch implements SampleColumns {
  count = 0;
  refs: Float64Array;
  timestampsMs: Float64Array;
  values: Float64Array;
  /** The memory of `values` in halves (low, high), which keep the payload of a NaN. */
  valueHalves: Uint32Array;
  /** 0 where unknown. */
  startTimestampsMs: Float64Array;
  /** Whether any start timestamp is known. */
  hasStartTimestamps = false;

  constructor(capacity = 1024) {
    this.refs = new Float64Array(capacity);
    this.timestampsMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.valueHalves = new Uint32Array(this.values.buffer);
    this.startTimestampsMs = new Float64Array(capacity);
  }

  /**
   * Columns in memory that somebody else provides: refs, times, values, start times. It has to
   * suffice, because columns that grow are elsewhere.
   * @param start  of 4 × 8 × capacity bytes, a multiple of 8
   */
  static over(memory: ArrayBufferLike, start: number, capacity: number): SampleBatch {
    const batch = new SampleBatch(0);
    const column = (index: number) =>
      new Float64Array(memory, start + index * capacity * 8, capacity);
    batch.refs = column(0);
    batch.timestampsMs = column(1);
    batch.values = column(2);
    batch.valueHalves = new Uint32Array(memory, batch.values.byteOffset, capacity * 2);
    batch.startTimestampsMs = column(3);
    return batch;
  }

  clear(): void {
    this.count = 0;
    this.hasStartTimestamps = false;
  }

  /** Takes over samples `[first, last)` of another batch, instead of what is here. */
  copy(from: SampleBatch, first: number, last: number): void {
    this.clear();
    this.reserve(last - first);
    this.refs.set(from.refs.subarray(first, last));
    this.timestampsMs.set(from.timestampsMs.subarray(first, last));
    this.valueHalves.set(from.valueHalves.subarray(first * 2, last * 2));
    this.startTimestampsMs.set(from.startTimestampsMs.subarray(first, last));
    this.count = last - first;
    this.hasStartTimestamps = from.hasStartTimestamps;
  }

  /** Makes room for `count` samples in all, keeping what is there. */
  reserve(count: number): void {
    if (count <= this.refs.length) return;
    const capacity = Math.max(count, this.refs.length * 2);
    this.refs = grown(this.refs, capacity, this.count);
    this.timestampsMs = grown(this.timestampsMs, capacity, this.count);
    this.startTimestampsMs = grown(this.startTimestampsMs, capacity, this.count);
    const values = new Float64Array(capacity);
    const halves = new Uint32Array(values.buffer);
    halves.set(this.valueHalves.subarray(0, this.count * 2));
    this.values = values;
    this.valueHalves = halves;
  }

  /** Adds one sample by the halves of its value; for tests and rare paths. */
  push(ref: number, timestampMs: number, high: number, low: number, startMs = 0): void {
    this.reserve(this.count + 1);
    const index = this.count++;
    this.refs[index] = ref;
    this.timestampsMs[index] = timestampMs;
    this.valueHalves[index * 2] = low;
    this.valueHalves[index * 2 + 1] = high;
    this.startTimestampsMs[index] = startMs;
    if (startMs !== 0) this.hasStartTimestamps = true;
  }
}

function grown(source: Float64Array, capacity: number, count: number): Float64Array<ArrayBuffer> {
  const target = new Float64Array(capacity);
  target.set(source.subarray(0, count));
  return target;
}
