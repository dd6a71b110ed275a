/**
 * Writes a snapshot of the head: in any thread, while the writer goes on. The snapshot may hold more
 * than the log does up to its position, never less: what the log says again at the next start is
 * known by then and passed over. A chunk that is finished meanwhile must be in its file before the
 * snapshot counts, which is why `publishSnapshot` is another step.
 */
import { assert, ByteWriter, type FloatHistogram, type Histogram } from '../../model/index.ts';
import { Encoding, isFloatEncoding } from '../chunk/encoding.ts';
import { HistogramChunkReader } from '../chunk/histogram-decoder.ts';
import { publishDirectory } from '../io/atomic-write.ts';
import type { Files } from '../io/files.ts';
import type { Heap } from '../memory/heap.ts';
import { ReaderSlot } from '../memory/readers.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import {
  encodeSnapshotExemplars,
  encodeSnapshotExtent,
  encodeSnapshotSeries,
  encodeSnapshotTombstones,
  type NewestValue,
  type SnapshotChunk,
  type SnapshotExtent,
} from '../record/memory-snapshot.ts';
import type { TombstoneRow } from '../record/tombstones.ts';
import type { WalCompression } from '../wal/compression.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { readDeletedRanges } from './deleted-ranges.ts';
import { copyEncodedChunk, encodedChunkSize } from './encoded-chunk.ts';
import { readPairTexts } from './label-pairs.ts';
import { COPY_SIZE_BYTES_MAX, copyOpenChunk } from './open-chunk.ts';
import { readUnchanged } from './read-unchanged.ts';
import * as Rec from './series-record.ts';
import { forEachRecord } from './series-table.ts';
import { extentDirectory } from './snapshot-dir.ts';
import { TextBytes } from './text-bytes.ts';

const SERIES_PER_SLICE = 512;
const FLUSH_SIZE_BYTES = 1024 * 1024;
const EXEMPLARS_PER_RECORD = 1000;
const PLACE = { file: 'open chunk', offsetBytes: 0 };

export type SnapshotOptions = {
  readonly files: Files;
  readonly heap: Heap;
  /** Number of the reading thread. */
  readonly owner: number;
  /** Where it will be; until it is published, the name ends in `.tmp`. */
  readonly path: string;
  readonly exemplars: readonly ExemplarRow[];
  readonly compression: WalCompression;
};

/** @returns how many series are in it */
export function writeSnapshot(options: SnapshotOptions): number {
  const { files, path } = options;
  const temporary = `${path}.tmp`;
  files.removeTree(temporary);
  const log = new WalWriter(files, temporary, { compression: options.compression });
  const out = new ByteWriter(4096);
  let stagedSizeBytes = 0;
  const put = (encode: () => void) => {
    out.clear();
    encode();
    log.stage(out.bytes, 0, out.length);
    stagedSizeBytes += out.length;
    if (stagedSizeBytes < FLUSH_SIZE_BYTES) return;
    log.flush();
    stagedSizeBytes = 0;
  };
  try {
    const walk = new SeriesWalk(options, put, out);
    walk.run();
    put(() => encodeSnapshotTombstones(out, walk.tombstones));
    for (let i = 0; i < options.exemplars.length; i += EXEMPLARS_PER_RECORD) {
      const some = options.exemplars.slice(i, i + EXEMPLARS_PER_RECORD);
      put(() => encodeSnapshotExemplars(out, some));
    }
    log.flush();
    log.close();
    return walk.seriesCount;
  } catch (error) {
    files.removeTree(temporary);
    throw error;
  }
}

/** Makes a snapshot that was written count. */
export function publishSnapshot(files: Files, path: string, extent: SnapshotExtent): void {
  const temporary = `${path}.tmp`;
  const log = new WalWriter(files, extentDirectory(temporary));
  const out = new ByteWriter();
  encodeSnapshotExtent(out, extent);
  log.log(out.bytes, 0, out.length);
  log.close();
  files.removeTree(path);
  publishDirectory(files, temporary, path);
}

