/**
 * Reading a database in any thread, from a handle that can be posted there: the head through
 * shared memory, its finished chunks and the blocks through files. Everything is synchronous.
 */
import {
  type Logger,
  messageOf,
  type Querier,
  type Queryable,
  SILENT_LOGGER,
} from '../model/index.ts';
import { Block } from './block/block.ts';
import { readPublishedBlocks } from './db-published-blocks.ts';
import { HeadChunkReader } from './head/head-chunk-files.ts';
import { HeadReader } from './head/head-reader.ts';
import { WindowCache } from './io/file-window.ts';
import type { Files } from './io/files.ts';
import { NODE_FILES } from './io/node-files.ts';
import { checkControlBlock, Word } from './memory/control-block.ts';
import { Heap } from './memory/heap.ts';
import { ReaderSlot, releaseReaders } from './memory/readers.ts';
import { DbQuerier } from './query/querier.ts';

/** What another thread needs; survives structured cloning. */
export type SharedDb = {
  readonly memory: WebAssembly.Memory;
  readonly directory: string;
};

export type ReaderOptions = {
  readonly files?: Files;
  readonly logger?: Logger;
  /** For windows over chunk and index files. */
  readonly cacheBytes?: number;
};

/** What the newest samples are missing for. */
const REPLAYING_WARNING =
  'the server is starting: samples that are in no block yet are still being read from the log and left out';
const CACHE_BYTES_DEFAULT = 64 * 1024 * 1024;

export function openReader(shared: SharedDb, options: ReaderOptions = {}): DbReader {
  return new DbReader(shared, options);
}

/** A block as this thread has it open. Closed when it no longer counts and nobody reads it. */
type OpenBlock = {
  readonly ulid: string;
  readonly generation: number;
  readonly block: Block;
  useCount: number;
  isCurrent: boolean;
};

export class DbReader implements Queryable {
  readonly head: HeadReader;
  /** Number of this reader, for `releaseReaders` should its thread die. */
  readonly owner: number;
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #directory: string;
  readonly #cache: WindowCache;
  #blocks: OpenBlock[] = [];
  #blocksVersion = -1;

  constructor(shared: SharedDb, options: ReaderOptions) {
    const {
      files = NODE_FILES,
      logger = SILENT_LOGGER,
      cacheBytes = CACHE_BYTES_DEFAULT,
    } = options;
    this.#files = files;
    this.#logger = logger;
    this.#directory = shared.directory;
    this.#cache = new WindowCache(cacheBytes);
    const heap = new Heap(shared.memory);
    checkControlBlock(heap);
    this.owner = Atomics.add(heap.u32, Word.ReaderCount, 1) + 1;
    const chunks = new HeadChunkReader(files, `${shared.directory}/chunks_head`, this.#cache);
    this.head = new HeadReader(heap, chunks, this.owner);
  }

  querier(minMs: number, maxMs: number): Querier {
    const { u32 } = this.head.heap;
    for (;;) {
      const version = Atomics.load(u32, Word.BlocksVersion);
      if (version !== this.#blocksVersion) this.#reloadBlocks(version);
      const head = this.head.query(version);
      // A block that came between would hold what the head may be about to forget.
      if (Atomics.load(u32, Word.BlocksVersion) !== version) {
        head.close();
        continue;
      }
      const blocks = this.#blocks.filter(
        ({ block: { meta } }) => meta.minMs <= maxMs && meta.endMs > minMs,
      );
      for (const block of blocks) block.useCount++;
      const isReplaying = Atomics.load(u32, Word.IsReplaying) === 1;
      const isInHead = !isReplaying && this.head.maxMs >= minMs && this.head.minMs <= maxMs;
      return new DbQuerier(
        minMs,
        maxMs,
        isInHead ? head : null,
        blocks.map(({ block }) => block),
        () => {
          head.close();
          for (const block of blocks) this.#release(block);
        },
        isReplaying ? [REPLAYING_WARNING] : [],
      );
    }
  }

  /** The blocks that count now, ascending by time. */
  blocks(): readonly Block[] {
    const version = Atomics.load(this.head.heap.u32, Word.BlocksVersion);
    if (version !== this.#blocksVersion) this.#reloadBlocks(version);
    return this.#blocks.map(({ block }) => block);
  }

  close(): void {
    for (const { block } of this.#blocks) block.close();
    this.#blocks = [];
    this.head.chunks.close();
    releaseReaders(this.head.heap, this.owner);
  }

  #release(block: OpenBlock): void {
    block.useCount--;
    if (block.useCount === 0 && !block.isCurrent) block.block.close();
  }

  #reloadBlocks(version: number): void {
    const { heap } = this.head;
    const slot = ReaderSlot.open(heap, this.owner, version);
    slot.enter();
    const published = readPublishedBlocks(heap);
    slot.leave();
    slot.close();
    const next: OpenBlock[] = [];
    for (const { ulid, generation } of published) {
      const known = this.#blocks.find((b) => b.ulid === ulid && b.generation === generation);
      if (known !== undefined) {
        next.push(known);
        continue;
      }
      try {
        const block = Block.open(this.#files, `${this.#directory}/${ulid}`, this.#cache);
        next.push({ ulid, generation, block, useCount: 0, isCurrent: true });
      } catch (error) {
        // Removed since; then the version has changed too and the caller comes again.
        if (Atomics.load(heap.u32, Word.BlocksVersion) !== version) continue;
        this.#logger.error('A block cannot be opened and is left out of queries', {
          block: ulid,
          error: messageOf(error),
        });
      }
    }
    for (const block of this.#blocks) {
      if (next.includes(block)) continue;
      block.isCurrent = false;
      if (block.useCount === 0) block.block.close();
    }
    this.#blocks = next;
    this.#blocksVersion = version;
  }
}
