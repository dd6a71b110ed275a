/**
 * Agent mode: what is scraped goes into a log and from there to other servers, and nothing else. Here
 * is what differs from a server: the storage's options, and the truncation of its log.
 */
import { type Logger, messageOf } from '../model/index.ts';
import type { Config } from './config/index.ts';
import { startTimestampUse } from './database-options.ts';
import type { Feature, FlagValues } from './flags.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import type { PlainAgentOptions } from './threads/ingest.ts';
import type { RemoteWriteClient } from './threads/remote-write-client.ts';

/** Where the flags name no other. */
const TRUNCATE_INTERVAL_MS = 2 * 3_600_000;

export function agentOptions(
  config: Config,
  values: FlagValues,
  features: ReadonlySet<Feature>,
  directory: string,
): PlainAgentOptions {
  const segmentSizeBytes = values['storage.agent.wal-segment-size'];
  const compression = values['storage.agent.wal-compression-type'];
  return {
    directory,
    // Zero stands for "as the storage thinks fit".
    ...(segmentSizeBytes > 0 ? { walSegmentSizeBytes: segmentSizeBytes } : {}),
    walCompression: values['storage.agent.wal-compression'] ? compression : 'none',
    usesLockFile: !values['storage.agent.no-lockfile'],
    retentionMinMs: values['storage.agent.retention.min-time'],
    retentionMaxMs: values['storage.agent.retention.max-time'],
    outOfOrderWindowMs: config.outOfOrderWindowMs,
    logsMetadata: features.has('metadata-wal-records'),
    startTimestamps: startTimestampUse(features),
  };
}

/** Truncates the log from time to time. Ends with the process. */
export function keepLogShort(
  values: FlagValues,
  ingest: IngestClient,
  remoteWrite: RemoteWriteClient,
  logger: Logger,
): void {
  const intervalMs = values['storage.agent.wal-truncate-frequency'] || TRUNCATE_INTERVAL_MS;
  const truncate = async (): Promise<void> => {
    try {
      await ingest.call('truncateAgent', await remoteWrite.passedOn());
    } catch (error) {
      logger.error('Truncating the log failed', { component: 'agent', err: messageOf(error) });
    }
  };
  setInterval(() => void truncate(), intervalMs).unref();
}
