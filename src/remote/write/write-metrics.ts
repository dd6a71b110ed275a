/** Figures of remote write, under the names that dashboards and alerts for Prometheus read. */
import type { Registry } from '../../../model/index.ts';
import { dialerMetrics } from '../../../scrape/index.ts';

const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300];
const PREFIX = 'prometheus_remote_storage_';
const QUEUE_LABELS = ['remote_name', 'url'];
const KINDS = ['samples', 'histograms', 'exemplars'] as const;

export type DropReason =
  | 'dropped_series'
  | 'too_old'
  | 'unintentional_dropped_series'
  | 'nhcb_in_rw1_not_supported';

/** The families, once per thread. */
export class RemoteWriteMetrics {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The metrics of one queue. */
  of(name: string, url: string) {
    const registry = this.#registry;
    const counters = (suffix: string, help: string) =>
      registry.counters(PREFIX + suffix, help, QUEUE_LABELS);
    const gauges = (suffix: string, help: string) =>
      registry.gauges(PREFIX + suffix, help, QUEUE_LABELS);
    const perKind = <T>(make: (kind: (typeof KINDS)[number]) => T) => ({
      samples: make('samples'),
      histograms: make('histograms'),
      exemplars: make('exemplars'),
    });
    const families = {
      sent: perKind((kind) => counters(`${kind}_total`, `The ${kind} sent to remote storage.`)),
      failed: perKind((kind) =>
        counters(`${kind}_failed_total`, `The ${kind} that remote storage refused for good.`),
      ),
      retried: perKind((kind) =>
        counters(`${kind}_retried_total`, `The ${kind} sent again after an error that may pass.`),
      ),
      pending: perKind((kind) => gauges(`${kind}_pending`, `The ${kind} that wait in the shards.`)),
      bytes: counters('bytes_total', 'The bytes of data (not metadata) sent, compressed.'),
      enqueueRetries: counters(
        'enqueue_retries_total',
        'How often reading the log had to wait because a shard was full.',
      ),
      metadata: counters('metadata_total', 'The metadata entries sent to remote storage.'),
      metadataFailed: counters(
        'metadata_failed_total',
        'The metadata entries that remote storage refused for good.',
      ),
      metadataRetried: counters(
        'metadata_retried_total',
        'The metadata entries sent again after an error that may pass.',
      ),
      metadataBytes: counters('metadata_bytes_total', 'The bytes of metadata sent, compressed.'),
      sendSeconds: registry.histograms(
        `${PREFIX}sent_batch_duration_seconds`,
        'Duration of requests to the remote storage.',
        QUEUE_LABELS,
        DURATION_BOUNDS,
      ),
      highestSeconds: gauges(
        'queue_highest_timestamp_seconds',
        'Highest timestamp that was enqueued, in seconds since the epoch.',
      ),
      highestSentSeconds: gauges(
        'queue_highest_sent_timestamp_seconds',
        'Highest timestamp that was sent, in seconds since the epoch.',
      ),
      shards: gauges('shards', 'The number of shards that send in parallel.'),
      shardsDesired: gauges('shards_desired', 'The number of shards that would be right.'),
      shardsMin: gauges('shards_min', 'The smallest number of shards allowed.'),
      shardsMax: gauges('shards_max', 'The largest number of shards allowed.'),
      shardCapacity: gauges('shard_capacity', 'How many samples a shard lets wait.'),
      samplesPerSendMax: gauges('max_samples_per_send', 'The most samples of one request.'),
    };
    const watchers = {
      segment: registry.gauges(
        'prometheus_wal_watcher_current_segment',
        'The segment of the log that is being read.',
        ['consumer'],
      ),
      decodeFailures: registry.counters(
        'prometheus_wal_watcher_record_decode_failures_total',
        'Records of the log that could not be read.',
        ['consumer'],
      ),
      preTailing: registry.counters(
        'prometheus_wal_watcher_samples_sent_pre_tailing_total',
        'Samples read from what was in the log at the start.',
        ['consumer'],
      ),
      skipped: registry.counters(
        'prometheus_wal_watcher_notifications_skipped_total',
        'Announcements of new records that came while the log was being read.',
        ['consumer'],
      ),
    };
    const droppedFamilies = perKind((kind) =>
      registry.counters(
        `${PREFIX}${kind}_dropped_total`,
        `The ${kind} that were not to be sent: dropped by relabelling, too old, or of no known series.`,
        ['reason', ...QUEUE_LABELS],
      ),
    );
    const recordFamily = registry.counters(
      'prometheus_wal_watcher_records_read_total',
      'Records read from the log.',
      ['consumer', 'type'],
    );
    const reasons = new Set<string>();
    const types = new Set<string>();
    const child = <M>(family: { labels(...values: string[]): M }): M => family.labels(name, url);
    return {
      sent: perKind((kind) => child(families.sent[kind])),
      failed: perKind((kind) => child(families.failed[kind])),
      retried: perKind((kind) => child(families.retried[kind])),
      pending: perKind((kind) => child(families.pending[kind])),
      bytes: child(families.bytes),
      enqueueRetries: child(families.enqueueRetries),
      metadata: child(families.metadata),
      metadataFailed: child(families.metadataFailed),
      metadataRetried: child(families.metadataRetried),
      metadataBytes: child(families.metadataBytes),
      sendSeconds: child(families.sendSeconds),
      highestSeconds: child(families.highestSeconds),
      highestSentSeconds: child(families.highestSentSeconds),
      shards: child(families.shards),
      shardsDesired: child(families.shardsDesired),
      shardsMin: child(families.shardsMin),
      shardsMax: child(families.shardsMax),
      shardCapacity: child(families.shardCapacity),
      samplesPerSendMax: child(families.samplesPerSendMax),
      segment: watchers.segment.labels(name),
      decodeFailures: watchers.decodeFailures.labels(name),
      preTailing: watchers.preTailing.labels(name),
      skipped: watchers.skipped.labels(name),
      /** Of the connections of all queues. */
      observeConnection: dialerMetrics(registry, 'remote_storage_write_client').observe,
      dropped: (kind: (typeof KINDS)[number], reason: DropReason, count: number) => {
        reasons.add(reason);
        droppedFamilies[kind].labels(reason, name, url).increase(count);
      },
      recordRead: (type: string) => {
        types.add(type);
        recordFamily.labels(name, type).increase();
      },
      /** When the queue is no more. */
      forget: () => {
        const { sent, failed, retried, pending, ...others } = families;
        for (const byKind of [sent, failed, retried, pending]) {
          for (const kind of KINDS) byKind[kind].remove(name, url);
        }
        for (const family of Object.values(others)) family.remove(name, url);
        for (const family of Object.values(watchers)) family.remove(name);
        for (const reason of reasons) {
          for (const kind of KINDS) droppedFamilies[kind].remove(reason, name, url);
        }
        for (const type of types) recordFamily.remove(name, type);
      },
    };
  }
}

export type QueueMetrics = ReturnType<RemoteWriteMetrics['of']>;