class SeriesWalk {
  readonly tombstones: TombstoneRow[] = [];
  seriesCount = 0;
  readonly #heap: Heap;
  readonly #owner: number;
  readonly #put: (encode: () => void) => void;
  readonly #out: ByteWriter;
  readonly #texts = new TextBytes();
  readonly #words = new Uint32Array(Math.ceil(COPY_SIZE_BYTES_MAX / 4));
  readonly #wordBytes = new Uint8Array(this.#words.buffer);
  #encoded = new Uint8Array(4096);
  readonly #chunk: SnapshotChunk = {
    minMs: 0,
    maxMs: 0,
    encoding: Encoding.Xor,
    bytes: this.#wordBytes,
    start: 0,
    end: 0,
  };
  /** Of the chunk of floats that was copied last. */
  readonly #newest = { high: 0, low: 0 };

  constructor(
    { heap, owner }: SnapshotOptions,
    put: (encode: () => void) => void,
    out: ByteWriter,
  ) {
    this.#heap = heap;
    this.#owner = owner;
    this.#put = put;
    this.#out = out;
  }

  run(): void {
    const slot = ReaderSlot.open(this.#heap, this.#owner);
    try {
      for (let nextRef = 1; nextRef !== 0; ) nextRef = this.#slice(slot, nextRef);
    } finally {
      slot.close();
    }
  }

  /** Some series from `firstRef` on; returns where to go on, 0 at the end. */
  #slice(slot: ReaderSlot, firstRef: number): number {
    slot.enter();
    try {
      this.#heap.refresh();
      let left = SERIES_PER_SLICE;
      let nextRef = 0;
      forEachRecord(
        this.#heap,
        (record, ref) => {
          if (left-- === 0) {
            nextRef = ref;
            return false;
          }
          this.#one(slot, record, ref);
          return true;
        },
        firstRef,
      );
      return nextRef;
    } finally {
      slot.leave();
    }
  }

  #one(slot: ReaderSlot, record: number, ref: number): void {
    const hasChunk = readUnchanged(this.#heap, slot, record, () => this.#copy(record));
    const chunk = hasChunk ? this.#chunk : null;
    const texts = this.#texts;
    texts.clear();
    readPairTexts(this.#heap, this.#heap.u32[(record >>> 2) + Rec.LABELS]!, texts);
    this.#put(() => encodeSnapshotSeries(this.#out, ref, texts, chunk, this.#newestOf(chunk)));
    this.seriesCount++;
    const deleted = readDeletedRanges(this.#heap, this.#heap.u32[(record >>> 2) + Rec.DELETED]!);
    for (let i = 0; i < deleted.length; i += 2) {
      this.tombstones.push({ ref, minMs: deleted[i]!, maxMs: deleted[i + 1]! });
    }
  }

  /** Copies the open chunk; false when there is none. */
  #copy(record: number): boolean {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const first = u32[word + Rec.OPEN_CHUNK]!;
    if (first === 0) return false;
    const chunk = this.#chunk;
    chunk.minMs = f64[(record >>> 3) + Rec.OPEN_MIN_TIME]!;
    chunk.maxMs = f64[(record >>> 3) + Rec.MAX_TIME]!;
    this.#newest.high = u32[word + Rec.VALUE_HIGH]!;
    this.#newest.low = u32[word + Rec.VALUE_LOW]!;
    if ((u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0) {
      const size = encodedChunkSize(this.#heap, first);
      if (size > this.#encoded.length) this.#encoded = new Uint8Array(size * 2);
      chunk.encoding = copyEncodedChunk(this.#heap, first, size, this.#encoded, 0);
      chunk.bytes = this.#encoded;
      chunk.end = size;
      return true;
    }
    const state = u32[word + Rec.STATE]!;
    const tail = u32[word + Rec.TAIL]!;
    const free = Rec.freeBitsOf(state);
    const count = Rec.countOf(state);
    chunk.end = copyOpenChunk(this.#heap, first, tail, free, count, this.#words, 0);
    chunk.encoding = Encoding.Xor;
    chunk.bytes = this.#wordBytes;
    return true;
  }

  #newestOf(chunk: SnapshotChunk | null): NewestValue | null {
    if (chunk === null) return null;
    if (isFloatEncoding(chunk.encoding)) return this.#newest;
    const reader = new HistogramChunkReader(chunk.encoding, chunk.bytes, 0, chunk.end, PLACE);
    let histogram: Histogram | FloatHistogram | null = null;
    while (reader.next()) histogram = reader.histogram();
    assert(histogram !== null, 'an open chunk has samples');
    return { histogram };
  }
}
