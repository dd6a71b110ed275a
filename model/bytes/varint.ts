/**
 * Variable-length integers as Go's encoding/binary and protobuf write them: seven bits a byte, low
 * first, the high bit says that more follow. Signed ones are zigzag-folded first.
 *
 * Values are plain numbers, exact up to 2⁵³; a 64-bit quantity beyond that (only found in corrupt
 * or foreign data) is refused rather than rounded.
 */
import { assert } from '../assert.ts';

export const VARINT_SIZE_MAX = 10;

/** Bytes that `value` takes. */
export function uvarintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value = value < 0x1_0000_0000 ? value >>> 7 : Math.floor(value / 128);
    size++;
  }
  return size;
}

/** Writes a whole number ≥ 0 and returns the offset just past it. */
export function writeUvarint(out: Uint8Array, offset: number, value: number): number {
  assert(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'uvarint out of range');
  while (value > 0x7fff_ffff) {
    out[offset++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  while (value >= 0x80) {
    out[offset++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  out[offset++] = value;
  return offset;
}

/** Writes a whole number of either sign, zigzag-folded, and returns the offset just past it. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    let folded = (value << 1) ^ (value >> 31);
    while (folded >= 0x80) {
      out[offset++] = (folded & 0x7f) | 0x80;
      folded >>>= 7;
    }
    out[offset++] = folded;
    return offset;
  }
  // Folding doubles the value, which may leave the exact range: emit the first byte by hand.
  const negative = value < 0;
  const magnitude = negative ? -(value + 1) : value; // folded = magnitude * 2 + negative
  const low = ((magnitude % 64) * 2 + (negative ? 1 : 0)) | 0x80;
  out[offset++] = low;
  return writeUvarint(out, offset, Math.floor(magnitude / 64));
}
