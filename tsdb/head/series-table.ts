/**
 * From a series ref, or from labels, to the record.
 *
 * Refs grow for ever while series come and go, so the table by ref has three levels of pages, and
 * a page exists only while one of its series does:
 *
 *   ref  31 ……… 20 │ 19 …… 8 │ 7 …… 0
 *         4096 × u32  4096 × u32  256 × u32      addresses; 0 where nothing is
 *         in the control block
 *
 * The table by labels is only the writer's; readers come from postings.
 */
import { assert } from '../../model/index.ts';
import type { Allocator } from '../memory/allocator.ts';
import { SERIES_TABLE_ADDRESS, Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import { addressOf, EMPTY, isOther, PointerTable } from '../memory/pointer-table.ts';
import type { Retired } from '../memory/retired.ts';
import { findPair, type LabelPairs, PAIR_NAME, PAIR_VALUE } from './label-pairs.ts';
import * as Rec from './series-record.ts';
import { findSymbol, symbolEquals } from './symbols.ts';
import { combineHashes, type TextBytes } from './text-bytes.ts';

const TOP_WORD = SERIES_TABLE_ADDRESS / 4;
const MIDDLE_COUNT = 4096;
const LEAF_COUNT = 256;
/** Refs are never used twice, and have 32 bits. */
export const REF_MAX = 0xffff_ffff;

/** Roots the table by labels; no reader needs it. */
const BY_LABELS_WORD = 9;

/** The writer's side. */
export class SeriesTable {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  readonly #pairs: LabelPairs;
  readonly #byLabels: PointerTable;
  /** The pairs of the series made last (then 0): the next one mostly shares them. */
  #guesses = new Uint32Array(32);
  /** Series in each leaf and leaves in each middle page, to know when a page is empty. */
  readonly #leafCounts = new Map<number, number>();
  readonly #middleCounts = new Map<number, number>();

  constructor(heap: Heap, allocator: Allocator, retired: Retired, pairs: LabelPairs) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#pairs = pairs;
    this.#byLabels = new PointerTable(heap, allocator, retired, BY_LABELS_WORD, Rec.HASH);
  }

  get count(): number {
    return this.#byLabels.entryCount;
  }

  /** The record of the series with these labels (names and values in turn), or 0. */
  find(labels: TextBytes, hash: number): number {
    const { u32 } = this.#heap;
    const table = u32[BY_LABELS_WORD]! >>> 2;
    const mask = u32[table]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = u32[table + 1 + slot]!;
      if (entry === EMPTY) return 0;
      if (isOther(entry, hash)) continue;
      const record = addressOf(entry);
      if (u32[(record >>> 2) + Rec.HASH] !== hash) continue;
      if (this.#hasLabels(record, labels)) return record;
    }
  }

  /** The same, of the series with these label pairs. */
  findByPairs(pairs: Uint32Array, pairCount: number, hash: number): number {
    const { u32 } = this.#heap;
    const table = u32[BY_LABELS_WORD]! >>> 2;
    const mask = u32[table]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = u32[table + 1 + slot]!;
      if (entry === EMPTY) return 0;
      if (isOther(entry, hash)) continue;
      const record = addressOf(entry);
      if (u32[(record >>> 2) + Rec.HASH] !== hash) continue;
      const block = u32[(record >>> 2) + Rec.LABELS]! >>> 2;
      if (u32[block] !== pairCount) continue;
      let same = 0;
      while (same < pairCount && u32[block + 1 + same] === pairs[same]) same++;
      if (same === pairCount) return record;
    }
  }

  /** Makes the record of a new series and files it everywhere. */
  create(labels: TextBytes, hash: number, ref: number): number {
    const pairCount = labels.count / 2;
    if (pairCount > this.#guesses.length) this.#guesses = new Uint32Array(pairCount * 2);
    const guesses = this.#guesses;
    for (let i = 0; i < pairCount; i++) {
      guesses[i] = this.#pairs.intern(labels, i * 2, guesses[i]!);
    }
    return this.createFromPairs(guesses, pairCount, hash, ref);
  }

  /** The same from label pairs that exist already. */
  createFromPairs(pairs: Uint32Array, pairCount: number, hash: number, ref: number): number {
    assert(ref > 0 && ref <= REF_MAX, () => `series ref ${ref}`);
    const block = this.#allocator.allocate(4 + pairCount * 4);
    const labels = this.#heap.u32;
    labels[block >>> 2] = pairCount;
    for (let i = 0; i < pairCount; i++) labels[(block >>> 2) + 1 + i] = pairs[i]!;
    const record = this.#allocator.allocateZeroed(Rec.RECORD_SIZE_BYTES);
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    u32[word + Rec.REF] = ref;
    u32[word + Rec.HASH] = hash;
    u32[word + Rec.LABELS] = block;
    u32[word + Rec.MARK_COMMIT] = u32[Word.CommitId]!;
    f64[(record >>> 3) + Rec.MAX_TIME] = -Infinity;
    f64[(record >>> 3) + Rec.MARK_TIME] = -Infinity;
    this.#byLabels.insert(record);
    this.#place(ref, record);
    for (let i = 0; i < pairCount; i++) this.#pairs.addSeries(pairs[i]!, ref);
    const views = this.#heap.u32;
    if (ref > views[Word.LastRef]!) Atomics.store(views, Word.LastRef, ref);
    Atomics.store(views, Word.SeriesCount, this.count);
    return record;
  }

  /**
   * Takes a series out of both tables and gives its labels and record back. Its pairs must have
   * been marked before, so that the sweep takes its ref out of their postings.
   */
  remove(record: number): void {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    this.#guesses.fill(0); // they may be about to go
    this.#byLabels.remove(record);
    this.#displace(u32[word + Rec.REF]!);
    const block = u32[word + Rec.LABELS]!;
    this.#retired.add(block, 4 + u32[block >>> 2]! * 4);
    this.#retired.add(record, Rec.RECORD_SIZE_BYTES);
    Atomics.store(u32, Word.SeriesCount, this.count);
  }

  #place(ref: number, record: number): void {
    const top = TOP_WORD + (ref >>> 20);
    let middle = this.#heap.u32[top]!;
    if (middle === 0) {
      middle = this.#allocator.allocateZeroed(MIDDLE_COUNT * 4);
      Atomics.store(this.#heap.u32, top, middle);
    }
    const middleWord = (middle >>> 2) + ((ref >>> 8) & (MIDDLE_COUNT - 1));
    let leaf = this.#heap.u32[middleWord]!;
    if (leaf === 0) {
      leaf = this.#allocator.allocateZeroed(LEAF_COUNT * 4);
      Atomics.store(this.#heap.u32, middleWord, leaf);
      this.#middleCounts.set(ref >>> 20, (this.#middleCounts.get(ref >>> 20) ?? 0) + 1);
    }
    Atomics.store(this.#heap.u32, (leaf >>> 2) + (ref & (LEAF_COUNT - 1)), record);
    this.#leafCounts.set(ref >>> 8, (this.#leafCounts.get(ref >>> 8) ?? 0) + 1);
  }

  #displace(ref: number): void {
    const { u32 } = this.#heap;
    const top = TOP_WORD + (ref >>> 20);
    const middle = u32[top]!;
    const middleWord = (middle >>> 2) + ((ref >>> 8) & (MIDDLE_COUNT - 1));
    const leaf = u32[middleWord]!;
    Atomics.store(u32, (leaf >>> 2) + (ref & (LEAF_COUNT - 1)), 0);
    if (!countDown(this.#leafCounts, ref >>> 8)) return;
    Atomics.store(u32, middleWord, 0);
    this.#retired.add(leaf, LEAF_COUNT * 4);
    if (!countDown(this.#middleCounts, ref >>> 20)) return;
    Atomics.store(u32, top, 0);
    this.#retired.add(middle, MIDDLE_COUNT * 4);
  }

  #hasLabels(record: number, labels: TextBytes): boolean {
    const { u32 } = this.#heap;
    const block = u32[(record >>> 2) + Rec.LABELS]! >>> 2;
    const pairCount = u32[block]!;
    if (pairCount * 2 !== labels.count) return false;
    for (let i = 0; i < pairCount; i++) {
      const pair = u32[block + 1 + i]! >>> 2;
      if (!symbolEquals(this.#heap, u32[pair + PAIR_VALUE]!, labels, i * 2 + 1)) return false;
      if (!symbolEquals(this.#heap, u32[pair + PAIR_NAME]!, labels, i * 2)) return false;
    }
    return true;
  }
}

/** One fewer; true when none is left. */
function countDown(counts: Map<number, number>, key: number): boolean {
  const count = counts.get(key)! - 1;
  if (count > 0) {
    counts.set(key, count);
    return false;
  }
  counts.delete(key);
  return true;
}

/** The hash under which a series is filed, from the names and values of its labels in turn. */
export function hashLabels(labels: TextBytes): number {
  let hash = labels.count;
  for (let i = 0; i < labels.count; i++) hash = combineHashes(hash, labels.hashes[i]!);
  return hash;
}

/** The record of a series, or 0 when there is no such series. In any thread. */
export function findRecord(heap: Heap, ref: number): number {
  const middle = heap.u32[TOP_WORD + (ref >>> 20)]!;
  if (middle === 0) return 0;
  heap.cover(middle + MIDDLE_COUNT * 4);
  const leaf = heap.u32[(middle >>> 2) + ((ref >>> 8) & (MIDDLE_COUNT - 1))]!;
  if (leaf === 0) return 0;
  heap.cover(leaf + LEAF_COUNT * 4);
  const record = heap.u32[(leaf >>> 2) + (ref & (LEAF_COUNT - 1))]!;
  if (record !== 0) heap.cover(record + Rec.RECORD_SIZE_BYTES);
  return record;
}

/** Calls `visit` with the record of every series, by ascending ref. Stops when it returns false. */
export function forEachRecord(
  heap: Heap,
  visit: (record: number, ref: number) => boolean | void,
  firstRef = 0,
): void {
  for (let top = firstRef >>> 20; top < 4096; top++) {
    const middle = heap.u32[TOP_WORD + top]!;
    if (middle === 0) continue;
    heap.cover(middle + MIDDLE_COUNT * 4);
    for (let m = 0; m < MIDDLE_COUNT; m++) {
      const leaf = heap.u32[(middle >>> 2) + m]!;
      if (leaf === 0) continue;
      heap.cover(leaf + LEAF_COUNT * 4);
      const baseRef = top * 2 ** 20 + m * 256;
      if (baseRef + LEAF_COUNT <= firstRef) continue;
      for (let i = 0; i < LEAF_COUNT; i++) {
        const record = heap.u32[(leaf >>> 2) + i]!;
        if (record === 0 || baseRef + i < firstRef) continue;
        heap.cover(record + Rec.RECORD_SIZE_BYTES);
        if (visit(record, baseRef + i) === false) return;
      }
    }
  }
}

/** The pair with these two texts, or 0. In any thread. */
export function findPairByText(heap: Heap, texts: TextBytes, nameIndex: number): number {
  const name = findSymbol(heap, texts, nameIndex);
  if (name === 0) return 0;
  const value = findSymbol(heap, texts, nameIndex + 1);
  return value === 0 ? 0 : findPair(heap, name, value);
}
