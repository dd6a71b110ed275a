/**
 * Series as they were at one moment, copied out of shared memory: labels, which chunks they have,
 * and the bytes of chunks that are not in files. What the writer does afterwards does not matter.
 *
 * Rows and chunks are columns; the chunks of row r are those in [chunkStarts[r], chunkStarts[r + 1]).
 */
import type { Labels } from '../../model/index.ts';
import type { Encoding } from '../chunk/encoding.ts';
import type { Intervals } from '../chunk/intervals.ts';

/**
 * Each page is four times as large as the one before: most selections are of a few series, and large
 * buffers that are filled with a few bytes are what makes the garbage collector run.
 */
const FIRST_PAGE_SIZE_BYTES = 4 * 1024;
const PAGE_SIZE_BYTES_MAX = 256 * 1024;

/** `file` of a chunk whose bytes were copied. */
export const COPIED = -1;

export class CapturedRows {
  /** False when only labels were wanted: then there is nothing to read. */
  readonly hasSamples: boolean;
  rowCount = 0;
  chunkCount = 0;
  readonly labels: Labels[] = [];
  readonly refs: number[] = [];
  /** Deleted ranges of a row, where it has any. */
  readonly deleted = new Map<number, Intervals>();
  /** Rows whose chunks may overlap each other. */
  readonly overlapping = new Set<number>();
  chunkStarts = new Uint32Array(65);
  /** What lies after this is too new for the query. */
  visibleUntilMs = new Float64Array(64);
  minMs = new Float64Array(64);
  maxMs = new Float64Array(64);
  /** Number of the chunks_head file, or COPIED. */
  files = new Float64Array(64);
  /** Offset in the file, or in the page. */
  offsets = new Float64Array(64);
  /** Only for copied chunks. */
  pages: Uint8Array[] = [];
  pageIndexes = new Uint32Array(64);
  sizes = new Uint32Array(64);
  encodings = new Uint8Array(64);
  /** 1: came out of order, so it may overlap others. */
  isLate = new Uint8Array(64);
  /** The page that is being filled, and how far; a multiple of four. */
  page = new Uint8Array(0);
  pageWords = new Uint32Array(0);
  pageEnd = 0;

  constructor(hasSamples: boolean) {
    this.hasSamples = hasSamples;
  }

  /** Makes room for a copy of `sizeBytes` at `pageEnd` of `page` (or of `pageWords`). */
  room(sizeBytes: number): void {
    if (this.pageEnd + sizeBytes <= this.page.length) return;
    const usualBytes = FIRST_PAGE_SIZE_BYTES * 4 ** this.pages.length;
    const pageBytes = Math.max(Math.min(usualBytes, PAGE_SIZE_BYTES_MAX), sizeBytes);
    const words = Math.ceil(pageBytes / 4);
    this.pageWords = new Uint32Array(words);
    this.page = new Uint8Array(this.pageWords.buffer);
    this.pageEnd = 0;
    this.pages.push(this.page);
  }

  /** Adds a chunk to the row that is being captured. */
  addStored(file: number, offset: number, minMs: number, maxMs: number): void {
    const index = this.#addChunk(minMs, maxMs);
    this.files[index] = file;
    this.offsets[index] = offset;
  }

  /** Adds the chunk that was copied to the end of the page. */
  addCopied(sizeBytes: number, encoding: Encoding, minMs: number, maxMs: number): void {
    const index = this.#addChunk(minMs, maxMs);
    this.files[index] = COPIED;
    this.offsets[index] = this.pageEnd;
    this.pageIndexes[index] = this.pages.length - 1;
    this.sizes[index] = sizeBytes;
    this.encodings[index] = encoding;
    this.pageEnd += (sizeBytes + 3) & ~3;
  }

  /** The chunk that was added last came out of order. */
  markLate(): void {
    this.isLate[this.chunkCount - 1] = 1;
    this.overlapping.add(this.rowCount);
  }

  /** Finishes the row whose chunks were added last. */
  addRow(ref: number, labels: Labels, visibleUntilMs: number): void {
    const row = this.rowCount++;
    if (row + 1 >= this.chunkStarts.length) {
      const starts = new Uint32Array(this.chunkStarts.length * 2);
      starts.set(this.chunkStarts);
      this.chunkStarts = starts;
    }
    if (row >= this.visibleUntilMs.length) this.visibleUntilMs = grown(this.visibleUntilMs);
    this.labels.push(labels);
    this.refs.push(ref);
    this.visibleUntilMs[row] = visibleUntilMs;
    this.chunkStarts[row + 1] = this.chunkCount;
  }

  /** Forgets the chunks added since the last row; to capture it again. */
  restartRow(): void {
    this.chunkCount = this.chunkStarts[this.rowCount]!;
    if (this.overlapping.size > 0) this.overlapping.delete(this.rowCount);
    if (this.deleted.size > 0) this.deleted.delete(this.rowCount);
  }

  #addChunk(minMs: number, maxMs: number): number {
    const index = this.chunkCount++;
    if (index >= this.minMs.length) {
      this.minMs = grown(this.minMs);
      this.maxMs = grown(this.maxMs);
      this.files = grown(this.files);
      this.offsets = grown(this.offsets);
      const capacity = this.minMs.length;
      this.pageIndexes = set(new Uint32Array(capacity), this.pageIndexes);
      this.sizes = set(new Uint32Array(capacity), this.sizes);
      this.encodings = set(new Uint8Array(capacity), this.encodings);
      this.isLate = set(new Uint8Array(capacity), this.isLate);
    }
    this.isLate[index] = 0;
    this.minMs[index] = minMs;
    this.maxMs[index] = maxMs;
    return index;
  }
}

function grown(source: Float64Array): Float64Array<ArrayBuffer> {
  return set(new Float64Array(source.length * 2), source);
}

function set<T extends Uint8Array | Uint32Array | Float64Array>(
  target: T,
  source: Uint8Array | Uint32Array | Float64Array,
): T {
  target.set(source);
  return target;
}
