/**
 * Samples on their way into blocks, sorted into files by time, because they may be more than memory
 * holds and come in any order. One file per {@link SPILL_RANGE_MS}:
 *
 *   series  u32 LE │ timestamp  f64 LE, ms │ value  f64 LE      20 bytes per sample, nothing else
 */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { HOUR_MS } from '../../model/index.ts';

export const SPILL_RANGE_MS = 2 * HOUR_MS;
const RECORD_SIZE_BYTES = 20;
const BUFFER_RECORDS_MIN = 64;
const BUFFER_RECORDS_MAX = 8192;
/** Of all ranges together; many ranges get little each. */
const BUFFERED_RECORDS_MAX = 2_000_000;

/** What waits to be written, and how much there is in all. */
type Range = { count: number; buffered: number; bytes: DataView };

export type SpilledSamples = {
  readonly count: number;
  readonly series: Uint32Array;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

export class SampleSpill {
  readonly #directory: string;
  readonly #ranges = new Map<number, Range>();
  #bufferedCount = 0;

  /** @param directory  exists and is empty */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts of the ranges that hold samples, ascending, each with how many. */
  get ranges(): readonly { readonly startMs: number; readonly count: number }[] {
    return [...this.#ranges]
      .map(([startMs, { count }]) => ({ startMs, count }))
      .sort((a, b) => a.startMs - b.startMs);
  }

  add(series: number, timestampMs: number, value: number): void {
    const startMs = Math.floor(timestampMs / SPILL_RANGE_MS) * SPILL_RANGE_MS;
    let range = this.#ranges.get(startMs);
    if (range === undefined) {
      range = { count: 0, buffered: 0, bytes: roomFor(BUFFER_RECORDS_MIN) };
      this.#ranges.set(startMs, range);
    }
    const at = range.buffered * RECORD_SIZE_BYTES;
    range.bytes.setUint32(at, series, true);
    range.bytes.setFloat64(at + 4, timestampMs, true);
    range.bytes.setFloat64(at + 12, value, true);
    range.count++;
    range.buffered++;
    this.#bufferedCount++;
    if (at + RECORD_SIZE_BYTES === range.bytes.byteLength) this.#makeRoom(startMs, range);
    if (this.#bufferedCount >= BUFFERED_RECORDS_MAX) this.#flushAll();
  }

  /** The samples of these ranges, in the order in which they came within each range. */
  read(startsMs: readonly number[]): SpilledSamples {
    this.#flushAll();
    const count = startsMs.reduce((sum, startMs) => sum + this.#ranges.get(startMs)!.count, 0);
    const series = new Uint32Array(count);
    const timestampsMs = new Float64Array(count);
    const values = new Float64Array(count);
    let next = 0;
    for (const startMs of startsMs) {
      const bytes = readFileSync(this.#fileOf(startMs));
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; at += RECORD_SIZE_BYTES, next++) {
        series[next] = view.getUint32(at, true);
        timestampsMs[next] = view.getFloat64(at + 4, true);
        values[next] = view.getFloat64(at + 12, true);
      }
    }
    return { count, series, timestampsMs, values };
  }

  drop(startsMs: readonly number[]): void {
    for (const startMs of startsMs) rmSync(this.#fileOf(startMs), { force: true });
  }

  #makeRoom(startMs: number, range: Range): void {
    const recordCount = range.bytes.byteLength / RECORD_SIZE_BYTES;
    if (recordCount >= BUFFER_RECORDS_MAX) {
      this.#flush(startMs, range);
      return;
    }
    const larger = roomFor(recordCount * 2);
    new Uint8Array(larger.buffer).set(new Uint8Array(range.bytes.buffer));
    range.bytes = larger;
  }

  #flushAll(): void {
    for (const [startMs, range] of this.#ranges) this.#flush(startMs, range);
  }

  #flush(startMs: number, range: Range): void {
    if (range.buffered === 0) return;
    const size = range.buffered * RECORD_SIZE_BYTES;
    appendFileSync(this.#fileOf(startMs), new Uint8Array(range.bytes.buffer, 0, size));
    this.#bufferedCount -= range.buffered;
    range.buffered = 0;
  }

  #fileOf(startMs: number): string {
    return path.join(this.#directory, String(startMs));
  }
}

function roomFor(recordCount: number): DataView {
  return new DataView(new ArrayBuffer(recordCount * RECORD_SIZE_BYTES));
}
