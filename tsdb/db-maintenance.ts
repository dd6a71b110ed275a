/**
 * What a database does in the background, one thing at a time: cut blocks from the head, shorten
 * the log, merge blocks, drop old ones. Driven by `tick`; heavy parts are jobs that may run in
 * another thread, and what must happen here is done in slices.
 */
import { type Clock, type Counter, type Logger, messageOf } from '../model/index.ts';
import { HeadDelay } from './compaction/head-delay.ts';
import { compactionRanges, planCompaction } from './compaction/plan.ts';
import {
  findStaleSeries,
  isStaleCompactionDue,
  isStillStale,
  type StaleSeries,
} from './compaction/stale-series.ts';
import { readUploadedBlocks, waitsForUpload } from './compaction/uploaded-blocks.ts';
import type { BlockJobs } from './db-block-jobs.ts';
import type { DbBlocks, RetentionLimits } from './db-blocks.ts';
import type { CompactionJob, JobResult } from './db-jobs.ts';
import type { HeadSnapshots } from './db-head-snapshots.ts';
import type { DbMetrics } from './db-metrics.ts';
import type { ResolvedOptions } from './db-options.ts';
import { collect, type CollectResult, dropLateChunks, dropSeries } from './head/collect.ts';
import { rangeEndMs } from './head/cut-rules.ts';
import type { Head } from './head/head.ts';
import type { LateLog } from './head/late-log.ts';
import { emptyHeadChunkFile, headChunkPath, listHeadChunkFiles } from './head/head-chunk-files.ts';
import { writeFileAtomic } from './io/atomic-write.ts';
import type { HeadLog } from './head/head-log.ts';
import { allReadersKnow } from './memory/readers.ts';
import type { TombstoneRow } from './record/tombstones.ts';
import { removeCheckpointsBefore, removeSegmentsBefore } from './wal/checkpoint.ts';
import { LogHold } from './wal/log-hold.ts';
import { findSegments } from './wal/segment-name.ts';
import type { WalWriter } from './wal/wal-writer.ts';

const RELOAD_INTERVAL_MS = 60_000;
const BACKOFF_MS_MIN = 1000;
const BACKOFF_MS_MAX = 60_000;
/** How long to wait before asking again whether old queries have ended. */
const READERS_POLL_MS = 20;
const TOMBSTONES_PER_RECORD = 10_000;
/** Of a bounded database, that the log may take for those who have not read it yet. */
const LOG_HOLD_PART = 0.1;

export type MaintenanceParts = {
  readonly options: ResolvedOptions;
  readonly head: Head;
  readonly blocks: DbBlocks;
  readonly wal: WalWriter;
  readonly log: HeadLog;
  readonly lateLog: LateLog;
  readonly metrics: DbMetrics;
  readonly blockJobs: BlockJobs;
  readonly runJob: (job: CompactionJob) => Promise<JobResult>;
  readonly retention: () => RetentionLimits;
  readonly snapshots: HeadSnapshots;
  /** Part of the series that may be stale before these are compacted; 0: any. */
  readonly staleThreshold: () => number;
  /** Refs in the log so far of series that are gone or have another ref by now. */
  readonly hiddenRefs: Iterable<number>;
};

