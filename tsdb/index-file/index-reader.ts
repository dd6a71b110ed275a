/**
 * An open index: answers which series there are, what their labels are and where their chunks lie.
 * Everything is read through the window cache; in memory are only samples of the two tables.
 * Checksums are verified when a structure is read for the first time. Format: layout.ts.
 */
import { CorruptionError, type Labels } from '../../model/index.ts';
import type { FileHandle } from '../io/files.ts';
import { type WindowCache, WindowedFile } from '../io/file-window.ts';
import { AnswerMemo } from '../postings/answer-memo.ts';
import { type LabelIndex, NO_POSTINGS, type Postings } from '../postings/label-index.ts';
import { merge } from '../postings/merge.ts';
import {
  decodeIndexHeader,
  decodeToc,
  INDEX_HEADER_SIZE_BYTES,
  type IndexVersion,
  SERIES_ALIGNMENT_BYTES,
  TOC_SIZE_BYTES,
} from './layout.ts';
import { OffsetTable } from './offset-table.ts';
import { postingsListLength, readPostingsList } from './postings-list.ts';
import { readSeriesEntry, SeriesEntry } from './series-entry.ts';
import { SymbolTable } from './symbols.ts';

/** How many references of decoded lists are kept: dashboards ask for the same ones again and again. */
const LIST_REF_COUNT_MAX = 128 * 1024;

export class IndexReader implements LabelIndex {
  readonly memo = new AnswerMemo();
  readonly version: IndexVersion;
  readonly symbols: SymbolTable;
  readonly sizeBytes: number;
  readonly #file: WindowedFile;
  readonly #table: OffsetTable;
  readonly #verifiedLists = new Set<number>();
  /** Lists that were read last, by their offset. */
  readonly #lists = new Map<number, Postings>();
  #listRefCount = 0;
  /** A bit per possible series reference. */
  readonly #verifiedSeries: Uint8Array;
  readonly #scratch = new SeriesEntry();

  /** Takes over `file`. @throws CorruptionError */
  constructor(file: FileHandle, cache: WindowCache) {
    const windowed = new WindowedFile(file, cache);
    this.#file = windowed;
    this.sizeBytes = windowed.sizeBytes;
    if (this.sizeBytes < INDEX_HEADER_SIZE_BYTES + TOC_SIZE_BYTES) {
      throw new CorruptionError('index is too short', { file: file.path, offsetBytes: 0 });
    }
    this.version = decodeIndexHeader(windowed.read(0, INDEX_HEADER_SIZE_BYTES), file.path);
    const tail = windowed.read(this.sizeBytes - TOC_SIZE_BYTES, TOC_SIZE_BYTES);
    const toc = decodeToc(tail, file.path, this.sizeBytes);
    this.symbols = new SymbolTable(windowed, toc.symbols, this.version);
    this.#table = new OffsetTable(windowed, toc.postingsOffsetTable, this.version);
    this.#verifiedSeries = new Uint8Array((this.sizeBytes / SERIES_ALIGNMENT_BYTES / 8 + 1) | 0);
  }

  close(): void {
    this.#file.close();
  }

  /**
   * Reads labels and chunks of a series, or its labels only.
   * @throws CorruptionError when there is no series at `ref`
   */
  readSeries(ref: number, into: SeriesEntry, labelsOnly = false): void {
    if (this.version === 1) {
      readSeriesEntry(this.#file, ref, false, into, labelsOnly);
      return;
    }
    const bit = 1 << (ref & 7);
    const isVerified = (this.#verifiedSeries[ref >>> 3]! & bit) !== 0;
    readSeriesEntry(this.#file, ref * SERIES_ALIGNMENT_BYTES, isVerified, into, labelsOnly);
    this.#verifiedSeries[ref >>> 3]! |= bit;
  }

  /** Symbol of the value that the entry read last has for a name; -1 when it has none. */
  valueSymbolOf(entry: SeriesEntry, name: string): number {
    const { labelSymbols, labelCount } = entry;
    for (let i = 0; i < labelCount; i++) {
      if (this.symbols.text(labelSymbols[i * 2]!) === name) return labelSymbols[i * 2 + 1]!;
    }
    return -1;
  }

  labelsOf(entry: SeriesEntry): Labels {
    return entry.labels(this.symbols);
  }

  allPostings(): Postings {
    return this.postings('', '');
  }

  postings(name: string, value: string): Postings {
    const offset = this.#table.find(name, value);
    return offset < 0 ? NO_POSTINGS : this.#readList(offset);
  }

  postingsCount(name: string, value: string): number {
    const offset = this.#table.find(name, value);
    return offset < 0 ? 0 : postingsListLength(this.#file, offset);
  }

  postingsMatching(name: string, test: (value: string) => boolean, prefix: string): Postings {
    const found = this.#table.values(name);
    if (found === null) return NO_POSTINGS;
    const { values, offsets } = found;
    const lists: Postings[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (prefix !== '' && !value.startsWith(prefix)) continue;
      if (test(value)) lists.push(this.#readList(offsets[i]!));
    }
    return merge(lists);
  }

  postingsWithName(name: string): Postings {
    const found = this.#table.values(name);
    if (found === null) return NO_POSTINGS;
    // A series has a name only once: when the lists add up to all series, they are all series.
    let total = 0;
    for (const offset of found.offsets) total += postingsListLength(this.#file, offset);
    if (total === this.postingsCount('', '')) return this.allPostings();
    return merge(Array.from(found.offsets, (offset) => this.#readList(offset)));
  }

  labelNames(): readonly string[] {
    return this.#table.names();
  }

  labelValues(name: string): readonly string[] {
    return this.#table.values(name)?.values ?? [];
  }

  filter(refs: Postings, name: string, test: (value: string) => boolean): Postings {
    const verdicts = new Map<number, boolean>([[-1, test('')]]);
    const entry = this.#scratch;
    return refs.filter((ref) => {
      this.readSeries(ref, entry, true);
      const symbol = this.valueSymbolOf(entry, name);
      let verdict = verdicts.get(symbol);
      if (verdict === undefined) {
        verdict = test(this.symbols.text(symbol));
        verdicts.set(symbol, verdict);
      }
      return verdict;
    });
  }

  labelValueCount(name: string): number {
    return this.#table.valueCount(name);
  }

  #readList(offset: number): Postings {
    const known = this.#lists.get(offset);
    if (known !== undefined) return known;
    const refs = readPostingsList(this.#file, offset, this.#verifiedLists.has(offset));
    this.#verifiedLists.add(offset);
    if (refs.length > LIST_REF_COUNT_MAX / 4) return refs;
    this.#listRefCount += refs.length;
    if (this.#listRefCount > LIST_REF_COUNT_MAX) {
      this.#lists.clear();
      this.#listRefCount = refs.length;
    }
    this.#lists.set(offset, refs);
    return refs;
  }
}
