/** What a database can be told. Each option names the flag or configuration key that it serves. */
import os from 'node:os';
import { type Clock, type Logger, Registry, SILENT_LOGGER } from '../model/index.ts';
import type { ChunkFileOptions } from './block/chunk-file-writer.ts';
import { SAMPLES_PER_CHUNK_DEFAULT } from './head/cut-rules.ts';
import { START_TIMESTAMPS_IGNORED, type StartTimestampUse } from './head/start-timestamps.ts';
import type { Files } from './io/files.ts';
import { NODE_FILES } from './io/node-files.ts';
import type { WalCompression } from './wal/compression.ts';
import { SEGMENT_SIZE_BYTES_DEFAULT } from './wal/wal-writer.ts';
import type { RunJob } from './db-jobs.ts';
import type { SharedDb } from './db-reader.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;
const HEAD_MEMORY_BYTES_MAX = 3840 * MIB;
/** What is read in about a second. */
const HEAD_SNAPSHOT_LOG_SIZE_BYTES_DEFAULT = 128 * MIB;

export type FloatEncoding = 'xor' | 'xor2';

export type DbOptions = {
  /** `--storage.tsdb.path` */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Where the database's own metrics go. */
  readonly registry?: Registry;
  readonly files?: Files;
  /** Runs heavy jobs, in another thread for instance; by default they run at once, here. */
  readonly runJob?: RunJob;
  readonly onReplayProgress?: (progress: ReplayProgressReport) => void;
  /** Where another thread reads the log, with `serveReadAhead`; by default this one reads it. */
  readonly readAhead?: SharedArrayBuffer;
  /** Called before the log is read: readers of this see the blocks, and are told that it is all. */
  readonly onBlocksOpen?: (shared: SharedDb) => void;

  /** `--storage.tsdb.min-block-duration` */
  readonly minBlockMs?: number;
  /** `--storage.tsdb.max-block-duration`; by default a tenth of the retention, at most 31 days. */
  readonly maxBlockMs?: number;
  /** `--storage.tsdb.max-block-chunk-segment-size`, `--enable-feature=use-uncached-io` */
  readonly chunkFiles?: ChunkFileOptions;
  /** `--storage.tsdb.retention.time`; 0 keeps for ever. */
  readonly retentionMs?: number;
  /** `--storage.tsdb.retention.size`; 0 is without limit. */
  readonly retentionSizeBytes?: number;
  /** `--storage.tsdb.wal-segment-size` */
  readonly walSegmentSizeBytes?: number;
  /** `--storage.tsdb.wal-compression`, `--storage.tsdb.wal-compression-type` */
  readonly walCompression?: WalCompression;
  /** `--storage.tsdb.wal-sync`: whether every commit waits for the disk. */
  readonly syncsCommits?: boolean;
  /** `--storage.tsdb.no-lockfile` */
  readonly usesLockFile?: boolean;
  /** `--storage.tsdb.allow-overlapping-compaction` */
  readonly allowsOverlappingCompaction?: boolean;
  /** `--storage.tsdb.samples-per-chunk` */
  readonly samplesPerChunk?: number;
  /**
   * `--storage.tsdb.head-memory-limit`: new series are refused from here on; by default half of
   * the machine's memory, or of what a container may use.
   */
  readonly headMemoryLimitBytes?: number;
  /**
   * `--storage.tsdb.head-snapshot-wal-size`: a snapshot of the head is written when the log has
   * grown by this much since the last one; 0: never.
   */
  readonly headSnapshotLogSizeBytes?: number;
  /** And by so many times the size of the last one, so that snapshots stay a small part of the work. */
  readonly headSnapshotLogRatio?: number;
  /** `--enable-feature=memory-snapshot-on-shutdown`: Prometheus's kind is written at the end, and read. */
  readonly snapshotsAtEnd?: boolean;
  /**
   * `storage.tsdb.chunk_encoding.floats`, `--enable-feature=xor2-encoding`: of new chunks. Servers
   * before Prometheus 3.11 cannot read XOR2.
   */
  readonly floatEncoding?: FloatEncoding;
  /** `storage.tsdb.out_of_order_time_window` */
  readonly outOfOrderWindowMs?: number;
  /** `storage.tsdb.out_of_order_cap_max`: samples per out-of-order chunk. */
  readonly outOfOrderCapacity?: number;
  /**
   * `storage.tsdb.stale_series_compaction_threshold`: when so large a part of the series in the head
   * is stale, these go into blocks early; 0: never.
   */
  readonly staleCompactionThreshold?: number;
  /** `storage.exemplars.max_exemplars`; 0 stores none. */
  readonly exemplarCountMax?: number;
  /** `--enable-feature=metadata-wal-records` */
  readonly logsMetadata?: boolean;
  /** What is done with the start timestamps of samples; by default nothing. */
  readonly startTimestamps?: StartTimestampUse;
  /** `storage.tsdb.retention.percentage` of the device; 0 is without limit. */
  readonly retentionPercentage?: number;
  /** `--storage.tsdb.delay-compact-file.path`: first-level blocks wait until it lists them. */
  readonly delayCompactFile?: string;
  /** `--storage.remote.log-hold-size`: most of the log that is kept for who has not read it yet. */
  readonly logHoldSizeBytes?: number;
  /**
   * `--enable-feature=delayed-compaction`, `--storage.tsdb.delayed-compaction.max-percent` of the
   * block range; 0 delays nothing.
   */
  readonly compactionDelayPercent?: number;
  /** Gives numbers in [0, 1). */
  readonly random?: () => number;
};

