/**
 * What scraping measures about itself, under Prometheus's names.
 * Source: /metrics of Prometheus 3.14.
 */
import type { Registry } from '../model/index.ts';
import { describeFailure, type FetchErrorKind } from './http/fetch-error.ts';
import type { ConnectionEvent } from './http/http-request.ts';

const INTERVAL_QUANTILES = [0.01, 0.05, 0.5, 0.9, 0.99];
const INTERVAL_BOUNDS = [0.01, 0.1, 1, 10];

export type ScrapeMetrics = ReturnType<typeof scrapeMetrics>;

export function scrapeMetrics(registry: Registry) {
  return {
    intervalLength: registry.summaries(
      'prometheus_target_interval_length_seconds',
      'Actual intervals between scrapes.',
      ['interval'],
      INTERVAL_QUANTILES,
    ),
    intervalLengthHistogram: registry.histograms(
      'prometheus_target_interval_length_histogram_seconds',
      'Actual intervals between scrapes.',
      ['interval'],
      INTERVAL_BOUNDS,
    ),
    reloadLength: registry.summaries(
      'prometheus_target_reload_length_seconds',
      'Actual interval to reload the scrape pool with a given configuration.',
      ['interval'],
      INTERVAL_QUANTILES,
    ),
    poolsTotal: registry.counter(
      'prometheus_target_scrape_pools_total',
      'Total number of scrape pool creation attempts.',
    ),
    poolsFailed: registry.counter(
      'prometheus_target_scrape_pools_failed_total',
      'Total number of scrape pool creations that failed.',
    ),
    poolReloads: registry.counter(
      'prometheus_target_scrape_pool_reloads_total',
      'Total number of scrape pool reloads.',
    ),
    poolReloadsFailed: registry.counter(
      'prometheus_target_scrape_pool_reloads_failed_total',
      'Total number of failed scrape pool reloads.',
    ),
    poolTargetLimit: registry.gauges(
      'prometheus_target_scrape_pool_target_limit',
      'Maximum number of targets allowed in this scrape pool.',
      ['scrape_job'],
    ),
    poolTargets: registry.gauges(
      'prometheus_target_scrape_pool_targets',
      'Current number of targets in this scrape pool.',
      ['scrape_job'],
    ),
    poolSymbols: registry.gauges(
      'prometheus_target_scrape_pool_symboltable_items',
      'Current number of symbols in table for this scrape pool.',
      ['scrape_job'],
    ),
    poolSyncs: registry.counters(
      'prometheus_target_scrape_pool_sync_total',
      'Total number of syncs that were executed on a scrape pool.',
      ['scrape_job'],
    ),
    poolExceededTargetLimit: registry.counter(
      'prometheus_target_scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    ),
    poolExceededLabelLimits: registry.counter(
      'prometheus_target_scrape_pool_exceeded_label_limits_total',
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    ),
    syncLength: registry.summaries(
      'prometheus_target_sync_length_seconds',
      'Actual interval to sync the scrape pool.',
      ['scrape_job'],
      INTERVAL_QUANTILES,
    ),
    syncLengthHistogram: registry.histograms(
      'prometheus_target_sync_length_histogram_seconds',
      'Actual interval to sync the scrape pool.',
      ['scrape_job'],
      INTERVAL_BOUNDS,
    ),
    syncFailed: registry.counters(
      'prometheus_target_sync_failed_total',
      'Total number of target sync failures.',
      ['scrape_job'],
    ),
    scrapeDuration: registry
      .histograms(
        'prometheus_target_scrape_duration_seconds',
        'Total duration of the scrape from start to commit completion in seconds.',
        [],
        [],
      )
      .labels(),
    exceededBodySizeLimit: registry.counter(
      'prometheus_target_scrapes_exceeded_body_size_limit_total',
      'Total number of scrapes that hit the body size limit',
    ),
    exceededSampleLimit: registry.counter(
      'prometheus_target_scrapes_exceeded_sample_limit_total',
      'Total number of scrapes that hit the sample limit and were rejected.',
    ),
    exceededBucketLimit: registry.counter(
      'prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total',
      'Total number of scrapes that hit the native histogram bucket limit and were rejected.',
    ),
    cacheFlushForced: registry.counter(
      'prometheus_target_scrapes_cache_flush_forced_total',
      'How many times a scrape cache was flushed due to getting big while scrapes are failing.',
    ),
    duplicateTimestamp: registry.counter(
      'prometheus_target_scrapes_sample_duplicate_timestamp_total',
      'Total number of samples rejected due to duplicate timestamps but different values.',
    ),
    outOfOrder: registry.counter(
      'prometheus_target_scrapes_sample_out_of_order_total',
      'Total number of samples rejected due to not being out of the expected order.',
    ),
    outOfBounds: registry.counter(
      'prometheus_target_scrapes_sample_out_of_bounds_total',
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    ),
    exemplarOutOfOrder: registry.counter(
      'prometheus_target_scrapes_exemplar_out_of_order_total',
      'Total number of exemplar rejected due to not being out of the expected order.',
    ),
    metadataEntries: registry.gauges(
      'prometheus_target_metadata_cache_entries',
      'Total number of metric metadata entries in the cache',
      ['scrape_job'],
    ),
    metadataBytes: registry.gauges(
      'prometheus_target_metadata_cache_bytes',
      'The number of bytes that are currently used for storing metric metadata in the cache',
      ['scrape_job'],
    ),
  };
}

const FAILURE_REASONS = ['refused', 'resolution', 'timeout', 'unknown'] as const;

/** Counts connections that are opened and closed, by who opens them. */
export function dialerMetrics(registry: Registry, dialerName: string) {
  const counter = (name: string, help: string) =>
    registry
      .counters(`net_conntrack_dialer_conn_${name}`, help, ['dialer_name'])
      .labels(dialerName);
  const failed = registry.counters(
    'net_conntrack_dialer_conn_failed_total',
    'Total number of connections failed to dial by the dialer a given name.',
    ['dialer_name', 'reason'],
  );
  for (const reason of FAILURE_REASONS) failed.labels(dialerName, reason);
  const attempted = counter(
    'attempted_total',
    'Total number of connections attempted by the given dialer a given name.',
  );
  const established = counter(
    'established_total',
    'Total number of connections successfully established by the given dialer a given name.',
  );
  const closed = counter(
    'closed_total',
    'Total number of connections closed which originated from the dialer of a given name.',
  );
  return {
    observe: (event: ConnectionEvent, error?: unknown): void => {
      if (event === 'closed') return closed.increase();
      attempted.increase();
      if (event === 'established') established.increase();
      else failed.labels(dialerName, reasonOf(error)).increase();
    },
  };
}

const REASONS: Partial<Record<FetchErrorKind, (typeof FAILURE_REASONS)[number]>> = {
  refused: 'refused',
  lookup: 'resolution',
  timeout: 'timeout',
};

function reasonOf(error: unknown): (typeof FAILURE_REASONS)[number] {
  return REASONS[describeFailure(error, false).kind] ?? 'unknown';
}
