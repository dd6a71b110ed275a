/**
 * Samples that came too late to be appended. A series that has any gets a block of its own:
 *
 *   word 0  address of the buffer, 0 for none        word 1  count · capacity << 16
 *   word 2  list of its finished out-of-order chunks (sealed-chunks.ts), in the order of writing
 *
 * The buffer holds its newest late samples sorted by time, 32 bytes each:
 *
 *   byte  0  time f64            8  value low, value high; or address and size of a histogram
 *        16  start time f64     24  kind u32: 0 float, 1 histogram, 2 float histogram
 *        28  commit id u32
 *
 * A full buffer becomes chunks in `chunks_head/`. Every sample is in the log `wbl/` besides; there a
 * marker says where the samples before it went.
 */
import {
  assert,
  ByteReader,
  ByteWriter,
  type FloatHistogram,
  type Histogram,
} from '../../model/index.ts';
import type { SourceChunk } from '../block/block-source.ts';
import { OUT_OF_ORDER_MASK } from '../chunk/encoding.ts';
import { encodeRawSamples, RawSamples } from '../compaction/raw-samples.ts';
import type { Allocator } from '../memory/allocator.ts';
import { isNewer } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import type { Retired } from '../memory/retired.ts';
import {
  encodeHistogramBody,
  takeFloatHistogramBody,
  takeHistogramBody,
} from '../record/histogram-body.ts';
import type { HeadChunkPlace, HeadChunkWriter } from './head-chunk-files.ts';
import { placeOfFile, type SealedChunks } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';

const BLOCK_SIZE_BYTES = 16;
const BUFFER = 0;
const COUNTS = 1;
export const LATE_SEALED = 2;

const ENTRY_BYTES = 32;
const ENTRY_DOUBLES = ENTRY_BYTES / 8;
const ENTRY_WORDS = ENTRY_BYTES / 4;
const START = 2;
const VALUE_WORD = 2;
const KIND_WORD = 6;
const COMMIT_WORD = 7;
const Kind = { Float: 0, Histogram: 1, FloatHistogram: 2 } as const;

const INITIAL_CAPACITY = 4;
const BUFFER_COUNT_MAX = 255;
/** What the 16 bits of the capacity allow. */
const REPLAY_COUNT_MAX = 32_768;

/** The writer's side. */
export class OutOfOrder {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  readonly #sealed: SealedChunks;
  readonly #capacityMax: number;
  readonly #out = new ByteWriter(256);
  /** Refs of the series that have late samples. */
  readonly refs = new Set<number>();
  /** Chunks that were let go since the start. */
  removedChunkCount = 0;
  #sealedCount = 0;
  #filledBufferCount = 0;

