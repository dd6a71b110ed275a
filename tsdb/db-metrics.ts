/** The database's figures about itself, under the names that Prometheus gives them. */
import type { Counter, Distribution, Gauge, Registry, Summary } from '../model/index.ts';
import { CHUNK_BOUNDS, type ChunkFigures } from './block/chunk-measure.ts';
import type { DbBlocks, RetentionLimits } from './db-blocks.ts';
import type { Head } from './head/head.ts';
import { histogramBucketCount } from './head/histogram-bucket-count.ts';
import type { LateLog } from './head/late-log.ts';
import { lateSyncDuration, showLateLog, showLog, syncDuration } from './log-metrics.ts';
import type { WalWriter } from './wal/wal-writer.ts';
import { Time, Word } from './memory/control-block.ts';

const P = 'prometheus_tsdb_';
const LATENESS_SECONDS_BOUNDS = [600, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const SECONDS_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];

export type MetricSources = {
  readonly head: Head;
  readonly blocks: DbBlocks;
  readonly wal: WalWriter;
  readonly lateLog: LateLog;
  readonly walSizeBytes: () => number;
  readonly wblSizeBytes: () => number;
  readonly chunksSizeBytes: () => number;
  readonly retention: () => RetentionLimits;
};

export class DbMetrics {
  readonly compactionsTriggered: Counter;
  readonly compactionsFailed: Counter;
  readonly compactionsSkipped: Counter;
  readonly verticalCompactions: Counter;
  readonly headTruncations: Counter;
  readonly headTruncationsFailed: Counter;
  readonly checkpoints: Counter;
  readonly checkpointsFailed: Counter;
  readonly checkpointDeletions: Counter;
  readonly checkpointDeletionsFailed: Counter;
  readonly logTruncations: Counter;
  readonly logTruncationsFailed: Counter;
  readonly walCorruptions: Counter;
  readonly chunkCorruptions: Counter;
  readonly unknownRefs: Counter;
  readonly snapshotFailures: Counter;
  readonly staleCompactionsTriggered: Counter;
  readonly staleCompactionsFailed: Counter;
  readonly staleCompactionDuration: Distribution;
  readonly gcDuration: Summary;
  readonly walTruncateDuration: Summary;
  readonly walSyncDuration: Summary;
  readonly #registry: Registry;
  readonly #populating: Gauge;
  readonly #lateness: Distribution;
  #blocksInWriting = 0;
  readonly #compactions: Counter;
  readonly #compactionDuration: Distribution;
  readonly #tombstoneCleanup: Distribution;
  readonly #chunks: readonly (readonly [keyof ChunkFigures, Distribution])[];

