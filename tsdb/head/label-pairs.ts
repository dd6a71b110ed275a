/**
 * The head's index: label pair -> series that carry it, in shared memory. A pair is the address of
 * its block, and series name their labels by these addresses:
 *
 *   word 0  hash of (name, value)
 *   word 1  name: a symbol          word 2  value: a symbol
 *   word 3  postings: address of a list of series refs, ascending; or, while there is only one
 *           series and its ref is below 2³¹, ref × 2 + 1; 0 when there is none
 *   word 4  marks of the collection of dead series
 *
 * Each label name has a block of the same form whose value is 0 and whose list holds the addresses
 * of its pairs, in the order in which they appeared. `Word.Names` is the list of those blocks.
 */
import type { Allocator } from '../memory/allocator.ts';
import { Word } from '../memory/control-block.ts';
import { GrowingLists, listEntries } from '../memory/growing-list.ts';
import type { Heap } from '../memory/heap.ts';
import { addressOf, EMPTY, isOther, PointerTable } from '../memory/pointer-table.ts';
import type { Retired } from '../memory/retired.ts';
import { copySymbol, type Symbols, symbolEquals } from './symbols.ts';
import { combineHashes, type TextBytes } from './text-bytes.ts';

const HASH = 0;
export const PAIR_NAME = 1;
export const PAIR_VALUE = 2;
export const PAIR_POSTINGS = 3;
const MARK = 4;
export const PAIR_SIZE_BYTES = 20;

const INLINE_REF_MAX = 0x7fff_ffff;

/** The writer's side. */
export class LabelPairs {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  readonly #symbols: Symbols;
  readonly #table: PointerTable;
  readonly #lists: GrowingLists;
  #nameCount = 0;

