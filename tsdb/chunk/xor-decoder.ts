/** Reads a XOR chunk straight into columns. Format: xor.ts. */
import { CorruptionError, type SampleBuffer } from '../../model/index.ts';
import type { ChunkPlace } from './decoder.ts';
import { padChunk } from './padded-chunk.ts';
import { settlePlainFloats } from './sample-columns.ts';
import { XOR_HEADER_SIZE_BYTES } from './xor.ts';

/**
 * Appends the samples of `chunk[start, end)` with minMs ≤ t ≤ maxMs to `out`.
 * @throws CorruptionError when the chunk ends before its samples do
 */
export function decodeXor(
  chunk: Uint8Array,
  start: number,
  end: number,
  minMs: number,
  maxMs: number,
  out: SampleBuffer,
  place: ChunkPlace,
): void {
  const size = end - start;
  if (size < XOR_HEADER_SIZE_BYTES) throw new CorruptionError('chunk has no header', place);
  const { bytes, view } = padChunk(chunk, start, end);
  const sampleCount = (bytes[0]! << 8) | bytes[1]!;
  if (sampleCount === 0) return;
  out.reserve(out.count + sampleCount);
  const { timestampsMs, valueHalves } = out;
  let count = out.count;

  // Sample 0: varint time, plain value.
  let at = XOR_HEADER_SIZE_BYTES;
  let byte = bytes[at++]!;
  const isNegative = (byte & 1) === 1;
  let timestampMs = (byte & 0x7f) >>> 1;
  for (let scale = 64; byte >= 0x80 && at < size; scale *= 128) {
    byte = bytes[at++]!;
    timestampMs += (byte & 0x7f) * scale;
  }
  if (isNegative) timestampMs = -timestampMs - 1;
  let high = view.getInt32(at);
  let low = view.getInt32(at + 4);
  at += 8;
  timestampsMs[count] = timestampMs;
  valueHalves[count * 2] = low;
  valueHalves[count * 2 + 1] = high;
  if (timestampMs >= minMs && timestampMs <= maxMs) count++;

  // Sample 1: uvarint delta; the value as in all that follow.
  let deltaMs = 0;
  if (sampleCount > 1) {
    let scale = 1;
    do {
      byte = bytes[at++]!;
      deltaMs += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80 && at < size);
  }

  let position = at * 8;
  let trailing = 0;
  let width = 0;
  for (let index = 1; index < sampleCount; index++) {
    let word =
      (view.getInt32(position >>> 3) << (position & 7)) |
      (bytes[(position >>> 3) + 4]! >>> (8 - (position & 7)));
    // `word` has the next 32 bits on top; the sign is the next bit.
    if (index > 1) {
      if (word >= 0) {
        position += 1;
        word <<= 1;
      } else if (word << 1 >= 0) {
        const dod = (word << 2) >>> 18;
        deltaMs += dod > 8192 ? dod - 16384 : dod;
        position += 16;
        word <<= 16;
      } else {
        if (word << 2 >= 0) {
          const dod = (word << 3) >>> 15;
          deltaMs += dod > 65536 ? dod - 131072 : dod;
          position += 20;
        } else if (word << 3 >= 0) {
          const dod = (word << 4) >>> 12;
          deltaMs += dod > 524288 ? dod - 1048576 : dod;
          position += 24;
        } else {
          const dodAt = position + 4;
          const dodHigh =
            (view.getInt32(dodAt >>> 3) << (dodAt & 7)) |
            (bytes[(dodAt >>> 3) + 4]! >>> (8 - (dodAt & 7)));
          const lowAt = dodAt + 32;
          const dodLow =
            (view.getInt32(lowAt >>> 3) << (lowAt & 7)) |
            (bytes[(lowAt >>> 3) + 4]! >>> (8 - (lowAt & 7)));
          deltaMs += dodHigh * 0x1_0000_0000 + (dodLow >>> 0);
          position += 68;
        }
        if (position > size * 8) break;
        word =
          (view.getInt32(position >>> 3) << (position & 7)) |
          (bytes[(position >>> 3) + 4]! >>> (8 - (position & 7)));
      }
    }
    timestampMs += deltaMs;

    if (word >= 0) {
      position += 1;
    } else {
      if (word << 1 >= 0) {
        position += 2;
      } else {
        width = (word << 7) >>> 26;
        if (width === 0) width = 64;
        trailing = 64 - ((word << 2) >>> 27) - width;
        position += 13;
      }
      if (position + width > size * 8 || trailing < 0 || width === 0) {
        position = size * 8 + 1;
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
    valueHalves[count * 2] = low;
    valueHalves[count * 2 + 1] = high;
    if (timestampMs >= minMs) {
      if (timestampMs > maxMs) break;
      count++;
    }
  }
  if (position > size * 8) throw new CorruptionError('chunk ends before its samples', place);
  settlePlainFloats(out, out.count, count);
  out.count = count;
}
