/**
 * Writes the index of a block in one go: symbols first, then series in the order of their labels as
 * they come, then everything that can be derived from them. Format: layout.ts.
 *
 * What is held in memory: the symbols, and per series its reference and the numbers of its label pairs;
 * no labels and no chunks. A million series with ten labels take about 100 MB while writing.
 */
import { assert, ByteWriter, compareLabels, crc32c, type Labels } from '../../model/index.ts';
import { BufferedWriter } from '../io/buffered-writer.ts';
import type { Files } from '../io/files.ts';
import { encodeIndexHeader, encodeToc, SERIES_ALIGNMENT_BYTES } from './layout.ts';
import { OffsetTableWriter } from './offset-table.ts';
import { encodePostingsList } from './postings-list.ts';
import { type ChunkMeta, encodeSeriesEntry } from './series-entry.ts';
import { writeSymbols } from './symbols.ts';

const POSTINGS_ALIGNMENT_BYTES = 4;
/** Series are named by a u32 that counts in sixteens of bytes. */
const INDEX_SIZE_BYTES_MAX = 2 ** 32 * SERIES_ALIGNMENT_BYTES;

export class IndexWriter {
  readonly #out: BufferedWriter;
  readonly #symbols: Map<string, number>;
  readonly #symbolTexts: string[];
  readonly #symbolsStart: number;
  readonly #seriesStart: number;
  readonly #entry = new ByteWriter(4096);
  readonly #frame = new ByteWriter(16);
  readonly #postings: PostingsCollector;
  /** Of the series that is being added: name and value of each label. */
  #labelSymbols = new Uint32Array(64);
  #previousLabels: Labels | null = null;
  seriesCount = 0;

  /** @param symbols  all names and values that will occur, sorted by bytes, without duplicates */
  constructor(files: Files, path: string, symbols: Iterable<string>) {
    this.#out = new BufferedWriter(files.open(path, 'create'));
    this.#out.append(encodeIndexHeader());
    this.#symbolsStart = this.#out.position;
    this.#symbols = writeSymbols(this.#out, symbols);
    this.#symbolTexts = [...this.#symbols.keys()];
    this.#postings = new PostingsCollector(this.#symbols.size);
    // Before the zeros in front of the first one, as Prometheus says it.
    this.#seriesStart = this.#out.position;
  }

  /** Series come in the order of their labels, chunks in the order of time. */
  addSeries(labels: Labels, chunks: readonly ChunkMeta[]): void {
    const previous = this.#previousLabels;
    assert(
      previous === null || compareLabels(previous, labels) < 0,
      () => `series out of order: ${labels.toString()} after ${previous?.toString()}`,
    );
    this.#previousLabels = labels;
    const labelCount = this.#findSymbols(labels.flat);
    const labelSymbols = this.#labelSymbols;
    this.#out.pad(SERIES_ALIGNMENT_BYTES);
    assert(this.#out.position < INDEX_SIZE_BYTES_MAX, 'index is too large');
    this.#postings.add(this.#out.position / SERIES_ALIGNMENT_BYTES, labelSymbols, labelCount);

    const entry = this.#entry;
    entry.clear();
    encodeSeriesEntry(entry, labelSymbols, labelCount, chunks);
    const frame = this.#frame;
    frame.clear();
    frame.putUvarint(entry.length);
    this.#out.append(frame.bytes, 0, frame.length);
    this.#out.append(entry.bytes, 0, entry.length);
    frame.clear();
    frame.putUint32(crc32c(entry.bytes, 0, entry.length));
    this.#out.append(frame.bytes, 0, frame.length);
    this.seriesCount++;
  }

  /** Writes the rest, makes the file durable and closes it; returns its size. */
  finish(): number {
    const out = this.#out;
    const postings = out.position;
    const lists = this.#postings.finish();
    const listOffsets = new Float64Array(lists.pairCount);
    const allOffset = this.#writeList(lists.allRefs, 0, lists.allRefs.length);
    for (let i = 0; i < lists.pairCount; i++) {
      listOffsets[i] = this.#writeList(lists.refs, lists.starts[i]!, lists.starts[i + 1]!);
    }
    const postingsOffsetTable = out.position;
    const table = new OffsetTableWriter(out, lists.pairCount + 1);
    table.add('', '', allOffset);
    const texts = this.#symbolTexts;
    for (let i = 0; i < lists.pairCount; i++) {
      table.add(texts[lists.names[i]!]!, texts[lists.values[i]!]!, listOffsets[i]!);
    }
    table.finish();
    const toc = {
      symbols: this.#symbolsStart,
      series: this.#seriesStart,
      labelIndices: postings,
      labelOffsetTable: postingsOffsetTable,
      postings,
      postingsOffsetTable,
    };
    out.append(encodeToc(toc));
    out.finish();
    return out.position;
  }

  /** Closes the unfinished file. */
  abandon(): void {
    this.#out.abandon();
  }

  /** Returns how many labels they are. */
  #findSymbols(texts: readonly string[]): number {
    const count = texts.length;
    if (count > this.#labelSymbols.length) this.#labelSymbols = new Uint32Array(count * 2);
    const labelSymbols = this.#labelSymbols;
    for (let i = 0; i < count; i++) {
      const symbol = this.#symbols.get(texts[i]!);
      assert(symbol !== undefined, 'a label is not among the symbols');
      labelSymbols[i] = symbol;
    }
    return count / 2;
  }

  #writeList(refs: Uint32Array, start: number, end: number): number {
    const out = this.#out;
    out.pad(POSTINGS_ALIGNMENT_BYTES);
    const offset = out.position;
    const list = this.#entry;
    list.clear();
    list.putUint32(4 + (end - start) * 4);
    encodePostingsList(list, refs, start, end);
    list.putUint32(crc32c(list.bytes, 4, list.length));
    out.append(list.bytes, 0, list.length);
    return offset;
  }
}

