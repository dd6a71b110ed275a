/**
 * A cursor over bytes. Reading past the end or a malformed number does not throw: it sets
 * `failed` and gives zeros from then on, so that a decoder checks once at the end of a record
 * instead of after every field. Numbers are big-endian unless the name says otherwise.
 */
const decoder = new TextDecoder('utf-8', { fatal: false });

export class ByteReader {
  bytes: Uint8Array;
  /** Offset of the next byte. */
  position: number;
  /** Offset just past the last byte that may be read. */
  end: number;
  /** True once something could not be read. */
  failed = false;

  constructor(bytes: Uint8Array = new Uint8Array(0), start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Starts over on other bytes. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.failed = false;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.position;
  }

  #fail(): 0 {
    this.failed = true;
    this.position = this.end;
    return 0;
  }

  takeByte(): number {
    if (this.position >= this.end) return this.#fail();
    return this.bytes[this.position++]!;
  }

  takeUint16(): number {
    if (this.position + 2 > this.end) return this.#fail();
    const { bytes, position } = this;
    this.position += 2;
    return (bytes[position]! << 8) | bytes[position + 1]!;
  }

  takeUint32(): number {
    if (this.position + 4 > this.end) return this.#fail();
    const { bytes, position: p } = this;
    this.position += 4;
    return ((bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!) >>> 0;
  }

  /** Signed 64 bits; what lies outside ±2⁵³ fails. */
  takeInt64(): number {
    const high = this.takeUint32() | 0;
    const low = this.takeUint32();
    const value = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : this.#fail();
  }

  /** Unsigned 64 bits; what lies above 2⁵³ fails. */
  takeUint64(): number {
    const high = this.takeUint32();
    const low = this.takeUint32();
    const value = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : this.#fail();
  }

  /** An unsigned variable-length integer up to 2⁵³. */
  takeUvarint(): number {
    const { bytes, end } = this;
    let position = this.position;
    let value = 0;
    let shift = 0;
    while (shift < 28) {
      if (position >= end) return this.#fail();
      const byte = bytes[position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return value;
      }
      shift += 7;
    }
    let scale = 2 ** 28;
    for (;;) {
      if (position >= end) return this.#fail();
      const byte = bytes[position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
      if (scale > 2 ** 63) return this.#fail();
    }
    if (value > Number.MAX_SAFE_INTEGER) return this.#fail();
    this.position = position;
    return value;
  }

  /** A zigzag-folded variable-length integer within ±2⁵³. */
  takeVarint(): number {
    const { bytes, end } = this;
    let position = this.position;
    if (position >= end) return this.#fail();
    // The lowest bit is the sign, so it is split off before the value can leave the exact range.
    let byte = bytes[position++]!;
    const negative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    let scale = 64;
    while (byte >= 0x80) {
      if (position >= end || scale > 2 ** 63) return this.#fail();
      byte = bytes[position++]!;
      magnitude += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (magnitude > Number.MAX_SAFE_INTEGER) return this.#fail();
    this.position = position;
    return negative ? -magnitude - 1 : magnitude;
  }

  /** A view of the next `sizeBytes` bytes. */
  takeBytes(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.remaining) {
      this.#fail();
      return new Uint8Array(0);
    }
    const view = this.bytes.subarray(this.position, this.position + sizeBytes);
    this.position += sizeBytes;
    return view;
  }

  /** A length as uvarint, then that many bytes of UTF-8. */
  takeUvarintText(): string {
    return decodeUtf8(this.takeBytes(this.takeUvarint()));
  }
}

/** Text of UTF-8 bytes, whether or not they lie in shared memory. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length < 48) {
    // For short ASCII this beats the decoder's call overhead, and it accepts shared memory.
    let text = '';
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! >= 0x80) return decoder.decode(bytes.slice());
      text += String.fromCharCode(bytes[i]!);
    }
    return text;
  }
  return decoder.decode(isShared(bytes) ? bytes.slice() : bytes);
}

function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer;
}
