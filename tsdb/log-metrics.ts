/** Figures about a log, under the names that Prometheus gives those of `wal/` and of `wbl/`. */
import type { Registry, Summary } from '../model/index.ts';
import type { WalCompression } from './wal/compression.ts';
import type { WalWriterStats } from './wal/wal-writer.ts';

const WAL = 'prometheus_tsdb_wal_';
const WBL = 'prometheus_tsdb_out_of_order_wbl_';
const SYNC_QUANTILES = [0.5, 0.9, 0.99];

export type LogFigures = {
  /** Null as long as nothing was written. */
  readonly stats: WalWriterStats | null;
  readonly segmentIndex: number;
  readonly sizeBytes: number;
  readonly compression: WalCompression;
};

export type LateLogFigures = LogFigures & {
  readonly truncationCount: number;
  readonly failedTruncationCount: number;
};

export function showLog(registry: Registry, figures: LogFigures): void {
  show(registry, WAL, figures);
}

/** To be called only where late samples are taken: elsewhere there is no such log. */
export function showLateLog(registry: Registry, figures: LateLogFigures): void {
  show(registry, WBL, figures);
  const count = (name: string, help: string, value: number) => {
    registry.counter(WBL + name, help).value = value;
  };
  count('truncations_total', 'Truncations attempted.', figures.truncationCount);
  count('truncations_failed_total', 'Truncations that failed.', figures.failedTruncationCount);
  lateSyncDuration(registry);
}

export function syncDuration(registry: Registry): Summary {
  return durations(registry, WAL);
}

export function lateSyncDuration(registry: Registry): Summary {
  return durations(registry, WBL);
}

function durations(registry: Registry, prefix: string): Summary {
  const name = `${prefix}fsync_duration_seconds`;
  return registry.summaries(name, 'Duration of log syncs.', [], SYNC_QUANTILES).labels();
}

function show(registry: Registry, prefix: string, figures: LogFigures): void {
  const { stats, segmentIndex, sizeBytes, compression } = figures;
  const gauge = (name: string, help: string, value: number) =>
    registry.gauge(prefix + name, help).set(value);
  const count = (name: string, help: string, value = 0) => {
    registry.counter(prefix + name, help).value = value;
  };
  gauge('segment_current', 'Segment that is being written.', segmentIndex);
  gauge('storage_size_bytes', 'Size of the log directory.', sizeBytes);
  count('page_flushes_total', 'Page flushes.', stats?.pageFlushCount);
  count('completed_pages_total', 'Completed pages.', stats?.completedPageCount);
  count('writes_failed_total', 'Log writes that failed.', stats?.failedWriteCount);
  count('record_part_writes_total', 'Parts of records written.', stats?.partCount);
  count('record_parts_bytes_written_total', 'Bytes written to the log.', stats?.writtenSizeBytes);
  if (compression === 'none') return;
  registry
    .counters(`${prefix}record_bytes_saved_total`, 'Bytes that compression spared.', [
      'compression',
    ])
    .labels(compression).value = stats?.savedSizeBytes ?? 0;
}
