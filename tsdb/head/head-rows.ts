/** Captured series as a query reads them: sorted by labels, decoded row by row. */
import { type Labels, SampleBuffer, type SelectedSeries } from '../../model/index.ts';
import type { SourceChunk } from '../block/block-source.ts';
import { type ChunkPlace, decodeChunk } from '../chunk/decoder.ts';
import { chunkSampleCount, Encoding } from '../chunk/encoding.ts';
import { type Intervals, removeDeleted } from '../chunk/intervals.ts';
import { mergeSamples } from '../query/merge-samples.ts';
import { type CapturedRows, COPIED } from './captured-rows.ts';
import type { HeadChunkReader, StoredChunk } from './head-chunk-files.ts';

type Part = 'late' | 'in-order' | 'both';

const CAPTURED_PLACE = { file: 'head', offsetBytes: 0 };

export class HeadRows implements SelectedSeries {
  readonly labels: readonly Labels[];
  readonly warnings: readonly string[] = [];
  readonly #rows: CapturedRows;
  readonly #order: Uint32Array;
  readonly #chunks: HeadChunkReader;
  #place: ChunkPlace = CAPTURED_PLACE;
  readonly #stored: StoredChunk = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    encoding: Encoding.None,
  };

  /** @param order  the rows' numbers in the order of their labels */
  constructor(rows: CapturedRows, order: Uint32Array, chunks: HeadChunkReader) {
    this.#rows = rows;
    this.#order = order;
    this.#chunks = chunks;
    const labels: Labels[] = [];
    for (let i = 0; i < order.length; i++) labels.push(rows.labels[order[i]!]!);
    this.labels = labels;
  }

  /** The head's ref of a row. */
  refOf(row: number): number {
    return this.#rows.refs[this.#order[row]!]!;
  }

  /** From the first to the last sample that was captured of a row. */
  timesOf(row: number): { readonly minMs: number; readonly maxMs: number } {
    const rows = this.#rows;
    const captured = this.#order[row]!;
    let minMs = Infinity;
    let maxMs = -Infinity;
    for (let i = rows.chunkStarts[captured]!; i < rows.chunkStarts[captured + 1]!; i++) {
      minMs = Math.min(minMs, rows.minMs[i]!);
      maxMs = Math.max(maxMs, rows.maxMs[i]!);
    }
    return { minMs, maxMs };
  }

  /** Deleted times of a row. */
  deletedOf(row: number): Intervals | null {
    return this.#rows.deleted.get(this.#order[row]!) ?? null;
  }

  /** The captured chunks of a row, in order and late ones, as they are; their bytes must not be changed. */
  chunksOf(row: number): { readonly inOrder: SourceChunk[]; readonly late: SourceChunk[] } {
    const rows = this.#rows;
    const captured = this.#order[row]!;
    const inOrder: SourceChunk[] = [];
    const late: SourceChunk[] = [];
    for (let i = rows.chunkStarts[captured]!; i < rows.chunkStarts[captured + 1]!; i++) {
      const { bytes, start, end, encoding } = this.#locate(i);
      const chunk = {
        minMs: rows.minMs[i]!,
        maxMs: rows.maxMs[i]!,
        encoding,
        sampleCount: chunkSampleCount(encoding, bytes, start),
        bytes: bytes.subarray(start, end),
      };
      (rows.isLate[i] === 1 ? late : inOrder).push(chunk);
    }
    return { inOrder, late };
  }

  /** Whether any row has samples that came late. */
  get hasLate(): boolean {
    return this.#rows.overlapping.size > 0;
  }

  /** The same rows with nothing but the samples that came late, or nothing but the others. */
  only(part: 'late' | 'in-order'): SelectedSeries {
    const { labels, warnings } = this;
    return {
      labels,
      warnings,
      read: (row, minMs, maxMs, out) => this.#read(row, minMs, maxMs, out, part),
    };
  }

  read(row: number, minMs: number, maxMs: number, out: SampleBuffer): void {
    this.#read(row, minMs, maxMs, out, 'both');
  }

  #read(row: number, minMs: number, maxMs: number, out: SampleBuffer, part: Part): void {
    out.clear();
    const rows = this.#rows;
    if (!rows.hasSamples) return;
    const captured = this.#order[row]!;
    const untilMs = Math.min(maxMs, rows.visibleUntilMs[captured]!);
    const first = rows.chunkStarts[captured]!;
    const last = rows.chunkStarts[captured + 1]!;
    if (rows.overlapping.has(captured)) {
      this.#readOverlapping(first, last, minMs, maxMs, untilMs, out, part);
    } else if (part !== 'late') {
      for (let chunk = first; chunk < last; chunk++) {
        if (rows.minMs[chunk]! > untilMs || rows.maxMs[chunk]! < minMs) continue;
        this.#decode(chunk, minMs, untilMs, out);
      }
    }
    const deleted = rows.deleted.get(captured);
    if (deleted !== undefined) removeDeleted(out, 0, deleted);
  }

  /** The newest late chunk first: of samples at the same time the one that came last counts. */
  #readOverlapping(
    first: number,
    last: number,
    minMs: number,
    maxMs: number,
    untilMs: number,
    out: SampleBuffer,
    part: Part,
  ): void {
    const rows = this.#rows;
    const inOrder = new SampleBuffer();
    const sources = [inOrder];
    for (let chunk = first; chunk < last; chunk++) {
      const isLate = rows.isLate[chunk] === 1;
      if (part === (isLate ? 'in-order' : 'late')) continue;
      const limitMs = isLate ? maxMs : untilMs;
      if (rows.minMs[chunk]! > limitMs || rows.maxMs[chunk]! < minMs) continue;
      let target = inOrder;
      if (isLate) sources.unshift((target = new SampleBuffer()));
      this.#decode(chunk, minMs, limitMs, target);
    }
    mergeSamples(sources, out);
  }

  /** Appends a chunk's samples in the range to `out`. */
  #decode(chunk: number, minMs: number, maxMs: number, out: SampleBuffer): void {
    const { bytes, start, end, encoding } = this.#locate(chunk);
    decodeChunk(encoding, bytes, start, end, minMs, maxMs, out, this.#place);
  }

  /** Where a chunk's bytes are; good until the next call. */
  #locate(chunk: number): StoredChunk {
    const rows = this.#rows;
    const stored = this.#stored;
    const file = rows.files[chunk]!;
    const offset = rows.offsets[chunk]!;
    if (file !== COPIED) {
      this.#chunks.read(file, offset, stored);
      this.#place = { file: `chunks_head/${file}`, offsetBytes: offset };
      return stored;
    }
    stored.bytes = rows.pages[rows.pageIndexes[chunk]!]!;
    stored.start = offset;
    stored.end = offset + rows.sizes[chunk]!;
    stored.encoding = rows.encodings[chunk]! as Encoding;
    this.#place = CAPTURED_PLACE;
    return stored;
  }
}
