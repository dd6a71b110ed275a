/** Writes one XOR chunk, sample by sample; reused for the next with `reset`. Format: xor.ts. */
import { assert } from '../../model/index.ts';
import { bytesForBits } from './bits.ts';
import { CHUNK_SAMPLES_MAX, Encoding } from './encoding.ts';
import {
  NO_WINDOW,
  nextXorWindow,
  writeDod,
  writeFirstDelta,
  writeFirstSample,
  writeXor,
  XOR_FIRST_SAMPLE_SIZE_BYTES_MAX,
  XOR_HEADER_SIZE_BYTES,
  XOR_SAMPLE_SIZE_BYTES_MAX,
} from './xor.ts';

export class XorEncoder {
  readonly encoding = Encoding.Xor;
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

  constructor(capacityBytes = 512) {
    this.bytes = new Uint8Array(Math.max(capacityBytes, XOR_FIRST_SAMPLE_SIZE_BYTES_MAX));
  }

  get sizeBytes(): number {
    return this.count === 0 ? XOR_HEADER_SIZE_BYTES : bytesForBits(this.#position);
  }

  reset(): void {
    this.count = 0;
    this.#window = NO_WINDOW;
  }

  /** A copy of the finished chunk. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.sizeBytes);
  }

  /** Times must ascend; the value is given by its halves. */
  append(timestampMs: number, high: number, low: number): void {
    assert(this.count < CHUNK_SAMPLES_MAX, 'chunk is full');
    this.#reserve();
    const { bytes } = this;
    if (this.count === 0) {
      this.#position = writeFirstSample(bytes, XOR_HEADER_SIZE_BYTES, timestampMs, high, low);
      this.firstMs = timestampMs;
      this.#deltaMs = 0;
    } else {
      const deltaMs = timestampMs - this.lastMs;
      let position = this.#position;
      if (this.count === 1) position = writeFirstDelta(bytes, position, deltaMs);
      else position = writeDod(bytes, position, deltaMs - this.#deltaMs);
      const xorHigh = (high ^ this.#high) >>> 0;
      const xorLow = (low ^ this.#low) >>> 0;
      const window = this.#window;
      const next = (xorHigh | xorLow) === 0 ? window : nextXorWindow(window, xorHigh, xorLow);
      this.#position = writeXor(bytes, position, xorHigh, xorLow, window, next);
      this.#window = next;
      this.#deltaMs = deltaMs;
    }
    this.#high = high;
    this.#low = low;
    this.lastMs = timestampMs;
    this.count++;
    bytes[0] = this.count >>> 8;
    bytes[1] = this.count;
  }

  #reserve(): void {
    const needed = this.count === 0 ? XOR_FIRST_SAMPLE_SIZE_BYTES_MAX : XOR_SAMPLE_SIZE_BYTES_MAX;
    const end = this.count === 0 ? needed : bytesForBits(this.#position) + needed;
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}
