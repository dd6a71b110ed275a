/**
 * A data directory for looking at: no lock is taken and not a byte is written, so that it may belong
 * to a server that runs, of Prometheus or our own. Blocks are read where they are; the head is made
 * in memory from the logs. What a start would repair is left out here, and said.
 */
import { type Logger, messageOf, type Querier, type Queryable } from '../model/index.ts';
import { SILENT_LOGGER, ValueError } from '../model/index.ts';
import { type Block, openBlocks } from './block/block.ts';
import { listBlocks } from './block/block-directory.ts';
import { isPartial } from './block/meta-json.ts';
import { truncateHead } from './head/collect.ts';
import { SAMPLES_PER_CHUNK_DEFAULT } from './head/cut-rules.ts';
import { Head } from './head/head.ts';
import { HeadChunkReader, listHeadChunkFiles } from './head/head-chunk-files.ts';
import { HeadReader } from './head/head-reader.ts';
import { NearBatches } from './head/read-ahead.ts';
import { replayLog } from './head/replay.ts';
import { replayLateLog } from './head/replay-late.ts';
import { START_TIMESTAMPS_IGNORED } from './head/start-timestamps.ts';
import { loadStoredChunks } from './head/stored-chunks.ts';
import { fileErrorCode, type Files } from './io/files.ts';
import { WindowCache } from './io/file-window.ts';
import { NODE_FILES } from './io/node-files.ts';
import { OverlayFiles } from './io/overlay-files.ts';
import { DbQuerier } from './query/querier.ts';
import { replacedBlocks } from './retention.ts';

export type ReadOnlyOptions = {
  /** Without it only what is in blocks is seen, and the logs are not read. */
  readonly withHead: boolean;
  readonly files?: Files;
  /** Hears what cannot be read and is left out. */
  readonly logger?: Logger;
};

const CACHE_BYTES = 64 * 1024 * 1024;
const HOUR_MS = 3_600_000;
/** A running server may remove what was listed a moment ago. */
const OPEN_ATTEMPT_COUNT_MAX = 5;

/** @throws ValueError when there is no such directory */
export function openReadOnly(directory: string, options: ReadOnlyOptions): ReadOnlyDb {
  const { files = NODE_FILES } = options;
  if (files.stat(directory)?.kind !== 'directory') {
    throw new ValueError(`opening the db dir: stat ${directory}: no such file or directory`);
  }
  for (let attempt = 1; ; attempt++) {
    const names = listBlocks(files, directory).join();
    let opened: ReadOnlyDb;
    try {
      opened = new ReadOnlyDb(directory, files, options);
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT' || attempt === OPEN_ATTEMPT_COUNT_MAX) throw error;
      continue;
    }
    // What left the log meanwhile is in a block that was not seen.
    const isWhole = !options.withHead || listBlocks(files, directory).join() === names;
    if (isWhole || attempt === OPEN_ATTEMPT_COUNT_MAX) return opened;
    opened.close();
  }
}

export class ReadOnlyDb implements Queryable {
  /** Ascending by time. */
  readonly blocks: readonly Block[];
  readonly #head: HeadReader | null;

  constructor(directory: string, base: Files, options: ReadOnlyOptions) {
    const { logger = SILENT_LOGGER, withHead } = options;
    // Whatever a repair does to a log stays in memory.
    const files = new OverlayFiles(base);
    const cache = new WindowCache(CACHE_BYTES);
    this.blocks = blocksOf(files, directory, cache, logger);
    try {
      this.#head = withHead ? this.#openHead(files, directory, cache, logger) : null;
    } catch (error) {
      for (const block of this.blocks) block.close();
      throw error;
    }
  }

  querier(minMs: number, maxMs: number): Querier {
    const head = this.#head?.query() ?? null;
    const blocks = this.blocks.filter(({ meta }) => meta.minMs <= maxMs && meta.endMs > minMs);
    return new DbQuerier(minMs, maxMs, head, blocks, () => head?.close());
  }

  close(): void {
    for (const block of this.blocks) block.close();
    this.#head?.chunks.close();
  }

  #openHead(files: Files, directory: string, cache: WindowCache, logger: Logger): HeadReader {
    const chunksDirectory = `${directory}/chunks_head`;
    const reader = new HeadChunkReader(files, chunksDirectory, cache);
    try {
      // Opened first, so that they can be read although the server removes them.
      for (const file of listHeadChunkFiles(files, chunksDirectory)) reader.hold(file);
      return new HeadReader(this.#replayedHead(files, directory, logger).heap, reader, 1);
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  #replayedHead(files: Files, directory: string, logger: Logger): Head {
    const head = new Head({
      chunkRangeMs: 2 * HOUR_MS,
      samplesPerChunk: SAMPLES_PER_CHUNK_DEFAULT,
      memoryLimitBytes: Infinity,
      exemplarCountMax: 0,
      outOfOrderCapacity: 32,
      logsMetadata: false,
      startTimestamps: START_TIMESTAMPS_IGNORED,
    });
    for (const { meta } of this.blocks) {
      if (!isPartial(meta)) head.minValidMs = Math.max(head.minValidMs, meta.endMs);
    }
    const { chunks, repair } = loadStoredChunks(files, `${directory}/chunks_head`);
    head.noteNewestChunkFile(chunks.newestFile);
    const onProgress = () => {};
    const wal = replayLog(head, {
      batches: new NearBatches(files),
      files,
      directory: `${directory}/wal`,
      stored: chunks,
      onProgress,
    });
    const late = replayLateLog(head, {
      files,
      directory: `${directory}/wbl`,
      stored: chunks,
      aliases: wal.aliases,
      onProgress,
    });
    const errors = [...wal.repairs, ...late.repairs].map(({ error }) => error);
    for (const error of repair === null ? errors : [repair.error, ...errors]) {
      logger.warn('Not all of the head can be read', { error: messageOf(error) });
    }
    truncateHead(head, head.minValidMs);
    return head;
  }
}

function blocksOf(files: Files, directory: string, cache: WindowCache, logger: Logger): Block[] {
  const names = listBlocks(files, directory);
  const { blocks, failures } = openBlocks(files, directory, names, cache);
  for (const { ulid, error } of failures) {
    // Or else it is gone by now.
    if (files.stat(`${directory}/${ulid}`) === null) continue;
    logger.warn('A block cannot be opened', { block: ulid, error: messageOf(error) });
  }
  const replaced = replacedBlocks(blocks);
  for (const block of replaced) block.close();
  return blocks
    .filter((block) => !replaced.includes(block))
    .sort((a, b) => a.meta.minMs - b.meta.minMs || (a.ulid < b.ulid ? -1 : 1));
}
