/**
 * The blocks of a data directory, as the writer keeps them: which there are, which no longer count,
 * which cannot be read. Every change is published to the readers.
 */
import { type Logger, messageOf } from '../model/index.ts';
import { openBlocks, type Block } from './block/block.ts';
import { listBlocks, removeBlock, removeBlockLeftovers } from './block/block-directory.ts';
import { isPartial } from './block/meta-json.ts';
import { WindowCache } from './io/file-window.ts';
import { type Files, treeSizeBytes } from './io/files.ts';
import { publishBlocks } from './db-published-blocks.ts';
import type { Head } from './head/head.ts';
import { beyondSize, beyondTime, replacedBlocks } from './retention.ts';

/** The writer reads blocks only to plan and to delete; a little cache is enough. */
const CACHE_BYTES = 4 * 1024 * 1024;

export type RetentionLimits = {
  readonly retentionMs: number;
  /** 0: none. */
  readonly sizeBytes: number;
  /** What `sizeBytes` was computed from; 0 when it was given. */
  readonly percentage: number;
};

export type ReloadCounts = {
  reloads: number;
  failures: number;
  byTime: number;
  bySize: number;
};

export class DbBlocks {
  readonly counts: ReloadCounts = { reloads: 0, failures: 0, byTime: 0, bySize: 0 };
  readonly #files: Files;
  readonly #directory: string;
  readonly #head: Head;
  readonly #logger: Logger;
  readonly #cache = new WindowCache(CACHE_BYTES);
  #blocks: Block[] = [];
  /** Counts how often the deletions of a block changed. */
  readonly #generations = new Map<string, number>();
  /** Blocks that could not be opened; reported once. */
  readonly #bad = new Set<string>();
  #version = 0;

  constructor(files: Files, directory: string, head: Head, logger: Logger) {
    this.#files = files;
    this.#directory = directory;
    this.#head = head;
    this.#logger = logger;
  }

  /** Ascending by time. */
  get all(): readonly Block[] {
    return this.#blocks;
  }

  /** Version of the set as it was published last. */
  get version(): number {
    return this.#version;
  }

  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, 0);
  }

  /** End of the newest block with all samples of its time; -Infinity when there is none. */
  get endMs(): number {
    let endMs = -Infinity;
    for (const { meta } of this.#blocks) {
      if (!isPartial(meta)) endMs = Math.max(endMs, meta.endMs);
    }
    return endMs;
  }

  /**
   * The block among these whose end the next start takes for the beginning of the log that counts;
   * null when it is none of them. Without it, samples would come back from the log.
   */
  newestOf(ulids: readonly string[]): string | null {
    const newest = this.#blocks.find(
      ({ ulid, meta }) => ulids.includes(ulid) && meta.endMs === this.endMs && !isPartial(meta),
    );
    return newest?.ulid ?? null;
  }

  /** Before the first `reload`: what a crash left behind. */
  clean(): void {
    for (const name of removeBlockLeftovers(this.#files, this.#directory)) {
      this.#logger.info('Found and deleted tmp block dir', { dir: name });
    }
  }

  /** Looks at the directory again, drops what no longer counts, and publishes what does. */
  reload(limits: RetentionLimits): void {
    this.counts.reloads++;
    const known = new Map(this.#blocks.map((block) => [block.ulid, block]));
    const names = listBlocks(this.#files, this.#directory);
    const added = names.filter((ulid) => !known.has(ulid) && !this.#bad.has(ulid));
    const opened = openBlocks(this.#files, this.#directory, added, this.#cache);
    const present = [...names.flatMap((ulid) => known.get(ulid) ?? []), ...opened.blocks];
    const replaced = replacedBlocks(present);
    const isReplaced = new Set(replaced.flatMap((block) => block.ulid));
    for (const { ulid, error } of opened.failures) {
      this.#reportBad(ulid, error, present);
    }
    const counted = present.filter((block) => !isReplaced.has(block.ulid));
    const doomed = new Set([...replaced, ...this.#beyondRetention(counted, limits)]);
    const kept = present.filter((block) => !doomed.has(block));
    kept.sort((a, b) => a.meta.minMs - b.meta.minMs || (a.ulid < b.ulid ? -1 : 1));
    const isChanged =
      kept.length !== this.#blocks.length || kept.some((block, i) => block !== this.#blocks[i]);
    for (const block of this.#blocks) if (!kept.includes(block)) block.close();
    for (const block of opened.blocks) if (doomed.has(block)) block.close();
    this.#blocks = kept;
    if (isChanged || this.#version === 0) this.publish();
    for (const block of doomed) {
      this.#logger.info('Deleting obsolete block', { block: block.ulid });
      removeBlock(this.#files, this.#directory, block.ulid);
    }
  }

  /** Makes the next `reload` open these blocks again. */
  forget(ulids: readonly string[]): void {
    for (const block of this.#blocks) if (ulids.includes(block.ulid)) block.close();
    this.#blocks = this.#blocks.filter((block) => !ulids.includes(block.ulid));
  }

  /** Says that the deletions of a block changed. */
  noteDeletions(ulid: string): void {
    this.#generations.set(ulid, (this.#generations.get(ulid) ?? 0) + 1);
  }

  publish(): void {
    const { heap, allocator, retired } = this.#head;
    const blocks = this.#blocks.map(({ ulid }) => ({
      ulid,
      generation: this.#generations.get(ulid) ?? 0,
    }));
    this.#version = publishBlocks(heap, allocator, retired, blocks);
  }

  close(): void {
    for (const block of this.#blocks) block.close();
    this.#blocks = [];
  }

  #beyondRetention(blocks: readonly Block[], limits: RetentionLimits): Block[] {
    const deletable = blocks.filter((block) => block.meta.compaction.deletable);
    const old = beyondTime(blocks, limits.retentionMs);
    if (old.length > 0) this.counts.byTime++;
    const rest = blocks.filter((block) => !old.includes(block));
    const large = beyondSize(rest, this.headSizeBytes(), limits.sizeBytes);
    if (large.length > 0) this.counts.bySize++;
    return [...deletable, ...old, ...large];
  }

  /** Bytes of the log and of the head's chunk files. */
  headSizeBytes(): number {
    let sizeBytes = 0;
    for (const name of ['wal', 'wbl', 'chunks_head']) {
      sizeBytes += treeSizeBytes(this.#files, `${this.#directory}/${name}`);
    }
    return sizeBytes;
  }

  /** A block that cannot be read stays out, and on disk, unless another one replaced it. */
  #reportBad(ulid: string, error: Error, present: readonly Block[]): void {
    const isParent = present.some((block) =>
      block.meta.compaction.parents.some((parent) => parent.ulid === ulid),
    );
    if (isParent) {
      removeBlock(this.#files, this.#directory, ulid);
      return;
    }
    this.#bad.add(ulid);
    this.counts.failures++;
    this.#logger.error('A block cannot be opened and is left out', {
      block: ulid,
      error: messageOf(error),
    });
  }
}
