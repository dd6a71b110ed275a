/**
 * Lets jobs write blocks, of the head and of other blocks, and tells of it: what is begun and what
 * came of it in the log, under the words of Prometheus, and durations and counts in the metrics.
 */
import type { Clock, Logger } from '../model/index.ts';
import { removeBlock } from './block/block-directory.ts';
import type { BlockMeta } from './block/meta-json.ts';
import type { UlidSource } from './block/ulid.ts';
import { markCompactionFailed } from './compaction/compact.ts';
import type { HeadPart } from './compaction/compact-head.ts';
import type { DbBlocks } from './db-blocks.ts';
import type { CompactionJob, JobResult } from './db-jobs.ts';
import type { DbMetrics } from './db-metrics.ts';
import type { ResolvedOptions } from './db-options.ts';

export type BlockJobsParts = {
  readonly options: ResolvedOptions;
  readonly blocks: DbBlocks;
  readonly metrics: DbMetrics;
  readonly ulids: UlidSource;
  readonly runJob: (job: CompactionJob) => Promise<JobResult>;
  readonly reloadBlocks: () => void;
};

export class BlockJobs {
  readonly #parts: BlockJobsParts;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(parts: BlockJobsParts) {
    this.#parts = parts;
    this.#clock = parts.options.clock;
    this.#logger = parts.options.logger;
  }

  /** Writes what lies from `minMs` to `maxMs` as blocks, one per block range: all or, throwing, none. */
  async writeRanges(
    part: HeadPart,
    minMs: number,
    maxMs: number,
    staleRefs?: Uint32Array,
  ): Promise<void> {
    const { files, directory, minBlockMs } = this.#parts.options;
    const written: string[] = [];
    try {
      let startMs = Math.floor(minMs / minBlockMs) * minBlockMs;
      for (; startMs <= maxMs; startMs += minBlockMs) {
        const meta = await this.write(part, startMs, startMs + minBlockMs, staleRefs);
        if (meta !== null) written.push(meta.ulid);
      }
    } catch (error) {
      // The next attempt writes them again, under other names, and a full disk would stay full.
      for (const ulid of written) removeBlock(files, directory, ulid);
      throw error;
    }
  }

  /** Writes [minMs, endMs) of a part of the head, or of some stale series, as a block. */
  async write(
    part: HeadPart,
    minMs: number,
    endMs: number,
    staleRefs?: Uint32Array,
  ): Promise<BlockMeta | null> {
    const { metrics, ulids, options, runJob } = this.#parts;
    const ulid = ulids.next(this.#clock.nowMs());
    const startMs = this.#clock.monotonicMs();
    const range = { mint: minMs, maxt: endMs };
    this.#logger.info('write block started', { ...range, ulid });
    const { meta, chunkFigures } = await runJob({
      kind: 'head-block',
      targetDirectory: options.directory,
      ulid,
      minMs,
      endMs,
      part,
      ...(staleRefs === undefined ? {} : { staleRefs }),
      chunkFiles: options.chunkFiles,
    });
    const seconds = this.#secondsSince(startMs);
    metrics.noteCompaction(seconds, chunkFigures);
    const duration = durationText(seconds);
    if (meta === null) {
      this.#logger.info('write block resulted in empty block', { ...range, duration });
    } else {
      const ooo = part === 'out-of-order';
      this.#logger.info('write block completed', { ...range, ulid, duration, ooo });
    }
    return meta;
  }

  /**
   * Replaces blocks by one that holds what they hold and was not deleted.
   * @param isRewrite  of one block, only for what was deleted
   */
  async merge(parents: readonly string[], isRewrite = false): Promise<void> {
    const { blocks, options, metrics, ulids, runJob, reloadBlocks } = this.#parts;
    const ulid = ulids.next(this.#clock.nowMs());
    const startMs = this.#clock.monotonicMs();
    const { meta, corruption } = await runJob({
      kind: 'merge-blocks',
      ulid,
      parents,
      isRewrite,
      keptWhenEmpty: blocks.newestOf(parents),
      chunkFiles: options.chunkFiles,
    });
    if (corruption !== null) {
      // So that the plan does not come back to them for ever.
      for (const parent of parents) {
        markCompactionFailed(options.files, options.directory, parent);
      }
    } else {
      const seconds = this.#secondsSince(startMs);
      metrics.noteCompaction(seconds);
      this.#tellMerge(parents, meta, durationText(seconds));
    }
    // What the job noted at the parents (empty, failed) is in their files.
    blocks.forget(parents);
    reloadBlocks();
    if (corruption !== null) throw new Error(corruption);
  }

  #tellMerge(parents: readonly string[], meta: BlockMeta | null, duration: string): void {
    const count = parents.length;
    const sources = parents.join(' ');
    if (meta === null) {
      this.#logger.info('compact blocks resulted in empty block', { count, sources, duration });
      return;
    }
    const { ulid, minMs: mint, endMs: maxt } = meta;
    this.#logger.info('compact blocks', { count, mint, maxt, ulid, sources, duration });
  }

  #secondsSince(startMs: number): number {
    return (this.#clock.monotonicMs() - startMs) / 1000;
  }
}

function durationText(seconds: number): string {
  return `${seconds.toFixed(3)}s`;
}
