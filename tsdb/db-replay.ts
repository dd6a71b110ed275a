/** What a database does at start before anybody can write: makes the head again from files. */
import { messageOf } from '../model/index.ts';
import type { HeadSnapshotParts } from './db-head-snapshots.ts';
import type { DbMetrics } from './db-metrics.ts';
import type { ResolvedOptions } from './db-options.ts';
import { truncateHead } from './head/collect.ts';
import type { Head } from './head/head.ts';
import { FarBatches, NearBatches } from './head/read-ahead.ts';
import { describeRepair, replayLog } from './head/replay.ts';
import { replayLateLog } from './head/replay-late.ts';
import {
  removeSnapshotLeftovers,
  removeSnapshots,
  type SnapshotKind,
} from './head/snapshot-dir.ts';
import { loadStoredChunks, type StoredChunks } from './head/stored-chunks.ts';
import { treeSizeBytes } from './io/files.ts';
import { removeCheckpointLeftovers } from './wal/segment-name.ts';

export type Replayed = {
  readonly chunks: StoredChunks;
  /** Refs in the log that no series has any more. */
  readonly hiddenRefs: Iterable<number>;
} & Pick<HeadSnapshotParts, 'aliases' | 'unsavedSizeBytes' | 'lastSizeBytes'>;

/** Fills an empty head from disk, and tells what was wrong there. */
export function fillHead(head: Head, options: ResolvedOptions, metrics: DbMetrics): Replayed {
  const { files, directory, logger, clock, onReplayProgress, snapshotsAtEnd } = options;
  const startMs = clock.monotonicMs();
  removeCheckpointLeftovers(files, `${directory}/wal`);
  removeSnapshotLeftovers(files, directory);
  const { chunks, repair } = loadStoredChunks(files, `${directory}/chunks_head`);
  if (repair !== null) {
    metrics.chunkCorruptions.increase();
    logger.error('Head chunks are corrupt and are made anew from the log', {
      error: messageOf(repair.error),
    });
    // They count on what was lost.
    removeSnapshots(files, directory, () => true);
  }
  // Places are told by their distance to the newest file.
  head.noteNewestChunkFile(chunks.newestFile);
  const kinds: readonly SnapshotKind[] = snapshotsAtEnd ? ['head', 'chunk'] : ['head'];
  const far = options.readAhead === undefined ? null : new FarBatches(options.readAhead, files);
  const result = replayLog(head, {
    files,
    directory: `${directory}/wal`,
    stored: chunks,
    batches: far ?? new NearBatches(files),
    snapshots: { files, dataDirectory: directory, kinds },
    onProgress: (progress) => {
      logger.debug('WAL segment loaded', progress);
      onReplayProgress?.({ log: 'wal', ...progress });
    },
  });
  far?.end();
  const late = replayLateLog(head, {
    files,
    directory: `${directory}/wbl`,
    stored: chunks,
    aliases: result.aliases,
    onProgress: (progress) => onReplayProgress?.({ log: 'wbl', ...progress }),
  });
  if (result.snapshot !== null) {
    const { place, seriesCount } = result.snapshot;
    logger.info('Snapshot of the head loaded', { snapshot: place.path, series: seriesCount });
  }
  for (const { path: snapshot, reason } of result.snapshotProblems) {
    metrics.snapshotFailures.increase();
    // What it counts on might look as if it were there again later.
    removeSnapshots(files, directory, (place) => place.path === snapshot);
    logger.warn('Snapshot of the head not used, the log is read instead', { snapshot, reason });
  }
  for (const entry of [...result.repairs, ...late.repairs]) {
    metrics.walCorruptions.increase();
    logger.error('Corruption in the log', { error: describeRepair(entry) });
  }
  if (result.unknownRefCount > 0) {
    metrics.unknownRefs.increase(result.unknownRefCount);
    logger.warn('Unknown series references', { count: result.unknownRefCount });
  }
  // A checkpoint keeps series for what later segments say of them, though blocks hold that by now.
  const { removedRefs } = truncateHead(head, head.minValidMs);
  const { aliases, snapshot, logSizeBytes } = result;
  logger.info('WAL replay completed', {
    bytes: logSizeBytes,
    samples: result.sampleCount + late.sampleCount,
    duration: `${((clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`,
  });
  const hiddenRefs = new Set([
    ...aliases.keys(),
    ...removedRefs,
    ...(snapshot === null ? [] : snapshot.deadRefs),
  ]);
  return {
    chunks,
    hiddenRefs,
    aliases,
    unsavedSizeBytes: logSizeBytes,
    lastSizeBytes: snapshot === null ? 0 : treeSizeBytes(files, snapshot.place.path),
  };
}
