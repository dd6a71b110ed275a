/**
 * Who is reading, and since when. Each open query has a slot of 64 bytes (its own cache line):
 *
 *   word 0  owner: number of the reading thread, 0 while the slot is free
 *   word 1  epoch while addresses are being followed, else 0
 *   word 2  commit id whose state the query sees, valid while word 3 is 1
 *   word 3  1 while the query is open
 *   word 4  only for memory barriers
 *   word 5  version of the set of blocks that the query reads, so that nothing leaves the head
 *           before every open query knows the block that holds it
 *
 * Two promises follow from it. A block of memory is used again only when every reader that could
 * have met its address has stopped following addresses (epochs, retired.ts). And a series keeps
 * what is needed to tell a query which of its samples are too new for it (head/isolation.ts).
 */
import { LimitError } from '../../model/index.ts';
import { READER_SLOTS_ADDRESS, Word } from './control-block.ts';
import type { Heap } from './heap.ts';

export const READER_SLOT_COUNT = 64;
const SLOT_WORDS = 16;
const FIRST_SLOT_WORD = READER_SLOTS_ADDRESS / 4;

const OWNER = 0;
const EPOCH = 1;
const SNAPSHOT = 2;
const IS_OPEN = 3;
const FENCE = 4;
const BLOCKS_VERSION = 5;

/** One open query's registration. All methods are for the reading thread. */
export class ReaderSlot {
  readonly #u32: Uint32Array;
  readonly #word: number;
  /** Newest commit that this query sees. */
  readonly snapshot: number;
  #depth = 0;

  private constructor(u32: Uint32Array, word: number, snapshot: number) {
    this.#u32 = u32;
    this.#word = word;
    this.snapshot = snapshot;
  }

  /**
   * Registers a query that sees everything committed so far.
   *
   * @param owner          number of the thread, not 0; see `releaseReaders`
   * @param blocksVersion  which set of blocks the query reads beside the head
   * @throws LimitError    all slots are taken
   */
  static open(heap: Heap, owner: number, blocksVersion = 0): ReaderSlot {
    const { u32 } = heap;
    for (let i = 0; i < READER_SLOT_COUNT; i++) {
      const word = FIRST_SLOT_WORD + i * SLOT_WORDS;
      if (Atomics.compareExchange(u32, word + OWNER, 0, owner) !== 0) continue;
      Atomics.store(u32, word + BLOCKS_VERSION, blocksVersion);
      // The writer looks at the slots after it has published a commit. Writing first and looking
      // again makes sure that it either sees this slot or this loop sees the newer commit.
      for (;;) {
        const snapshot = Atomics.load(u32, Word.CommitId);
        Atomics.store(u32, word + SNAPSHOT, snapshot);
        Atomics.store(u32, word + IS_OPEN, 1);
        if (Atomics.load(u32, Word.CommitId) === snapshot) {
          return new ReaderSlot(u32, word, snapshot);
        }
      }
    }
    throw new LimitError(
      `${READER_SLOT_COUNT} queries are reading the head at once; lower --query.max-concurrency`,
      'query.max-concurrency',
    );
  }

  close(): void {
    const { u32, word } = { u32: this.#u32, word: this.#word };
    Atomics.store(u32, word + EPOCH, 0);
    Atomics.store(u32, word + IS_OPEN, 0);
    Atomics.store(u32, word + OWNER, 0);
  }

  /** From here to `leave`, what an address in the heap points to stays as it is. May be nested. */
  enter(): void {
    if (this.#depth++ > 0) return;
    const u32 = this.#u32;
    for (;;) {
      const epoch = Atomics.load(u32, Word.Epoch);
      Atomics.store(u32, this.#word + EPOCH, epoch);
      if (Atomics.load(u32, Word.Epoch) === epoch) return;
    }
  }

  leave(): void {
    if (--this.#depth === 0) Atomics.store(this.#u32, this.#word + EPOCH, 0);
  }

  /** No memory access moves across this. Needed between copying bytes and checking a sequence. */
  fence(): void {
    Atomics.add(this.#u32, this.#word + FENCE, 1);
  }
}

/** Frees the slots of a thread that ended without closing its queries. */
export function releaseReaders(heap: Heap, owner: number): void {
  const { u32 } = heap;
  for (let i = 0; i < READER_SLOT_COUNT; i++) {
    const word = FIRST_SLOT_WORD + i * SLOT_WORDS;
    if (Atomics.load(u32, word + OWNER) !== owner) continue;
    Atomics.store(u32, word + EPOCH, 0);
    Atomics.store(u32, word + IS_OPEN, 0);
    Atomics.store(u32, word + OWNER, 0);
  }
}

/**
 * The epoch of the reader that has followed addresses longest, or `current` when nobody does.
 * For the writer.
 */
export function oldestEpoch(heap: Heap, current: number): number {
  const { u32 } = heap;
  let oldest = current;
  for (let i = 0; i < READER_SLOT_COUNT; i++) {
    const epoch = Atomics.load(u32, FIRST_SLOT_WORD + i * SLOT_WORDS + EPOCH);
    if (epoch !== 0 && ((epoch - oldest) | 0) < 0) oldest = epoch;
  }
  return oldest;
}

/** Whether every open query reads the blocks of `version` or of a later one. For the writer. */
export function allReadersKnow(heap: Heap, version: number): boolean {
  const { u32 } = heap;
  for (let i = 0; i < READER_SLOT_COUNT; i++) {
    const word = FIRST_SLOT_WORD + i * SLOT_WORDS;
    if (Atomics.load(u32, word + IS_OPEN) === 0) continue;
    if (((Atomics.load(u32, word + BLOCKS_VERSION) - version) | 0) < 0) return false;
  }
  return true;
}

/** Fills `out` with the commit ids that open queries see and returns how many. For the writer. */
export function openSnapshots(heap: Heap, out: Uint32Array): number {
  const { u32 } = heap;
  let count = 0;
  for (let i = 0; i < READER_SLOT_COUNT; i++) {
    const word = FIRST_SLOT_WORD + i * SLOT_WORDS;
    if (Atomics.load(u32, word + IS_OPEN) === 1) out[count++] = Atomics.load(u32, word + SNAPSHOT);
  }
  return count;
}
