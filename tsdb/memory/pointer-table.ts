/**
 * An open-addressing hash table of block addresses in shared memory. The hash of an entry stands
 * in the block it points to, at a fixed word; so a slot is one u32.
 *
 *   word 0  mask: slot count - 1      word 1 …  slots: 0 empty, 1 removed, else an address whose
 *                                               low three bits are the top three of the hash
 *
 * Blocks start at multiples of 8, so these bits are free; comparing them first saves most looks at
 * blocks that turn out to be others, each of which is a miss of the cache.
 *
 * The root (an index of the control block) holds the table's address. Growing makes a new table
 * and then changes the root, so a reader that loaded the root once sees one consistent table: it
 * may miss entries that are being added, never ones that were there.
 *
 * Finding is left to the users, since each compares something else. It goes like this:
 *
 *   for each slot from hash & mask on, wrapping: EMPTY ends; skip what `isOther` says is another;
 *   then `addressOf` gives the block, whose hash and content are compared
 */
import type { Allocator } from './allocator.ts';
import type { Heap } from './heap.ts';
import type { Retired } from './retired.ts';

export const EMPTY = 0;
const REMOVED = 1;

/** Whether a slot, not empty, can be told to hold no block with this hash. */
export function isOther(slot: number, hash: number): boolean {
  return (slot & 7) !== hash >>> 29 || slot < 8;
}

/** The address in a slot for which `isOther` is false. */
export function addressOf(slot: number): number {
  return (slot & ~7) >>> 0;
}

function slotOf(address: number, hash: number): number {
  return address + (hash >>> 29);
}

const INITIAL_SLOT_COUNT = 256;
/** More than this part of the slots in use makes the table grow. */
const LOAD_MAX = 0.7;

export class PointerTable {
  readonly rootWord: number;
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  /** In a block: the index of the word that holds its hash. */
  readonly #hashWord: number;
  #entryCount = 0;
  /** Entries and removed slots. */
  #usedCount = 0;
  #slotCount = 0;

  constructor(
    heap: Heap,
    allocator: Allocator,
    retired: Retired,
    rootWord: number,
    hashWord: number,
  ) {
    this.rootWord = rootWord;
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#hashWord = hashWord;
    this.#resize(INITIAL_SLOT_COUNT);
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Adds a block that is not in the table yet; its hash must be in place. */
  insert(address: number): void {
    if (this.#usedCount + 1 > this.#slotCount * LOAD_MAX) {
      // Many removed slots: cleaning up is enough. Otherwise double.
      const isCrowded = this.#entryCount + 1 > this.#slotCount * (LOAD_MAX / 2);
      this.#resize(isCrowded ? this.#slotCount * 2 : this.#slotCount);
    }
    const { u32 } = this.#heap;
    const slots = (u32[this.rootWord]! >>> 2) + 1;
    const mask = this.#slotCount - 1;
    const hash = u32[(address >>> 2) + this.#hashWord]!;
    let slot = hash & mask;
    // A removed slot is not used again: a reader may be walking over it right now.
    while (u32[slots + slot]! !== EMPTY) slot = (slot + 1) & mask;
    Atomics.store(u32, slots + slot, slotOf(address, hash));
    this.#entryCount++;
    this.#usedCount++;
  }

  /** Takes out a block that is in the table. */
  remove(address: number): void {
    const { u32 } = this.#heap;
    const slots = (u32[this.rootWord]! >>> 2) + 1;
    const mask = this.#slotCount - 1;
    const hash = u32[(address >>> 2) + this.#hashWord]!;
    const wanted = slotOf(address, hash);
    let slot = hash & mask;
    while (u32[slots + slot]! !== wanted) slot = (slot + 1) & mask;
    Atomics.store(u32, slots + slot, REMOVED);
    this.#entryCount--;
  }

  #resize(slotCount: number): void {
    const old = this.#heap.u32[this.rootWord]!;
    const sizeBytes = 4 + slotCount * 4;
    const table = this.#allocator.allocateZeroed(sizeBytes);
    const { u32 } = this.#heap;
    const slots = (table >>> 2) + 1;
    const mask = slotCount - 1;
    u32[table >>> 2] = mask;
    if (old !== 0) {
      const oldSlots = (old >>> 2) + 1;
      for (let i = 0; i < this.#slotCount; i++) {
        const entry = u32[oldSlots + i]!;
        if (entry < 8) continue; // empty or removed
        let slot = u32[(addressOf(entry) >>> 2) + this.#hashWord]! & mask;
        while (u32[slots + slot]! !== EMPTY) slot = (slot + 1) & mask;
        u32[slots + slot] = entry;
      }
      this.#retired.add(old, 4 + this.#slotCount * 4);
    }
    this.#slotCount = slotCount;
    this.#usedCount = this.#entryCount;
    Atomics.store(u32, this.rootWord, table);
  }
}
