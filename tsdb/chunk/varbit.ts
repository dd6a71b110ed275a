/**
 * Whole numbers in the fewest bits, as histogram chunks and start timestamps have them. A prefix tells
 * the width of what follows.
 *
 *   prefix      width   signed                  unsigned
 *   0             0     0                       0
 *   10            3     -3 … 4                  1 … 7
 *   110           6     -31 … 32                … 63
 *   1110          9     -255 … 256              … 511
 *   11110        12     -2047 … 2048            … 4095
 *   111110       18     -131071 … 131072        … 2¹⁸-1
 *   1111110      25     -(2²⁴-1) … 2²⁴          … 2²⁵-1
 *   11111110     56     -(2⁵⁵-1) … 2⁵⁵          … 2⁵⁶-1
 *   11111111     64     all others
 *
 * A signed number above half of its width's range stands for itself minus the range.
 * Source: Prometheus "Chunks Disk Format" (number of bits and bytes) and "bstream details" (signs);
 * widths worked out from chunks that Prometheus wrote.
 */
import type { BitCursor } from './bit-cursor.ts';
import { writeBits } from './bits.ts';
import { writeInt64 } from './xor.ts';

const WIDTHS = [0, 3, 6, 9, 12, 18, 25, 56, 64] as const;
const LAST = WIDTHS.length - 1;
/** A number takes at most eight bits of prefix and 64 more. */
export const VARBIT_SIZE_BYTES_MAX = 9;

export function writeVarbitInt(bytes: Uint8Array, position: number, value: number): number {
  let rank = 0;
  if (value !== 0) {
    rank = 1;
    while (rank < LAST) {
      const half = 2 ** (WIDTHS[rank]! - 1);
      if (value > -half && value <= half) break;
      rank++;
    }
  }
  return writeRanked(bytes, position, value, rank);
}

export function writeVarbitUint(bytes: Uint8Array, position: number, value: number): number {
  let rank = 0;
  if (value !== 0) {
    rank = 1;
    while (rank < LAST && value >= 2 ** WIDTHS[rank]!) rank++;
  }
  return writeRanked(bytes, position, value, rank);
}

function writeRanked(bytes: Uint8Array, position: number, value: number, rank: number): number {
  if (rank === 0) return writeBits(bytes, position, 0, 1);
  if (rank === LAST) return writeInt64(bytes, writeBits(bytes, position, 0xff, 8), value);
  // `rank` ones and a zero.
  position = writeBits(bytes, position, (1 << (rank + 1)) - 2, rank + 1);
  const width = WIDTHS[rank]!;
  if (width <= 32) return writeBits(bytes, position, value, width);
  const high = Math.floor(value / 0x1_0000_0000);
  position = writeBits(bytes, position, high, width - 32);
  return writeBits(bytes, position, value - high * 0x1_0000_0000, 32);
}

export function takeVarbitInt(cursor: BitCursor): number {
  const rank = takeRank(cursor);
  if (rank === 0) return 0;
  if (rank === LAST) return cursor.takeInt64();
  const width = WIDTHS[rank]!;
  const range = 2 ** width;
  if (width <= 32) {
    const value = cursor.takeBits(width);
    return value > range / 2 ? value - range : value;
  }
  // By halves: the sum may only leave the exact range if the number itself does.
  const high = cursor.takeBits(width - 32);
  const low = cursor.takeBits(32);
  const highRange = range / 0x1_0000_0000;
  const isNegative = high > highRange / 2 || (high === highRange / 2 && low > 0);
  return (isNegative ? high - highRange : high) * 0x1_0000_0000 + low;
}

export function takeVarbitUint(cursor: BitCursor): number {
  const rank = takeRank(cursor);
  if (rank === 0) return 0;
  if (rank === LAST) return cursor.takeBits(32) * 0x1_0000_0000 + cursor.takeBits(32);
  const width = WIDTHS[rank]!;
  if (width <= 32) return cursor.takeBits(width);
  return cursor.takeBits(width - 32) * 0x1_0000_0000 + cursor.takeBits(32);
}

/** How many ones there are before the first zero, at most eight. */
function takeRank(cursor: BitCursor): number {
  const ones = Math.min(LAST, Math.clz32(~cursor.peek()));
  cursor.position += Math.min(LAST, ones + 1);
  return ones;
}
