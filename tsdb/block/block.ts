/** A block directory as one readable thing: samples of a stretch of time, never changed, only deleted. */
import { ByteWriter, CorruptionError, messageOf } from '../../model/index.ts';
import { chunkSampleCount, type Encoding } from '../chunk/encoding.ts';
import type { Intervals } from '../chunk/intervals.ts';
import { IndexReader } from '../index-file/index-reader.ts';
import { SeriesEntry } from '../index-file/series-entry.ts';
import { type Files, treeSizeBytes } from '../io/files.ts';
import type { WindowCache } from '../io/file-window.ts';
import type { BlockSource, SourceChunk, SourceSeries } from './block-source.ts';
import { INDEX_FILE_NAME } from './block-writer.ts';
import { CHUNKS_DIRECTORY_NAME } from './chunk-file.ts';
import { ChunkFileReader } from './chunk-file-reader.ts';
import { type BlockMeta, readMeta, writeMeta } from './meta-json.ts';
import { readTombstones, type Tombstones, writeTombstones } from './tombstone-file.ts';

export class Block {
  readonly directory: string;
  readonly index: IndexReader;
  readonly chunks: ChunkFileReader;
  readonly sizeBytes: number;
  readonly #files: Files;
  #meta: BlockMeta;
  #tombstones: Tombstones;

  private constructor(
    files: Files,
    directory: string,
    meta: BlockMeta,
    index: IndexReader,
    chunks: ChunkFileReader,
    tombstones: Tombstones,
  ) {
    this.directory = directory;
    this.index = index;
    this.chunks = chunks;
    this.sizeBytes = treeSizeBytes(files, directory);
    this.#files = files;
    this.#meta = meta;
    this.#tombstones = tombstones;
  }

  /** @throws CorruptionError when any of its files is not what it should be */
  static open(files: Files, directory: string, cache: WindowCache): Block {
    const meta = readMeta(files, directory);
    const tombstones = readTombstones(files, directory);
    const chunks = new ChunkFileReader(files, `${directory}/${CHUNKS_DIRECTORY_NAME}`);
    try {
      const file = files.open(`${directory}/${INDEX_FILE_NAME}`, 'read');
      try {
        const index = new IndexReader(file, cache);
        return new Block(files, directory, meta, index, chunks, tombstones);
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      chunks.close();
      throw error;
    }
  }

  get meta(): BlockMeta {
    return this.#meta;
  }

  get ulid(): string {
    return this.#meta.ulid;
  }

  get tombstones(): Tombstones {
    return this.#tombstones;
  }

  /** Replaces the deletions, on disk first. */
  setTombstones(tombstones: Tombstones): void {
    writeTombstones(this.#files, this.directory, tombstones);
    this.#tombstones = tombstones;
    const stats = { ...this.#meta.stats, tombstoneCount: tombstones.count };
    this.setMeta({ ...this.#meta, stats });
  }

  /** Replaces the description, on disk first. */
  setMeta(meta: BlockMeta): void {
    writeMeta(this.#files, this.directory, meta);
    this.#meta = meta;
  }

  close(): void {
    this.index.close();
    this.chunks.close();
  }

  /** All series with their chunks as they are, deletions not applied. */
  source(): BlockSource {
    return { symbols: () => this.index.symbols, series: () => this.seriesWithDeletions() };
  }

  /** All series with their chunks as they are, and what was deleted from each. */
  *seriesWithDeletions(): Generator<SourceSeries & { readonly deleted: Intervals | null }> {
    const entry = new SeriesEntry();
    const copies = new ByteWriter(4096);
    const ends: number[] = [];
    const encodings: Encoding[] = [];
    for (const ref of this.index.allPostings()) {
      this.index.readSeries(ref, entry);
      const lastRef = entry.chunkRefs[entry.chunkCount - 1] ?? 0;
      // Copied, because reading the next chunk may move the buffer.
      copies.clear();
      for (let i = 0; i < entry.chunkCount; i++) {
        this.chunks.read(entry.chunkRefs[i]!, lastRef);
        const { encoding, bytes, start, end } = this.chunks;
        copies.putBytes(bytes.subarray(start, end));
        ends[i] = copies.length;
        encodings[i] = encoding;
      }
      const chunks: SourceChunk[] = [];
      for (let i = 0, start = 0; i < entry.chunkCount; i++) {
        const encoding = encodings[i]!;
        const bytes = copies.bytes.subarray(start, ends[i]);
        const sampleCount = chunkSampleCount(encoding, bytes);
        const minMs = entry.chunkMinMs[i]!;
        chunks.push({ minMs, maxMs: entry.chunkMaxMs[i]!, encoding, sampleCount, bytes });
        start = ends[i]!;
      }
      yield { labels: this.index.labelsOf(entry), chunks, deleted: this.#tombstones.of(ref) };
    }
  }
}

/** Opens the blocks of a data directory; one that cannot be opened does not take the others down. */
export function openBlocks(
  files: Files,
  dataDirectory: string,
  ulids: readonly string[],
  cache: WindowCache,
): { readonly blocks: Block[]; readonly failures: { ulid: string; error: CorruptionError }[] } {
  const blocks: Block[] = [];
  const failures: { ulid: string; error: CorruptionError }[] = [];
  for (const ulid of ulids) {
    const directory = `${dataDirectory}/${ulid}`;
    try {
      blocks.push(Block.open(files, directory, cache));
    } catch (error) {
      const place = { file: directory, offsetBytes: 0 };
      const corruption =
        error instanceof CorruptionError
          ? error
          : new CorruptionError(messageOf(error), place, { cause: error });
      failures.push({ ulid, error: corruption });
    }
  }
  return { blocks, failures };
}
