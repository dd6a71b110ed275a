import { VARINT_SIZE_MAX, writeUvarint, writeVarint } from './varint.ts';

const encoder = new TextEncoder();
/** So few bytes are copied faster one by one than through a view of them. */
const SHORT_SIZE_BYTES = 128;

/** A growing buffer. Numbers go in big-endian unless the name says otherwise. */
export class ByteWriter {
  /** The storage; only the first `length` bytes are meaningful. Replaced when it grows. */
  bytes: Uint8Array;
  length = 0;

  constructor(capacityBytes = 256) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /** Forgets the content, keeps the storage. */
  clear(): void {
    this.length = 0;
  }

  /** What was written so far; a view that the next write may invalidate. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for `sizeBytes` more. */
  reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  putByte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  putUint16(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  putUint32(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length += 4;
  }

  /** A whole number of either sign as 64-bit two's complement, exact within ±2⁵³. */
  putInt64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.putUint32(high >>> 0);
    this.putUint32((value - high * 0x1_0000_0000) >>> 0);
  }

  /** Unsigned 64 bits, exact up to 2⁵³. */
  putUint64(value: number): void {
    this.putInt64(value);
  }

  /** A float64 by its halves, so that NaN payloads survive. */
  putFloat64Bits(high: number, low: number): void {
    this.putUint32(high);
    this.putUint32(low);
  }

  putUvarint(value: number): void {
    this.reserve(VARINT_SIZE_MAX);
    this.length = writeUvarint(this.bytes, this.length, value);
  }

  putVarint(value: number): void {
    this.reserve(VARINT_SIZE_MAX);
    this.length = writeVarint(this.bytes, this.length, value);
  }

  putBytes(data: Uint8Array): void {
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  /** What another writer holds. */
  putContent(other: ByteWriter): void {
    if (other.length > SHORT_SIZE_BYTES) return this.putBytes(other.view());
    this.reserve(other.length);
    const { bytes, length } = this;
    for (let i = 0; i < other.length; i++) bytes[length + i] = other.bytes[i]!;
    this.length += other.length;
  }

  /** The UTF-8 bytes of `text`, without length. */
  putText(text: string): void {
    this.reserve(text.length * 3);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** A length as uvarint, then the UTF-8 bytes. */
  putUvarintText(text: string): void {
    const ascii = /^[\x00-\x7f]*$/.test(text);
    if (ascii) {
      this.putUvarint(text.length);
      this.reserve(text.length);
      const { bytes, length } = this;
      for (let i = 0; i < text.length; i++) bytes[length + i] = text.charCodeAt(i);
      this.length += text.length;
      return;
    }
    const utf8 = encoder.encode(text);
    this.putUvarint(utf8.length);
    this.putBytes(utf8);
  }
}
