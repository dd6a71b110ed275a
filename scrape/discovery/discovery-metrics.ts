/**
 * What discovery measures about itself, under Prometheus's names.
 * Source: /metrics of Prometheus 3.14.
 */
import type { Registry } from '../../model/index.ts';
import { platformMetrics } from './platform-metrics.ts';

const QUANTILES = [0.5, 0.9, 0.99];
const BOUNDS = [0.01, 0.1, 1, 10];

export type DiscoveryMetrics = ReturnType<typeof discoveryMetrics>;

/** @param name  who discovers: `scrape` or `notify` */
export function discoveryMetrics(registry: Registry, name: string) {
  const refreshDuration = registry.summaries(
    'prometheus_sd_refresh_duration_seconds',
    'The duration of a refresh in seconds for the given SD mechanism.',
    ['mechanism', 'config'],
    QUANTILES,
  );
  const refreshFailures = registry.counters(
    'prometheus_sd_refresh_failures_total',
    'Number of refresh failures for the given SD mechanism.',
    ['mechanism', 'config'],
  );
  const refreshDurationHistogram = registry.histograms(
    'prometheus_sd_refresh_duration_histogram_seconds',
    'The duration of a refresh for the given SD mechanism.',
    ['mechanism'],
    BOUNDS,
  );
  const discovered = registry.gauges(
    'prometheus_sd_discovered_targets',
    'Current number of discovered targets.',
    ['name', 'config'],
  );
  const lastUpdate = registry.gauges(
    'prometheus_sd_last_update_timestamp_seconds',
    'Timestamp of the last update sent to the SD consumers.',
    ['name', 'config'],
  );
  const platforms = platformMetrics(registry);
  const counter = (metric: string, help: string) =>
    registry.counters(metric, help, ['name']).labels(name);
  return {
    platforms,
    failedConfigs: registry
      .gauges(
        'prometheus_sd_failed_configs',
        'Current number of service discovery configurations that failed to load.',
        ['name'],
      )
      .labels(name),
    received: counter(
      'prometheus_sd_received_updates_total',
      'Total number of update events received from the SD providers.',
    ),
    delayed: counter(
      'prometheus_sd_updates_delayed_total',
      "Total number of update events that couldn't be sent immediately.",
    ),
    sent: counter(
      'prometheus_sd_updates_total',
      'Total number of update events sent to the SD consumers.',
    ),
    fileReadErrors: registry.counter(
      'prometheus_sd_file_read_errors_total',
      'The number of File-SD read errors.',
    ),
    fileScanDuration: registry
      .summaries(
        'prometheus_sd_file_scan_duration_seconds',
        'The duration of the File-SD scan in seconds.',
        [],
        QUANTILES,
      )
      .labels(),
    fileWatcherErrors: registry.counter(
      'prometheus_sd_file_watcher_errors_total',
      'The number of File-SD errors caused by filesystem watch failures.',
    ),
    fileMtime: registry.gauges(
      'prometheus_sd_file_mtime_seconds',
      'Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.',
      ['filename'],
    ),
    httpFailures: registry.counter(
      'prometheus_sd_http_failures_total',
      'Number of HTTP service discovery refresh failures.',
    ),
    dnsLookups: registry.counter(
      'prometheus_sd_dns_lookups_total',
      'The number of DNS-SD lookups.',
    ),
    dnsLookupFailures: registry.counter(
      'prometheus_sd_dns_lookup_failures_total',
      'The number of DNS-SD lookup failures.',
    ),
    refreshed(mechanism: string, config: string, seconds: number): void {
      refreshDuration.labels(mechanism, config).observe(seconds);
      refreshDurationHistogram.labels(mechanism).observe(seconds);
      refreshFailures.labels(mechanism, config);
    },
    refreshFailed(mechanism: string, config: string): void {
      refreshFailures.labels(mechanism, config).increase();
      platforms.failed(mechanism);
    },
    updated(config: string, targetCount: number, nowMs: number): void {
      discovered.labels(name, config).set(targetCount);
      lastUpdate.labels(name, config).set(nowMs / 1000);
    },
    /** Forgets a job that is gone. */
    forget(config: string, mechanisms: Iterable<string>): void {
      discovered.remove(name, config);
      lastUpdate.remove(name, config);
      for (const mechanism of mechanisms) {
        refreshDuration.remove(mechanism, config);
        refreshFailures.remove(mechanism, config);
      }
    },
  };
}
