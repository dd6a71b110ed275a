/**
 * The bit rules of XOR chunks, one function each, so that every writer of them (the encoder here, the
 * head's appender over shared memory) produces the same bits.
 *
 *   ┌────────────┬─────────────┬─────────┬───────────────┬─────┬───────────┬─────┬───
 *   │ #samples   │ time 0      │ value 0 │ time 1 delta  │ xor │ time dod  │ xor │ …
 *   │ u16 BE     │ varint      │ f64     │ uvarint       │     │           │     │
 *   └────────────┴─────────────┴─────────┴───────────────┴─────┴───────────┴─────┴───
 *   dod   delta of deltas of the times           xor   of the value's bits with those before
 *         0                             0              0                    same value
 *         10   + 14 bits   -8191 … 8192                10  + bits           inside the last window
 *         110  + 17 bits   -65535 … 65536              11  + leading zeros (5) + width (6, 0 is 64)
 *         1110 + 20 bits   -524287 … 524288                + width bits     a new window
 *         1111 + 64 bits
 *
 * A window is the stretch of bits between leading and trailing zeros that is written. After the
 * last bit zeros fill the byte.
 * Page: docs/format/chunks.md. Source: Prometheus "Chunks Disk Format" and "bstream details"; Gorilla,
 * VLDB 2015; bits checked against chunks that Prometheus wrote.
 */
import { writeVarint, writeUvarint } from '../../model/index.ts';
import { write64Bits, writeBits } from './bits.ts';

export const XOR_HEADER_SIZE_BYTES = 2;
/** No window yet: whatever comes does not fit in. */
export const NO_WINDOW = 0xff;
/** Leading zeros are written in five bits. */
const LEADING_MAX = 31;
/** Room that one more sample may need: 68 bits of time, 77 of value, and the byte it begins in. */
export const XOR_SAMPLE_SIZE_BYTES_MAX = 20;
/** Room that the header and the first sample need at most. */
export const XOR_FIRST_SAMPLE_SIZE_BYTES_MAX = XOR_HEADER_SIZE_BYTES + 10 + 8;

/**
 * The window in which to write a xor ≠ 0, packed as `leading | trailing << 8`: `window` itself when the
 * bits fit in, else the tight one around them.
 */
export function nextXorWindow(window: number, high: number, low: number): number {
  let leading = high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low);
  const trailing = low !== 0 ? 31 - Math.clz32(low & -low) : 63 - Math.clz32(high & -high);
  if (leading > LEADING_MAX) leading = LEADING_MAX;
  if (window !== NO_WINDOW && leading >= (window & 0xff) && trailing >= window >>> 8) return window;
  return leading | (trailing << 8);
}

/**
 * Writes the xor of a value. `next` is {@link nextXorWindow} of `window`; it is ignored for a xor of 0.
 */
export function writeXor(
  bytes: Uint8Array,
  position: number,
  high: number,
  low: number,
  window: number,
  next: number,
): number {
  if ((high | low) === 0) return writeBits(bytes, position, 0, 1);
  const leading = next & 0xff;
  const trailing = next >>> 8;
  const width = 64 - leading - trailing;
  if (next === window) {
    position = writeBits(bytes, position, 0b10, 2);
  } else {
    position = writeBits(bytes, position, (0b11 << 11) | (leading << 6) | (width & 63), 13);
  }
  return writeWindowBits(bytes, position, high, low, trailing, width);
}

/** The `width` bits of a xor that end at `trailing`. */
export function writeWindowBits(
  bytes: Uint8Array,
  position: number,
  high: number,
  low: number,
  trailing: number,
  width: number,
): number {
  if (trailing >= 32) return writeBits(bytes, position, high >>> (trailing - 32), width);
  const shiftedLow = trailing === 0 ? low : ((low >>> trailing) | (high << (32 - trailing))) >>> 0;
  if (width <= 32) return writeBits(bytes, position, shiftedLow, width);
  position = writeBits(bytes, position, high >>> trailing, width - 32);
  return writeBits(bytes, position, shiftedLow, 32);
}

/** Writes a delta of deltas as floats' chunks do. */
export function writeDod(bytes: Uint8Array, position: number, dod: number): number {
  if (dod === 0) return writeBits(bytes, position, 0, 1);
  if (dod >= -8191 && dod <= 8192) {
    return writeBits(bytes, position, (0b10 << 14) | (dod & 0x3fff), 16);
  }
  if (dod >= -65535 && dod <= 65536) {
    return writeBits(bytes, position, (0b110 << 17) | (dod & 0x1ffff), 20);
  }
  if (dod >= -524287 && dod <= 524288) {
    return writeBits(bytes, position, (0b1110 << 20) | (dod & 0xfffff), 24);
  }
  return writeInt64(bytes, writeBits(bytes, position, 0b1111, 4), dod);
}

/** A whole number within ±2⁵³ as 64 bits. */
export function writeInt64(bytes: Uint8Array, position: number, value: number): number {
  const high = Math.floor(value / 0x1_0000_0000);
  return write64Bits(bytes, position, high, value - high * 0x1_0000_0000);
}

/** The first sample, behind the header; returns the bit position. */
export function writeFirstSample(
  bytes: Uint8Array,
  offset: number,
  timestampMs: number,
  high: number,
  low: number,
): number {
  const position = writeVarint(bytes, offset, timestampMs) * 8;
  return write64Bits(bytes, position, high, low);
}

/** The second time; the position is at a byte's begin here. */
export function writeFirstDelta(bytes: Uint8Array, position: number, deltaMs: number): number {
  return writeUvarint(bytes, position >>> 3, deltaMs) * 8;
}
