/** Figures of an agent's storage, under the names that dashboards for Prometheus read. */
import type { Registry } from '../../model/index.ts';
import { syncDuration } from '../log-metrics.ts';

const P = 'prometheus_agent_';

export function createAgentMetrics(registry: Registry) {
  return {
    activeSeries: registry.gauge(P + 'active_series', 'Series that are known.'),
    deletedSeries: registry.gauge(P + 'deleted_series', 'Series that only the log still names.'),
    outOfOrderSamples: registry.counter(
      P + 'out_of_order_samples_total',
      'Samples refused because they came out of order.',
    ),
    samples: registry.counters(P + 'samples_appended_total', 'Samples stored.', ['type']),
    exemplars: registry.counter(P + 'exemplars_appended_total', 'Exemplars stored.'),
    truncateSeconds: registry
      .summaries(P + 'truncate_duration_seconds', 'How long truncating the log took.', [])
      .labels(),
    checkpoints: registry.counter(P + 'checkpoint_creations_total', 'Checkpoints begun.'),
    checkpointsFailed: registry.counter(
      P + 'checkpoint_creations_failed_total',
      'Checkpoints that could not be made.',
    ),
    checkpointDeletions: registry.counter(
      P + 'checkpoint_deletions_total',
      'Removals of old checkpoints begun.',
    ),
    checkpointDeletionsFailed: registry.counter(
      P + 'checkpoint_deletions_failed_total',
      'Removals of old checkpoints that failed.',
    ),
    logTruncations: registry.counter(
      'prometheus_tsdb_wal_truncations_total',
      'Truncations of the log attempted.',
    ),
    logTruncationsFailed: registry.counter(
      'prometheus_tsdb_wal_truncations_failed_total',
      'Truncations of the log that failed.',
    ),
    syncDuration: syncDuration(registry),
    corruptions: registry.counter(P + 'corruptions_total', 'Corruptions of the log.'),
    replaySeconds: registry.gauge(
      P + 'data_replay_duration_seconds',
      'How long reading the log took at the start.',
    ),
    cleanStart: registry.gauge(
      P + 'clean_start',
      '-1: lockfile is disabled. 0: replaced. 1: locked cleanly.',
    ),
  };
}
export type AgentMetrics = ReturnType<typeof createAgentMetrics>;