  /** @param capacityMax  samples after which a buffer becomes a chunk */
  constructor(
    heap: Heap,
    allocator: Allocator,
    retired: Retired,
    sealed: SealedChunks,
    capacityMax: number,
  ) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#sealed = sealed;
    this.#capacityMax = Math.min(capacityMax, BUFFER_COUNT_MAX);
  }

  /** Finished chunks, and buffers with samples in them, which will be such. */
  get chunkCount(): number {
    return this.#sealedCount + this.#filledBufferCount;
  }

  /**
   * Whether the buffer must be sealed before these go in. An empty one never: of very many samples
   * the first fill it and are sealed then. A chunk shows its samples to every query, so a buffer
   * with samples that an open query must not see yet grows on as far as it can.
   * @param oldestSnapshot  gives the oldest commit that an open query stands on
   */
  mustSeal(record: number, addedCount: number, oldestSnapshot: () => number): boolean {
    const { u32 } = this.#heap;
    const block = u32[(record >>> 2) + Rec.OUT_OF_ORDER]!;
    if (block === 0) return false;
    const count = u32[(block >>> 2) + COUNTS]! & 0xffff;
    if (count === 0 || count + addedCount <= this.#capacityMax) return false;
    if (count + addedCount > BUFFER_COUNT_MAX) return true;
    const snapshot = oldestSnapshot();
    const first = u32[(block >>> 2) + BUFFER]! >>> 2;
    for (let i = 0; i < count; i++) {
      if (isNewer(u32[first + i * ENTRY_WORDS + COMMIT_WORD]!, snapshot)) return false;
    }
    return true;
  }

  /** Adds a float; false when there is a late sample with the same time in the buffer. */
  insertFloat(
    record: number,
    timestampMs: number,
    low: number,
    high: number,
    startMs: number,
    commitId: number,
  ): boolean {
    const entry = this.#insert(record, timestampMs, startMs, commitId);
    if (entry === 0) return false;
    const { u32 } = this.#heap;
    u32[entry + VALUE_WORD] = low;
    u32[entry + VALUE_WORD + 1] = high;
    u32[entry + KIND_WORD] = Kind.Float;
    return true;
  }

  insertHistogram(
    record: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startMs: number,
    commitId: number,
  ): boolean {
    const out = this.#out;
    out.clear();
    encodeHistogramBody(out, histogram);
    const address = this.#allocator.allocate(out.length);
    this.#heap.u8.set(out.view(), address);
    const entry = this.#insert(record, timestampMs, startMs, commitId);
    if (entry === 0) {
      this.#retired.add(address, out.length);
      return false;
    }
    const { u32 } = this.#heap;
    u32[entry + VALUE_WORD] = address;
    u32[entry + VALUE_WORD + 1] = out.length;
    u32[entry + KIND_WORD] = histogram.kind === 'float' ? Kind.FloatHistogram : Kind.Histogram;
    return true;
  }

  /** Writes the buffer to the chunk file and empties it; returns where its last chunk is. */
  seal(record: number, chunkFiles: HeadChunkWriter): HeadChunkPlace | null {
    const { u32 } = this.#heap;
    const entries = copyLateEntries(this.#heap, record);
    if (entries.length === 0) return null;
    const ref = u32[(record >>> 2) + Rec.REF]!;
    const stored: { place: HeadChunkPlace; chunk: SourceChunk }[] = [];
    for (const chunk of encodeLateEntries(this.#heap, entries, null)) {
      const { minMs, maxMs, encoding, bytes } = chunk;
      const marked = encoding | OUT_OF_ORDER_MASK;
      const place = chunkFiles.add(ref, minMs, maxMs, marked, bytes, 0, bytes.length);
      stored.push({ place, chunk });
    }
    chunkFiles.flush();
    for (const { place, chunk } of stored) {
      this.addSealed(record, chunk.minMs, chunk.maxMs, place);
    }
    this.clearBuffer(record);
    return stored.at(-1)!.place;
  }

  /** Files a chunk that lies in a chunk file. */
  addSealed(record: number, minMs: number, maxMs: number, place: HeadChunkPlace): void {
    const block = this.#blockOf(record);
    const owner = (block >>> 2) + LATE_SEALED;
    this.#sealed.add(owner, minMs, maxMs, placeOfFile(place.file), place.offset);
    this.#sealedCount++;
  }

  /** Forgets the samples in the buffer. */
  clearBuffer(record: number): void {
    const { u32 } = this.#heap;
    const block = u32[(record >>> 2) + Rec.OUT_OF_ORDER]!;
    if (block === 0) return;
    const word = block >>> 2;
    const buffer = u32[word + BUFFER]!;
    if (buffer === 0) return;
    const count = u32[word + COUNTS]! & 0xffff;
    const capacity = u32[word + COUNTS]! >>> 16;
    for (let i = 0; i < count; i++) {
      const entry = (buffer >>> 2) + i * ENTRY_WORDS;
      if (u32[entry + KIND_WORD] === Kind.Float) continue;
      this.#retired.add(u32[entry + VALUE_WORD]!, u32[entry + VALUE_WORD + 1]!);
    }
    u32[word + BUFFER] = 0;
    u32[word + COUNTS] = 0;
    if (count > 0) this.#filledBufferCount--;
    this.#retired.add(buffer, capacity * ENTRY_BYTES);
  }

  /** Drops the finished chunks that `keeps` says no to, and the block itself when it is empty. */
  filterSealed(record: number, keeps: (entry: number) => boolean): void {
    const { u32 } = this.#heap;
    const owner = (record >>> 2) + Rec.OUT_OF_ORDER;
    const block = u32[owner]!;
    if (block === 0) return;
    this.#sealed.filter((block >>> 2) + LATE_SEALED, (entry) => {
      const isKept = keeps(entry);
      if (isKept) return true;
      this.#sealedCount--;
      this.removedChunkCount++;
      return false;
    });
    if (u32[(block >>> 2) + LATE_SEALED] !== 0 || u32[(block >>> 2) + BUFFER] !== 0) return;
    u32[owner] = 0;
    this.#retired.add(block, BLOCK_SIZE_BYTES);
    this.refs.delete(u32[(record >>> 2) + Rec.REF]!);
  }

  /** The word of a new entry at its place in time; 0 when that time is taken. */
  #insert(record: number, timestampMs: number, startMs: number, commitId: number): number {
    const block = this.#blockOf(record);
    this.#makeRoom(block);
    const { u32, f64, u8 } = this.#heap;
    const word = block >>> 2;
    const buffer = u32[word + BUFFER]!;
    const count = u32[word + COUNTS]! & 0xffff;
    const timeAt = (i: number) => f64[(buffer >>> 3) + i * ENTRY_DOUBLES]!;
    let at = count;
    while (at > 0 && timeAt(at - 1) >= timestampMs) at--;
    if (at < count && timeAt(at) === timestampMs) return 0;
    const from = buffer + at * ENTRY_BYTES;
    u8.copyWithin(from + ENTRY_BYTES, from, buffer + count * ENTRY_BYTES);
    f64[from >>> 3] = timestampMs;
    f64[(from >>> 3) + START] = startMs;
    u32[(from >>> 2) + COMMIT_WORD] = commitId;
    u32[word + COUNTS]! += 1;
    if (count === 0) this.#filledBufferCount++;
    return from >>> 2;
  }

  #blockOf(record: number): number {
    const owner = (record >>> 2) + Rec.OUT_OF_ORDER;
    let block = this.#heap.u32[owner]!;
    if (block !== 0) return block;
    block = this.#allocator.allocateZeroed(BLOCK_SIZE_BYTES);
    this.#heap.u32[owner] = block;
    this.refs.add(this.#heap.u32[(record >>> 2) + Rec.REF]!);
    return block;
  }

  #makeRoom(block: number): void {
    const word = block >>> 2;
    const counts = this.#heap.u32[word + COUNTS]!;
    const count = counts & 0xffff;
    const capacity = counts >>> 16;
    if (count < capacity) return;
    // Replay may bring more than a chunk takes, since it cannot seal.
    assert(count < REPLAY_COUNT_MAX, 'a full buffer must be sealed first');
    const grown = Math.max(INITIAL_CAPACITY, capacity * 2);
    const buffer = this.#allocator.allocate(grown * ENTRY_BYTES);
    const { u32, u8 } = this.#heap;
    const old = u32[word + BUFFER]!;
    if (old !== 0) {
      u8.copyWithin(buffer, old, old + count * ENTRY_BYTES);
      this.#retired.add(old, capacity * ENTRY_BYTES);
    }
    u32[word + BUFFER] = buffer;
    u32[word + COUNTS] = count | (grown << 16);
  }
}

