/**
 * Truncation: what a block on disk holds by now leaves the head, and series of which nothing
 * remains are forgotten. Done in slices of a few milliseconds, between which commits and queries
 * go on, so each step leaves the head in order:
 *
 *   1  series by series: chunks before the time go; a series without any is taken out of the
 *      tables at once, so that its next sample makes a new series with a new ref
 *   2  pair by pair: postings lose the refs of dead series (readers pass over them until then);
 *      pairs and symbols that nobody uses any more are freed
 */
import { addInterval, type Intervals } from '../chunk/intervals.ts';
import { Time, Word } from '../memory/control-block.ts';
import { readDeletedRanges, writeDeletedRanges } from './deleted-ranges.ts';
import type { Head } from './head.ts';
import { lateSealedList, lateTimes } from './out-of-order.ts';
import {
  entryMaxMs,
  entryMinMs,
  entryPlace,
  entryWord,
  fileOfPlace,
  PLACE_CHAIN,
  PLACE_ENCODED,
  sealedCount,
} from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord, forEachRecord } from './series-table.ts';

const SERIES_PER_SLICE = 2000;
const REFS_PER_SLICE = 200_000;

export type CollectResult = {
  /** Refs of the series that are gone, ascending. */
  readonly removedRefs: Uint32Array;
  /** The chunks_head files with chunks in order that are still needed. */
  readonly neededFiles: ReadonlySet<number>;
  /** The same for late chunks. */
  readonly neededLateFiles: ReadonlySet<number>;
};

