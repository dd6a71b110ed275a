/**
 * The first bytes of the shared memory: what a reader starts from.
 *
 *   byte    0  magic u32 · layout version u32
 *           8  published figures, one u32 each (Word below), read and written atomically; up to 127
 *         128  published times, one f64 each (Time below)
 *        4096  64 reader slots of 64 bytes (readers.ts)
 *        8192  series table: 4096 addresses (head/series-table.ts)
 *       24576  blocks that the allocator hands out
 *
 * The memory is never stored: the layout may change with any release.
 */
import { assert } from '../../model/index.ts';
import type { Heap } from './heap.ts';

const MAGIC = 0x4e_58_48_44; // "NXHD"
const LAYOUT_VERSION = 1;

/** Index into `heap.u32` (and `heap.i32`). */
export const Word = {
  Magic: 0,
  LayoutVersion: 1,
  /** Id of the newest commit that queries may see. Ids wrap; compare with `isNewer`. */
  CommitId: 2,
  /** Counts rounds of memory reclaiming, see readers.ts. Never 0. */
  Epoch: 3,
  SeriesCount: 4,
  LastRef: 5,
  /** Roots of structures that are replaced when they grow. */
  Symbols: 6,
  Pairs: 7,
  Names: 8,
  /** Counts collections of dead series; after one, cached addresses of symbols mean nothing. */
  Collections: 10,
  /** Counts changes to the set of blocks on disk. */
  BlocksVersion: 11,
  /** Number of the newest chunks_head file. */
  HeadChunkFile: 12,
  /** Only for memory barriers. */
  Fence: 13,
  /** Address of the list of blocks on disk (db-published-blocks.ts). */
  Blocks: 14,
  /** Counts reading threads, to number them. */
  ReaderCount: 15,
  /** 1 while the head is being filled from disk, so that nobody can read it yet. */
  IsReplaying: 16,
} as const;

/** Index into `heap.f64`. */
export const Time = {
  /** Smallest and largest timestamp in the head; +Infinity and -Infinity while it is empty. */
  MinMs: 16,
  MaxMs: 17,
  /** Everything in order before this lies in blocks. */
  MinValidMs: 18,
  /** Smallest and largest out-of-order timestamp in the head. */
  MinOutOfOrderMs: 19,
  MaxOutOfOrderMs: 20,
} as const;

export const READER_SLOTS_ADDRESS = 4096;
export const SERIES_TABLE_ADDRESS = 8192;
export const FIRST_BLOCK_ADDRESS = 24_576;

export function initControlBlock(heap: Heap): void {
  const { u32, f64 } = heap;
  u32[Word.Magic] = MAGIC;
  u32[Word.LayoutVersion] = LAYOUT_VERSION;
  u32[Word.CommitId] = 1;
  u32[Word.Epoch] = 1;
  f64[Time.MinMs] = Infinity;
  f64[Time.MaxMs] = -Infinity;
  f64[Time.MinValidMs] = -Infinity;
  f64[Time.MinOutOfOrderMs] = Infinity;
  f64[Time.MaxOutOfOrderMs] = -Infinity;
}

export function checkControlBlock(heap: Heap): void {
  assert(heap.u32[Word.Magic] === MAGIC, 'not the memory of a head');
  assert(heap.u32[Word.LayoutVersion] === LAYOUT_VERSION, 'memory of another layout');
}

/** Whether id `a` was given out after `b`. Ids wrap at 2³², so only their distance counts. */
export function isNewer(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
