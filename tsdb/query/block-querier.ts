/** Questions to one block: which series satisfy matchers, their samples, and label names and values. */
import {
  compareText,
  type Labels,
  type Matcher,
  type SampleBuffer,
  type SelectedSeries,
  type SelectHints,
} from '../../model/index.ts';
import type { Block } from '../block/block.ts';
import { decodeChunk } from '../chunk/decoder.ts';
import { covers, type Intervals, removeDeleted } from '../chunk/intervals.ts';
import { SeriesEntry } from '../index-file/series-entry.ts';
import { seek } from '../postings/intersect.ts';
import type { Postings } from '../postings/label-index.ts';
import { matchPostings } from './match-postings.ts';

/** Looking at a series costs about as much as looking whether so many values have a match. */
const SERIES_PER_VALUE = 8;

export class BlockQuerier {
  readonly #block: Block;
  readonly #entry = new SeriesEntry();

  constructor(block: Block) {
    this.#block = block;
  }

  /**
   * The series that satisfy all matchers and have a chunk that reaches into [minMs, maxMs] and is not
   * deleted as a whole, sorted by labels.
   */
  select(
    matchers: readonly Matcher[],
    minMs: number,
    maxMs: number,
    hints: Pick<SelectHints, 'labelsOnly' | 'limit'> = {},
  ): BlockRows {
    const { index, tombstones } = this.#block;
    const { labelsOnly = false, limit = 0 } = hints;
    const refs = matchPostings(index, matchers);
    const rows = new BlockRows(this.#block, labelsOnly ? 0 : refs.length);
    const entry = this.#entry;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!;
      index.readSeries(ref, entry);
      const deleted = tombstones.of(ref);
      if (rows.addChunks(entry, minMs, maxMs, deleted, labelsOnly)) {
        rows.addRow(ref, index.labelsOf(entry), deleted);
        if (rows.labels.length === limit) break;
      }
    }
    return rows;
  }

  /** Sorted names of the labels of the series that satisfy all matchers. */
  labelNames(matchers: readonly Matcher[]): readonly string[] {
    const { index } = this.#block;
    if (matchers.length === 0) return index.labelNames();
    const entry = this.#entry;
    const symbols = new Set<number>();
    for (const ref of matchPostings(index, matchers)) {
      index.readSeries(ref, entry, true);
      for (let i = 0; i < entry.labelCount; i++) symbols.add(entry.labelSymbols[i * 2]!);
    }
    return Array.from(symbols, (symbol) => index.symbols.text(symbol)).sort(compareText);
  }

  /** Sorted values of a label of the series that satisfy all matchers. */
  labelValues(name: string, matchers: readonly Matcher[]): readonly string[] {
    const { index } = this.#block;
    let values = index.labelValues(name);
    if (values.length === 0) return values;
    const others: Matcher[] = [];
    for (const matcher of matchers) {
      if (matcher.name !== name) others.push(matcher);
      else values = values.filter((value) => matcher.matches(value));
    }
    if (others.length === 0 || values.length === 0) return values;
    const refs = matchPostings(index, matchers);
    return refs.length > values.length * SERIES_PER_VALUE
      ? values.filter((value) => haveCommon(index.postings(name, value), refs))
      : this.#valuesOf(refs, name);
  }

  #valuesOf(refs: Postings, name: string): readonly string[] {
    const { index } = this.#block;
    const entry = this.#entry;
    const symbols = new Set<number>();
    for (const ref of refs) {
      index.readSeries(ref, entry, true);
      symbols.add(index.valueSymbolOf(entry, name));
    }
    symbols.delete(-1);
    return Array.from(symbols, (symbol) => index.symbols.text(symbol)).sort(compareText);
  }
}

/** The selected series of one block. Samples are read when they are asked for. */
export class BlockRows implements SelectedSeries {
  readonly labels: Labels[] = [];
  readonly warnings: readonly string[] = [];
  /** The block's reference of each row. */
  readonly refs: number[] = [];
  readonly #block: Block;
  readonly #deleted = new Map<number, Intervals>();
  // Row r has the chunks chunkStarts[r] … chunkStarts[r + 1] - 1.
  #chunkStarts: Uint32Array;
  #chunkCount = 0;
  #chunkMinMs: Float64Array;
  #chunkMaxMs: Float64Array;
  #chunkRefs: Float64Array;