/** Runs a truncation to its end, without letting anything else happen in between. */
export function truncateHead(head: Head, minMs: number): CollectResult {
  const steps = collect(head, minMs);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Removes what ends before `minMs`; in order samples before it are refused from now on.
 * Yields after every slice.
 */
export function* collect(head: Head, minMs: number): Generator<void, CollectResult> {
  const { heap } = head;
  head.minValidMs = Math.max(head.minValidMs, minMs);
  const collection = new Collection(head, minMs);
  head.startNotingMin();
  for (let nextRef = 1; nextRef !== 0; ) {
    nextRef = collection.sweepSeries(nextRef);
    yield;
  }
  while (collection.sweepPairs()) yield;
  // Commits that came between the slices may have begun series that were passed already.
  heap.f64[Time.MinMs] = Math.min(collection.oldestMs, head.notedMinMs());
  head.retired.reclaim();
  return {
    removedRefs: Uint32Array.from(collection.removedRefs),
    neededFiles: collection.neededFiles,
    neededLateFiles: collection.neededLateFiles,
  };
}

/**
 * Removes whole series, because blocks hold what there is of them. Yields after every slice.
 * @param mayGo  asked of each at the last moment
 * @returns which are gone
 */
export function* dropSeries(
  head: Head,
  refs: Uint32Array,
  mayGo: (index: number) => boolean,
): Generator<void, Uint32Array> {
  const collection = new Collection(head, Infinity);
  for (let i = 0; i < refs.length; i++) {
    if (mayGo(i)) collection.dropOne(refs[i]!);
    if (i % SERIES_PER_SLICE === SERIES_PER_SLICE - 1) yield;
  }
  while (collection.sweepPairs()) yield;
  head.retired.reclaim();
  return Uint32Array.from(collection.removedRefs).sort();
}

class Collection {
  readonly #head: Head;
  readonly #minMs: number;
  readonly #pairs: number[] = [];
  readonly #names = new Set<number>();
  readonly removedRefs: number[] = [];
  #nextPair = 0;
  oldestMs = Infinity;
  readonly neededFiles = new Set<number>();
  readonly neededLateFiles = new Set<number>();

  constructor(head: Head, minMs: number) {
    this.#head = head;
    this.#minMs = minMs;
  }

  /** Goes through some series from `firstRef` on; returns where to go on, 0 at the end. */
  sweepSeries(firstRef: number): number {
    let left = SERIES_PER_SLICE;
    let nextRef = 0;
    forEachRecord(
      this.#head.heap,
      (record, ref) => {
        if (left-- === 0) {
          nextRef = ref;
          return false;
        }
        this.#sweepOne(record, ref);
        return true;
      },
      firstRef,
    );
    return nextRef;
  }

  /** Goes through some pairs; false when all are done. */
  sweepPairs(): boolean {
    const { heap, pairs } = this.#head;
    const isAlive = (ref: number) => findRecord(heap, ref) !== 0;
    let left = REFS_PER_SLICE;
    while (this.#nextPair < this.#pairs.length && left > 0) {
      left -= pairs.sweep(this.#pairs[this.#nextPair++]!, isAlive);
    }
    const isDone = this.#nextPair === this.#pairs.length;
    if (isDone && this.#names.size > 0) {
      pairs.sweepNames(this.#names);
      this.#names.clear();
    }
    // Only now: a reader that comes from here on cannot reach what was unlinked any more.
    Atomics.add(heap.u32, Word.Collections, 1);
    return !isDone;
  }

  /** Drops a series with all it has in order. */
  dropOne(ref: number): void {
    const { heap, isolation } = this.#head;
    const record = findRecord(heap, ref);
    isolation.change(record, () => this.#dropOld(record));
    this.#removeSeries(record, ref);
  }

  #sweepOne(record: number, ref: number): void {
    const { heap, isolation } = this.#head;
    const { u32, f64 } = heap;
    const word = record >>> 2;
    if (this.#hasOld(record)) isolation.change(record, () => this.#dropOld(record));
    const hasChunks =
      u32[word + Rec.SEALED] !== 0 ||
      u32[word + Rec.OPEN_CHUNK] !== 0 ||
      u32[word + Rec.OUT_OF_ORDER] !== 0;
    if (!hasChunks && !this.#head.isPending(record)) {
      this.#removeSeries(record, ref);
      return;
    }
    const list = u32[word + Rec.SEALED]!;
    const newestFile = u32[Word.HeadChunkFile]!;
    for (let i = 0, count = sealedCount(u32, list); i < count; i++) {
      const entry = entryWord(list, i);
      if (i === 0) this.oldestMs = Math.min(this.oldestMs, entryMinMs(u32, entry));
      const place = entryPlace(u32, entry);
      if (place === PLACE_CHAIN || place === PLACE_ENCODED) continue;
      this.neededFiles.add(fileOfPlace(place, newestFile));
    }
    const late = lateSealedList(heap, record);
    for (let i = 0, count = sealedCount(u32, late); i < count; i++) {
      this.neededLateFiles.add(fileOfPlace(entryPlace(u32, entryWord(late, i)), newestFile));
    }
    if (u32[word + Rec.OPEN_CHUNK] !== 0) {
      this.oldestMs = Math.min(this.oldestMs, f64[(record >>> 3) + Rec.OPEN_MIN_TIME]!);
    }
  }

  /** Whether the series holds anything that has to go. */
  #hasOld(record: number): boolean {
    const { u32, f64 } = this.#head.heap;
    const word = record >>> 2;
    const list = u32[word + Rec.SEALED]!;
    if (list !== 0 && entryMaxMs(u32, entryWord(list, 0)) < this.#minMs) return true;
    if (u32[word + Rec.DELETED] !== 0) return true;
    return this.#isOpenOld(record) && f64[(record >>> 3) + Rec.MAX_TIME] !== -Infinity;
  }

  #isOpenOld(record: number): boolean {
    const { u32, f64 } = this.#head.heap;
    if (u32[(record >>> 2) + Rec.OPEN_CHUNK] === 0) return false;
    return f64[(record >>> 3) + Rec.MAX_TIME]! < this.#minMs && !this.#head.isPending(record);
  }

  #dropOld(record: number): void {
    const { heap, sealed, allocator, retired } = this.#head;
    const { u32 } = heap;
    const word = record >>> 2;
    sealed.filter(word + Rec.SEALED, (entry) => {
      if (entryMaxMs(u32, entry) >= this.#minMs) return true;
      this.#head.flusher.free(entryPlace(u32, entry), u32[entry + 3]!);
      this.#head.counters.removedChunks++;
      return false;
    });
    if (this.#isOpenOld(record)) {
      this.#head.writer.dropOpen(record);
      this.#head.counters.removedChunks++;
    }
    // Late samples may lie before the border, so their deletions stay with them.
    if (u32[word + Rec.DELETED] !== 0 && u32[word + Rec.OUT_OF_ORDER] === 0) {
      const before = readDeletedRanges(heap, u32[word + Rec.DELETED]!);
      const kept = rangesFrom(before, this.#minMs);
      if (kept.length === before.length) return;
      writeDeletedRanges(heap, allocator, retired, word + Rec.DELETED, kept);
    }
  }

  #removeSeries(record: number, ref: number): void {
    const { heap, pairs, series, isolation, exemplars, writer } = this.#head;
    const { u32 } = heap;
    const word = record >>> 2;
    const block = u32[word + Rec.LABELS]! >>> 2;
    for (let i = 0; i < u32[block]!; i++) {
      const pair = u32[block + 1 + i]!;
      if (pairs.mark(pair)) continue;
      this.#pairs.push(pair);
      this.#names.add(pairs.nameOf(pair));
    }
    writer.forget(record);
    isolation.drop(record);
    if (u32[word + Rec.DELETED] !== 0) {
      const { allocator, retired } = this.#head;
      writeDeletedRanges(heap, allocator, retired, word + Rec.DELETED, []);
    }
    series.remove(record);
    exemplars.removeSeries(ref);
    this.removedRefs.push(ref);
    this.#head.counters.removedSeries++;
  }
}

/** What of `intervals` reaches to `minMs` or beyond. */
function rangesFrom(intervals: Intervals, minMs: number): Intervals {
  let kept: Intervals = [];
  for (let i = 0; i < intervals.length; i += 2) {
    if (intervals[i + 1]! >= minMs) kept = addInterval(kept, intervals[i]!, intervals[i + 1]!);
  }
  return kept;
}

/**
 * Removes the out-of-order chunks in files up to `lastFile`, because blocks hold them, and
 * recomputes which time the rest covers. Series that have nothing else are left to `collect`.
 * Returns the files that held them.
 */
export function dropLateChunks(head: Head, lastFile: number): Set<number> {
  const { heap, outOfOrder, isolation } = head;
  const newestFile = heap.u32[Word.HeadChunkFile]!;
  const files = new Set<number>();
  let minMs = Infinity;
  let maxMs = -Infinity;
  for (const ref of outOfOrder.refs) {
    const record = findRecord(heap, ref);
    if (record === 0) continue;
    isolation.change(record, () => {
      outOfOrder.filterSealed(record, (entry) => {
        const { u32 } = heap;
        const file = fileOfPlace(entryPlace(u32, entry), newestFile);
        if (file <= lastFile) {
          files.add(file);
          return false;
        }
        minMs = Math.min(minMs, entryMinMs(u32, entry));
        maxMs = Math.max(maxMs, entryMaxMs(u32, entry));
        return true;
      });
    });
    for (const timestampMs of lateTimes(heap, record)) {
      minMs = Math.min(minMs, timestampMs);
      maxMs = Math.max(maxMs, timestampMs);
    }
  }
  heap.f64[Time.MinOutOfOrderMs] = minMs;
  heap.f64[Time.MaxOutOfOrderMs] = maxMs;
  return files;
}