  constructor(heap: Heap, allocator: Allocator, retired: Retired, symbols: Symbols) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#symbols = symbols;
    this.#table = new PointerTable(heap, allocator, retired, Word.Pairs, HASH);
    this.#lists = new GrowingLists(heap, allocator, retired);
  }

  /** How many different pairs of name and value there are. */
  get count(): number {
    return this.#table.entryCount - this.#nameCount;
  }

  get nameCount(): number {
    return this.#nameCount;
  }

  /**
   * The pair of texts `nameIndex` and `nameIndex + 1` of `texts`, made when it is new.
   *
   * @param guess  a pair that it may well be, which is cheaper to compare than to look up; or 0
   */
  intern(texts: TextBytes, nameIndex: number, guess: number): number {
    if (guess !== 0) {
      const { u32 } = this.#heap;
      const word = guess >>> 2;
      if (
        symbolEquals(this.#heap, u32[word + PAIR_VALUE]!, texts, nameIndex + 1) &&
        symbolEquals(this.#heap, u32[word + PAIR_NAME]!, texts, nameIndex)
      ) {
        return guess;
      }
    }
    const found = this.#find(texts, nameIndex);
    if (found !== 0) return found;
    const name = this.#symbols.intern(texts, nameIndex);
    const value = this.#symbols.intern(texts, nameIndex + 1);
    let nameBlock = findPair(this.#heap, name, 0);
    if (nameBlock === 0) {
      nameBlock = this.#create(name, 0);
      this.#nameCount++;
      this.#lists.append(Word.Names, nameBlock);
    }
    const pair = this.#create(name, value);
    this.#lists.append((nameBlock >>> 2) + PAIR_POSTINGS, pair);
    return pair;
  }

  /** Straight by the texts: looking for the two symbols first would be three look-ups. */
  #find(texts: TextBytes, nameIndex: number): number {
    const heap = this.#heap;
    const { u32 } = heap;
    const hash = combineHashes(texts.hashes[nameIndex]!, texts.hashes[nameIndex + 1]!);
    const table = u32[Word.Pairs]! >>> 2;
    const mask = u32[table]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = u32[table + 1 + slot]!;
      if (entry === EMPTY) return 0;
      if (isOther(entry, hash)) continue;
      const pair = addressOf(entry);
      const word = pair >>> 2;
      const value = u32[word + PAIR_VALUE]!;
      if (u32[word] !== hash || value === 0) continue;
      if (!symbolEquals(heap, value, texts, nameIndex + 1)) continue;
      if (symbolEquals(heap, u32[word + PAIR_NAME]!, texts, nameIndex)) return pair;
    }
  }

  /** Adds a series to a pair. Refs come in ascending order. */
  addSeries(pair: number, ref: number): void {
    const { u32 } = this.#heap;
    const owner = (pair >>> 2) + PAIR_POSTINGS;
    const postings = u32[owner]!;
    if (postings === 0 && ref <= INLINE_REF_MAX) {
      Atomics.store(u32, owner, ref * 2 + 1);
      return;
    }
    if ((postings & 1) === 1) {
      const list = this.#lists.create(2);
      const views = this.#heap.u32;
      views[(list >>> 2) + 2] = postings >>> 1;
      views[list >>> 2] = 1;
      Atomics.store(views, owner, list);
    }
    this.#lists.append(owner, ref);
  }

  /** Whether the collection has met this pair already; meets it. */
  mark(pair: number): boolean {
    const { u32 } = this.#heap;
    const wasMarked = u32[(pair >>> 2) + MARK] === 1;
    u32[(pair >>> 2) + MARK] = 1;
    return wasMarked;
  }

  /**
   * Rewrites a marked pair's postings without dead series; removes the pair when none is left.
   * Returns how many refs it looked at.
   */
  sweep(pair: number, isAlive: (ref: number) => boolean): number {
    const owner = (pair >>> 2) + PAIR_POSTINGS;
    const { u32 } = this.#heap;
    u32[(pair >>> 2) + MARK] = 0;
    const postings = u32[owner]!;
    if ((postings & 1) === 1) {
      if (!isAlive(postings >>> 1)) this.#remove(pair);
      return 1;
    }
    const refs = listEntries(this.#heap, postings);
    let aliveCount = 0;
    for (let i = 0; i < refs.length; i++) if (isAlive(refs[i]!)) aliveCount++;
    if (aliveCount === 0) this.#remove(pair);
    if (aliveCount === 0 || aliveCount === refs.length) return refs.length;
    const list = this.#lists.create(aliveCount);
    const views = this.#heap.u32;
    let to = (list >>> 2) + 2;
    for (let i = 0; i < refs.length; i++) if (isAlive(refs[i]!)) views[to++] = refs[i]!;
    views[list >>> 2] = aliveCount;
    Atomics.store(views, owner, list);
    this.#lists.retire(postings);
    return refs.length;
  }

  /**
   * After sweeping: rewrites the lists of values (and of names) that lost entries.
   * `names` are the blocks of names, as `nameOf` gives them.
   */
  sweepNames(names: Iterable<number>): void {
    let isNameGone = false;
    for (const nameBlock of names) {
      const kept = this.#rewrite((nameBlock >>> 2) + PAIR_POSTINGS);
      if (kept > 0) continue;
      isNameGone = true;
      this.#heap.u32[(nameBlock >>> 2) + MARK] = GONE;
      this.#discard(nameBlock);
      this.#nameCount--;
    }
    if (isNameGone) this.#rewrite(Word.Names);
  }

  /** The block of the pair's label name. */
  nameOf(pair: number): number {
    return findPair(this.#heap, this.#heap.u32[(pair >>> 2) + PAIR_NAME]!, 0);
  }

  /** Drops the entries of a list of blocks that are gone; returns how many stay. */
  #rewrite(owner: number): number {
    const list = this.#heap.u32[owner]!;
    const blocks = listEntries(this.#heap, list);
    let { u32 } = this.#heap;
    const kept = blocks.filter((block) => u32[(block >>> 2) + MARK] !== GONE);
    if (kept.length === blocks.length) return kept.length;
    let replacement = 0;
    if (kept.length > 0) {
      replacement = this.#lists.create(kept.length);
      ({ u32 } = this.#heap);
      u32.set(kept, (replacement >>> 2) + 2);
      u32[replacement >>> 2] = kept.length;
    }
    Atomics.store(u32, owner, replacement);
    this.#lists.retire(list);
    return kept.length;
  }

  #create(name: number, value: number): number {
    const pair = this.#allocator.allocate(PAIR_SIZE_BYTES);
    const { u32 } = this.#heap;
    const word = pair >>> 2;
    u32[word + HASH] = hashPair(u32, name, value);
    u32[word + PAIR_NAME] = name;
    u32[word + PAIR_VALUE] = value;
    u32[word + PAIR_POSTINGS] = 0;
    u32[word + MARK] = 0;
    this.#symbols.use(name);
    if (value !== 0) this.#symbols.use(value);
    this.#table.insert(pair);
    return pair;
  }

  #remove(pair: number): void {
    const { u32 } = this.#heap;
    const postings = u32[(pair >>> 2) + PAIR_POSTINGS]!;
    if (postings !== 0 && (postings & 1) === 0) this.#lists.retire(postings);
    u32[(pair >>> 2) + MARK] = GONE;
    this.#discard(pair);
  }

  /** Takes the block out of the table and gives it back. Lists that name it must be rewritten. */
  #discard(pair: number): void {
    const { u32 } = this.#heap;
    this.#table.remove(pair);
    const value = u32[(pair >>> 2) + PAIR_VALUE]!;
    this.#symbols.release(u32[(pair >>> 2) + PAIR_NAME]!);
    if (value !== 0) this.#symbols.release(value);
    this.#retired.add(pair, PAIR_SIZE_BYTES);
  }
}

