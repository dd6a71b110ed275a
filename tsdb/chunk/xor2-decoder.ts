/** Reads an XOR2 chunk straight into columns. Format: xor2.ts. */
import {
  CorruptionError,
  type SampleBuffer,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { BitCursor } from './bit-cursor.ts';
import type { ChunkPlace } from './decoder.ts';
import { padChunk } from './padded-chunk.ts';
import { settleHistogramGaps, settlePlainFloats, startColumn } from './sample-columns.ts';
import { StartTimeReader } from './start-times.ts';
import { XOR2_HEADER_SIZE_BYTES } from './xor2.ts';

const starts = new StartTimeReader();
const cursor = new BitCursor();

/**
 * Appends the samples of `chunk[start, end)` with minMs ≤ t ≤ maxMs to `out`.
 * @throws CorruptionError when the chunk ends before its samples do
 */
export function decodeXor2(
  chunk: Uint8Array,
  start: number,
  end: number,
  minMs: number,
  maxMs: number,
  out: SampleBuffer,
  place: ChunkPlace,
): void {
  const size = end - start;
  if (size < XOR2_HEADER_SIZE_BYTES) throw new CorruptionError('chunk has no header', place);
  const padded = padChunk(chunk, start, end);
  const { bytes, view } = padded;
  const sampleCount = (bytes[0]! << 8) | bytes[1]!;
  if (sampleCount === 0) return;
  out.reserve(out.count + sampleCount);
  const { timestampsMs, valueHalves } = out;
  const firstIndex = out.count;
  let count = firstIndex;
  const hasStarts = starts.reset(bytes[2]!);
  const startTimestampsMs = hasStarts ? startColumn(out) : null;

  cursor.reset(padded, size, XOR2_HEADER_SIZE_BYTES * 8);
  let timestampMs = cursor.takeVarint();
  // `high` and `low` are the value that changes refer to, which a staleness marker leaves alone.
  let high = cursor.takeBits(32) | 0;
  let low = cursor.takeBits(32) | 0;
  starts.takeFirst(cursor, timestampMs);
  timestampsMs[count] = timestampMs;
  valueHalves[count * 2] = low;
  valueHalves[count * 2 + 1] = high;
  if (startTimestampsMs !== null) startTimestampsMs[count] = starts.startMs;
  if (timestampMs >= minMs && timestampMs <= maxMs) count++;
  if (low === STALE_NAN_LOW && high === STALE_NAN_HIGH) high = low = 0;

  let deltaMs = sampleCount > 1 ? cursor.takeUvarint() : 0;
  let position = cursor.position;
  const endPosition = size * 8;
  let trailing = 0;
  let width = 0;
  for (let index = 1; index < sampleCount; index++) {
    if (position > endPosition) break;
    let word =
      (view.getInt32(position >>> 3) << (position & 7)) |
      (bytes[(position >>> 3) + 4]! >>> (8 - (position & 7)));
    // `word` has the next 32 bits on top; the sign is the next bit.
    /** What comes next: nothing, bits in the known window, or a new window before them. */
    let change: 0 | 1 | 2 = 0;
    let isStale = false;
    let hasChangeField = index === 1;
    if (index > 1) {
      if (word >= 0) {
        position += 1;
      } else if (word << 1 >= 0) {
        change = word << 2 >= 0 ? 1 : 2;
        position += 3;
        word <<= 3;
      } else if (word << 2 >= 0) {
        deltaMs += (word << 3) >> 19;
        position += 16;
        word <<= 16;
        hasChangeField = true;
      } else if (word << 3 >= 0) {
        deltaMs += (word << 4) >> 12;
        position += 24;
        hasChangeField = true;
      } else if (word << 4 >= 0) {
        cursor.position = position + 5;
        deltaMs += cursor.takeInt64();
        position += 69;
        hasChangeField = true;
      } else {
        isStale = true;
        position += 5;
      }
      if (hasChangeField) {
        if (position > endPosition) break;
        word =
          (view.getInt32(position >>> 3) << (position & 7)) |
          (bytes[(position >>> 3) + 4]! >>> (8 - (position & 7)));
      }
    }
    const previousMs = timestampMs;
    timestampMs += deltaMs;
    if (hasChangeField) {
      if (word >= 0) {
        position += 1;
      } else if (word << 1 >= 0) {
        change = 1;
        position += 2;
      } else if (word << 2 >= 0) {
        change = 2;
        position += 3;
        word <<= 3;
      } else {
        isStale = true;
        position += 3;
      }
    }
    if (change === 2) {
      width = (word << 5) >>> 26;
      if (width === 0) width = 64;
      trailing = 64 - (word >>> 27) - width;
      position += 11;
    }
    if (change !== 0) {
      if (position + width > endPosition || trailing < 0 || width === 0) {
        position = endPosition + 1;
        break;
      }
      let bits =
        (view.getInt32(position >>> 3) << (position & 7)) |
        (bytes[(position >>> 3) + 4]! >>> (8 - (position & 7)));
      if (width <= 32) {
        bits >>>= 32 - width;
        if (trailing >= 32) {
          high ^= bits << (trailing - 32);
        } else {
          low ^= bits << trailing;
          if (trailing > 0) high ^= bits >>> (32 - trailing);
        }
      } else {
        bits >>>= 64 - width;
        const lowAt = position + width - 32;
        const lowBits =
          (view.getInt32(lowAt >>> 3) << (lowAt & 7)) |
          (bytes[(lowAt >>> 3) + 4]! >>> (8 - (lowAt & 7)));
        low ^= lowBits << trailing;
        high ^= bits << trailing;
        if (trailing > 0) high ^= lowBits >>> (32 - trailing);
      }
      position += width;
    }

    timestampsMs[count] = timestampMs;
    valueHalves[count * 2] = isStale ? STALE_NAN_LOW : low;
    valueHalves[count * 2 + 1] = isStale ? STALE_NAN_HIGH : high;
    if (startTimestampsMs !== null) {
      cursor.position = position;
      starts.take(cursor, index, previousMs);
      position = cursor.position;
      startTimestampsMs[count] = starts.startMs;
    }
    if (timestampMs >= minMs) {
      if (timestampMs > maxMs) break;
      count++;
    }
  }
  if (position > endPosition) throw new CorruptionError('chunk ends before its samples', place);
  if (hasStarts) settleHistogramGaps(out, firstIndex, count);
  else settlePlainFloats(out, firstIndex, count);
  out.count = count;
}
