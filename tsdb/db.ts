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
import { UlidSource } from './block/ulid.ts';
import { DbBlocks, type RetentionLimits } from './db-blocks.ts';
import { type CompactionJob, type JobResult, runCompactionJob } from './db-jobs.ts';
import { Maintenance } from './db-maintenance.ts';
import { DbMetrics } from './db-metrics.ts';
import { type DbOptions, type ResolvedOptions, resolveOptions } from './db-options.ts';
import { type DbReader, openReader, type SharedDb } from './db-reader.ts';
import { type DbStatus, loudestOf, statusOf } from './db-status.ts';
import { deleteFromBlock, deleteFromHead } from './delete-series.ts';
import { truncateHead } from './head/collect.ts';
import { sortByLabels } from './head/exemplar-ring.ts';
import { Head } from './head/head.ts';
import { HeadChunkNumbers, HeadChunkWriter } from './head/head-chunk-files.ts';
import { HeadLog } from './head/head-log.ts';
import { LateLog } from './head/late-log.ts';
import { describeRepair, replayLog } from './head/replay.ts';
import { replayLateLog } from './head/replay-late.ts';
import { loadStoredChunks } from './head/stored-chunks.ts';
import { DirectoryLock } from './io/dir-lock.ts';
import { treeSizeBytes } from './io/files.ts';
import { releaseReaders } from './memory/readers.ts';
import { snapshotBlocks } from './snapshot-dir.ts';
import { removeCheckpointLeftovers } from './wal/segment-name.ts';
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
  readonly #maintenance: Maintenance;
  readonly #guard: CardinalityGuard;
  #reader: DbReader | null = null;
  #isClosed = false;
  #retentionMs: number;
  #retentionSizeBytes: number;
  #retentionPercentage: number;

  constructor(options: ResolvedOptions) {
    const { files, directory, logger, clock } = options;
    this.#options = options;
    this.#retentionMs = options.retentionMs;
    this.#retentionSizeBytes = options.retentionSizeBytes;
    this.#retentionPercentage = options.retentionPercentage;
    // A log that is synced is lost all the same when its directory is not.
    for (const name of ['wal', 'chunks_head']) files.makeDirectory(`${directory}/${name}`);
    files.syncDirectory(path.dirname(path.resolve(directory)));
    files.syncDirectory(directory);
    this.#lock = options.usesLockFile ? DirectoryLock.acquire(directory) : null;
    this.#metrics = new DbMetrics(options.registry);
    const startMs = clock.monotonicMs();
    this.head = new Head({
      chunkRangeMs: options.minBlockMs,
      samplesPerChunk: options.samplesPerChunk,
      memoryLimitBytes: options.headMemoryLimitBytes,
      exemplarCountMax: options.exemplarCountMax,
      outOfOrderCapacity: options.outOfOrderCapacity,
      logsMetadata: options.logsMetadata,
    });
    this.head.outOfOrderWindowMs = options.outOfOrderWindowMs;
    this.shared = { memory: this.head.heap.memory, directory };
    this.#blocks = new DbBlocks(files, directory, this.head, logger);
    this.#blocks.clean();
    this.#blocks.reload(this.#retention());
    this.head.minValidMs = this.#blocks.endMs;
    const { newestFile, hiddenRefs } = this.#replay();
    this.#wal = new WalWriter(files, `${directory}/wal`, {
      onSynced: (seconds) => this.#metrics.walSyncDuration.observe(seconds),
      segmentSizeBytes: options.walSegmentSizeBytes,
      compression: options.walCompression,
    });
    this.#log = new HeadLog(this.#wal, options.syncsCommits);
    const numbers = new HeadChunkNumbers(newestFile);
    this.#chunkFiles = new HeadChunkWriter(files, `${directory}/chunks_head`, numbers);
    this.#lateChunkFiles = new HeadChunkWriter(files, `${directory}/chunks_head`, numbers);
    const lateOptions = {
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
    this.#maintenance = new Maintenance({
      options,
      head: this.head,
      blocks: this.#blocks,
      wal: this.#wal,
      lateLog: this.#lateLog,
      metrics: this.#metrics,
      ulids: this.#ulids,
      runJob: (job) => this.#runJob(job),
      retention: () => this.#retention(),
      hiddenRefs,
    });
    this.#metrics.watch({
      head: this.head,
      blocks: this.#blocks,
      wal: this.#wal,
      walSizeBytes: () => treeSizeBytes(files, `${directory}/wal`),
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
        refusedByMemory: this.head.counters.refusedSeries,
        refusedByReferences: this.head.counters.refusedReferences,
      }),
      findLoudest: () => loudestOf(this.status(2)),
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
    readonly outOfOrderWindowMs?: number;
    readonly exemplarCountMax?: number;
    readonly retentionMs?: number;
    readonly retentionSizeBytes?: number;
    readonly retentionPercentage?: number;
  }): void {
    if (changes.outOfOrderWindowMs !== undefined) {
      this.head.outOfOrderWindowMs = changes.outOfOrderWindowMs;
    }
    if (changes.exemplarCountMax !== undefined) {
      this.head.exemplars.resize(changes.exemplarCountMax);
    }
    this.#retentionMs = changes.retentionMs ?? this.#retentionMs;
    this.#retentionSizeBytes = changes.retentionSizeBytes ?? this.#retentionSizeBytes;
    this.#retentionPercentage = changes.retentionPercentage ?? this.#retentionPercentage;
  }

  /** Deletes the samples in [minMs, maxMs] of all series that satisfy the matchers. */
  deleteSeries(minMs: number, maxMs: number, matchers: readonly Matcher[]): Promise<void> {
    return this.#maintenance.exclusively(async () => {
      let isChanged = false;
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
        await this.#maintenance.mergeBlocks([block.ulid]);
      }
      const seconds = (this.#options.clock.monotonicMs() - startMs) / 1000;
      this.#metrics.noteTombstoneCleanup(seconds);
    });
  }

  /** Copies all blocks (by hard links) and, unless told not to, the head as a block. */
  snapshot(targetDirectory: string, withHead: boolean): Promise<void> {
    return this.#maintenance.exclusively(async () => {
      const { files, directory, clock, chunkSegmentSizeBytesMax } = this.#options;
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
        chunkSegmentSizeBytesMax,
      } as const;
      await this.#runJob(job);
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
    this.#wal.close();
    this.#lateLog.close();
    this.#reader?.close();
    this.#blocks.close();
    this.#lock?.release();
  }

  /** Makes everything that was committed survive a power loss. */
  sync(): void {
    this.#wal.sync();
    this.#lateLog.sync();
  }

  async #runJob(job: CompactionJob): Promise<JobResult> {
    const { runJob, files } = this.#options;
    return runJob === undefined
      ? runCompactionJob(job, this.shared, files)
      : runJob(job, this.shared);
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

  /** Fills the head from disk. `hiddenRefs`: refs in the log that no series has any more. */
  #replay(): { newestFile: number; hiddenRefs: Iterable<number> } {
    const { files, directory, logger, onReplayProgress } = this.#options;
    removeCheckpointLeftovers(files, `${directory}/wal`);
    const { chunks, repair } = loadStoredChunks(files, `${directory}/chunks_head`);
    if (repair !== null) {
      this.#metrics.chunkCorruptions.increase();
      logger.error('Head chunks are corrupt and are made anew from the log', {
        error: messageOf(repair.error),
      });
    }
    // Places are told by their distance to the newest file.
    this.head.noteNewestChunkFile(chunks.newestFile);
    const result = replayLog(this.head, {
      files,
      directory: `${directory}/wal`,
      stored: chunks,
      onProgress: (progress) => onReplayProgress?.({ log: 'wal', ...progress }),
    });
    const late = replayLateLog(this.head, {
      files,
      directory: `${directory}/wbl`,
      stored: chunks,
      aliases: result.aliases,
      onProgress: (progress) => onReplayProgress?.({ log: 'wbl', ...progress }),
    });
    for (const entry of [...result.repairs, ...late.repairs]) {
      this.#metrics.walCorruptions.increase();
      logger.error('Corruption in the log', { error: describeRepair(entry) });
    }
    if (result.unknownRefCount > 0) {
      this.#metrics.unknownRefs.increase(result.unknownRefCount);
      logger.warn('Unknown series references', { count: result.unknownRefCount });
    }
    // A checkpoint keeps series for what later segments say of them, though blocks hold that by now.
    const { removedRefs } = truncateHead(this.head, this.head.minValidMs);
    const hiddenRefs = new Set([...result.aliases.keys(), ...removedRefs]);
    return { newestFile: chunks.newestFile, hiddenRefs };
  }
}
