/**
 * Which blocks count, for readers in other threads: a list in shared memory that is replaced as a
 * whole. The directory itself would not do, since it also shows blocks that were merged into others
 * and are about to be removed.
 *
 *   word 0  count      then per block 32 bytes:  26 × ASCII, the ULID · 2 unused · u32 generation
 *
 * The generation changes with the block's deletions, so that a reader opens it again.
 */
import type { Allocator } from './memory/allocator.ts';
import { Word } from './memory/control-block.ts';
import type { Heap } from './memory/heap.ts';
import type { Retired } from './memory/retired.ts';

export type PublishedBlock = { readonly ulid: string; readonly generation: number };

const ULID_LENGTH = 26;
const ENTRY_BYTES = 32;
const GENERATION_OFFSET = 28;

/** Replaces the list and counts the change. For the writer; returns the new version. */
export function publishBlocks(
  heap: Heap,
  allocator: Allocator,
  retired: Retired,
  blocks: readonly PublishedBlock[],
): number {
  const old = heap.u32[Word.Blocks]!;
  const list = allocator.allocate(4 + blocks.length * ENTRY_BYTES);
  const { u8, u32 } = heap;
  u32[list >>> 2] = blocks.length;
  for (let i = 0; i < blocks.length; i++) {
    const { ulid, generation } = blocks[i]!;
    const at = list + 4 + i * ENTRY_BYTES;
    for (let c = 0; c < ULID_LENGTH; c++) u8[at + c] = ulid.charCodeAt(c);
    u32[(at + GENERATION_OFFSET) >>> 2] = generation;
  }
  Atomics.store(u32, Word.Blocks, list);
  if (old !== 0) retired.add(old, 4 + u32[old >>> 2]! * ENTRY_BYTES);
  return Atomics.add(u32, Word.BlocksVersion, 1) + 1;
}

/** Only between `enter` and `leave` of a reader. */
export function readPublishedBlocks(heap: Heap): PublishedBlock[] {
  const list = Atomics.load(heap.u32, Word.Blocks);
  if (list === 0) return [];
  heap.cover(list + 4);
  const count = heap.u32[list >>> 2]!;
  heap.cover(list + 4 + count * ENTRY_BYTES);
  const blocks: PublishedBlock[] = [];
  for (let i = 0; i < count; i++) {
    const at = list + 4 + i * ENTRY_BYTES;
    const ulid = String.fromCharCode(...heap.u8.subarray(at, at + ULID_LENGTH));
    blocks.push({ ulid, generation: heap.u32[(at + GENERATION_OFFSET) >>> 2]! });
  }
  return blocks;
}
