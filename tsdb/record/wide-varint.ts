/**
 * Variable-length integers that may use all 64 bits. Counts of histograms and ends of time do, and a
 * log is not corrupt for it: beyond ±2⁵³ the nearest double is given.
 */
import { type ByteReader, VARINT_SIZE_MAX } from '../../model/index.ts';

/** Unsigned; beyond 2⁵³ rounded. */
export function takeWideUvarint(reader: ByteReader): number {
  let value = 0;
  let scale = 1;
  for (let size = 1; size <= VARINT_SIZE_MAX; size++) {
    const byte = reader.takeByte();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  reader.failed = true;
  return 0;
}

/** Signed, zigzag-folded; beyond ±2⁵³ rounded. */
export function takeWideVarint(reader: ByteReader): number {
  const first = reader.takeByte();
  let magnitude = (first & 0x7f) >>> 1;
  let scale = 64;
  for (let byte = first, size = 1; byte >= 0x80; size++) {
    if (size >= VARINT_SIZE_MAX) {
      reader.failed = true;
      return 0;
    }
    byte = reader.takeByte();
    magnitude += (byte & 0x7f) * scale;
    scale *= 128;
  }
  return first & 1 ? -magnitude - 1 : magnitude;
}

/** Signed; clamped to ±(2⁵³-1). */
export function takeSaturatingVarint(reader: ByteReader): number {
  const value = takeWideVarint(reader);
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}
