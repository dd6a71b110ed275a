/**
 * A database in a directory that Prometheus can open as well:
 *
 *   <ULID>/        blocks               wal/          log of the head, with a checkpoint
 *   chunks_head/   finished chunks      wbl/          log of out-of-order samples
 *   lock           held while open
 *
 * `openDb` gives the one writer. Readers, in this thread or others, come through `db.shared`.
 */
import path from 'node:path';
import {
  type Appendable,
  type Appender,
  type Exemplar,
  type ExemplarQueryable,
  type Labels,
  type Matcher,
  messageOf,
  type Querier,
  type Queryable,
} from '../model/index.ts';
import { CardinalityGuard } from './cardinality-guard.ts';
import { listBlocks } from './block/block-directory.ts';
import { UlidSource } from './block/ulid.ts';
import { DbBlocks, type RetentionLimits } from './db-blocks.ts';
import { type CompactionJob, type JobResult, runCompactionJob } from './db-jobs.ts';
import { Maintenance } from './db-maintenance.ts';
import { HeadSnapshots } from './db-head-snapshots.ts';
import { BlockJobs } from './db-block-jobs.ts';
import { DbMetrics } from './db-metrics.ts';
import {
  type DbOptions,
  type ResolvedOptions,
  resolveOptions,
  type FloatEncoding,
} from './db-options.ts';
import { type DbReader, openReader, type SharedDb } from './db-reader.ts';
import { fillHead } from './db-replay.ts';
import { type DbStatus, refusalsOf, statusOf } from './db-status.ts';
import { deleteFromBlock, deleteFromHead } from './delete-series.ts';
import { sortByLabels } from './head/exemplar-ring.ts';
import { Head } from './head/head.ts';
import { HeadChunkNumbers, HeadChunkWriter } from './head/head-chunk-files.ts';
import { HeadLog } from './head/head-log.ts';
import { LateLog } from './head/late-log.ts';
import { DirectoryLock } from './io/dir-lock.ts';
import { treeSizeBytes } from './io/files.ts';
import { Word } from './memory/control-block.ts';
import { releaseReaders } from './memory/readers.ts';
import { snapshotBlocks } from './snapshot-dir.ts';
import type { LogPosition } from './wal/tail-reader.ts';
import { WalWriter } from './wal/wal-writer.ts';

/**
 * Opens or creates the database and reads its log. Blocks and files that are damaged are reported
 * and left out, a damaged log is cut; none of it keeps the database from opening.
 *
 * @throws LimitError  another process has the directory open
 */
export function openDb(options: DbOptions): Db {
  return new Db(resolveOptions(options));
}

export type Incoming = {
  readonly floats: number;
  readonly histograms: number;
  readonly exemplars: number;
  /** -Infinity when there is nothing. */
  readonly newestMs: number;
};

export class Db implements Appendable, Queryable, ExemplarQueryable {
  readonly shared: SharedDb;
  readonly head: Head;
  readonly #options: ResolvedOptions;
  readonly #lock: DirectoryLock | null;
  readonly #blocks: DbBlocks;
  readonly #wal: WalWriter;
  readonly #log: HeadLog;
  readonly #lateLog: LateLog;
  readonly #chunkFiles: HeadChunkWriter;
  readonly #lateChunkFiles: HeadChunkWriter;
  readonly #metrics: DbMetrics;
  readonly #ulids = new UlidSource();
  readonly #blockJobs: BlockJobs;
  readonly #maintenance: Maintenance;
  readonly #snapshots: HeadSnapshots;
  readonly #guard: CardinalityGuard;
  #reader: DbReader | null = null;
  #isClosed = false;
  #staleThreshold: number;
  #retentionMs: number;
  #retentionSizeBytes: number;
  #retentionPercentage: number;

