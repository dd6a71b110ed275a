/** From flags and configuration to what the database is told. */
import { ValueError } from '../model/index.ts';
import type { Config, FlagDefaults } from './config/index.ts';
import {
  type Feature,
  type FlagValues,
  maxBlockDurationMs,
  retentionOfFlags,
  withRetention,
} from './flags.ts';
import type { StartTimestampUse } from '../tsdb/index.ts';
import { shipperFile } from './upload/shipper-file.ts';
import type { IngestConfig, PlainDbOptions } from './threads/ingest.ts';

type Changes = IngestConfig['db'];

const XOR_WITHOUT_STARTS =
  'float chunk encoding "xor" is incompatible with start-timestamp storage; ' +
  'XOR chunks do not store start timestamps, use "xor2"';

export function flagDefaults(values: FlagValues, features: ReadonlySet<Feature>): FlagDefaults {
  return {
    retentionMs: retentionOfFlags(values),
    retentionBytes: values['storage.tsdb.retention.size'] ?? 0,
    exemplarStorage: features.has('exemplar-storage'),
  };
}

/** What is done with the start timestamps that samples bring. */
export function startTimestampUse(features: ReadonlySet<Feature>): StartTimestampUse {
  return {
    isStored: features.has('st-storage'),
    isInHistogramChunks: features.has('histograms-st-encoding'),
    isZeroSample: features.has('created-timestamp-zero-ingestion'),
  };
}

/** Whether targets are asked for start timestamps, which protobuf tells best. */
export function readsStarts(features: ReadonlySet<Feature>): boolean {
  const { isStored, isZeroSample } = startTimestampUse(features);
  return isStored || isZeroSample;
}

/** What a reload may change. The configuration wins over the flags. */
export function databaseChanges(
  config: Config,
  values: FlagValues,
  features: ReadonlySet<Feature>,
): Required<Changes> {
  const { retention } = config;
  return {
    floatEncoding: floatEncoding(config, features),
    outOfOrderWindowMs: config.outOfOrderWindowMs,
    staleCompactionThreshold: config.staleCompactionThreshold,
    exemplarCountMax: features.has('exemplar-storage') ? Math.max(0, config.exemplarCountMax) : 0,
    retentionMs: retention?.timeMs ?? retentionOfFlags(values),
    retentionPercentage: retention?.percentage ?? 0,
    retentionSizeBytes: retention?.sizeBytes ?? values['storage.tsdb.retention.size'] ?? 0,
  };
}

/** @throws ValueError when configuration and features do not go together */
function floatEncoding({ floatEncoding: wanted }: Config, features: ReadonlySet<Feature>) {
  const hasXor2 = features.has('xor2-encoding');
  if (wanted === 'xor2' && !hasXor2) {
    throw new ValueError(
      "'storage.tsdb.chunk_encoding.floats: xor2' requires the xor2-encoding feature flag to be enabled at startup",
    );
  }
  if (wanted === 'xor' && features.has('st-storage')) throw new ValueError(XOR_WITHOUT_STARTS);
  return hasXor2 && wanted !== 'xor' ? 'xor2' : 'xor';
}

/** @throws ValueError when configuration and features do not go together */
export function databaseOptions(
  config: Config,
  values: FlagValues,
  features: ReadonlySet<Feature>,
  directory: string,
): PlainDbOptions {
  // Zero stands for "as the database thinks fit".
  const given = (key: keyof PlainDbOptions, value: number) => (value > 0 ? { [key]: value } : {});
  const compression = values['storage.tsdb.wal-compression-type'];
  const segmentSizeBytesMax = values['storage.tsdb.max-block-chunk-segment-size'];
  // An agent has no chunks, and needs no encoding that can hold them.
  const changes = databaseChanges(config, values, features);
  if (features.has('st-storage') && changes.floatEncoding === 'xor') {
    throw new ValueError(XOR_WITHOUT_STARTS);
  }
  return {
    directory,
    ...changes,
    minBlockMs: values['storage.tsdb.min-block-duration'],
    maxBlockMs: Math.max(
      maxBlockDurationMs(withRetention(values, config.retention)),
      values['storage.tsdb.min-block-duration'],
    ),
    chunkFiles: {
      ...(segmentSizeBytesMax > 0 ? { segmentSizeBytesMax } : {}),
      bypassesCache: features.has('use-uncached-io'),
    },
    ...given('walSegmentSizeBytes', values['storage.tsdb.wal-segment-size']),
    ...given('headMemoryLimitBytes', values['storage.tsdb.head-memory-limit']),
    headSnapshotLogSizeBytes: values['storage.tsdb.head-snapshot-wal-size'],
    logHoldSizeBytes: values['storage.remote.log-hold-size'],
    snapshotsAtEnd: features.has('memory-snapshot-on-shutdown'),
    walCompression: values['storage.tsdb.wal-compression'] ? compression : 'none',
    syncsCommits: values['storage.tsdb.wal-sync'],
    usesLockFile: !values['storage.tsdb.no-lockfile'],
    allowsOverlappingCompaction: values['storage.tsdb.allow-overlapping-compaction'],
    samplesPerChunk: values['storage.tsdb.samples-per-chunk'],
    delayCompactFile:
      values['storage.tsdb.delay-compact-file.path'] ||
      // Blocks are uploaded as they were cut, so they have to wait for it.
      (values['storage.upload.objstore-config-file'] === '' ? '' : shipperFile(directory)),
    compactionDelayPercent: features.has('delayed-compaction')
      ? values['storage.tsdb.delayed-compaction.max-percent']
      : 0,
    logsMetadata: features.has('metadata-wal-records'),
    startTimestamps: startTimestampUse(features),
  };
}