/** The lists in the order of the offset table: list i is `refs[starts[i], starts[i + 1])`. */
type CollectedLists = {
  readonly allRefs: Uint32Array;
  readonly pairCount: number;
  /** Symbols of each pair. */
  readonly names: Uint32Array;
  readonly values: Uint32Array;
  readonly starts: Uint32Array;
  readonly refs: Uint32Array;
};

/** Numbers label pairs as they come, remembers which series had which, and sorts by counting. */
class PostingsCollector {
  #refs = new Uint32Array(1024);
  #labelCounts = new Uint16Array(1024);
  #seriesCount = 0;
  /** Pair numbers of all series, one behind the other. */
  #pairs = new Uint32Array(8192);
  #pairsEnd = 0;
  /** Pairs: a value's pairs with different names hang in a chain; nearly always it is one. */
  readonly #firstPairOfValue: Int32Array;
  readonly #pairNames: number[] = [];
  readonly #pairValues: number[] = [];
  readonly #pairNext: number[] = [];

  constructor(symbolCount: number) {
    this.#firstPairOfValue = new Int32Array(symbolCount).fill(-1);
  }

  add(ref: number, labelSymbols: Uint32Array, labelCount: number): void {
    if (this.#seriesCount === this.#refs.length) {
      this.#refs = doubled(this.#refs);
      const counts = new Uint16Array(this.#refs.length);
      counts.set(this.#labelCounts);
      this.#labelCounts = counts;
    }
    this.#refs[this.#seriesCount] = ref;
    this.#labelCounts[this.#seriesCount++] = labelCount;
    while (this.#pairsEnd + labelCount > this.#pairs.length) this.#pairs = doubled(this.#pairs);
    for (let i = 0; i < labelCount * 2; i += 2) {
      this.#pairs[this.#pairsEnd++] = this.#pairNumber(labelSymbols[i]!, labelSymbols[i + 1]!);
    }
  }

  finish(): CollectedLists {
    const pairCount = this.#pairNames.length;
    const order = new Uint32Array(pairCount);
    for (let i = 0; i < pairCount; i++) order[i] = i;
    // Symbols are numbered in the order of their texts.
    order.sort(
      (a, b) =>
        this.#pairNames[a]! - this.#pairNames[b]! || this.#pairValues[a]! - this.#pairValues[b]!,
    );
    const rank = new Uint32Array(pairCount);
    order.forEach((pair, index) => {
      rank[pair] = index;
    });
    const starts = new Uint32Array(pairCount + 1);
    for (let i = 0; i < this.#pairsEnd; i++) starts[rank[this.#pairs[i]!]! + 1]!++;
    for (let i = 0; i < pairCount; i++) starts[i + 1]! += starts[i]!;
    const next = starts.slice();
    const refs = new Uint32Array(this.#pairsEnd);
    let at = 0;
    for (let s = 0; s < this.#seriesCount; s++) {
      for (let left = this.#labelCounts[s]!; left > 0; left--) {
        const list = rank[this.#pairs[at++]!]!;
        refs[next[list]!++] = this.#refs[s]!;
      }
    }
    return {
      allRefs: this.#refs.subarray(0, this.#seriesCount),
      pairCount,
      names: order.map((pair) => this.#pairNames[pair]!),
      values: order.map((pair) => this.#pairValues[pair]!),
      starts,
      refs,
    };
  }

  #pairNumber(name: number, value: number): number {
    const first = this.#firstPairOfValue[value]!;
    for (let pair = first; pair >= 0; pair = this.#pairNext[pair]!) {
      if (this.#pairNames[pair] === name) return pair;
    }
    const pair = this.#pairNames.length;
    this.#pairNames.push(name);
    this.#pairValues.push(value);
    this.#pairNext.push(first);
    this.#firstPairOfValue[value] = pair;
    return pair;
  }
}

function doubled(source: Uint32Array): Uint32Array<ArrayBuffer> {
  const target = new Uint32Array(source.length * 2);
  target.set(source);
  return target;
}
