/** Writes one XOR2 chunk, sample by sample; reused for the next with `reset`. Format: xor2.ts. */
import { assert, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../model/index.ts';
import { bytesForBits, writeBits } from './bits.ts';
import { CHUNK_SAMPLES_MAX, Encoding } from './encoding.ts';
import { StartTimeWriter } from './start-times.ts';
import {
  NO_WINDOW,
  nextXorWindow,
  writeFirstDelta,
  writeFirstSample,
  writeInt64,
  writeWindowBits,
} from './xor.ts';
import {
  XOR2_FIRST_SAMPLE_SIZE_BYTES_MAX,
  XOR2_HEADER_SIZE_BYTES,
  XOR2_SAMPLE_SIZE_BYTES_MAX,
} from './xor2.ts';

/** See `saveState`. */
export const XOR2_STATE_DOUBLES = 9;

export class Xor2Encoder {
  readonly encoding = Encoding.Xor2;
  /** The chunk is `bytes[0, sizeBytes)`. */
  bytes: Uint8Array;
  count = 0;
  firstMs = 0;
  lastMs = 0;
  #position = 0;
  #deltaMs = 0;
  #high = 0;
  #low = 0;
  #window = NO_WINDOW;
  readonly #starts = new StartTimeWriter();

  constructor(capacityBytes = 512) {
    this.bytes = new Uint8Array(Math.max(capacityBytes, XOR2_FIRST_SAMPLE_SIZE_BYTES_MAX));
  }

  get sizeBytes(): number {
    return this.count === 0 ? XOR2_HEADER_SIZE_BYTES : bytesForBits(this.#position);
  }

  reset(): void {
    this.count = 0;
    this.#window = NO_WINDOW;
    this.#starts.reset();
  }

  /** A copy of the finished chunk. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.sizeBytes);
  }

  /** Times must ascend; the value is given by its halves; a start of 0 is not known. */
  append(timestampMs: number, high: number, low: number, startMs = 0): void {
    assert(this.count < CHUNK_SAMPLES_MAX, 'chunk is full');
    this.#reserve();
    const { bytes } = this;
    const isStale = high === STALE_NAN_HIGH && low === STALE_NAN_LOW;
    if (this.count === 0) {
      const position = writeFirstSample(bytes, XOR2_HEADER_SIZE_BYTES, timestampMs, high, low);
      this.#position = this.#starts.putFirst(bytes, position, timestampMs, startMs);
      this.firstMs = timestampMs;
      this.#high = isStale ? 0 : high;
      this.#low = isStale ? 0 : low;
      this.#deltaMs = 0;
    } else {
      const deltaMs = timestampMs - this.lastMs;
      if (this.count === 1) {
        this.#position = writeFirstDelta(bytes, this.#position, deltaMs);
        this.#putChange(high, low, isStale);
      } else {
        this.#putJoint(deltaMs - this.#deltaMs, high, low, isStale);
      }
      this.#deltaMs = deltaMs;
      this.#position = this.#starts.put(bytes, this.#position, this.count, this.lastMs, startMs);
    }
    this.lastMs = timestampMs;
    this.count++;
    bytes[0] = this.count >>> 8;
    bytes[1] = this.count;
    bytes[2] = this.#starts.header;
  }

  /** Notes in `XOR2_STATE_DOUBLES` elements from `at` on what is needed to go on after the bytes. */
  saveState(state: Float64Array, at: number): void {
    state[at] = this.#position;
    state[at + 1] = this.firstMs;
    state[at + 2] = this.lastMs;
    state[at + 3] = this.#deltaMs;
    state[at + 4] = this.#high;
    state[at + 5] = this.#low;
    state[at + 6] = this.#window;
    state[at + 7] = this.#starts.startMs;
    state[at + 8] = this.#starts.difference;
  }

  /** Goes on with a chunk `[start, end)` whose state was noted. */
  resume(chunk: Uint8Array, start: number, end: number, state: Float64Array, at: number): void {
    const size = end - start;
    if (size > this.bytes.length) this.bytes = new Uint8Array(size * 2);
    this.bytes.set(chunk.subarray(start, end));
    this.count = (this.bytes[0]! << 8) | this.bytes[1]!;
    this.#position = state[at]!;
    this.firstMs = state[at + 1]!;
    this.lastMs = state[at + 2]!;
    this.#deltaMs = state[at + 3]!;
    this.#high = state[at + 4]!;
    this.#low = state[at + 5]!;
    this.#window = state[at + 6]!;
    this.#starts.resume(this.bytes[2]!, state[at + 7]!, state[at + 8]!);
  }

  #putJoint(dod: number, high: number, low: number, isStale: boolean): void {
    const { bytes } = this;
    if (dod === 0) {
      if (isStale) {
        this.#position = writeBits(bytes, this.#position, 0b11111, 5);
      } else if (high === this.#high && low === this.#low) {
        this.#position = writeBits(bytes, this.#position, 0, 1);
      } else {
        this.#position = writeBits(bytes, this.#position, 0b10, 2);
        this.#putXor(high, low, 0b0, 1, 0b1, 1);
      }
      return;
    }
    if (dod >= -4096 && dod <= 4095) {
      this.#position = writeBits(bytes, this.#position, (0b110 << 13) | (dod & 0x1fff), 16);
    } else if (dod >= -524288 && dod <= 524287) {
      this.#position = writeBits(bytes, this.#position, (0b1110 << 20) | (dod & 0xfffff), 24);
    } else {
      this.#position = writeInt64(bytes, writeBits(bytes, this.#position, 0b11110, 5), dod);
    }
    this.#putChange(high, low, isStale);
  }

  #putChange(high: number, low: number, isStale: boolean): void {
    if (isStale) {
      this.#position = writeBits(this.bytes, this.#position, 0b111, 3);
    } else if (high === this.#high && low === this.#low) {
      this.#position = writeBits(this.bytes, this.#position, 0, 1);
    } else {
      this.#putXor(high, low, 0b10, 2, 0b110, 3);
    }
  }

  /** The changed bits, behind one prefix for the last window or another for a new one. */
  #putXor(
    high: number,
    low: number,
    reusePrefix: number,
    reuseSize: number,
    newPrefix: number,
    newSize: number,
  ): void {
    const { bytes } = this;
    const xorHigh = (high ^ this.#high) >>> 0;
    const xorLow = (low ^ this.#low) >>> 0;
    const window = nextXorWindow(this.#window, xorHigh, xorLow);
    const leading = window & 0xff;
    const trailing = window >>> 8;
    const width = 64 - leading - trailing;
    let position = this.#position;
    if (window === this.#window) {
      position = writeBits(bytes, position, reusePrefix, reuseSize);
    } else {
      const control = (newPrefix << 11) | (leading << 6) | (width & 63);
      position = writeBits(bytes, position, control, newSize + 11);
    }
    this.#window = window;
    this.#high = high;
    this.#low = low;
    this.#position = writeWindowBits(bytes, position, xorHigh, xorLow, trailing, width);
  }

  #reserve(): void {
    const needed = this.count === 0 ? XOR2_FIRST_SAMPLE_SIZE_BYTES_MAX : XOR2_SAMPLE_SIZE_BYTES_MAX;
    const end = this.count === 0 ? needed : bytesForBits(this.#position) + needed;
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}