  constructor(registry: Registry) {
    this.#registry = registry;
    const counter = (name: string, help: string) => registry.counter(P + name, help);
    const summary = (name: string, help: string) =>
      registry.summaries(P + name, help, [], []).labels();
    this.compactionsTriggered = counter(
      'compactions_triggered_total',
      'Total number of triggered compactions for the partition.',
    );
    this.#compactions = counter('compactions_total', 'Compactions that were executed.');
    this.compactionsFailed = counter('compactions_failed_total', 'Compactions that failed.');
    this.compactionsSkipped = counter(
      'compactions_skipped_total',
      'Compactions skipped because they are switched off.',
    );
    this.verticalCompactions = counter(
      'vertical_compactions_total',
      'Compactions of blocks that overlap.',
    );
    this.headTruncations = counter('head_truncations_total', 'Head truncations attempted.');
    this.headTruncationsFailed = counter(
      'head_truncations_failed_total',
      'Head truncations that failed.',
    );
    this.checkpoints = counter('checkpoint_creations_total', 'Checkpoints attempted.');
    this.checkpointsFailed = counter('checkpoint_creations_failed_total', 'Checkpoints failed.');
    this.checkpointDeletions = counter(
      'checkpoint_deletions_total',
      'Deletions of older checkpoints attempted.',
    );
    this.checkpointDeletionsFailed = counter(
      'checkpoint_deletions_failed_total',
      'Deletions of older checkpoints that failed.',
    );
    this.logTruncations = counter('wal_truncations_total', 'Truncations of the log attempted.');
    this.logTruncationsFailed = counter(
      'wal_truncations_failed_total',
      'Truncations of the log that failed.',
    );
    this.walCorruptions = counter('wal_corruptions_total', 'Corruptions found in the log.');
    this.chunkCorruptions = counter(
      'mmap_chunk_corruptions_total',
      'Corruptions found in the files of finished head chunks.',
    );
    this.staleCompactionsTriggered = counter(
      'stale_series_compactions_triggered_total',
      'Compactions of stale series that were begun.',
    );
    this.staleCompactionsFailed = counter(
      'stale_series_compactions_failed_total',
      'Compactions of stale series that failed.',
    );
    this.snapshotFailures = counter(
      'snapshot_replay_error_total',
      'Snapshots of the head that could not be used at start.',
    );
    this.unknownRefs = registry
      .counters(P + 'wal_replay_unknown_refs_total', 'Entries of series the log does not know.', [
        'type',
      ])
      .labels('samples');
    this.gcDuration = summary('head_gc_duration_seconds', 'Runtime of garbage collection.');
    this.walTruncateDuration = summary(
      'wal_truncate_duration_seconds',
      'Duration of truncating the log.',
    );
    this.walSyncDuration = syncDuration(registry);
    const distribution = (name: string, help: string, bounds: readonly number[]) =>
      registry.histograms(P + name, help, [], bounds).labels();
    this.#populating = registry.gauge(
      P + 'compaction_populating_block',
      'Set to 1 when a block is currently being written to the disk.',
    );
    this.#lateness = distribution(
      'sample_ooo_delta',
      'Seconds by which samples are out of order, taken or not.',
      LATENESS_SECONDS_BOUNDS,
    );
    this.staleCompactionDuration = distribution(
      'stale_series_compaction_duration_seconds',
      'Duration of compactions of stale series.',
      SECONDS_BOUNDS,
    );
    this.#compactionDuration = distribution(
      'compaction_duration_seconds',
      'Duration of compaction runs.',
      SECONDS_BOUNDS,
    );
    this.#tombstoneCleanup = distribution(
      'tombstone_cleanup_seconds',
      'Duration of rewriting blocks without what was deleted.',
      SECONDS_BOUNDS,
    );
    const { samples, sizeBytes, rangeSeconds } = CHUNK_BOUNDS;
    const first = 'of chunks, when they first come into a block.';
    this.#chunks = [
      ['samples', distribution('compaction_chunk_samples', `Samples ${first}`, samples)],
      ['sizeBytes', distribution('compaction_chunk_size_bytes', `Sizes ${first}`, sizeBytes)],
      [
        'rangeSeconds',
        distribution('compaction_chunk_range_seconds', `Time ranges ${first}`, rangeSeconds),
      ],
    ];
  }

  /** How long the start took to read the log. */
  noteReplay(seconds: number, lock: { readonly wasClean: boolean } | null): void {
    this.#registry
      .gauge(P + 'data_replay_duration_seconds', 'Time taken to replay the data on disk.')
      .set(seconds);
    this.#registry
      .gauge(P + 'clean_start', '-1: lockfile is disabled. 0: replaced. 1: locked cleanly.')
      .set(lock === null ? -1 : Number(lock.wasClean));
  }

  noteCompaction(seconds: number, figures?: ChunkFigures): void {
    this.#compactions.increase();
    this.#compactionDuration.observe(seconds);
    if (figures === undefined) return;
    for (const [key, distribution] of this.#chunks) distribution.absorb(figures[key]);
  }

  noteLateSync(seconds: number): void {
    lateSyncDuration(this.#registry).observe(seconds);
  }

  /** Around the writing of a block. */
  noteBlockBegun(): void {
    this.#showBlocksInWriting(1);
  }
  noteBlockEnded(): void {
    this.#showBlocksInWriting(-1);
  }

  #showBlocksInWriting(change: number): void {
    this.#blocksInWriting += change;
    this.#populating.set(this.#blocksInWriting > 0 ? 1 : 0);
  }

  noteTombstoneCleanup(seconds: number): void {
    this.#tombstoneCleanup.observe(seconds);
  }

  /** Figures that are looked up when somebody asks. */
  watch(sources: MetricSources): void {
    const registry = this.#registry;
    const set = (name: string, help: string, value: number) =>
      registry.gauge(P + name, help).set(value);
    const count = (name: string, help: string, value: number) => {
      registry.counter(P + name, help).value = value;
    };
    registry.beforeSnapshot(() => {
      watchHead(sources, set, count);
      watchFiles(sources, set, count);
      watchLogs(sources, registry);
      watchExemplars(sources.head, set, count);
    });
    registry.beforeSnapshot(() => countByKind(registry, sources.head));
    sources.head.onLate = (behindMs) => this.#lateness.observe(behindMs / 1000);
  }
}

type Note = (name: string, help: string, value: number) => void;