  constructor(block: Block, rowCountMax: number) {
    this.#block = block;
    this.#chunkStarts = new Uint32Array(rowCountMax + 1);
    const capacity = rowCountMax * 2;
    this.#chunkMinMs = new Float64Array(capacity);
    this.#chunkMaxMs = new Float64Array(capacity);
    this.#chunkRefs = new Float64Array(capacity);
  }

  /** @internal Notes the chunks of a series that are wanted; false when there are none. */
  addChunks(
    entry: SeriesEntry,
    minMs: number,
    maxMs: number,
    deleted: Intervals | null,
    labelsOnly: boolean,
  ): boolean {
    const before = this.#chunkCount;
    for (let i = 0; i < entry.chunkCount; i++) {
      const chunkMinMs = entry.chunkMinMs[i]!;
      const chunkMaxMs = entry.chunkMaxMs[i]!;
      if (chunkMaxMs < minMs) continue;
      if (chunkMinMs > maxMs) break;
      if (deleted !== null && covers(deleted, chunkMinMs, chunkMaxMs)) continue;
      if (labelsOnly) return true;
      if (this.#chunkCount === this.#chunkRefs.length) this.#growChunks();
      this.#chunkMinMs[this.#chunkCount] = chunkMinMs;
      this.#chunkMaxMs[this.#chunkCount] = chunkMaxMs;
      this.#chunkRefs[this.#chunkCount++] = entry.chunkRefs[i]!;
    }
    return this.#chunkCount > before;
  }

  /** @internal Finishes the row whose chunks were added. */
  addRow(ref: number, labels: Labels, deleted: Intervals | null): void {
    if (deleted !== null) this.#deleted.set(this.labels.length, deleted);
    this.labels.push(labels);
    this.refs.push(ref);
    if (this.labels.length < this.#chunkStarts.length) {
      this.#chunkStarts[this.labels.length] = this.#chunkCount;
    }
  }

  /** @throws CorruptionError when a chunk cannot be read */
  read(row: number, minMs: number, maxMs: number, out: SampleBuffer): void {
    out.clear();
    let first = this.#chunkStarts[row]!;
    let end = this.#chunkStarts[row + 1]!;
    while (first < end && this.#chunkMaxMs[first]! < minMs) first++;
    while (first < end && this.#chunkMinMs[end - 1]! > maxMs) end--;
    if (!(first < end)) return; // also where only labels were selected
    const { chunks } = this.#block;
    const lastRef = this.#chunkRefs[end - 1]!;
    for (let i = first; i < end; i++) {
      const ref = this.#chunkRefs[i]!;
      chunks.read(ref, lastRef);
      const { encoding, bytes, start, end: chunkEnd } = chunks;
      decodeChunk(encoding, bytes, start, chunkEnd, minMs, maxMs, out, chunks.lastPlace);
    }
    const deleted = this.#deleted.get(row);
    if (deleted !== undefined) removeDeleted(out, 0, deleted);
  }

  #growChunks(): void {
    const capacity = Math.max(64, this.#chunkRefs.length * 2);
    this.#chunkMinMs = grown(this.#chunkMinMs, capacity);
    this.#chunkMaxMs = grown(this.#chunkMaxMs, capacity);
    this.#chunkRefs = grown(this.#chunkRefs, capacity);
  }
}

function haveCommon(a: Postings, b: Postings): boolean {
  let at = 0;
  const [few, many] = a.length < b.length ? [a, b] : [b, a];
  for (let i = 0; i < few.length; i++) {
    at = seek(many, at, few[i]!);
    if (at === many.length) return false;
    if (many[at] === few[i]) return true;
  }
  return false;
}

function grown(source: Float64Array, capacity: number): Float64Array {
  const target = new Float64Array(capacity);
  target.set(source);
  return target;
}
