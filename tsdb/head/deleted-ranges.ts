/**
 * Deleted times of a series in the head, until the head is truncated past them.
 *
 *   word 0  length      word 1  unused      byte 8 …  length × f64: min, max, min, max, …
 *
 * The numbers are an `Intervals` (chunk/intervals.ts). A list is replaced, never changed.
 */
import type { Intervals } from '../chunk/intervals.ts';
import type { Allocator } from '../memory/allocator.ts';
import type { Heap } from '../memory/heap.ts';
import type { Retired } from '../memory/retired.ts';

const HEADER_BYTES = 8;

/** In any thread. */
export function readDeletedRanges(heap: Heap, list: number): Intervals {
  if (list === 0) return [];
  heap.cover(list + HEADER_BYTES);
  const length = heap.u32[list >>> 2]!;
  heap.cover(list + HEADER_BYTES + length * 8);
  const from = (list + HEADER_BYTES) >>> 3;
  return Array.from(heap.f64.subarray(from, from + length));
}

/** Puts other ranges in the place of those whose list stands in `ownerWord`. */
export function writeDeletedRanges(
  heap: Heap,
  allocator: Allocator,
  retired: Retired,
  ownerWord: number,
  intervals: Intervals,
): void {
  const old = heap.u32[ownerWord]!;
  let list = 0;
  if (intervals.length > 0) {
    list = allocator.allocate(HEADER_BYTES + intervals.length * 8);
    heap.u32[list >>> 2] = intervals.length;
    heap.f64.set(intervals, (list + HEADER_BYTES) >>> 3);
  }
  heap.u32[ownerWord] = list;
  if (old !== 0) retired.add(old, HEADER_BYTES + heap.u32[old >>> 2]! * 8);
}