/** Raw entries of a buffer, copied so that they can be looked at once it is sure they are whole. */
export type LateEntries = Float64Array;
export const NO_LATE_ENTRIES: LateEntries = new Float64Array(0);

/** In any thread; the copy counts only when the record's sequence has not changed. */
export function copyLateEntries(heap: Heap, record: number): LateEntries {
  const block = heap.u32[(record >>> 2) + Rec.OUT_OF_ORDER]!;
  if (block === 0) return NO_LATE_ENTRIES;
  heap.cover(block + BLOCK_SIZE_BYTES);
  const buffer = heap.u32[(block >>> 2) + BUFFER]!;
  const count = heap.u32[(block >>> 2) + COUNTS]! & 0xffff;
  if (buffer === 0) return NO_LATE_ENTRIES;
  heap.cover(buffer + count * ENTRY_BYTES);
  return heap.f64.slice(buffer >>> 3, (buffer >>> 3) + count * ENTRY_DOUBLES);
}

/** The list of finished out-of-order chunks of a series, 0 for none. In any thread. */
export function lateSealedList(heap: Heap, record: number): number {
  const block = heap.u32[(record >>> 2) + Rec.OUT_OF_ORDER]!;
  if (block === 0) return 0;
  heap.cover(block + BLOCK_SIZE_BYTES);
  return heap.u32[(block >>> 2) + LATE_SEALED]!;
}

/**
 * Entries as chunks. In any thread, between `enter` and `leave`.
 *
 * @param snapshot  leaves out what later commits brought; null takes all
 */
export function encodeLateEntries(
  heap: Heap,
  entries: LateEntries,
  snapshot: number | null,
): SourceChunk[] {
  const words = new Uint32Array(entries.buffer, entries.byteOffset, entries.length * 2);
  const samples = new RawSamples();
  for (let i = 0; i < entries.length / ENTRY_DOUBLES; i++) {
    const word = i * ENTRY_WORDS;
    if (snapshot !== null && isNewer(words[word + COMMIT_WORD]!, snapshot)) continue;
    const timestampMs = entries[i * ENTRY_DOUBLES]!;
    const startMs = entries[i * ENTRY_DOUBLES + START]!;
    const low = words[word + VALUE_WORD]!;
    const high = words[word + VALUE_WORD + 1]!;
    const kind = words[word + KIND_WORD]!;
    if (kind === Kind.Float) {
      samples.push(timestampMs, high, low, startMs, null);
    } else {
      samples.push(timestampMs, 0, 0, startMs, readHistogram(heap, low, high, kind));
    }
  }
  return encodeRawSamples(samples, false);
}

function readHistogram(
  heap: Heap,
  address: number,
  sizeBytes: number,
  kind: number,
): Histogram | FloatHistogram {
  heap.cover(address + sizeBytes);
  const reader = new ByteReader(heap.u8, address, address + sizeBytes);
  return kind === Kind.FloatHistogram ? takeFloatHistogramBody(reader) : takeHistogramBody(reader);
}

/** Times of the samples in the buffer, ascending. */
export function lateTimes(heap: Heap, record: number): number[] {
  const entries = copyLateEntries(heap, record);
  return Array.from(
    { length: entries.length / ENTRY_DOUBLES },
    (_, i) => entries[i * ENTRY_DOUBLES]!,
  );
}