export type ReplayProgressReport = {
  readonly log: 'wal' | 'wbl';
  /** Number of the first one; `segment` of them are read. */
  readonly firstSegment: number;
  readonly segment: number;
  readonly segmentCount: number;
};

export type ResolvedOptions = Required<Omit<DbOptions, Callback>> & Pick<DbOptions, Callback>;
type Callback = 'runJob' | 'onReplayProgress' | 'onBlocksOpen' | 'readAhead';

/** Half of the memory there is, and no more than references can address. */
function headMemoryDefaultBytes(): number {
  const constrainedBytes = process.constrainedMemory();
  const machineBytes = os.totalmem();
  // Without a limit it is 0 or absurdly large.
  const availableBytes =
    constrainedBytes > 0 ? Math.min(constrainedBytes, machineBytes) : machineBytes;
  return Math.min(HEAD_MEMORY_BYTES_MAX, Math.floor(availableBytes / 2));
}

/** Fills in what was not said. */
export function resolveOptions(options: DbOptions): ResolvedOptions {
  // What is undefined was not said.
  const said = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as DbOptions;
  const retentionMs = options.retentionMs ?? 15 * DAY_MS;
  const minBlockMs = options.minBlockMs ?? 2 * HOUR_MS;
  const tenthMs = retentionMs > 0 ? Math.floor(retentionMs / 10) : Infinity;
  return {
    logger: SILENT_LOGGER,
    registry: new Registry(),
    files: NODE_FILES,
    maxBlockMs: Math.max(minBlockMs, Math.min(31 * DAY_MS, tenthMs)),
    chunkFiles: {},
    retentionSizeBytes: 0,
    walSegmentSizeBytes: SEGMENT_SIZE_BYTES_DEFAULT,
    walCompression: 'snappy',
    syncsCommits: false,
    usesLockFile: true,
    allowsOverlappingCompaction: true,
    samplesPerChunk: SAMPLES_PER_CHUNK_DEFAULT,
    headMemoryLimitBytes: headMemoryDefaultBytes(),
    headSnapshotLogSizeBytes: HEAD_SNAPSHOT_LOG_SIZE_BYTES_DEFAULT,
    headSnapshotLogRatio: 4,
    snapshotsAtEnd: false,
    floatEncoding: 'xor',
    outOfOrderWindowMs: 0,
    outOfOrderCapacity: 32,
    staleCompactionThreshold: 0,
    exemplarCountMax: 0,
    logsMetadata: false,
    startTimestamps: START_TIMESTAMPS_IGNORED,
    retentionPercentage: 0,
    delayCompactFile: '',
    logHoldSizeBytes: 0,
    compactionDelayPercent: 0,
    random: Math.random,
    ...said,
    retentionMs,
    minBlockMs,
  };
}
