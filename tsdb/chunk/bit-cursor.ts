/**
 * Reads bits of a padded chunk, most significant first. Behind the end there are only zeros; whoever
 * reads a chunk checks {@link BitCursor.isPastEnd} now and then, at the latest at its end.
 */
import type { PaddedChunk } from './padded-chunk.ts';

const EMPTY: PaddedChunk = {
  bytes: new Uint8Array(16),
  view: new DataView(new ArrayBuffer(16)),
};

export class BitCursor {
  /** In bits. */
  position = 0;
  #bytes: Uint8Array = EMPTY.bytes;
  #view: DataView = EMPTY.view;
  #endPosition = 0;

  reset(chunk: PaddedChunk, sizeBytes: number, position: number): void {
    this.#bytes = chunk.bytes;
    this.#view = chunk.view;
    this.#endPosition = sizeBytes * 8;
    this.position = position;
  }

  /** Whether more was read than there is. */
  get isPastEnd(): boolean {
    return this.position > this.#endPosition;
  }

  /** The next 32 bits, signed, so that the sign is the next bit. */
  peek(): number {
    // Clamped, so that reading on in a broken chunk stays inside the padding.
    const position = this.position < this.#endPosition ? this.position : this.#endPosition;
    const index = position >>> 3;
    const used = position & 7;
    return (this.#view.getInt32(index) << used) | (this.#bytes[index + 4]! >>> (8 - used));
  }

  takeBit(): number {
    const bit = this.peek() >>> 31;
    this.position++;
    return bit;
  }

  /** `count` is 1…32. */
  takeBits(count: number): number {
    const bits = this.peek() >>> (32 - count);
    this.position += count;
    return bits;
  }

  /** 64 bits, signed; beyond ±2⁵³ rounded. */
  takeInt64(): number {
    const high = this.takeBits(32) | 0;
    return high * 0x1_0000_0000 + this.takeBits(32);
  }

  takeUvarint(): number {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = this.takeBits(8);
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80 && !this.isPastEnd);
    return value;
  }

  takeVarint(): number {
    let byte = this.takeBits(8);
    const isNegative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    let scale = 64;
    while (byte >= 0x80 && !this.isPastEnd) {
      byte = this.takeBits(8);
      magnitude += (byte & 0x7f) * scale;
      scale *= 128;
    }
    return isNegative ? -magnitude - 1 : magnitude;
  }
}