export class Maintenance {
  /** Off while somebody else (an upload, a test) wants the blocks to stay as they are. */
  isCompactionOn = true;
  readonly logHold: LogHold;
  readonly #parts: MaintenanceParts;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #rangesMs: readonly number[];
  readonly #headDelay: HeadDelay;
  readonly #blockJobs: BlockJobs;
  #running: Promise<void> | null = null;
  #nextReloadMs = -Infinity;
  #backoffMs = 0;
  #retryAtMs = -Infinity;
  #isStopped = false;
  /** Series that were removed while their samples still are in later segments of the log. */
  #deadRefs: { readonly segment: number; readonly refs: Uint32Array }[] = [];

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#clock = parts.options.clock;
    this.#logger = parts.options.logger;
    this.logHold = new LogHold(parts.options.logHoldSizeBytes);
    this.#blockJobs = parts.blockJobs;
    const { minBlockMs, maxBlockMs } = parts.options;
    this.#rangesMs = compactionRanges(minBlockMs, maxBlockMs);
    const { compactionDelayPercent, random } = parts.options;
    const longestMs = (minBlockMs * compactionDelayPercent) / 100;
    this.#headDelay = new HeadDelay(this.#clock, longestMs, random);
    const refs = Uint32Array.from(parts.hiddenRefs).sort();
    if (refs.length > 0) this.#deadRefs.push({ segment: parts.wal.segmentIndex, refs });
  }

  /** Does what is due; a call while another one is at it waits for that one. */
  tick(): Promise<void> {
    return this.#exclusively(async () => {
      const nowMs = this.#clock.nowMs();
      if (nowMs >= this.#nextReloadMs) {
        this.#nextReloadMs = nowMs + RELOAD_INTERVAL_MS;
        this.#parts.head.flushChunks();
        this.reloadBlocks();
      }
      if (!this.isCompactionOn) {
        if (this.isHeadCompactable) this.#parts.metrics.compactionsSkipped.increase();
        return;
      }
      if (nowMs >= this.#retryAtMs) await this.#compact(true);
      if (nowMs >= this.#retryAtMs) await this.#compactStale();
      const { snapshots } = this.#parts;
      if (snapshots.isDue && !this.#isStopped) await snapshots.take(this.deadRefs);
    });
  }

  /** Refs of series that are gone, while the log still speaks of them. */
  get deadRefs(): number[] {
    return [...joinSorted(this.#deadRefs.map(({ refs }) => refs))];
  }

  /** Compacts everything that can be, now. */
  compact(): Promise<void> {
    return this.#exclusively(() => this.#compact(false));
  }

  /** Runs `body` while no maintenance is going on. */
  async #exclusively(body: () => Promise<void>): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => {});
    const run = body();
    this.#running = run;
    try {
      await run;
    } finally {
      this.#running = null;
    }
  }

  /** For deletions and snapshots, which must not meet a compaction half way. */
  exclusively(body: () => Promise<void>): Promise<void> {
    return this.#exclusively(body);
  }

  /** Ends what is going on at its next pause. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running?.catch(() => {});
  }

  reloadBlocks(): void {
    try {
      this.#parts.blocks.reload(this.#parts.retention());
    } catch (error) {
      this.#parts.blocks.counts.failures++;
      this.#logger.error('reloadBlocks', { error: messageOf(error) });
    }
  }

  get isHeadCompactable(): boolean {
    const { head, options } = this.#parts;
    return head.maxMs - head.minMs > options.minBlockMs * 1.5;
  }

  /** @param mayWait  whether cutting the head may be put off */
  async #compact(mayWait: boolean): Promise<void> {
    const { metrics } = this.#parts;
    if (mayWait && this.isHeadCompactable && this.#headDelay.isWaiting) return;
    try {
      if (this.isHeadCompactable) metrics.compactionsTriggered.increase();
      await this.#compactHead();
      await this.#compactBlocks();
      this.#backoffMs = 0;
    } catch (error) {
      metrics.compactionsFailed.increase();
      this.#backOff();
      this.#logger.error('compaction failed', { error: messageOf(error) });
    }
  }

  #backOff(): void {
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, Math.max(BACKOFF_MS_MIN, this.#backoffMs * 2));
    this.#retryAtMs = this.#clock.nowMs() + this.#backoffMs;
  }

  async #compactHead(): Promise<void> {
    const { head, options } = this.#parts;
    let endMs = -Infinity;
    while (this.isHeadCompactable && !this.#isStopped) {
      const { minMs } = head;
      endMs = rangeEndMs(minMs, options.minBlockMs);
      head.refuseBeforeMs = endMs;
      await this.#writeHeadBlock(minMs, endMs);
      await this.truncateHead(endMs);
    }
    if (endMs === -Infinity) return;
    this.#headDelay.reset();
    // Deletions of late samples that are not in blocks yet must stay in the log.
    await this.#truncateLog(Math.min(endMs, head.minLateMs));
    if (!this.#isStopped) await this.compactLate();
  }

  /** Writes blocks of what came out of order, one per block range, and forgets it. */
  async compactLate(): Promise<void> {
    const { head, lateLog } = this.#parts;
    if (head.outOfOrder.refs.size === 0) return;
    const segment = head.late.sealAll();
    const lastFile = head.newestChunkFile;
    await this.#blockJobs.writeRanges('out-of-order', head.minLateMs, head.maxLateMs);
    this.reloadBlocks();
    await this.#awaitReaders();
    const emptied = dropLateChunks(head, lastFile);
    lateLog.removeBefore(segment);
    await this.truncateHead(head.minValidMs, emptied);
  }

  /** Series that ended leave the head early, when there are many of them. */
  async #compactStale(): Promise<void> {
    const { head, options, metrics, wal } = this.#parts;
    const { minBlockMs } = options;
    if (this.#isStopped) return;
    if (!isStaleCompactionDue(head, this.#parts.staleThreshold(), minBlockMs)) return;
    const startMs = this.#clock.monotonicMs();
    metrics.staleCompactionsTriggered.increase();
    try {
      const stale = findStaleSeries(head);
      if (stale.refs.length === 0) return;
      head.flushChunks();
      const lastMs = stale.lastMs.reduce((last, timeMs) => Math.max(last, timeMs), -Infinity);
      const firstMs = Math.floor(head.minMs / minBlockMs) * minBlockMs;
      await this.#blockJobs.writeRanges('in-order', firstMs, lastMs, stale.refs);
      this.reloadBlocks();
      await this.#awaitReaders();
      this.#forgetInLog(stale, firstMs);
      const steps = dropSeries(head, stale.refs, (i) => isStillStale(head, stale, i));
      const removedRefs = await this.#inSlices(steps);
      this.#deadRefs.push({ segment: wal.segmentIndex, refs: removedRefs });
      const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
      metrics.staleCompactionDuration.observe(seconds);
      this.#logger.info('stale series compacted', { count: removedRefs.length });
    } catch (error) {
      metrics.staleCompactionsFailed.increase();
      this.#backOff();
      this.#logger.error('compaction of stale series failed', { error: messageOf(error) });
    }
  }

  /** Or they would be there again after the next start, twice and without what is deleted meanwhile. */
  #forgetInLog(stale: StaleSeries, minMs: number): void {
    const rows: TombstoneRow[] = [];
    for (let i = 0; i < stale.refs.length; i++) {
      if (!isStillStale(this.#parts.head, stale, i)) continue;
      rows.push({ ref: stale.refs[i]!, minMs, maxMs: stale.lastMs[i]! });
    }
    for (let i = 0; i < rows.length; i += TOMBSTONES_PER_RECORD) {
      this.#parts.log.logTombstones(rows.slice(i, i + TOMBSTONES_PER_RECORD));
    }
  }

  /** Runs steps with pauses for others between them. */
  async #inSlices<T>(steps: Generator<void, T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #writeHeadBlock(minMs: number, endMs: number): Promise<void> {
    this.#parts.head.flushChunks();
    await this.#blockJobs.write('in-order', minMs, endMs);
    this.reloadBlocks();
  }

  /**
   * Forgets what lies before `minMs`, once no open query can miss it.
   * @param emptiedFiles  chunk files of which some part is in blocks by now
   */
  async truncateHead(minMs: number, emptiedFiles: ReadonlySet<number> = new Set()): Promise<void> {
    const { metrics } = this.#parts;
    metrics.headTruncations.increase();
    await countingFailure(metrics.headTruncationsFailed, () =>
      this.#truncateHead(minMs, emptiedFiles),
    );
  }

  async #truncateHead(minMs: number, emptiedFiles: ReadonlySet<number>): Promise<void> {
    const { head, metrics } = this.#parts;
    await this.#awaitReaders();
    const startMs = this.#clock.monotonicMs();
    const result = await this.#inSlices(collect(head, minMs));
    metrics.gcDuration.observe((this.#clock.monotonicMs() - startMs) / 1000);
    if (result.removedRefs.length > 0) {
      const segment = this.#parts.wal.segmentIndex;
      this.#deadRefs.push({ segment, refs: result.removedRefs });
    }
    this.#removeChunkFiles(result, emptiedFiles);
  }

  /** Until every open query reads the blocks that were published last. */
  async #awaitReaders(): Promise<void> {
    const { head, blocks } = this.#parts;
    while (!allReadersKnow(head.heap, blocks.version)) await this.#clock.sleep(READERS_POLL_MS);
  }

  /**
   * Removes files of finished chunks that no series needs any more, oldest first: Prometheus
   * refuses a directory with gaps. A file in the middle with nothing but late chunks that are in
   * blocks is emptied instead, or the next start would find them again.
   */
  #removeChunkFiles(
    { neededFiles, neededLateFiles }: CollectResult,
    emptiedFiles: ReadonlySet<number>,
  ): void {
    const { head, options } = this.#parts;
    const { files } = options;
    const directory = `${options.directory}/chunks_head`;
    const oldest = Math.min(...neededFiles, ...neededLateFiles, ...head.openChunkFiles);
    // The numbering goes on from the newest one, which is therefore kept.
    const doomed = listHeadChunkFiles(files, directory).filter(
      (file) => file < oldest && file < head.newestChunkFile,
    );
    const emptied = [...emptiedFiles].filter(
      (file) => !doomed.includes(file) && !neededFiles.has(file) && !neededLateFiles.has(file),
    );
    // A reader that captured a chunk of them has the file open by the time it leaves.
    head.retired.addAction(() => {
      for (const file of doomed) files.remove(headChunkPath(directory, file));
      // Or they come back after a power loss, without the deletions that blocks have.
      if (doomed.length > 0) files.syncDirectory(directory);
      for (const file of emptied) {
        writeFileAtomic(files, headChunkPath(directory, file), emptyHeadChunkFile());
      }
    });
    head.retired.reclaim();
  }

  /** Replaces the older part of the log by a checkpoint. */
  async #truncateLog(minMs: number): Promise<void> {
    const { wal, options, metrics, blocks } = this.#parts;
    const segments = findSegments(options.files, wal.directory);
    const first = segments[0] ?? 0;
    // The newest closed segment; opening another one makes it so.
    wal.cutSegment();
    const closed = wal.segmentIndex - 2;
    if (closed < 0) return;
    const { sizeBytes } = this.#parts.retention();
    const holdSizeBytes = sizeBytes > 0 ? sizeBytes * LOG_HOLD_PART : Infinity;
    const needed = this.logHold.firstNeeded(options.files, wal.directory, holdSizeBytes);
    const last = Math.min(first + Math.trunc(((closed - first) * 2) / 3), needed - 1);
    if (last <= first) return;
    const startMs = this.#clock.monotonicMs();
    const neededRefs = this.#deadRefs.filter(({ segment }) => segment > last);
    metrics.checkpoints.increase();
    try {
      await this.#parts.runJob({
        kind: 'checkpoint',
        firstSegment: first,
        lastSegment: last,
        minMs,
        // Where everything was deleted no block says so, and the next start looks at the log and at
        // chunk files from the end of the newest block on.
        deletionsFromMs: Math.min(minMs, blocks.endMs),
        neededDeadRefs: joinSorted([
          ...neededRefs.map(({ refs }) => refs),
          // What the log says under these is of series that go on.
          Uint32Array.from(this.#parts.snapshots.liveAliases().keys()),
        ]),
        compression: options.walCompression,
        segmentSizeBytes: options.walSegmentSizeBytes,
      });
    } catch (error) {
      metrics.checkpointsFailed.increase();
      this.#parts.snapshots.suspend();
      throw error;
    }
    metrics.logTruncations.increase();
    await countingFailure(metrics.logTruncationsFailed, () =>
      removeSegmentsBefore(options.files, wal.directory, last + 1),
    );
    metrics.checkpointDeletions.increase();
    await countingFailure(metrics.checkpointDeletionsFailed, () =>
      removeCheckpointsBefore(options.files, wal.directory, last),
    );
    this.#parts.snapshots.removeUseless(last + 1);
    this.#deadRefs = neededRefs;
    metrics.walTruncateDuration.observe((this.#clock.monotonicMs() - startMs) / 1000);
    this.#logger.info('WAL checkpoint complete', { first, last });
  }

  /** Merges blocks as long as the plan has something to merge. */
  async #compactBlocks(): Promise<void> {
    const { blocks, options, metrics } = this.#parts;
    const { files, delayCompactFile } = options;
    const uploaded = delayCompactFile === '' ? null : readUploadedBlocks(files, delayCompactFile);
    while (!this.#isStopped) {
      if (this.isHeadCompactable) return; // the head goes first; the next tick goes on here
      // A block of late samples may reach to where the head still is. Merged with another one it
      // would look as if everything up to its end were in blocks, and the next start would skip
      // that part of the log.
      const metas = blocks.all
        .map((block) => block.meta)
        .filter((meta) => meta.endMs <= blocks.endMs)
        .filter((meta) => uploaded === null || !waitsForUpload(meta, uploaded));
      const parents = planCompaction(metas, this.#rangesMs, {
        mergesOverlapping: options.allowsOverlappingCompaction,
      });
      if (parents.length === 0) return;
      await this.#blockJobs.merge(parents);
      if (overlap(metas.filter(({ ulid }) => parents.includes(ulid)))) {
        metrics.verticalCompactions.increase();
      }
    }
  }
}

function overlap(metas: readonly { readonly minMs: number; readonly endMs: number }[]): boolean {
  const sorted = [...metas].sort((a, b) => a.minMs - b.minMs);
  return sorted.some((meta, i) => i > 0 && meta.minMs < sorted[i - 1]!.endMs);
}

function joinSorted(lists: readonly Uint32Array[]): Uint32Array {
  const joined = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined.sort();
}

async function countingFailure(counter: Counter, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    counter.increase();
    throw error;
  }
}
