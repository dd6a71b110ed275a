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
import type { IndexReader } from '../index-file/index-reader.ts';
import { SeriesEntry } from '../index-file/series-entry.ts';
import type { Postings } from '../postings/label-index.ts';
import { matchersKey } from '../postings/answer-memo.ts';
import { LabelProjection } from '../postings/label-projection.ts';
import { meeting } from '../postings/meeting.ts';
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
    hints: Pick<SelectHints, 'labelsOnly' | 'limit' | 'labelNames'> = {},
  ): BlockRows {
    const { index, tombstones, meta } = this.#block;
    const { labelsOnly = false, limit = 0 } = hints;
    const refs = matchPostings(index, matchers);
    const rows = new BlockRows(this.#block, labelsOnly ? 0 : refs.length);
    const entry = this.#entry;
    const labelsOf = labelReader(index, hints.labelNames);
    // Then every series has a chunk there, and nobody needs to look at any.
    const isWhole = minMs <= meta.minMs && maxMs >= meta.endMs - 1 && tombstones.count === 0;
    if (labelsOnly && isWhole) {
      const rowCount = limit > 0 ? Math.min(limit, refs.length) : refs.length;
      for (let i = 0; i < rowCount; i++) {
        index.readSeries(refs[i]!, entry, true);
        rows.addRow(refs[i]!, index.labelsOf(entry), null);
      }
      return rows;
    }
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!;
      index.readSeries(ref, entry);
      const deleted = tombstones.of(ref);
      if (rows.addChunks(entry, minMs, maxMs, deleted, labelsOnly)) {
        rows.addRow(ref, labelsOf(entry), deleted);
        if (rows.labels.length === limit) break;
      }
    }
    return rows;
  }

  /** Sorted names of the labels of the series that satisfy all matchers. */
  labelNames(matchers: readonly Matcher[]): readonly string[] {
    if (matchers.length === 0) return this.#block.index.labelNames();
    return this.#remembered(matchersKey(matchers), () => this.#labelNames(matchers));
  }

  #labelNames(matchers: readonly Matcher[]): readonly string[] {
    const { index } = this.#block;
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
    const candidates = values;
    return this.#remembered(`${name.length}:${name} of ${matchersKey(matchers)}`, () =>
      this.#labelValues(name, candidates, matchers),
    );
  }

  /** Which of some values of a label the series that satisfy all matchers have. */
  #labelValues(
    name: string,
    values: readonly string[],
    matchers: readonly Matcher[],
  ): readonly string[] {
    const { index } = this.#block;
    const refs = matchPostings(index, matchers);
    if (refs.length <= values.length * SERIES_PER_VALUE) return this.#valuesOf(refs, name);
    const meets = meeting(refs);
    return values.filter((value) => meets(index.postings(name, value)));
  }

  #remembered(key: string, find: () => readonly string[]): readonly string[] {
    const { texts } = this.#block.index.memo;
    let found = texts.get(key);
    if (found === undefined) {
      found = find();
      texts.set(key, found);
    }
    return found;
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

/** How the labels of an entry are read: all, or those with the given names. */
function labelReader(
  index: IndexReader,
  names: readonly string[] | undefined,
): (entry: SeriesEntry) => Labels {
  if (names === undefined) return (entry) => index.labelsOf(entry);
  const projection = new LabelProjection(names, (symbol) => index.symbols.text(symbol));
  return ({ labelSymbols, labelCount }) => {
    projection.begin();
    for (let i = 0; i < labelCount * 2; i += 2) {
      projection.add(labelSymbols[i]!, labelSymbols[i + 1]!);
    }
    return projection.labels;
  };
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

function grown(source: Float64Array, capacity: number): Float64Array {
  const target = new Float64Array(capacity);
  target.set(source);
  return target;
}
