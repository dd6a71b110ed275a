/**
 * Bits into bytes, most significant first, at a bit position the caller keeps.
 *
 * The rule for the buffer: bits before the position in its byte are kept, everything after it may be
 * anything and is overwritten. So a buffer need not be cleared, and a chunk can move between buffers.
 */

/** Writes the lower `count` (1…32) bits of `value` at `position`; returns the position behind them. */
export function writeBits(
  bytes: Uint8Array,
  position: number,
  value: number,
  count: number,
): number {
  let index = position >>> 3;
  const used = position & 7;
  let left = count;
  if (used !== 0) {
    const free = 8 - used;
    const kept = bytes[index]! & (0xff00 >>> used);
    if (left <= free) {
      bytes[index] = kept | ((value << (free - left)) & (0xff >>> used));
      return position + count;
    }
    left -= free;
    bytes[index++] = kept | ((value >>> left) & (0xff >>> used));
  }
  while (left >= 8) {
    left -= 8;
    bytes[index++] = value >>> left;
  }
  if (left > 0) bytes[index] = value << (8 - left);
  return position + count;
}

/** Writes 64 bits given as halves. */
export function write64Bits(
  bytes: Uint8Array,
  position: number,
  high: number,
  low: number,
): number {
  return writeBits(bytes, writeBits(bytes, position, high, 32), low, 32);
}

/** Bytes that hold `bitCount` bits. */
export function bytesForBits(bitCount: number): number {
  return (bitCount + 7) >>> 3;
}
