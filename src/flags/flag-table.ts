/**
 * Every flag of the server: those of Prometheus 3.14, hidden ones included, and a few of our own.
 * Source: Prometheus command-line documentation; hidden ones from /api/v1/status/flags.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../model/index.ts';
import { FEATURES } from './feature-names.ts';
import { list, optional, toggle, value } from './flag.ts';
import {
  decimal,
  duration,
  fractionalDuration,
  integer,
  logFormat,
  logLevel,
  oneOf,
  size,
  strictInteger,
  text,
} from './values.ts';

export const REMOTE_WRITE_MESSAGES = [
  'prometheus.WriteRequest',
  'io.prometheus.write.v2.Request',
] as const;
const remoteWriteMessage = oneOf(
  REMOTE_WRITE_MESSAGES,
  (given) =>
    `unknown type for remote write protobuf message ${given}, ` +
    `supported: ${REMOTE_WRITE_MESSAGES.join(', ')}`,
);

const GO_RUNTIME = 'concerns the Go runtime';

export const FLAGS = {
  'config.file': value(text, 'prometheus.yml', {
    group: 'General',
    help: 'Path of the configuration file.',
  }),
  'config.auto-reload': toggle(false, {
    group: 'General',
    help: 'Reload the configuration when its files change.',
  }),
  'config.auto-reload-interval': value(duration, 30 * SECOND_MS, {
    group: 'General',
    help: 'How often to look for changes; with --config.auto-reload.',
  }),
  'enable-feature': list(text, [], {
    group: 'General',
    help: `Features to switch on, separated by commas: ${FEATURES.join(', ')}.`,
  }),
  agent: toggle(false, {
    group: 'General',
    help: 'Only scrape and forward: no queries, no blocks.',
  }),
  'write-documentation': toggle(false, {
    group: 'General',
    help: 'Print the page about flags, docs/guide/flags.md.',
    hidden: true,
  }),

  'web.listen-address': list(text, ['0.0.0.0:9090'], {
    group: 'Web',
    help: 'Address to listen on for UI, API and own metrics. Can be repeated.',
  }),
  'web.config.file': value(text, '', {
    group: 'Web',
    help: 'File that turns on TLS and authentication.',
  }),
  'web.read-timeout': value(duration, 5 * MINUTE_MS, {
    group: 'Web',
    help: 'How long reading a request may take, and when idle connections are closed.',
  }),
  'web.max-connections': value(integer, 512, {
    group: 'Web',
    help: 'How many connections may be open at a time.',
  }),
  'web.max-notifications-subscribers': value(integer, 16, {
    group: 'Web',
    help: 'How many browsers may listen for live notifications at a time.',
  }),
  'web.external-url': value(text, '', {
    group: 'Web',
    placeholder: '<URL>',
    help: 'URL under which the server is reached from outside, for links back to it. Its path becomes the prefix of all routes.',
  }),
  'web.route-prefix': optional(text, {
    group: 'Web',
    placeholder: '<path>',
    help: 'Prefix of all routes. Default: the path of --web.external-url.',
  }),
  'web.user-assets': value(text, '', {
    group: 'Web',
    placeholder: '<path>',
    help: 'Folder of static files to serve under /user.',
  }),
  'web.enable-lifecycle': toggle(false, {
    group: 'Web',
    help: 'Allow reloading and stopping by HTTP request.',
  }),
  'web.enable-admin-api': toggle(false, {
    group: 'Web',
    help: 'Allow deleting series, cleaning tombstones and making snapshots by HTTP request.',
  }),
  'web.enable-remote-write-receiver': toggle(false, {
    group: 'Web',
    help: 'Accept remote-write requests.',
  }),
  'web.remote-write-receiver.accepted-protobuf-messages': list(
    remoteWriteMessage,
    REMOTE_WRITE_MESSAGES,
    {
      group: 'Web',
      help: `Remote-write messages to accept: ${REMOTE_WRITE_MESSAGES.join(', ')}.`,
    },
  ),
  'web.enable-otlp-receiver': toggle(false, {
    group: 'Web',
    help: 'Accept OTLP metrics.',
  }),
  'web.enable-push-receiver': toggle(false, {
    group: 'Web',
    ours: true,
    help: 'Accept what short-lived jobs push, as a Pushgateway does.',
  }),
  'web.console.templates': value(text, 'consoles', {
    group: 'Web',
    help: 'Folder of console templates.',
  }),
  'web.console.libraries': value(text, 'console_libraries', {
    group: 'Web',
    help: 'Folder of console libraries.',
  }),
  'web.page-title': value(text, 'Prometheus Time Series Collection and Processing Server', {
    group: 'Web',
    help: 'Title of the pages.',
  }),
  'web.cors.origin': value(text, '.*', {
    group: 'Web',
    help: 'Regular expression of origins that may use the API from a browser; fully anchored.',
  }),
  'web.search.max-limit': value(integer, 10_000, {
    group: 'Web',
    mode: 'server',
    help: 'Upper bound of "limit" in the search API; 0 for none.',
  }),

  'storage.tsdb.path': value(text, 'data/', {
    group: 'Storage',
    mode: 'server',
    help: 'Folder where samples are kept.',
  }),
  'storage.tsdb.retention.time': optional(duration, {
    group: 'Storage',
    mode: 'server',
    help: 'How long samples are kept; 15d when neither this nor a size is given. Deprecated: use storage.tsdb.retention.time in the configuration.',
  }),
  'storage.tsdb.retention.size': optional(size, {
    group: 'Storage',
    mode: 'server',
    help: 'Most bytes that blocks may take, such as 512MB; 0 for no bound. Deprecated: use storage.tsdb.retention.size in the configuration.',
  }),
  'storage.tsdb.no-lockfile': toggle(false, {
    group: 'Storage',
    mode: 'server',
    help: 'Do not create a lock file in the data folder.',
  }),
  'storage.tsdb.head-chunks-write-queue-size': value(integer, 0, {
    group: 'Storage',
    mode: 'server',
    help: 'Size of the queue through which head chunks are written.',
    withoutEffect: 'head chunks are written with each commit',
  }),
  'storage.tsdb.delay-compact-file.path': value(text, '', {
    group: 'Storage',
    mode: 'server',
    help: 'JSON file that lists uploaded blocks; first-level blocks are only compacted once listed.',
  }),
  'storage.upload.objstore-config-file': value(text, '', {
    group: 'Storage',
    mode: 'server',
    ours: true,
    placeholder: '<path>',
    help: "File in Thanos's form that names an S3 bucket; finished blocks are uploaded there, and compacted only then.",
  }),
  'storage.tsdb.min-block-duration': value(duration, 2 * HOUR_MS, {
    group: 'Storage',
    mode: 'server',
    help: 'Time that a block covers before it is compacted.',
    hidden: true,
  }),
  'storage.tsdb.max-block-duration': optional(duration, {
    group: 'Storage',
    mode: 'server',
    help: 'Most time that a compacted block covers. Default: a tenth of the retention, at most 31d.',
    hidden: true,
  }),
  'storage.tsdb.max-block-chunk-segment-size': value(size, 0, {
    group: 'Storage',
    mode: 'server',
    help: 'Most bytes of a chunk segment file.',
    hidden: true,
  }),
  'storage.tsdb.wal-segment-size': value(size, 0, {
    group: 'Storage',
    mode: 'server',
    help: 'Size of a segment of the write-ahead log, 10MB to 256MB; 0 for 128MB.',
    hidden: true,
  }),
  'storage.tsdb.allow-overlapping-compaction': toggle(true, {
    group: 'Storage',
    mode: 'server',
    help: 'Merge blocks whose times overlap.',
    hidden: true,
  }),
  'storage.tsdb.wal-compression': toggle(true, {
    group: 'Storage',
    mode: 'server',
    help: 'Compress the write-ahead log.',
    hidden: true,
  }),
  'storage.tsdb.wal-compression-type': value(oneOf(['snappy', 'zstd', 'lz4'] as const), 'snappy', {
    group: 'Storage',
    mode: 'server',
    help: 'Compression of the write-ahead log: snappy, zstd or lz4. Prometheus cannot read lz4.',
    hidden: true,
  }),
  'storage.tsdb.samples-per-chunk': value(integer, 120, {
    group: 'Storage',
    mode: 'server',
    help: 'Samples that a chunk aims at.',
    hidden: true,
  }),
  'storage.tsdb.delayed-compaction.max-percent': value(integer, 10, {
    group: 'Storage',
    mode: 'server',
    help: 'Longest random delay of compaction, as a percentage of the block time.',
    hidden: true,
  }),
  'storage.tsdb.block-reload-interval': value(duration, MINUTE_MS, {
    group: 'Storage',
    mode: 'server',
    help: 'How often the blocks are looked through.',
    hidden: true,
  }),
  'storage.tsdb.head-memory-limit': value(size, 0, {
    group: 'Storage',
    mode: 'server',
    ours: true,
    help: "Most memory that the newest samples and their index may take; new series are refused from there on. 0 for half of the machine's memory, at most 3840MB.",
  }),
  'storage.tsdb.head-snapshot-wal-size': value(size, 128 * 1024 * 1024, {
    group: 'Storage',
    mode: 'server',
    ours: true,
    help: 'Write a snapshot of the newest samples whenever the log has grown by this much, so that a start after a crash reads no more of it than that. 0 writes none.',
  }),
  'storage.tsdb.wal-sync': toggle(false, {
    group: 'Storage',
    mode: 'server',
    ours: true,
    help: 'Wait for the disk with every commit, so that not even a power cut loses samples.',
  }),

  'storage.agent.path': value(text, 'data-agent/', {
    group: 'Agent',
    mode: 'agent',
    help: 'Folder where samples are kept until they are sent.',
  }),
  'storage.agent.wal-compression': toggle(true, {
    group: 'Agent',
    mode: 'agent',
    help: 'Compress the write-ahead log.',
  }),
  'storage.agent.wal-compression-type': value(oneOf(['snappy', 'zstd'] as const), 'snappy', {
    group: 'Agent',
    mode: 'agent',
    help: 'Compression of the write-ahead log: snappy or zstd.',
    hidden: true,
  }),
  'storage.agent.wal-segment-size': value(size, 0, {
    group: 'Agent',
    mode: 'agent',
    help: 'Size of a segment of the write-ahead log.',
    hidden: true,
  }),
  'storage.agent.wal-truncate-frequency': value(duration, 0, {
    group: 'Agent',
    mode: 'agent',
    help: 'How often the write-ahead log is truncated.',
    hidden: true,
  }),
  'storage.agent.retention.min-time': value(duration, 5 * MINUTE_MS, {
    group: 'Agent',
    mode: 'agent',
    help: 'Age from which samples may be deleted when the log is truncated.',
  }),
  'storage.agent.retention.max-time': value(duration, 4 * HOUR_MS, {
    group: 'Agent',
    mode: 'agent',
    help: 'Age from which samples are deleted when the log is truncated.',
  }),
  'storage.agent.checkpoint-from-in-memory-series': toggle(false, {
    group: 'Agent',
    mode: 'agent',
    help: 'Make checkpoints of the series in memory only.',
  }),
  'storage.agent.checkpoint-batch-size': value(integer, 1000, {
    group: 'Agent',
    mode: 'agent',
    help: 'Entries per record of such a checkpoint.',
  }),
  'storage.agent.no-lockfile': toggle(false, {
    group: 'Agent',
    mode: 'agent',
    help: 'Do not create a lock file in the data folder.',
  }),

  'storage.remote.flush-deadline': value(duration, MINUTE_MS, {
    group: 'Remote storage',
    help: 'How long to wait for samples to be sent at a stop or reload.',
  }),
  'storage.remote.log-hold-size': value(size, 1024 * 1024 * 1024, {
    group: 'Remote storage',
    mode: 'server',
    ours: true,
    help: 'Most of the write-ahead log that is kept, beyond what a start needs, for receivers of remote write that have not got it yet; at most a tenth of a retention by size. 0 keeps nothing for them.',
  }),
  'storage.remote.read-sample-limit': value(integer, 5e7, {
    group: 'Remote storage',
    mode: 'server',
    help: 'Most samples that an answer to a remote read carries; 0 for no limit.',
  }),
  'storage.remote.read-concurrent-limit': value(integer, 10, {
    group: 'Remote storage',
    mode: 'server',
    help: 'Most remote reads at a time; 0 for no limit.',
  }),
  'storage.remote.read-max-bytes-in-frame': value(integer, 1_048_576, {
    group: 'Remote storage',
    mode: 'server',
    help: 'Most bytes in one frame of a streamed remote read.',
  }),

  'rules.alert.for-outage-tolerance': value(duration, HOUR_MS, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'Longest outage after which the "for" state of alerts is restored.',
  }),
  'notifications.file': value(text, '', {
    group: 'Rules and alerts',
    mode: 'server',
    ours: true,
    help: 'File with receivers of alerts that need no Alertmanager: webhooks, e-mail, Slack.',
  }),
  'rules.quarantine': toggle(false, {
    group: 'Rules and alerts',
    mode: 'server',
    ours: true,
    help: 'Leave out a rule group with a mistake in it, loudly, instead of refusing all rules.',
  }),
  'rules.alert.history-retention': value(duration, 90 * DAY_MS, {
    group: 'Rules and alerts',
    mode: 'server',
    ours: true,
    help: 'How long changes of alerts and their deliveries are remembered, at most 500,000 of each. 0 for no bound by age.',
  }),
  'rules.alert.for-grace-period': value(duration, 10 * MINUTE_MS, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'Least time between an alert and its restored "for" state.',
  }),
  'rules.alert.resend-delay': value(duration, MINUTE_MS, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'Least time before an alert is sent again.',
  }),
  'rules.max-concurrent-evals': value(strictInteger, 4, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'How many independent rules may be evaluated at a time, with the feature concurrent-rule-eval.',
  }),
  'alertmanager.notification-queue-capacity': value(integer, 10_000, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'How many notifications may wait to be sent.',
  }),
  'alertmanager.notification-batch-size': value(integer, 256, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'How many notifications are sent at once.',
  }),
  'alertmanager.drain-notification-queue-on-shutdown': toggle(true, {
    group: 'Rules and alerts',
    mode: 'server',
    help: 'Send what waits before stopping.',
  }),

  'query.blocks-during-replay': toggle(true, {
    group: 'Query',
    mode: 'server',
    ours: true,
    help: 'While the log is read at start, answer range queries and questions for series and labels from blocks, with a warning that the newest samples are missing.',
  }),
  'query.lookback-delta': value(duration, 5 * MINUTE_MS, {
    group: 'Query',
    mode: 'server',
    help: 'How far back a query looks for the newest sample of a series.',
  }),
  'query.timeout': value(duration, 2 * MINUTE_MS, {
    group: 'Query',
    mode: 'server',
    help: 'Longest time that a query may take.',
  }),
  'query.max-concurrency': value(integer, 20, {
    group: 'Query',
    mode: 'server',
    help: 'How many queries may be under way at a time.',
  }),
  'query.max-samples': value(integer, 50_000_000, {
    group: 'Query',
    mode: 'server',
    help: 'Most samples that one query may hold in memory.',
  }),
  'query.max-series': value(integer, 0, {
    group: 'Query',
    mode: 'server',
    ours: true,
    help: 'Most series that one selector of a query may find. 0 for any number.',
  }),
  'query.max-bytes': value(size, 2 ** 31, {
    group: 'Query',
    mode: 'server',
    ours: true,
    help: 'Most memory that the samples and results of one query may take. 0 for any amount.',
  }),

  'scrape.adjust-timestamps': toggle(true, {
    group: 'Scraping',
    help: 'Align scrape timestamps to the interval.',
    hidden: true,
  }),
  'scrape.timestamp-tolerance': value(fractionalDuration, 2, {
    group: 'Scraping',
    help: 'By how much timestamps may be moved to align them.',
    hidden: true,
  }),
  'scrape.discovery-reload-interval': value(duration, 5 * SECOND_MS, {
    group: 'Scraping',
    help: 'How often newly discovered targets are taken over.',
    hidden: true,
  }),

  'auto-gomaxprocs': toggle(true, {
    group: 'Runtime',
    help: 'Fit GOMAXPROCS to the CPU quota.',
    withoutEffect: GO_RUNTIME,
  }),
  'auto-gomemlimit': toggle(true, {
    group: 'Runtime',
    help: 'Fit GOMEMLIMIT to the memory.',
    withoutEffect: GO_RUNTIME,
  }),
  'auto-gomemlimit.ratio': value(decimal, 0.9, {
    group: 'Runtime',
    help: 'Share of the memory for GOMEMLIMIT.',
    withoutEffect: GO_RUNTIME,
  }),
  'auto-gomemlimit.refresh-interval': value(duration, 0, {
    group: 'Runtime',
    help: 'How often the memory is measured anew.',
    hidden: true,
    withoutEffect: GO_RUNTIME,
  }),

  'log.level': value(logLevel, 'info', {
    group: 'Logging',
    help: 'Least severity of log lines: debug, info, warn, error.',
  }),
  'log.format': value(logFormat, 'logfmt', {
    group: 'Logging',
    help: 'Form of log lines: logfmt, json.',
  }),
};

/** Where nothing else says how long samples are kept. */
export const DEFAULT_RETENTION_MS = 15 * DAY_MS;
export const MAX_BLOCK_DURATION_LIMIT_MS = 31 * DAY_MS;