function watchHead({ head, blocks }: MetricSources, set: Note, count: Note): void {
  const { heap, counters, writer, series, symbols, isolation } = head;
  const finite = (value: number) => (Number.isFinite(value) ? value : 0);
  set('head_series', 'Total number of series in the head block.', series.count);
  count('head_series_created_total', 'Series created in the head.', counters.createdSeries);
  count('head_series_removed_total', 'Series removed in the head.', counters.removedSeries);
  count('head_series_not_found_total', 'Requests for unknown series.', counters.unknownSeries);
  set('head_stale_series', 'Series whose newest sample is a stale marker.', writer.staleCount);
  set('head_chunks', 'Chunks in the head.', head.chunkCount);
  count('head_chunks_created_total', 'Chunks created in the head.', head.createdChunkCount);
  count('head_chunks_removed_total', 'Chunks removed in the head.', head.removedChunkCount);
  count('mmap_chunks_total', 'Chunks that were written to files.', head.flusher.writtenCount);
  set('head_active_appenders', 'Currently active appenders.', head.openAppenderCount);
  count('head_appenders_created_total', 'Appenders created.', counters.createdAppenders);
  set('head_min_time', 'Minimum time of the head block.', finite(head.minMs));
  set('head_max_time', 'Maximum timestamp of the head block.', finite(head.maxMs));
  set('head_min_time_seconds', 'Minimum time of the head block.', finite(head.minMs) / 1000);
  set('head_max_time_seconds', 'Maximum timestamp of the head.', finite(head.maxMs) / 1000);
  set(
    'head_native_histogram_series',
    'Series whose newest sample is a native histogram.',
    writer.histogramSeriesCount,
  );
  set(
    'head_native_histogram_buckets',
    'Buckets of the newest histogram of each series, as its open chunk lays them out.',
    histogramBucketCount(head),
  );
  set('symbol_table_size_bytes', 'Size of the symbol table in memory.', symbols.textBytes);
  set('isolation_low_watermark', 'The lowest commit id in use.', isolation.lowWatermark());
  set('isolation_high_watermark', 'The highest commit id.', heap.u32[Word.CommitId]!);
  const blockMinMs = blocks.all[0]?.meta.minMs ?? Infinity;
  const lowestMs = finite(Math.min(blockMinMs, heap.f64[Time.MinMs]!));
  set('lowest_timestamp', 'Lowest timestamp value stored in the database.', lowestMs);
  set('lowest_timestamp_seconds', 'Lowest timestamp in the database.', lowestMs / 1000);
}

function watchFiles(sources: MetricSources, set: Note, count: Note): void {
  const { blocks } = sources;
  const { sizeBytes, retentionMs, percentage } = sources.retention();
  set('blocks_loaded', 'Number of currently loaded data blocks.', blocks.all.length);
  set('storage_blocks_bytes', 'Bytes used by all blocks.', blocks.sizeBytes);
  set('retention_limit_bytes', 'Max number of bytes to be retained.', sizeBytes);
  set('retention_limit_percentage', 'Max percentage of the device to be retained.', percentage);
  set('retention_limit_seconds', 'How long to retain samples.', retentionMs / 1000);
  count('reloads_total', 'Block set reloads.', blocks.counts.reloads);
  count('reloads_failures_total', 'Block set reloads that failed.', blocks.counts.failures);
  count('time_retentions_total', 'Blocks deleted for their age.', blocks.counts.byTime);
  count('size_retentions_total', 'Blocks deleted for their size.', blocks.counts.bySize);
  set('head_chunks_storage_size_bytes', 'Size of chunks_head.', sources.chunksSizeBytes());
}

function watchLogs(sources: MetricSources, registry: Registry): void {
  const { head, wal, lateLog } = sources;
  const { compression } = wal;
  const { stats, segmentIndex } = wal;
  showLog(registry, { stats, segmentIndex, sizeBytes: sources.walSizeBytes(), compression });
  if (head.outOfOrderWindowMs === 0 && lateLog.stats === null) return;
  showLateLog(registry, {
    stats: lateLog.stats,
    segmentIndex: lateLog.segmentIndex,
    sizeBytes: sources.wblSizeBytes(),
    compression,
    truncationCount: lateLog.truncationCount,
    failedTruncationCount: lateLog.failedTruncationCount,
  });
}

function watchExemplars({ exemplars }: Head, set: Note, count: Note): void {
  const { newestMs } = exemplars;
  count('exemplar_exemplars_appended_total', 'Exemplars appended.', exemplars.appendedCount);
  count(
    'exemplar_out_of_order_exemplars_total',
    'Exemplars refused as out of order.',
    exemplars.outOfOrderCount,
  );
  set('exemplar_exemplars_in_storage', 'Exemplars in circular storage.', exemplars.count);
  set('exemplar_max_exemplars', 'Exemplars that storage can hold.', exemplars.capacity);
  set('exemplar_last_exemplars_timestamp_seconds', 'Newest exemplar.', newestMs / 1000);
  set(
    'exemplar_series_with_exemplars_in_storage',
    'Series with exemplars in circular storage.',
    exemplars.seriesCount,
  );
}

/** Counters with a label for the kind of sample. */
function countByKind(registry: Registry, { counters, late }: Head): void {
  const family = (name: string, help: string) => registry.counters(P + name, help, ['type']);
  const appended = family('head_samples_appended_total', 'Total number of appended samples.');
  const { stored } = late.counters;
  appended.labels('float').value = counters.floatSamples + stored.float;
  appended.labels('histogram').value = counters.histogramSamples + stored.histogram;
  const outOfOrder = family(
    'head_out_of_order_samples_appended_total',
    'Samples appended that were out of order.',
  );
  outOfOrder.labels('float').value = stored.float;
  outOfOrder.labels('histogram').value = stored.histogram;
  const refused = [
    ['out_of_order_samples_total', counters.outOfOrder],
    ['out_of_bound_samples_total', counters.outOfBounds],
    ['too_old_samples_total', counters.tooOld],
  ] as const;
  for (const [name, byKind] of refused) {
    const counts = family(name, 'Samples that were refused.');
    counts.labels('float').value = byKind.float;
    counts.labels('histogram').value = byKind.histogram;
  }
}
