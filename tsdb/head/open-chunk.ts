/**
 * The chunk that a float series is filling, as a chain of 64-byte segments in shared memory.
 *
 *   word 0    address of the next segment, 0 in the newest one;
 *             once the chunk is finished, in the last one: size of the chunk in bytes × 2 + 1
 *   word 1…15 the bits of an XOR chunk (chunk/xor.ts), 32 to a word, the first in the highest bit
 *
 * Segments of one size never need to be moved and what a finished chunk leaves fits any other
 * series, so there is no slack beyond half a segment per series. A word holds its bits as a
 * number, not in file order, so that appending is shifts and ors; copying out swaps the bytes.
 *
 * The bits are exactly those of Prometheus's XOR encoding; what the encoder has to remember from
 * sample to sample stands in the series record. The first 16 bits, the sample count, stay zero
 * until the chunk is copied out.
 */
import {
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  VARINT_SIZE_MAX,
  writeUvarint,
  writeVarint,
} from '../../model/index.ts';
import { Encoding } from '../chunk/encoding.ts';
import { NO_WINDOW } from '../chunk/xor.ts';
import type { Allocator } from '../memory/allocator.ts';
import type { Heap } from '../memory/heap.ts';
import type { Retired } from '../memory/retired.ts';
import { CHUNK_SPAN_MS_MAX } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';

export const SEGMENT_SIZE_BYTES = 64;
const SEGMENT_MASK = SEGMENT_SIZE_BYTES - 1;
export const SEGMENT_PAYLOAD_BYTES = SEGMENT_SIZE_BYTES - 4;

/** 68 bits of time and 77 of value: the longest sample, in whole bytes. */
const SAMPLE_SIZE_BYTES_MAX = 19;
/** A chunk that has grown past this is finished before the next sample, whatever its count. */
export const XOR_CHUNK_SIZE_BYTES_MAX = 1024 - SAMPLE_SIZE_BYTES_MAX;
/** Below this count a chunk cannot be too large. */
export const XOR_CHUNK_COUNT_SAFE = Math.floor(
  (XOR_CHUNK_SIZE_BYTES_MAX - 20) / SAMPLE_SIZE_BYTES_MAX,
);
/** What `copyOpenChunk` and `copyFinishedChunk` need at most. */
export const COPY_SIZE_BYTES_MAX = 1024 + SEGMENT_PAYLOAD_BYTES;
/** No chain is longer; a longer walk means that the writer is changing it. */
const SEGMENT_COUNT_MAX = Math.ceil(COPY_SIZE_BYTES_MAX / SEGMENT_PAYLOAD_BYTES) + 1;

const varint = new Uint8Array(VARINT_SIZE_MAX);

/** Samples side by side; whose they are is told by the addresses of series records. */
export type RecordColumns = {
  readonly records: Uint32Array;
  readonly timestampsMs: Float64Array;
  /** Low, high of each value. */
  readonly valueHalves: Uint32Array;
};

/** In the WINDOW word: what is said about the newest sample. */
const VALUE_FLAGS = Rec.FLAG_VALUE_KNOWN | Rec.FLAG_STALE | Rec.FLAG_HISTOGRAM;
/** While the full segments of a chunk are no more than this, it cannot be too large. */
const FULL_SEGMENTS_SIZE_SAFE = XOR_CHUNK_SIZE_BYTES_MAX - SEGMENT_SIZE_BYTES;