  constructor(options: ResolvedOptions) {
    const { files, directory, logger, clock } = options;
    this.#options = options;
    this.#staleThreshold = options.staleCompactionThreshold;
    this.#retentionMs = options.retentionMs;
    this.#retentionSizeBytes = options.retentionSizeBytes;
    this.#retentionPercentage = options.retentionPercentage;
    // A log that is synced is lost all the same when its directory is not.
    for (const name of ['wal', 'chunks_head']) files.makeDirectory(`${directory}/${name}`);
    files.syncDirectory(path.dirname(path.resolve(directory)));
    files.syncDirectory(directory);
    this.#lock = options.usesLockFile ? DirectoryLock.acquire(directory, logger) : null;
    this.#metrics = new DbMetrics(options.registry);
    const startMs = clock.monotonicMs();
    this.head = new Head({
      chunkRangeMs: options.minBlockMs,
      samplesPerChunk: options.samplesPerChunk,
      memoryLimitBytes: options.headMemoryLimitBytes,
      exemplarCountMax: options.exemplarCountMax,
      outOfOrderCapacity: options.outOfOrderCapacity,
      logsMetadata: options.logsMetadata,
      startTimestamps: options.startTimestamps,
    });
    this.head.outOfOrderWindowMs = options.outOfOrderWindowMs;
    this.head.writer.usesXor2 = options.floatEncoding === 'xor2';
    const { isInHistogramChunks } = options.startTimestamps;
    this.head.writer.histogramChunksHoldStarts = isInHistogramChunks;
    this.head.late.histogramChunksHoldStarts = isInHistogramChunks;
    this.shared = { memory: this.head.heap.memory, directory };
    this.#blocks = new DbBlocks(files, directory, this.head, logger);
    this.#blocks.clean();
    this.#blocks.reload(this.#retention());
    this.head.minValidMs = this.#blocks.endMs;
    const { u32 } = this.head.heap;
    Atomics.store(u32, Word.IsReplaying, 1);
    if (this.#blocks.all.length > 0) options.onBlocksOpen?.(this.shared);
    const replayed = fillHead(this.head, options, this.#metrics);
    Atomics.store(u32, Word.IsReplaying, 0);
    this.#wal = new WalWriter(files, `${directory}/wal`, {
      onSynced: (seconds) => this.#metrics.walSyncDuration.observe(seconds),
      segmentSizeBytes: options.walSegmentSizeBytes,
      compression: options.walCompression,
    });
    this.#log = new HeadLog(this.#wal, options.syncsCommits);
    const { newestFile, fileEnds } = replayed.chunks;
    const numbers = new HeadChunkNumbers(newestFile, fileEnds);
    this.#chunkFiles = new HeadChunkWriter(files, `${directory}/chunks_head`, numbers);
    this.#lateChunkFiles = new HeadChunkWriter(files, `${directory}/chunks_head`, numbers);
    const lateOptions = {
      onSynced: (seconds: number) => this.#metrics.noteLateSync(seconds),
      segmentSizeBytes: options.walSegmentSizeBytes,
      compression: options.walCompression,
    };
    this.#lateLog = new LateLog(files, `${directory}/wbl`, lateOptions, options.syncsCommits);
    this.head.attachFiles({
      log: this.#log,
      chunkFiles: this.#chunkFiles,
      late: { log: this.#lateLog, chunks: this.#lateChunkFiles },
    });
    this.#metrics.noteReplay((clock.monotonicMs() - startMs) / 1000, this.#lock);
    this.#snapshots = new HeadSnapshots({
      options,
      head: this.head,
      blocks: this.#blocks,
      wal: this.#wal,
      log: this.#log,
      chunkNumbers: numbers,
      runJob: (job) => this.#runJob(job),
      ...replayed,
    });
    this.#blockJobs = new BlockJobs({
      options,
      blocks: this.#blocks,
      metrics: this.#metrics,
      ulids: this.#ulids,
      runJob: (job) => this.#runJob(job),
      reloadBlocks: () => this.#maintenance.reloadBlocks(),
    });
    this.#maintenance = new Maintenance({
      options,
      head: this.head,
      blocks: this.#blocks,
      wal: this.#wal,
      log: this.#log,
      lateLog: this.#lateLog,
      staleThreshold: () => this.#staleThreshold,
      snapshots: this.#snapshots,
      metrics: this.#metrics,
      blockJobs: this.#blockJobs,
      runJob: (job) => this.#runJob(job),
      retention: () => this.#retention(),
      hiddenRefs: replayed.hiddenRefs,
    });
    this.#metrics.watch({
      head: this.head,
      blocks: this.#blocks,
      wal: this.#wal,
      lateLog: this.#lateLog,
      walSizeBytes: () => treeSizeBytes(files, `${directory}/wal`),
      wblSizeBytes: () => treeSizeBytes(files, `${directory}/wbl`),
      chunksSizeBytes: () => treeSizeBytes(files, `${directory}/chunks_head`),
      retention: () => this.#retention(),
    });
    this.#guard = new CardinalityGuard({
      clock,
      logger,
      registry: options.registry,
      figures: () => ({
        memoryBytes: this.head.memoryBytes,
        limitBytes: options.headMemoryLimitBytes,
        refusedSeriesCount: refusalsOf(this.head),
      }),
      findLoudest: () => this.status(1).loudest,
    });
  }

  appender(): Appender {
    return this.head.appender();
  }

  querier(minMs: number, maxMs: number): Querier {
    return this.#openReader().querier(minMs, maxMs);
  }

  exemplars(
    minMs: number,
    maxMs: number,
    matcherSets: readonly (readonly Matcher[])[],
  ): { readonly series: Labels; readonly exemplars: readonly Exemplar[] }[] {
    const query = this.#openReader().head.query();
    try {
      const out: { series: Labels; exemplars: Exemplar[] }[] = [];
      for (const ref of this.head.exemplars.refs()) {
        const series = query.labelsOf(ref);
        if (series === null) continue;
        const isWanted = matcherSets.some((set) =>
          set.every((matcher) => matcher.matches(series.get(matcher.name))),
        );
        if (!isWanted) continue;
        const exemplars = this.head.exemplars.select(ref, minMs, maxMs);
        if (exemplars.length > 0) out.push({ series, exemplars });
      }
      return sortByLabels(out);
    } finally {
      query.close();
    }
  }

  /** Background work that is due; to be called every second or so. Never rejects for bad data. */
  tick(): Promise<void> {
    this.#guard.check();
    return this.#maintenance.tick();
  }

  /** Cuts and merges all blocks that can be, now. */
  compact(): Promise<void> {
    return this.#maintenance.compact();
  }

  /** Switches the making and merging of blocks off or on. */
  setCompaction(isOn: boolean): void {
    this.#maintenance.isCompactionOn = isOn;
  }

  /** What a reload of the configuration may change. */
  configure(changes: {
    readonly floatEncoding?: FloatEncoding;
    readonly outOfOrderWindowMs?: number;
    readonly exemplarCountMax?: number;
    readonly staleCompactionThreshold?: number;
    readonly retentionMs?: number;
    readonly retentionSizeBytes?: number;
    readonly retentionPercentage?: number;
  }): void {
    if (changes.floatEncoding !== undefined) {
      this.head.writer.usesXor2 = changes.floatEncoding === 'xor2';
    }
    if (changes.outOfOrderWindowMs !== undefined) {
      this.head.outOfOrderWindowMs = changes.outOfOrderWindowMs;
    }
    if (changes.exemplarCountMax !== undefined) {
      this.head.exemplars.resize(changes.exemplarCountMax);
    }
    this.#staleThreshold = changes.staleCompactionThreshold ?? this.#staleThreshold;
    this.#retentionMs = changes.retentionMs ?? this.#retentionMs;
    this.#retentionSizeBytes = changes.retentionSizeBytes ?? this.#retentionSizeBytes;
    this.#retentionPercentage = changes.retentionPercentage ?? this.#retentionPercentage;
  }

  /** @param segment  the first one of the log that somebody still reads; null: nobody does */
  holdLog(segment: number | null): void {
    this.#maintenance.logHold.set(segment);
  }

  /** Deletes the samples in [minMs, maxMs] of all series that satisfy the matchers; without any, of none. */
  async deleteSeries(minMs: number, maxMs: number, matchers: readonly Matcher[]): Promise<void> {
    if (matchers.length === 0) return;
    return this.#maintenance.exclusively(async () => {
      let isChanged = false;
      // Work that failed late may have left a block that counts and that nobody has looked at yet.
      this.#blocks.reload(this.#retention());
      for (const block of this.#blocks.all) {
        const { meta } = block;
        if (meta.minMs > maxMs || meta.endMs <= minMs) continue;
        if (!deleteFromBlock(block, matchers, minMs, maxMs)) continue;
        this.#blocks.noteDeletions(block.ulid);
        isChanged = true;
      }
      deleteFromHead(this.head, this.#openReader().head, this.#log, matchers, minMs, maxMs);
      if (isChanged) this.#blocks.publish();
    });
  }

  /** Writes blocks with deletions anew, without what was deleted. */
  cleanTombstones(): Promise<void> {
    return this.#maintenance.exclusively(async () => {
      const startMs = this.#options.clock.monotonicMs();
      for (const block of this.#blocks.all) {
        if (block.tombstones.count === 0) continue;
        await this.#blockJobs.merge([block.ulid], true);
      }
      const seconds = (this.#options.clock.monotonicMs() - startMs) / 1000;
      this.#metrics.noteTombstoneCleanup(seconds);
    });
  }

  /** Copies all blocks (by hard links) and, unless told not to, the head as a block. */
  snapshot(targetDirectory: string, withHead: boolean): Promise<void> {
    return this.#maintenance.exclusively(async () => {
      const { files, directory, clock, chunkFiles } = this.#options;
      snapshotBlocks(files, directory, targetDirectory, this.#blocks.all);
      const { minMs, maxMs } = this.#openReader().head;
      if (!withHead || minMs > maxMs) return;
      const job = {
        kind: 'head-block',
        targetDirectory,
        ulid: this.#ulids.next(clock.nowMs()),
        minMs,
        endMs: maxMs + 1,
        part: 'both',
        chunkFiles,
      } as const;
      await this.#runJob(job);
    });
  }

  /**
   * Takes over all blocks that lie in `directory`, which is on the same volume: readers see all of
   * them from one moment on. What is left of a call that a crash broke off can be handed in again.
   */
  adoptBlocks(directory: string): Promise<void> {
    return this.#maintenance.exclusively(async () => {
      const { files, directory: dataDirectory } = this.#options;
      for (const ulid of listBlocks(files, directory)) {
        files.rename(`${directory}/${ulid}`, `${dataDirectory}/${ulid}`);
      }
      files.syncDirectory(dataDirectory);
      this.#maintenance.reloadBlocks();
    });
  }

  status(limit: number): DbStatus {
    return statusOf(this.#openReader().head, this.head, this.#blocks.all, limit);
  }

  /** For a reading thread that ended without closing its reader: `DbReader.owner` of it. */
  releaseReader(owner: number): void {
    releaseReaders(this.head.heap, owner);
  }

  /** Ends background work, writes what waits, syncs, and lets the directory go. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#maintenance.stop();
    try {
      this.head.flushChunks();
      this.#chunkFiles.close();
      this.#lateChunkFiles.close();
    } catch (error) {
      // Everything is in the log as well.
      this.#options.logger.error('head chunks not written', { error: messageOf(error) });
    }
    if (this.#options.snapshotsAtEnd) this.#log.flushSeries();
    this.#wal.close();
    this.#lateLog.close();
    if (this.#options.snapshotsAtEnd) await this.#snapshots.takeLast(this.#maintenance.deadRefs);
    this.#reader?.close();
    this.#blocks.close();
    this.#lock?.release();
  }

  /** What has been committed since the start. */
  get incoming(): Incoming {
    const { floatSamples, histogramSamples } = this.head.counters;
    const { stored } = this.head.late.counters;
    return {
      floats: floatSamples + stored.float,
      histograms: histogramSamples + stored.histogram,
      exemplars: this.head.exemplars.appendedCount,
      newestMs: this.head.maxMs,
    };
  }

  /** Behind the last commit in the log. */
  get logPosition(): LogPosition {
    return { segmentIndex: this.#wal.segmentIndex, offsetBytes: this.#wal.segmentOffsetBytes };
  }

  /** Makes everything that was committed survive a power loss. */
  sync(): void {
    this.#wal.sync();
    this.#lateLog.sync();
  }

  async #runJob(job: CompactionJob): Promise<JobResult> {
    const { runJob, files } = this.#options;
    const writesBlock = job.kind === 'head-block' || job.kind === 'merge-blocks';
    if (writesBlock) this.#metrics.noteBlockBegun();
    try {
      return runJob === undefined
        ? runCompactionJob(job, this.shared, files)
        : await runJob(job, this.shared);
    } finally {
      if (writesBlock) this.#metrics.noteBlockEnded();
    }
  }

  #openReader(): DbReader {
    const { files, logger } = this.#options;
    return (this.#reader ??= openReader(this.shared, { files, logger }));
  }

  /** With a size and a percentage given, the smaller of both holds. */
  #retention(): RetentionLimits {
    const retentionMs = this.#retentionMs;
    const percentage = this.#retentionPercentage;
    let sizeBytes = this.#retentionSizeBytes;
    if (percentage > 0) {
      // Asked every time, because volumes grow.
      const { files, directory } = this.#options;
      const shareBytes = Math.floor((files.deviceSizeBytes(directory) * percentage) / 100);
      sizeBytes = sizeBytes > 0 ? Math.min(sizeBytes, shareBytes) : shareBytes;
    }
    return { retentionMs, sizeBytes, percentage };
  }
}
