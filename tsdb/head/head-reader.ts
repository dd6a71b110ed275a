/**
 * Reading the head in any thread. A query captures the series it selects at once (captured-rows.ts)
 * and reads their samples afterwards, without touching shared memory again.
 */
import { compareText, type Labels, type Matcher, type SelectHints } from '../../model/index.ts';
import { Encoding } from '../chunk/encoding.ts';
import { covers, type Intervals } from '../chunk/intervals.ts';
import { Time, Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import { ReaderSlot } from '../memory/readers.ts';
import { LabelProjection } from '../postings/label-projection.ts';
import { matchPostings } from '../query/match-postings.ts';
import { CapturedRows } from './captured-rows.ts';
import { readDeletedRanges } from './deleted-ranges.ts';
import { copyEncodedChunk, encodedChunkSize } from './encoded-chunk.ts';
import type { HeadChunkReader } from './head-chunk-files.ts';
import { HeadLabelIndex } from './head-label-index.ts';
import { HeadRows } from './head-rows.ts';
import { visibleUntilMs } from './isolation.ts';
import { readNames, readPairsOfName, readPostings } from './label-pairs.ts';
import {
  copyLateEntries,
  encodeLateEntries,
  type LateEntries,
  lateSealedList,
  NO_LATE_ENTRIES,
} from './out-of-order.ts';
import { COPY_SIZE_BYTES_MAX, copyFinishedChunk, copyOpenChunk } from './open-chunk.ts';
import { orderByLabels } from './order-by-labels.ts';
import { readUnchanged } from './read-unchanged.ts';
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
import { findRecord } from './series-table.ts';
import { SymbolTexts } from './symbol-texts.ts';

/** One per thread. */
export class HeadReader {
  readonly heap: Heap;
  readonly chunks: HeadChunkReader;
  readonly texts: SymbolTexts;
  readonly index: HeadLabelIndex;
  /** Number of this thread among the readers, from 1. */
  readonly #owner: number;

  constructor(heap: Heap, chunks: HeadChunkReader, owner: number) {
    this.heap = heap;
    this.chunks = chunks;
    this.#owner = owner;
    this.texts = new SymbolTexts(heap);
    this.index = new HeadLabelIndex(heap, this.texts);
  }

  /** Times of all samples in the head, out of order ones included. */
  get minMs(): number {
    const { f64 } = this.heap;
    return Math.min(f64[Time.MinMs]!, f64[Time.MinOutOfOrderMs]!);
  }
  get maxMs(): number {
    const { f64 } = this.heap;
    return Math.max(f64[Time.MaxMs]!, f64[Time.MaxOutOfOrderMs]!);
  }

  /** Everything that was committed before this call. */
  query(blocksVersion = 0): HeadQuery {
    return new HeadQuery(this, ReaderSlot.open(this.heap, this.#owner, blocksVersion));
  }
}

type CaptureOptions = {
  readonly keepsOrder?: boolean;
  readonly keepsLabels?: boolean;
  readonly labelNames?: readonly string[] | undefined;
};

export type PairFigures = {
  readonly value: string;
  readonly valueBytes: number;
  readonly seriesCount: number;
};

/** One query's view of the head. */
export class HeadQuery {
  readonly #reader: HeadReader;
  readonly #slot: ReaderSlot;

  constructor(reader: HeadReader, slot: ReaderSlot) {
    this.#reader = reader;
    this.#slot = slot;
  }

  select(matchers: readonly Matcher[], minMs: number, maxMs: number, hints: SelectHints): HeadRows {
    return this.#inside(() => {
      const refs = matchPostings(this.#reader.index, matchers);
      const { labelsOnly = false, labelNames } = hints;
      return this.#capture(refs, minMs, maxMs, labelsOnly, { labelNames });
    });
  }

  /** Sorted names of the labels of the series that satisfy all matchers. */
  labelNames(matchers: readonly Matcher[]): readonly string[] {
    return this.#inside(() => {
      const { index } = this.#reader;
      if (matchers.length === 0) return index.labelNames();
      return index.namesOf(matchPostings(index, matchers)).sort(compareText);
    });
  }

  /** Sorted values of a label, likewise. */
  labelValues(name: string, matchers: readonly Matcher[]): readonly string[] {
    return this.#inside(() => {
      const { index } = this.#reader;
      if (matchers.length === 0) return index.labelValues(name);
      return index.valuesOf(matchPostings(index, matchers), name).sort(compareText);
    });
  }

  /**
   * The refs of all series with samples in the range, in the order of their labels. They may be
   * gone when they are asked for.
   * @param among  only of these, by default of all
   */
  refsByLabels(minMs: number, maxMs: number, among?: Uint32Array): Uint32Array {
    return this.#inside(() => {
      const { heap, texts, index } = this.#reader;
      const refs = among ?? index.allPostings();
      const records = new Uint32Array(refs.length);
      const kept = new Uint32Array(refs.length);
      const rows = new CapturedRows(false);
      let count = 0;
      for (const ref of refs) {
        const record = ref > index.refMax ? 0 : findRecord(heap, ref);
        if (record === 0) continue;
        rows.restartRow();
        this.#captureRow(rows, record, minMs, maxMs, false);
        if (rows.chunkCount === 0) continue;
        records[count] = record;
        kept[count++] = ref;
      }
      // Without making labels of them, of which a large head has too many to hold at once.
      const order = orderByLabels(heap, texts, records, count);
      return order.map((row) => kept[row]!);
    });
  }

  /** Captures these series, in this order; for who goes through all series once. */
  selectRefs(refs: Uint32Array, minMs: number, maxMs: number): HeadRows {
    const options = { keepsOrder: true, keepsLabels: false };
    return this.#inside(() => this.#capture(refs, minMs, maxMs, false, options));
  }

  /** The labels of a series by its ref, or null when it is gone. */
  labelsOf(ref: number): Labels | null {
    return this.#inside(() => {
      const record = findRecord(this.#reader.heap, ref);
      return record === 0 ? null : this.#reader.texts.labels(record);
    });
  }

  /** Visits every label name with its pairs, for statistics. */
  forEachName(visit: (name: string, pairs: Iterable<PairFigures>) => void): void {
    this.#inside(() => {
      const { heap, texts } = this.#reader;
      for (const block of readNames(heap)) {
        const pairs = readPairsOfName(heap, block);
        visit(
          texts.pairName(block),
          (function* () {
            for (const pair of pairs) {
              const value = texts.pairValue(pair);
              const valueBytes = Buffer.byteLength(value);
              yield { value, valueBytes, seriesCount: readPostings(heap, pair).length };
            }
          })(),
        );
      }
    });
  }

  close(): void {
    this.#slot.close();
  }

  #inside<T>(body: () => T): T {
    this.#slot.enter();
    try {
      const { heap, index } = this.#reader;
      // In this order: what a series up to here consists of lies inside of the views then.
      index.refMax = Atomics.load(heap.u32, Word.LastRef);
      heap.refresh();
      if (this.#reader.texts.refresh()) this.#reader.chunks.forgetRemoved();
      return body();
    } finally {
      this.#slot.leave();
    }
  }

  /**
   * @param options.keepsOrder  leaves the rows as they come instead of sorting them by labels
   * @param options.keepsLabels  for the next query; so it is by default
   * @param options.labelNames  labels that rows get; all when there is none
   */
  #capture(
    refs: Uint32Array,
    minMs: number,
    maxMs: number,
    labelsOnly: boolean,
    options: CaptureOptions = {},
  ): HeadRows {
    const { heap, texts } = this.#reader;
    const { keepsOrder = false, keepsLabels = true, labelNames } = options;
    const projection =
      labelNames === undefined
        ? null
        : new LabelProjection(labelNames, (symbol) => texts.text(symbol));
    const rows = new CapturedRows(!labelsOnly);
    let records = new Uint32Array(Math.min(refs.length, 1024));
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!;
      if (ref > this.#reader.index.refMax) continue;
      const record = findRecord(heap, ref);
      if (record === 0) continue; // collected, but still in the postings
      const untilMs = this.#captureRow(rows, record, minMs, maxMs, !labelsOnly);
      if (rows.chunkCount === rows.chunkStarts[rows.rowCount]!) continue;
      if (rows.rowCount === records.length) {
        const grown = new Uint32Array(records.length * 2);
        grown.set(records);
        records = grown;
      }
      records[rows.rowCount] = record;
      const labels =
        projection === null
          ? keepsLabels
            ? texts.labels(record)
            : texts.labelsForOnce(record)
          : texts.someLabels(record, projection);
      rows.addRow(ref, labels, untilMs);
    }
    const order = keepsOrder
      ? Uint32Array.from({ length: rows.rowCount }, (_, row) => row)
      : orderByLabels(heap, texts, records, rows.rowCount);
    return new HeadRows(rows, order, this.#reader.chunks);
  }

  /** Adds the chunks of a series that overlap the range; returns up to when it is visible. */
  #captureRow(
    rows: CapturedRows,
    record: number,
    minMs: number,
    maxMs: number,
    copies: boolean,
  ): number {
    const { heap } = this.#reader;
    let late = NO_LATE_ENTRIES;
    const untilMs = readUnchanged(heap, this.#slot, record, () => {
      rows.restartRow();
      const copiedUntilMs = this.#copyRow(rows, record, minMs, maxMs, copies);
      late = copyLateEntries(heap, record);
      return copiedUntilMs;
    });
    if (late.length > 0) this.#addLate(rows, late, minMs, maxMs);
    return untilMs;
  }

  #copyRow(
    rows: CapturedRows,
    record: number,
    minMs: number,
    maxMs: number,
    copies: boolean,
  ): number {
    const { heap } = this.#reader;
    const word = record >>> 2;
    const untilMs = Math.min(maxMs, visibleUntilMs(heap, record, this.#slot.snapshot));
    const deletedList = heap.u32[word + Rec.DELETED]!;
    const deleted = deletedList === 0 ? [] : readDeletedRanges(heap, deletedList);
    if (deleted.length > 0) rows.deleted.set(rows.rowCount, deleted);

    const list = heap.u32[word + Rec.SEALED]!;
    if (list !== 0) this.#copySealed(rows, list, minMs, untilMs, deleted, copies, false);
    if (heap.u32[word + Rec.OUT_OF_ORDER] !== 0) {
      const late = lateSealedList(heap, record);
      if (late !== 0) this.#copySealed(rows, late, minMs, maxMs, deleted, copies, true);
    }
    this.#copyOpen(rows, record, minMs, untilMs, deleted, copies);
    return untilMs;
  }

  #copySealed(
    rows: CapturedRows,
    list: number,
    minMs: number,
    untilMs: number,
    deleted: Intervals,
    copies: boolean,
    isLate: boolean,
  ): void {
    const { heap, chunks } = this.#reader;
    heap.cover(list + 8);
    const count = sealedCount(heap.u32, list);
    heap.cover(entryWord(list, count) * 4);
    const newestFile = Atomics.load(heap.u32, Word.HeadChunkFile);
    for (let i = 0; i < count; i++) {
      const entry = entryWord(list, i);
      const { u32 } = heap;
      const entryMin = entryMinMs(u32, entry);
      const entryMax = entryMaxMs(u32, entry);
      if (entryMin > untilMs || entryMax < minMs) continue;
      if (covers(deleted, entryMin, entryMax)) continue;
      const place = entryPlace(u32, entry);
      const offset = u32[entry + 3]!;
      if (place === PLACE_CHAIN || place === PLACE_ENCODED) {
        this.#copyWaiting(rows, place, offset, entryMin, entryMax, copies);
      } else {
        const file = fileOfPlace(place, newestFile);
        if (copies) chunks.hold(file);
        rows.addStored(file, offset, entryMin, entryMax);
      }
      if (isLate) rows.markLate();
    }
  }

  /** Late samples that are in no chunk yet, as chunks of their own. */
  #addLate(rows: CapturedRows, entries: LateEntries, minMs: number, maxMs: number): void {
    for (const chunk of encodeLateEntries(this.#reader.heap, entries, this.#slot.snapshot)) {
      if (chunk.minMs > maxMs || chunk.maxMs < minMs) continue;
      rows.room(chunk.bytes.length);
      rows.page.set(chunk.bytes, rows.pageEnd);
      rows.addCopied(chunk.bytes.length, chunk.encoding, chunk.minMs, chunk.maxMs);
      rows.markLate();
    }
  }

  #copyWaiting(
    rows: CapturedRows,
    place: number,
    address: number,
    minMs: number,
    maxMs: number,
    copies: boolean,
  ): void {
    const { heap } = this.#reader;
    if (!copies) return rows.addStored(0, 0, minMs, maxMs);
    if (place === PLACE_CHAIN) {
      rows.room(COPY_SIZE_BYTES_MAX);
      const size = copyFinishedChunk(heap, address, rows.pageWords, rows.pageEnd >>> 2);
      rows.addCopied(size, Encoding.Xor, minMs, maxMs);
      return;
    }
    this.#copyEncoded(rows, address, minMs, maxMs);
  }

  #copyEncoded(rows: CapturedRows, address: number, minMs: number, maxMs: number): void {
    const { heap } = this.#reader;
    const size = encodedChunkSize(heap, address);
    rows.room(size);
    const encoding = copyEncodedChunk(heap, address, size, rows.page, rows.pageEnd);
    rows.addCopied(size, encoding, minMs, maxMs);
  }

  #copyOpen(
    rows: CapturedRows,
    record: number,
    minMs: number,
    untilMs: number,
    deleted: Intervals,
    copies: boolean,
  ): void {
    const { heap } = this.#reader;
    const { u32, f64 } = heap;
    const word = record >>> 2;
    const first = u32[word + Rec.OPEN_CHUNK]!;
    if (first === 0) return;
    const openMin = f64[(record >>> 3) + Rec.OPEN_MIN_TIME]!;
    const openMax = f64[(record >>> 3) + Rec.MAX_TIME]!;
    if (openMin > untilMs || openMax < minMs || covers(deleted, openMin, openMax)) return;
    if (!copies) return rows.addStored(0, 0, openMin, openMax);
    if ((u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0) {
      this.#copyEncoded(rows, first, openMin, openMax);
      return;
    }
    rows.room(COPY_SIZE_BYTES_MAX);
    const state = u32[word + Rec.STATE]!;
    const size = copyOpenChunk(
      heap,
      first,
      u32[word + Rec.TAIL]!,
      Rec.freeBitsOf(state),
      Rec.countOf(state),
      rows.pageWords,
      rows.pageEnd >>> 2,
    );
    rows.addCopied(size, Encoding.Xor, openMin, openMax);
  }
}
