/**
 * Puts an open chunk, as a snapshot has it, back into a series that has nothing newer. A plain XOR
 * chunk is not encoded again: its bytes become a chain of segments, and what the encoder has to
 * know about them (where the next bit goes, the last delta, the window) follows from the samples.
 */
import { type SampleBuffer, uvarintSize } from '../../model/index.ts';
import { Encoding } from '../chunk/encoding.ts';
import { NO_WINDOW, nextXorWindow } from '../chunk/xor.ts';
import type { Heap } from '../memory/heap.ts';
import { type OpenChunks, SEGMENT_PAYLOAD_BYTES, XOR_CHUNK_SIZE_BYTES_MAX } from './open-chunk.ts';
import * as Rec from './series-record.ts';

const HEADER_BITS = 16;
const VALUE_BITS = 64;
const WORDS_PER_SEGMENT = SEGMENT_PAYLOAD_BYTES / 4;

/** What is known of a chunk's bits when its samples are. */
const measured = { bitCount: 0, window: NO_WINDOW, lastDeltaMs: 0 };

/**
 * @param bytes    a XOR chunk `[start, end)`
 * @param samples  what it holds: one or more, ascending by time
 * @returns false, having done nothing, when these are not the bits in which we would have written
 *          the samples; then they can only be appended one by one
 */
export function restoreXorChunk(
  heap: Heap,
  open: OpenChunks,
  record: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  samples: SampleBuffer,
): boolean {
  const { timestampsMs, valueHalves, count } = samples;
  const sizeBytes = end - start;
  if (sizeBytes > XOR_CHUNK_SIZE_BYTES_MAX || !measure(samples)) return false;
  const { bitCount, window, lastDeltaMs } = measured;
  if ((bitCount + 7) >>> 3 !== sizeBytes) return false;

  const first = open.addSegment();
  let segment = first;
  let at = start;
  // The word of the next bit, which may be one behind the last byte.
  const tailIndex = bitCount >>> 5;
  for (let index = 0; index <= tailIndex; index++) {
    const slot = index % WORDS_PER_SEGMENT;
    if (index > 0 && slot === 0) {
      const next = open.addSegment();
      heap.u32[segment >>> 2] = next;
      segment = next;
    }
    // Behind the end of the chunk there are zeros.
    const word =
      ((at < end ? bytes[at]! : 0) << 24) |
      ((at + 1 < end ? bytes[at + 1]! : 0) << 16) |
      ((at + 2 < end ? bytes[at + 2]! : 0) << 8) |
      (at + 3 < end ? bytes[at + 3]! : 0);
    // The count is not in the bits while the chunk is open.
    heap.u32[(segment >>> 2) + 1 + slot] = index === 0 ? word & 0xffff : word;
    at += 4;
  }
  const { u32, f64 } = heap;
  const word = record >>> 2;
  const double = record >>> 3;
  const last = count - 1;
  u32[word + Rec.OPEN_CHUNK] = first;
  u32[word + Rec.TAIL] = segment + 4 + (tailIndex % WORDS_PER_SEGMENT) * 4;
  u32[word + Rec.STATE] = count | ((32 - (bitCount & 31)) << 16) | (Encoding.Xor << 24);
  u32[word + Rec.OPEN_SIZE] = Math.floor(tailIndex / WORDS_PER_SEGMENT) * SEGMENT_PAYLOAD_BYTES;
  u32[word + Rec.VALUE_LOW] = valueHalves[last * 2]!;
  u32[word + Rec.VALUE_HIGH] = valueHalves[last * 2 + 1]!;
  const flags = u32[word + Rec.WINDOW]! & Rec.FLAGS_MASK & ~Rec.FLAG_ENCODED;
  u32[word + Rec.WINDOW] = flags | window;
  f64[double + Rec.OPEN_MIN_TIME] = timestampsMs[0]!;
  f64[double + Rec.LAST_DELTA] = lastDeltaMs;
  f64[double + Rec.MAX_TIME] = timestampsMs[last]!;
  return true;
}

/** Fills `measured`; false when times do not ascend, which no writer of ours makes. */
function measure({ timestampsMs, valueHalves, count }: SampleBuffer): boolean {
  let bitCount = HEADER_BITS + varintSize(timestampsMs[0]!) * 8 + VALUE_BITS;
  let window = NO_WINDOW;
  let deltaMs = 0;
  for (let i = 1; i < count; i++) {
    const nextDeltaMs = timestampsMs[i]! - timestampsMs[i - 1]!;
    if (!(nextDeltaMs > 0)) return false;
    bitCount += i === 1 ? uvarintSize(nextDeltaMs) * 8 : timeBits(nextDeltaMs - deltaMs);
    deltaMs = nextDeltaMs;
    const low = valueHalves[i * 2]! ^ valueHalves[i * 2 - 2]!;
    const high = valueHalves[i * 2 + 1]! ^ valueHalves[i * 2 - 1]!;
    if ((low | high) === 0) {
      bitCount += 1;
      continue;
    }
    const next = nextXorWindow(window, high, low);
    const width = 64 - (next & 0xff) - (next >>> 8);
    bitCount += (next === window ? 2 : 13) + width;
    window = next;
  }
  measured.bitCount = bitCount;
  measured.window = window;
  measured.lastDeltaMs = deltaMs;
  return true;
}

/** Bits in which a change of the distance between samples is written (chunk/xor.ts). */
function timeBits(change: number): number {
  if (change === 0) return 1;
  if (change >= -8191 && change <= 8192) return 16;
  if (change >= -65_535 && change <= 65_536) return 20;
  return change >= -524_287 && change <= 524_288 ? 24 : 68;
}

/** Of a number in zigzag form. */
function varintSize(value: number): number {
  return uvarintSize(value < 0 ? -value * 2 - 1 : value * 2);
}
