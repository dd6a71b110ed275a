/**
 * A list of u32 in shared memory that one thread appends to while others read.
 *
 *   word 0  count      word 1  capacity      word 2 …  entries
 *
 * Whoever owns the list keeps its address in a word of its own. When the list is full a larger
 * copy is made and that word changed; so a reader that loads the word and then the count has a
 * list that holds at least so many entries, and those never change.
 */
import { Allocator } from './allocator.ts';
import type { Heap } from './heap.ts';
import type { Retired } from './retired.ts';

export const LIST_HEADER_BYTES = 8;

export class GrowingLists {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
  }

  /** A new list with room for `capacity` entries, or a little more. Returns its address. */
  create(capacity: number): number {
    const sizeBytes = Allocator.capacityOf(LIST_HEADER_BYTES + capacity * 4);
    const list = this.#allocator.allocate(sizeBytes);
    const { u32 } = this.#heap;
    u32[list >>> 2] = 0;
    u32[(list >>> 2) + 1] = (sizeBytes - LIST_HEADER_BYTES) >>> 2;
    return list;
  }

  /** Appends `entry` to the list whose address stands in `ownerWord`; makes it when there is none. */
  append(ownerWord: number, entry: number): void {
    let list = this.#heap.u32[ownerWord]!;
    if (list === 0) {
      list = this.create(2);
      this.#heap.u32[(list >>> 2) + 2] = entry;
      this.#heap.u32[list >>> 2] = 1;
      Atomics.store(this.#heap.u32, ownerWord, list);
      return;
    }
    let { u32 } = this.#heap;
    const count = u32[list >>> 2]!;
    if (count === u32[(list >>> 2) + 1]!) {
      // A quarter more: lists of all sizes exist, and what is unused is paid by every series.
      const grown = this.create(count + Math.max(2, count >>> 2));
      ({ u32 } = this.#heap);
      const from = (list >>> 2) + 2;
      u32.copyWithin((grown >>> 2) + 2, from, from + count);
      u32[(grown >>> 2) + 2 + count] = entry;
      u32[grown >>> 2] = count + 1;
      Atomics.store(u32, ownerWord, grown);
      this.retire(list);
      return;
    }
    u32[(list >>> 2) + 2 + count] = entry;
    Atomics.store(u32, list >>> 2, count + 1);
  }

  /** Gives the list's memory back when nobody reads it any more. */
  retire(list: number): void {
    const capacity = this.#heap.u32[(list >>> 2) + 1]!;
    this.#retired.add(list, LIST_HEADER_BYTES + capacity * 4);
  }
}

/**
 * The entries of the list whose address is `list` (0: none): a view, good while the reader stays
 * inside `enter`…`leave`.
 */
export function listEntries(heap: Heap, list: number): Uint32Array {
  if (list === 0) return NONE;
  heap.cover(list + LIST_HEADER_BYTES);
  const count = Atomics.load(heap.u32, list >>> 2);
  heap.cover(list + LIST_HEADER_BYTES + count * 4);
  return heap.u32.subarray((list >>> 2) + 2, (list >>> 2) + 2 + count);
}

const NONE = new Uint32Array(0);
