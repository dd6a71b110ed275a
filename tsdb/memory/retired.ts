/**
 * Blocks that the writer has unlinked while readers may still hold their addresses. They wait in
 * the order in which they were retired, until every reader that was following addresses at that
 * time has stopped.
 */
import type { Allocator } from './allocator.ts';
import { Word } from './control-block.ts';
import type { Heap } from './heap.ts';
import { oldestEpoch } from './readers.ts';

const ENTRY_WORDS = 3;

export class Retired {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  /** A ring of (address, size, epoch). */
  #ring = new Uint32Array(1024 * ENTRY_WORDS);
  #first = 0;
  #count = 0;
  #retiredBytes = 0;
  readonly #actions: { readonly epoch: number; readonly run: () => void }[] = [];

  constructor(heap: Heap, allocator: Allocator) {
    this.#heap = heap;
    this.#allocator = allocator;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#retiredBytes;
  }

  /** Frees the block when no reader can hold its address any more. */
  add(address: number, sizeBytes: number): void {
    const capacity = this.#ring.length / ENTRY_WORDS;
    if (this.#count === capacity) this.#grow();
    const ring = this.#ring;
    const at = ((this.#first + this.#count) % (ring.length / ENTRY_WORDS)) * ENTRY_WORDS;
    ring[at] = address;
    ring[at + 1] = sizeBytes;
    ring[at + 2] = this.#heap.u32[Word.Epoch]!;
    this.#count++;
    this.#retiredBytes += sizeBytes;
  }

  /** Runs `run` (closing or removing a file, say) under the same condition. */
  addAction(run: () => void): void {
    this.#actions.push({ epoch: this.#heap.u32[Word.Epoch]!, run });
  }

  /** Frees what can be freed. Cheap when nothing waits. */
  reclaim(): void {
    if (this.#count === 0 && this.#actions.length === 0) return;
    const { u32 } = this.#heap;
    let epoch = (u32[Word.Epoch]! + 1) >>> 0;
    if (epoch === 0) epoch = 1;
    Atomics.store(u32, Word.Epoch, epoch);
    const oldest = oldestEpoch(this.#heap, epoch);
    const ring = this.#ring;
    const capacity = ring.length / ENTRY_WORDS;
    while (this.#count > 0) {
      const at = this.#first * ENTRY_WORDS;
      if (((ring[at + 2]! - oldest) | 0) >= 0) break;
      this.#allocator.free(ring[at]!, ring[at + 1]!);
      this.#retiredBytes -= ring[at + 1]!;
      this.#first = (this.#first + 1) % capacity;
      this.#count--;
    }
    while (this.#actions.length > 0 && ((this.#actions[0]!.epoch - oldest) | 0) < 0) {
      this.#actions.shift()!.run();
    }
  }

  #grow(): void {
    const old = this.#ring;
    const grown = new Uint32Array(old.length * 2);
    const headLength = old.length - this.#first * ENTRY_WORDS;
    grown.set(old.subarray(this.#first * ENTRY_WORDS));
    grown.set(old.subarray(0, this.#first * ENTRY_WORDS), headLength);
    this.#ring = grown;
    this.#first = 0;
  }
}