/** The writer's side. */
export class OpenChunks {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  /** Where the next bit goes, while a sample is being written. */
  #tail = 0;
  #free = 0;

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
  }

  /** Starts a chunk with its first sample. */
  begin(record: number, timestampMs: number, low: number, high: number): void {
    const segment = this.addSegment();
    this.#tail = segment + 4;
    this.#free = 16; // the count stays free
    this.#putVarint(writeVarint(varint, 0, timestampMs));
    this.#put(high, 32);
    this.#put(low, 32);
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const double = record >>> 3;
    u32[word + Rec.OPEN_CHUNK] = segment;
    u32[word + Rec.VALUE_LOW] = low;
    u32[word + Rec.VALUE_HIGH] = high;
    const flags = u32[word + Rec.WINDOW]! & Rec.FLAGS_MASK & ~Rec.FLAG_ENCODED;
    u32[word + Rec.WINDOW] = flags | NO_WINDOW;
    u32[word + Rec.OPEN_SIZE] = 0;
    f64[double + Rec.OPEN_MIN_TIME] = timestampMs;
    f64[double + Rec.LAST_DELTA] = 0;
    f64[double + Rec.MAX_TIME] = timestampMs;
    this.#saveState(word, 1);
  }

  /** Appends a sample that is newer than the series' newest to the open chunk. */
  append(record: number, timestampMs: number, low: number, high: number): void {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const double = record >>> 3;
    const state = u32[word + Rec.STATE]!;
    const count = state & 0xffff;
    this.#tail = u32[word + Rec.TAIL]!;
    this.#free = (state >>> 16) & 0xff;
    const delta = timestampMs - f64[double + Rec.MAX_TIME]!;
    const change = delta - f64[double + Rec.LAST_DELTA]!;
    if (count === 1) this.#putVarint(writeUvarint(varint, 0, delta));
    else if (change === 0) this.#put(0, 1);
    else this.#putTimeChange(change);
    f64[double + Rec.LAST_DELTA] = delta;
    f64[double + Rec.MAX_TIME] = timestampMs;

    const xorLow = low ^ u32[word + Rec.VALUE_LOW]!;
    const xorHigh = high ^ u32[word + Rec.VALUE_HIGH]!;
    if (xorLow === 0 && xorHigh === 0) {
      this.#put(0, 1);
    } else {
      u32[word + Rec.VALUE_LOW] = low;
      u32[word + Rec.VALUE_HIGH] = high;
      this.#putXor(word, xorLow, xorHigh);
    }
    this.#saveState(word, count + 1);
  }

  /**
   * Appends the samples `[first, last)` of the columns as long as each simply goes on: the chunk is
   * open and nowhere near its end, time steps on by nearly the same, the value is an ordinary one.
   * That is what nearly all samples do. Arrays and an index come in, because numbers beyond 31 bits
   * as arguments would each be an object: without them a scrape leaves next to no garbage.
   * @returns the first sample that is left for the caller
   */
  appendRun(
    columns: RecordColumns,
    first: number,
    last: number,
    notBeforeMs: number,
    samplesPerChunk: number,
  ): number {
    const { records, timestampsMs, valueHalves } = columns;
    const estimateCount = samplesPerChunk >>> 2;
    const countMax = samplesPerChunk * 2;
    for (let i = first; i < last; i++) {
      const { u32, f64 } = this.#heap;
      const word = records[i]! >>> 2;
      const double = word >>> 1;
      const state = u32[word + Rec.STATE]!;
      const count = state & 0xffff;
      const timestampMs = timestampsMs[i]!;
      const lastMs = f64[double + Rec.MAX_TIME]!;
      const delta = timestampMs - lastMs;
      const change = delta - f64[double + Rec.LAST_DELTA]!;
      const low = valueHalves[i * 2]!;
      const high = valueHalves[i * 2 + 1]!;
      if (
        state >>> 24 !== Encoding.Xor ||
        count < 2 ||
        count === estimateCount ||
        count >= countMax ||
        !(delta > 0) ||
        change < -8191 ||
        change > 8192 ||
        timestampMs < notBeforeMs ||
        timestampMs >= f64[double + Rec.NEXT_CUT]! ||
        timestampMs - f64[double + Rec.OPEN_MIN_TIME]! > CHUNK_SPAN_MS_MAX ||
        u32[word + Rec.OPEN_SIZE]! > FULL_SEGMENTS_SIZE_SAFE ||
        (u32[word + Rec.WINDOW]! & VALUE_FLAGS) !== Rec.FLAG_VALUE_KNOWN ||
        (high === STALE_NAN_HIGH && low === STALE_NAN_LOW)
      ) {
        return i;
      }
      this.#tail = u32[word + Rec.TAIL]!;
      this.#free = (state >>> 16) & 0xff;
      f64[double + Rec.LAST_DELTA] = delta;
      f64[double + Rec.MAX_TIME] = timestampMs;
      const xorLow = low ^ u32[word + Rec.VALUE_LOW]!;
      const xorHigh = high ^ u32[word + Rec.VALUE_HIGH]!;
      if (xorLow === 0 && xorHigh === 0) {
        if (change === 0) this.#put(0, 2);
        else this.#put((0b10 << 15) | ((change & 0x3fff) << 1), 17);
      } else {
        if (change === 0) this.#put(0, 1);
        else this.#put((0b10 << 14) | (change & 0x3fff), 16);
        u32[word + Rec.VALUE_LOW] = low;
        u32[word + Rec.VALUE_HIGH] = high;
        this.#putXor(word, xorLow, xorHigh);
      }
      this.#saveState(word, count + 1);
    }
    return last;
  }

  /** Bytes of the open chunk so far. */
  sizeBytes(record: number): number {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    const inSegment = (u32[word + Rec.TAIL]! & SEGMENT_MASK) - 4;
    const usedBits = 32 - Rec.freeBitsOf(u32[word + Rec.STATE]!);
    return u32[word + Rec.OPEN_SIZE]! + inSegment + ((usedBits + 7) >>> 3);
  }

  /**
   * Finishes the open chunk: writes its count and size into the chain and returns the chain's
   * address, which the caller must file somewhere. The record has no open chunk then.
   */
  finish(record: number): number {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    const first = u32[word + Rec.OPEN_CHUNK]!;
    const state = u32[word + Rec.STATE]!;
    u32[(first >>> 2) + 1]! |= Rec.countOf(state) << 16;
    const sizeBytes = this.sizeBytes(record);
    const tail = u32[word + Rec.TAIL]!;
    u32[(tail - (tail & SEGMENT_MASK)) >>> 2] = sizeBytes * 2 + 1;
    u32[word + Rec.OPEN_CHUNK] = 0;
    u32[word + Rec.STATE] = 0;
    return first;
  }

  /** Gives back a chain, finished or (then cut off from its record) open. */
  retireChain(first: number): void {
    const { u32 } = this.#heap;
    let segment = first;
    while (segment !== 0 && (segment & 1) === 0) {
      const next = u32[segment >>> 2]!;
      this.#retired.add(segment, SEGMENT_SIZE_BYTES);
      segment = next;
    }
  }

  #saveState(word: number, count: number): void {
    const { u32 } = this.#heap;
    // More than one segment further is impossible: a sample is shorter than a segment.
    if (((u32[word + Rec.TAIL]! ^ this.#tail) & ~SEGMENT_MASK) !== 0 && count > 1) {
      u32[word + Rec.OPEN_SIZE]! += SEGMENT_PAYLOAD_BYTES;
    }
    u32[word + Rec.TAIL] = this.#tail;
    u32[word + Rec.STATE] = count | (this.#free << 16) | (Encoding.Xor << 24);
  }

  /** `change` of the distance between samples, not 0, in the narrowest of four forms. */
  #putTimeChange(change: number): void {
    if (change >= -8191 && change <= 8192) {
      this.#put((0b10 << 14) | (change & 0x3fff), 16);
    } else if (change >= -65_535 && change <= 65_536) {
      this.#put((0b110 << 17) | (change & 0x1_ffff), 20);
    } else if (change >= -524_287 && change <= 524_288) {
      this.#put((0b1110 << 20) | (change & 0xf_ffff), 24);
    } else {
      this.#put(0b1111, 4);
      const high = Math.floor(change / 0x1_0000_0000);
      this.#put(high >>> 0, 32);
      this.#put((change - high * 0x1_0000_0000) >>> 0, 32);
    }
  }

  /** The bits in which a value differs from the one before, which are not all zero; as int32. */
  #putXor(word: number, xorLow: number, xorHigh: number): void {
    const { u32 } = this.#heap;
    const window = u32[word + Rec.WINDOW]!;
    let leading = xorHigh !== 0 ? Math.clz32(xorHigh) : 32 + Math.clz32(xorLow);
    let trailing = xorLow !== 0 ? countTrailingZeros(xorLow) : 32 + countTrailingZeros(xorHigh);
    if (leading > 31) leading = 31; // five bits
    const windowLeading = window & 0xff;
    const windowTrailing = (window >>> 8) & 0xff;
    let bitCount: number;
    if (windowLeading !== NO_WINDOW && leading >= windowLeading && trailing >= windowTrailing) {
      this.#put(0b10, 2);
      trailing = windowTrailing;
      bitCount = 64 - windowLeading - windowTrailing;
    } else {
      u32[word + Rec.WINDOW] = (window & Rec.FLAGS_MASK) | (trailing << 8) | leading;
      bitCount = 64 - leading - trailing;
      // Six bits cannot say 64, so 0 stands for it.
      this.#put((0b11 << 11) | (leading << 6) | (bitCount & 63), 13);
    }
    if (trailing >= 32) {
      this.#put(xorHigh >>> (trailing - 32), bitCount);
      return;
    }
    const low = trailing === 0 ? xorLow : (xorLow >>> trailing) | (xorHigh << (32 - trailing));
    if (bitCount > 32) {
      this.#put(xorHigh >>> trailing, bitCount - 32);
      this.#put(low, 32);
    } else {
      this.#put(low, bitCount);
    }
  }

  #putVarint(length: number): void {
    for (let i = 0; i < length; i++) this.#put(varint[i]!, 8);
  }

  /** Appends the lowest `bitCount` bits (1…32) of `bits`, whose other bits are zero; any int32. */
  #put(bits: number, bitCount: number): void {
    const { u32 } = this.#heap;
    const free = this.#free;
    if (bitCount < free) {
      this.#free = free - bitCount;
      if (bits !== 0) u32[this.#tail >>> 2]! |= bits << (free - bitCount);
      return;
    }
    const rest = bitCount - free;
    u32[this.#tail >>> 2]! |= rest === 0 ? bits : bits >>> rest;
    this.#nextWord();
    this.#free = 32 - rest;
    if (rest > 0) this.#heap.u32[this.#tail >>> 2] = bits << (32 - rest);
  }

  #nextWord(): void {
    const next = this.#tail + 4;
    if ((next & SEGMENT_MASK) !== 0) {
      this.#tail = next;
      return;
    }
    const segment = this.addSegment();
    this.#heap.u32[(next - SEGMENT_SIZE_BYTES) >>> 2] = segment;
    this.#tail = segment + 4;
  }

  /** A segment of zeros. */
  addSegment(): number {
    const segment = this.#allocator.allocate(SEGMENT_SIZE_BYTES);
    const { f64 } = this.#heap;
    for (let i = 0; i < SEGMENT_SIZE_BYTES / 8; i++) f64[(segment >>> 3) + i] = 0;
    return segment;
  }
}

function countTrailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * Copies an open chunk as the bytes of an XOR chunk and returns how many there are. The figures are
 * those of the series record; a reader that raced with the writer gets bytes that it must not use,
 * but always an answer.
 *
 * @param target  little-endian view of the bytes, with room for COPY_SIZE_BYTES_MAX from `start` on
 * @param start   a word of `target`
 */
export function copyOpenChunk(
  heap: Heap,
  first: number,
  tail: number,
  freeBits: number,
  sampleCount: number,
  target: Uint32Array,
  start: number,
): number {
  let segment = first;
  let at = start;
  for (let i = 0; i < SEGMENT_COUNT_MAX; i++) {
    heap.cover(segment + SEGMENT_SIZE_BYTES);
    if (segment + SEGMENT_SIZE_BYTES > heap.sizeBytes) break;
    const { u32 } = heap;
    const isLast = tail >= segment && tail < segment + SEGMENT_SIZE_BYTES;
    const end = isLast ? tail + 4 : segment + SEGMENT_SIZE_BYTES;
    at = copyWords(u32, (segment + 4) >>> 2, end >>> 2, target, at);
    if (isLast) break;
    segment = u32[segment >>> 2]!;
    if (segment === 0) break;
  }
  // The first two bytes of the file are the lowest two of the word.
  target[start]! |= (sampleCount >>> 8) | ((sampleCount & 0xff) << 8);
  return (at - start) * 4 - (freeBits >>> 3);
}

/** The same for a finished chunk; its count is in its bytes. */
export function copyFinishedChunk(
  heap: Heap,
  first: number,
  target: Uint32Array,
  start: number,
): number {
  let segment = first;
  let at = start;
  for (let i = 0; i < SEGMENT_COUNT_MAX; i++) {
    heap.cover(segment + SEGMENT_SIZE_BYTES);
    if (segment + SEGMENT_SIZE_BYTES > heap.sizeBytes) break;
    const { u32 } = heap;
    const next = u32[segment >>> 2]!;
    at = copyWords(u32, (segment + 4) >>> 2, (segment + SEGMENT_SIZE_BYTES) >>> 2, target, at);
    // Never more than was copied, should a race have made nonsense of the size.
    if ((next & 1) === 1) return Math.min((at - start) * 4, next >>> 1);
    if (next === 0) break;
    segment = next;
  }
  return (at - start) * 4;
}

/** Copies words whose first bit is the highest to words whose first byte is the lowest. */
function copyWords(
  u32: Uint32Array,
  from: number,
  end: number,
  target: Uint32Array,
  at: number,
): number {
  for (let i = from; i < end; i++) {
    const word = u32[i]!;
    target[at++] =
      (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff_0000) | (word << 24);
  }
  return at;
}
