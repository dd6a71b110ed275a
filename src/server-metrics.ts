/** Figures of the server as a whole, under the names that dashboards for Prometheus read. */
import { type Counter, type Gauge, Registry } from '../model/index.ts';
import { platformName, PROMETHEUS_VERSION, sourceRevision } from './version.ts';

export type ServerMetrics = {
  readonly registry: Registry;
  readonly ready: Gauge;
  readonly reloadSuccessful: Gauge;
  readonly reloadTimestamp: Gauge;
  readonly queryLogEnabled: Gauge;
  readonly queryLogFailures: Counter;
};

export function createServerMetrics(): ServerMetrics {
  const registry = new Registry();
  const [os = '', architecture = ''] = platformName().split('/');
  const { branch, revision } = sourceRevision();
  registry
    .gauges(
      'prometheus_build_info',
      "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus was built, and the goos and goarch for the build.",
      ['branch', 'goarch', 'goos', 'goversion', 'revision', 'tags', 'version'],
    )
    .labels(
      branch,
      architecture,
      os,
      `node${process.version}`,
      revision,
      'narthex',
      PROMETHEUS_VERSION,
    )
    .set(1);
  return {
    registry,
    ready: registry.gauge(
      'prometheus_ready',
      'Whether Prometheus startup was fully completed and the server is ready for normal operation.',
    ),
    reloadSuccessful: registry.gauge(
      'prometheus_config_last_reload_successful',
      'Whether the last configuration reload attempt was successful.',
    ),
    reloadTimestamp: registry.gauge(
      'prometheus_config_last_reload_success_timestamp_seconds',
      'Timestamp of the last successful configuration reload.',
    ),
    queryLogEnabled: registry.gauge(
      'prometheus_engine_query_log_enabled',
      'State of the query log.',
    ),
    queryLogFailures: registry.counter(
      'prometheus_engine_query_log_failures_total',
      'The number of query log failures.',
    ),
  };
}
