/**
 * The finished chunks of a series, oldest first: where their bytes are and which time they cover.
 *
 *   word 0  count      word 1  capacity      then entries of four words:
 *           word 0  min time, low 32 bits
 *           word 1  min time, high 16 bits · place, low 16 bits
 *           word 2  max time - min time, ms
 *           word 3  offset in the file, or an address
 *
 * The place is a code of the chunks_head file (its number modulo 65,534; there are never so many
 * at a time), or says that the bytes are still in shared memory, waiting to be written: as a chain
 * of segments (open-chunk.ts) or as an encoded chunk (encoded-chunk.ts).
 */
import { assert } from '../../model/index.ts';
import { Allocator } from '../memory/allocator.ts';
import type { Heap } from '../memory/heap.ts';
import type { Retired } from '../memory/retired.ts';

const HEADER_BYTES = 8;
export const SEALED_ENTRY_BYTES = 16;
const ENTRY_WORDS = SEALED_ENTRY_BYTES / 4;

const FILE_CODE_COUNT = 0xfffe;
export const PLACE_ENCODED = 0xfffe;
export const PLACE_CHAIN = 0xffff;

/** Timestamps are kept in 48 bits: the years -2490 to 6429. */
export const TIMESTAMP_LIMIT_MS = 2 ** 47;
/** A chunk may not cover more: 49 days. */
export const CHUNK_SPAN_MS_MAX = 2 ** 32 - 1;

const TWO_TO_32 = 0x1_0000_0000;

/** The word of entry `index` of the list at `list`. */
export function entryWord(list: number, index: number): number {
  return ((list + HEADER_BYTES) >>> 2) + index * ENTRY_WORDS;
}

export function sealedCount(u32: Uint32Array, list: number): number {
  return list === 0 ? 0 : u32[list >>> 2]!;
}

export function entryMinMs(u32: Uint32Array, entry: number): number {
  return (u32[entry + 1]! >> 16) * TWO_TO_32 + u32[entry]!;
}

export function entryMaxMs(u32: Uint32Array, entry: number): number {
  return entryMinMs(u32, entry) + u32[entry + 2]!;
}

export function entryPlace(u32: Uint32Array, entry: number): number {
  return u32[entry + 1]! & 0xffff;
}

/** The number of the file with this place, given that it is at most `newestFile`. */
export function fileOfPlace(place: number, newestFile: number): number {
  const behind = (newestFile % FILE_CODE_COUNT) - place;
  return newestFile - (behind < 0 ? behind + FILE_CODE_COUNT : behind);
}

export function placeOfFile(file: number): number {
  return file % FILE_CODE_COUNT;
}

/** The writer's side. */
export class SealedChunks {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
  }

  /** Appends a chunk to the list whose address stands in `ownerWord`. */
  add(ownerWord: number, minMs: number, maxMs: number, place: number, offset: number): void {
    assert(maxMs >= minMs && maxMs - minMs <= CHUNK_SPAN_MS_MAX, () => `chunk ${minMs}…${maxMs}`);
    let list = this.#heap.u32[ownerWord]!;
    let count = 0;
    if (list !== 0) count = this.#heap.u32[list >>> 2]!;
    if (list === 0 || count === this.#heap.u32[(list >>> 2) + 1]!) {
      const grown = this.#create(count + Math.max(2, count >>> 2));
      const { u32 } = this.#heap;
      if (list !== 0) {
        u32.copyWithin(entryWord(grown, 0), entryWord(list, 0), entryWord(list, count));
        this.#retire(list);
      }
      u32[ownerWord] = list = grown;
    }
    const { u32 } = this.#heap;
    const entry = entryWord(list, count);
    const high = Math.floor(minMs / TWO_TO_32);
    u32[entry] = minMs - high * TWO_TO_32;
    u32[entry + 1] = (high << 16) | place;
    u32[entry + 2] = maxMs - minMs;
    u32[entry + 3] = offset;
    u32[list >>> 2] = count + 1;
  }

  /** Adds a chunk at its place in time; false when it overlaps another one. */
  insert(ownerWord: number, minMs: number, maxMs: number, place: number, offset: number): boolean {
    const { u32 } = this.#heap;
    const list = u32[ownerWord]!;
    const count = sealedCount(u32, list);
    let at = count;
    while (at > 0 && entryMinMs(u32, entryWord(list, at - 1)) > minMs) at--;
    if (at > 0 && entryMaxMs(u32, entryWord(list, at - 1)) >= minMs) return false;
    if (at < count && entryMinMs(u32, entryWord(list, at)) <= maxMs) return false;
    this.add(ownerWord, minMs, maxMs, place, offset);
    if (at === count) return true;
    const views = this.#heap.u32;
    const grown = views[ownerWord]!;
    const added = views.slice(entryWord(grown, count), entryWord(grown, count + 1));
    views.copyWithin(entryWord(grown, at + 1), entryWord(grown, at), entryWord(grown, count));
    views.set(added, entryWord(grown, at));
    return true;
  }

  /** Whether there is a chunk with exactly these times. */
  holds(ownerWord: number, minMs: number, maxMs: number): boolean {
    const { u32 } = this.#heap;
    const list = u32[ownerWord]!;
    for (let i = sealedCount(u32, list) - 1; i >= 0; i--) {
      const entry = entryWord(list, i);
      if (entryMinMs(u32, entry) === minMs && entryMaxMs(u32, entry) === maxMs) return true;
    }
    return false;
  }

  /** Keeps only the entries that `keeps` says yes to. */
  filter(ownerWord: number, keeps: (entry: number) => boolean): void {
    const { u32 } = this.#heap;
    const list = u32[ownerWord]!;
    const count = sealedCount(u32, list);
    let keptCount = 0;
    for (let i = 0; i < count; i++) {
      const entry = entryWord(list, i);
      if (!keeps(entry)) continue;
      if (keptCount !== i) u32.copyWithin(entryWord(list, keptCount), entry, entry + ENTRY_WORDS);
      keptCount++;
    }
    if (keptCount === count) return;
    u32[list >>> 2] = keptCount;
    if (keptCount > 0) return;
    u32[ownerWord] = 0;
    this.#retire(list);
  }

  #create(capacity: number): number {
    const offered = Allocator.capacityOf(HEADER_BYTES + capacity * SEALED_ENTRY_BYTES);
    const fitting = Math.floor((offered - HEADER_BYTES) / SEALED_ENTRY_BYTES);
    const list = this.#allocator.allocate(HEADER_BYTES + fitting * SEALED_ENTRY_BYTES);
    const { u32 } = this.#heap;
    u32[list >>> 2] = 0;
    u32[(list >>> 2) + 1] = fitting;
    return list;
  }

  #retire(list: number): void {
    const capacity = this.#heap.u32[(list >>> 2) + 1]!;
    this.#retired.add(list, HEADER_BYTES + capacity * SEALED_ENTRY_BYTES);
  }
}
