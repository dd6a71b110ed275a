/**
 * Several float values that are each followed through a chunk by xor, every one with its own window:
 * the sum of a histogram, or all counts of a float histogram.
 */
import type { BitCursor } from './bit-cursor.ts';
import type { BitSink } from './bit-sink.ts';
import { NO_WINDOW } from './xor.ts';

export class XorColumn {
  /** The current values, and the same memory in halves (low, high). */
  readonly values: Float64Array;
  readonly halves: Uint32Array;
  readonly #windows: Uint16Array;

  constructor(count: number) {
    this.values = new Float64Array(count);
    this.halves = new Uint32Array(this.values.buffer);
    this.#windows = new Uint16Array(count).fill(NO_WINDOW);
  }

  /** Reads value `index` as it stands in sample 0. */
  takeRaw(cursor: BitCursor, index: number): void {
    this.halves[index * 2 + 1] = cursor.takeBits(32);
    this.halves[index * 2] = cursor.takeBits(32);
  }

  /** Reads how value `index` changed; false when that cannot be right. */
  takeChange(cursor: BitCursor, index: number): boolean {
    if (cursor.takeBit() === 0) return true;
    if (cursor.takeBit() === 1) {
      const leading = cursor.takeBits(5);
      const width = cursor.takeBits(6) || 64;
      if (leading + width > 64) return false;
      this.#windows[index] = leading | ((64 - leading - width) << 8);
    }
    const window = this.#windows[index]!;
    if (window === NO_WINDOW) return false;
    const trailing = window >>> 8;
    const width = 64 - (window & 0xff) - trailing;
    let high = 0;
    let low: number;
    if (width > 32) high = cursor.takeBits(width - 32);
    low = cursor.takeBits(Math.min(32, width));
    if (trailing >= 32) {
      high = low << (trailing - 32);
      low = 0;
    } else if (trailing > 0) {
      high = (high << trailing) | (low >>> (32 - trailing));
      low <<= trailing;
    }
    this.halves[index * 2 + 1]! ^= high;
    this.halves[index * 2]! ^= low;
    return true;
  }

  /** Writes value `index` as it stands in sample 0. */
  putRaw(sink: BitSink, index: number, high: number, low: number): void {
    sink.put64Bits(high, low);
    this.halves[index * 2 + 1] = high;
    this.halves[index * 2] = low;
  }

  putChange(sink: BitSink, index: number, high: number, low: number): void {
    const xorHigh = (high ^ this.halves[index * 2 + 1]!) >>> 0;
    const xorLow = (low ^ this.halves[index * 2]!) >>> 0;
    this.#windows[index] = sink.putXor(xorHigh, xorLow, this.#windows[index]!);
    this.halves[index * 2 + 1] = high;
    this.halves[index * 2] = low;
  }
}
