/**
 * What `chunks_head/` holds at start, as columns sorted by series, so that replay can give each
 * series its finished chunks when it learns of it.
 */
import { CorruptionError } from '../../model/index.ts';
import type { Encoding } from '../chunk/encoding.ts';
import type { Files } from '../io/files.ts';
import {
  FILE_HEADER_SIZE_BYTES,
  type HeadChunkEntry,
  headChunkPath,
  listHeadChunkFiles,
  scanHeadChunks,
} from './head-chunk-files.ts';

export class StoredChunks {
  count = 0;
  refs = new Float64Array(256);
  minMs = new Float64Array(256);
  maxMs = new Float64Array(256);
  files = new Float64Array(256);
  offsets = new Float64Array(256);
  sampleCounts = new Uint32Array(256);
  encodings = new Uint8Array(256);
  isOutOfOrder = new Uint8Array(256);
  /** Chunk indexes by (series, order of writing). */
  #order = new Uint32Array(0);
  newestFile = 0;
  /** Where the good part of each file ends. */
  readonly fileEnds = new Map<number, number>();
  refMax = 0;

  add(file: number, entry: HeadChunkEntry): void {
    const index = this.count++;
    if (index === this.refs.length) this.#grow();
    this.refs[index] = entry.ref;
    this.minMs[index] = entry.minMs;
    this.maxMs[index] = entry.maxMs;
    this.files[index] = file;
    this.offsets[index] = entry.offset;
    this.sampleCounts[index] = entry.sampleCount;
    this.encodings[index] = entry.encoding;
    this.isOutOfOrder[index] = entry.isOutOfOrder ? 1 : 0;
    this.refMax = Math.max(this.refMax, entry.ref);
    this.fileEnds.set(file, entry.endOffset);
  }

  /** After the last `add`. */
  sort(): void {
    // One number per chunk, so that the sort is the engine's own: refs fit 32 bits, indexes 21.
    const { refs, count } = this;
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    if (count < 2 ** 21) {
      const keys = new Float64Array(count);
      for (let i = 0; i < count; i++) keys[i] = refs[i]! * 2 ** 21 + i;
      keys.sort();
      for (let i = 0; i < count; i++) order[i] = keys[i]! % 2 ** 21;
    } else {
      order.sort((a, b) => refs[a]! - refs[b]! || a - b);
    }
    this.#order = order;
  }

  /** Visits the chunks of a series in the order in which they were written. */
  forSeries(ref: number, visit: (index: number) => void): void {
    const order = this.#order;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.refs[order[middle]!]! < ref) low = middle + 1;
      else high = middle;
    }
    for (; low < order.length && this.refs[order[low]!] === ref; low++) visit(order[low]!);
  }

  encodingOf(index: number): Encoding {
    return this.encodings[index]! as Encoding;
  }

  #grow(): void {
    const widen = (a: Float64Array): Float64Array<ArrayBuffer> => {
      const wide = new Float64Array(a.length * 2);
      wide.set(a);
      return wide;
    };
    this.refs = widen(this.refs);
    this.minMs = widen(this.minMs);
    this.maxMs = widen(this.maxMs);
    this.files = widen(this.files);
    this.offsets = widen(this.offsets);
    const counts = new Uint32Array(this.refs.length);
    counts.set(this.sampleCounts);
    this.sampleCounts = counts;
    const encodings = new Uint8Array(this.refs.length);
    encodings.set(this.encodings);
    this.encodings = encodings;
    const outOfOrder = new Uint8Array(this.refs.length);
    outOfOrder.set(this.isOutOfOrder);
    this.isOutOfOrder = outOfOrder;
  }
}

export type StoredChunksRepair = {
  readonly error: CorruptionError;
  readonly lostFileCount: number;
};

/**
 * Reads the directory. At a corruption the file is cut and later files are removed: what they held
 * is in the log still, and replay makes it anew.
 */
export function loadStoredChunks(
  files: Files,
  directory: string,
): { chunks: StoredChunks; repair: StoredChunksRepair | null } {
  const chunks = new StoredChunks();
  const numbers = listHeadChunkFiles(files, directory);
  let repair: StoredChunksRepair | null = null;
  for (let i = 0; i < numbers.length; i++) {
    const file = numbers[i]!;
    const path = headChunkPath(directory, file);
    chunks.newestFile = file;
    const content = files.readAll(path);
    chunks.fileEnds.set(file, Math.min(content.length, FILE_HEADER_SIZE_BYTES));
    // Left by a process that ended before it wrote anything.
    if (content.length === 0) continue;
    try {
      scanHeadChunks(content, path, (entry) => chunks.add(file, entry));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const goodSizeBytes = error.place.offsetBytes;
      const later = numbers.slice(i + 1);
      for (const number of later.reverse()) files.remove(headChunkPath(directory, number));
      if (goodSizeBytes <= FILE_HEADER_SIZE_BYTES) files.remove(path);
      else files.truncate(path, goodSizeBytes);
      files.syncDirectory(directory);
      repair = { error, lostFileCount: later.length };
      break;
    }
  }
  chunks.sort();
  return { chunks, repair };
}
