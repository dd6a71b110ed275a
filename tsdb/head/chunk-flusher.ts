/**
 * Moves finished chunks from shared memory into files, many with one write. Until then, and when a
 * write fails, they stay where they are: everything is in the log as well.
 */
import { Encoding } from '../chunk/encoding.ts';
import { Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import type { EncodedChunks } from './encoded-chunk.ts';
import type { HeadChunkPlace, HeadChunkWriter } from './head-chunk-files.ts';
import type { Isolation } from './isolation.ts';
import { COPY_SIZE_BYTES_MAX, copyFinishedChunk, type OpenChunks } from './open-chunk.ts';
import {
  entryMaxMs,
  entryMinMs,
  entryPlace,
  entryWord,
  PLACE_CHAIN,
  PLACE_ENCODED,
  placeOfFile,
  sealedCount,
} from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import type { SeriesWriter } from './series-writer.ts';

type Move = {
  readonly record: number;
  /** Word of the entry in the series' list of finished chunks. */
  readonly entry: number;
  readonly to: HeadChunkPlace;
};

export class ChunkFlusher {
  writtenCount = 0;
  failedCount = 0;
  readonly #heap: Heap;
  readonly #open: OpenChunks;
  readonly #encoded: EncodedChunks;
  readonly #isolation: Isolation;
  readonly #writer: SeriesWriter;
  readonly #copy = new Uint32Array(Math.ceil(COPY_SIZE_BYTES_MAX / 4));
  readonly #copyBytes = new Uint8Array(this.#copy.buffer);

  constructor(
    heap: Heap,
    open: OpenChunks,
    encoded: EncodedChunks,
    isolation: Isolation,
    writer: SeriesWriter,
  ) {
    this.#heap = heap;
    this.#open = open;
    this.#encoded = encoded;
    this.#isolation = isolation;
    this.#writer = writer;
  }

  /** Writes all that wait. When it throws they wait on. */
  flush(files: HeadChunkWriter): void {
    const { waiting } = this.#writer;
    if (waiting.length === 0) return;
    const moves: Move[] = [];
    try {
      for (const { ref, place, address } of waiting) {
        const record = findRecord(this.#heap, ref);
        const entry = record === 0 ? -1 : this.#findEntry(record, place, address);
        if (entry < 0) continue; // truncated meanwhile
        moves.push({ record, entry, to: this.#add(files, ref, entry) });
      }
      files.flush();
    } catch (error) {
      this.failedCount++;
      throw error;
    }
    this.#writer.waiting = [];
    noteChunkFile(this.#heap, files);
    for (const move of moves) this.#move(move);
    this.writtenCount += moves.length;
  }

  /** Gives back the bytes of a finished chunk, if they still are in memory. */
  free(place: number, address: number): void {
    if (place === PLACE_CHAIN) this.#open.retireChain(address);
    else if (place === PLACE_ENCODED) this.#encoded.retire(address);
  }

  #add(files: HeadChunkWriter, ref: number, entry: number): HeadChunkPlace {
    const { u32 } = this.#heap;
    const minMs = entryMinMs(u32, entry);
    const maxMs = entryMaxMs(u32, entry);
    const address = u32[entry + 3]!;
    if (entryPlace(u32, entry) === PLACE_ENCODED) {
      const { bytes, encoding } = this.#encoded.bytesOf(address);
      return files.add(ref, minMs, maxMs, encoding, bytes, 0, bytes.length);
    }
    const end = copyFinishedChunk(this.#heap, address, this.#copy, 0);
    return files.add(ref, minMs, maxMs, Encoding.Xor, this.#copyBytes, 0, end);
  }

  /** Makes the entry point into the file and gives the memory back. */
  #move({ record, entry, to }: Move): void {
    const { u32 } = this.#heap;
    const place = entryPlace(u32, entry);
    const address = u32[entry + 3]!;
    this.#isolation.change(record, () => {
      u32[entry + 1] = (u32[entry + 1]! & 0xffff_0000) | placeOfFile(to.file);
      u32[entry + 3] = to.offset;
    });
    this.free(place, address);
  }

  /** The list entry of a chunk that waits in memory; -1 when it is gone. */
  #findEntry(record: number, place: number, address: number): number {
    const { u32 } = this.#heap;
    const list = u32[(record >>> 2) + Rec.SEALED]!;
    for (let i = sealedCount(u32, list) - 1; i >= 0; i--) {
      const entry = entryWord(list, i);
      if (entryPlace(u32, entry) === place && u32[entry + 3] === address) return entry;
    }
    return -1;
  }
}

/** Places are told by their distance to the newest file, so readers must know which one that is. */
export function noteChunkFile(heap: Heap, { file }: HeadChunkWriter): void {
  const { u32 } = heap;
  if (file !== Infinity && file > u32[Word.HeadChunkFile]!) {
    Atomics.store(u32, Word.HeadChunkFile, file);
  }
}