const GONE = 2;

/** The pair of two symbols, or 0. With value 0: the block of the name. In any thread. */
export function findPair(heap: Heap, name: number, value: number): number {
  const hash = hashPair(heap.u32, name, value);
  const table = Atomics.load(heap.u32, Word.Pairs);
  heap.cover(table + 4);
  const mask = heap.u32[table >>> 2]!;
  heap.cover(table + 8 + mask * 4);
  const slots = (table >>> 2) + 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = heap.u32[slots + slot]!;
    if (entry === EMPTY) return 0;
    if (isOther(entry, hash)) continue;
    const pair = addressOf(entry);
    heap.cover(pair + PAIR_SIZE_BYTES);
    const word = pair >>> 2;
    const { u32 } = heap;
    if (u32[word] !== hash) continue;
    if (u32[word + PAIR_NAME] === name && u32[word + PAIR_VALUE] === value) return pair;
  }
}

/** The refs of the series with this pair (0: none), ascending: a view or a copy of one. */
export function readPostings(heap: Heap, pair: number): Uint32Array {
  if (pair === 0) return new Uint32Array(0);
  heap.cover(pair + PAIR_SIZE_BYTES);
  const postings = Atomics.load(heap.u32, (pair >>> 2) + PAIR_POSTINGS);
  return (postings & 1) === 1 ? Uint32Array.of(postings >>> 1) : listEntries(heap, postings);
}

/** The pairs of a name (by its block, 0: none). A view. */
export function readPairsOfName(heap: Heap, nameBlock: number): Uint32Array {
  if (nameBlock === 0) return new Uint32Array(0);
  heap.cover(nameBlock + PAIR_SIZE_BYTES);
  return listEntries(heap, Atomics.load(heap.u32, (nameBlock >>> 2) + PAIR_POSTINGS));
}

/** The blocks of all names. A view. */
export function readNames(heap: Heap): Uint32Array {
  return listEntries(heap, Atomics.load(heap.u32, Word.Names));
}

/** Adds names and values of a series' labels to `texts`. In any thread. */
export function readPairTexts(heap: Heap, labels: number, texts: TextBytes): void {
  const pairCount = heap.u32[labels >>> 2]!;
  heap.cover(labels + 4 + pairCount * 4);
  for (let i = 1; i <= pairCount; i++) {
    const pair = heap.u32[(labels >>> 2) + i]!;
    heap.cover(pair + PAIR_SIZE_BYTES);
    copySymbol(heap, heap.u32[(pair >>> 2) + PAIR_NAME]!, texts);
    copySymbol(heap, heap.u32[(pair >>> 2) + PAIR_VALUE]!, texts);
  }
}

function hashPair(u32: Uint32Array, name: number, value: number): number {
  const nameHash = u32[name >>> 2]!;
  return combineHashes(nameHash, value === 0 ? 0 : u32[value >>> 2]!);
}
