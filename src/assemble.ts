/** Builds the parts of the server and hands each what it needs. Nothing runs yet, but threads. */
import { existsSync } from 'node:fs';
import { availableParallelism, hostname, totalmem } from 'node:os';
import path from 'node:path';
import { type Logger, Registry } from '../model/index.ts';
import { DiscoveryManager } from '../scrape/index.ts';
import type { SharedDb } from '../tsdb/index.ts';
import {
  buildApp,
  FORM_SIZE_BYTES_MAX,
  NotificationBoard,
  WRITE_SIZE_BYTES_MAX,
} from '../web/index.ts';
import { ActiveQueries } from './active-queries.ts';
import type { ActiveQueryFile } from './active-query-file.ts';
import { Alerting } from './alerting.ts';
import { type Config, loadConfig, parsePlainYaml } from './config/index.ts';
import { databaseChanges, databaseOptions, flagDefaults } from './database-options.ts';
import { type LanguageFeatures, languageOf } from './language.ts';
import { FileLoggers } from './file-loggers.ts';
import { type Feature, type FlagName, type FlagValues, statusFlags } from './flags.ts';
import { alertFingerprint, AlertHistory } from './history/alert-history.ts';
import type { QueryLog } from './history/query-log.ts';
import type { WebLocation } from './listen-address.ts';
import { loadRules } from './load-rules.ts';
import type { LogOptions } from './log-writer.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { Queries } from './queries.ts';
import { QueryMetrics } from './query-metrics.ts';
import { REAL_CLOCK } from './real-clock.ts';
import { Reloader } from './reload.ts';
import { ReadServer } from './remote/read-server.ts';
import { ROOT } from './root.ts';
import { createServerMetrics, type ServerMetrics } from './server-metrics.ts';
import { ServerState } from './server-state.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import { NearWork } from './threads/near-work.ts';
import type { QueryMethods, QuerySettings } from './threads/query-methods.ts';
import { QueryPool } from './threads/query-pool.ts';
import { type QueryClient, spawnQueryWorker } from './threads/query-workers.ts';
import { PROMETHEUS_VERSION } from './version.ts';
import { createPorts } from './web-ports.ts';

const USER_AGENT = `Prometheus/${PROMETHEUS_VERSION}`;
const UI_DIRECTORY = path.join(ROOT, 'web', 'ui', 'dist');
/** Workers beyond the number of cores let cheap queries pass heavy ones. */
const EXTRA_WORKER_COUNT = 2;
const MIB = 1024 * 1024;

export type Setting = {
  readonly values: FlagValues;
  readonly given: ReadonlySet<FlagName>;
  readonly features: ReadonlySet<Feature>;
  readonly location: WebLocation;
  readonly log: LogOptions;
  readonly logger: Logger;
  /** Of the start. */
  readonly config: Config;
  /** Asked to stop by HTTP. */
  readonly quit: () => void;
};

export type Server = {
  readonly app: ReturnType<typeof buildApp>;
  readonly state: ServerState;
  readonly metrics: ServerMetrics;
  readonly notifications: NotificationBoard;
  readonly ingest: IngestClient;
  readonly pool: QueryPool<QueryClient>;
  readonly discovery: DiscoveryManager;
  readonly alerting: Alerting;
  readonly alertHistory: AlertHistory;
  readonly reloader: Reloader;
  readonly fileLoggers: FileLoggers;
  /** Opens the database; starts the first query worker when there is something to ask for. */
  readonly openStorage: () => Promise<void>;
  queryLog: QueryLog | null;
  activeQueryFile: ActiveQueryFile | null;
};

/** @param ingest  started already, because its code loads while the configuration is read */
export function assemble(setting: Setting, ingest: IngestClient): Server {
  const { values, features, location, logger } = setting;
  const state = new ServerState(REAL_CLOCK.nowMs());
  const metrics = createServerMetrics();
  const webRegistry = new Registry();
  const dataDirectory = path.resolve(values['storage.tsdb.path']);
  const defaults = flagDefaults(values, features);
  const fileLoggers = new FileLoggers(() => metrics.queryLogFailures.increase());
  let current = setting.config;
  /** Known from the first query worker on. */
  let language: LanguageFeatures | null = null;
  let shared: Promise<SharedDb> | null = null;

  const queryCountMax = values['query.max-concurrency'];
  const querySettings: QuerySettings = {
    sampleCountMax: values['query.max-samples'],
    seriesCountMax: values['query.max-series'],
    bytesMax: values['query.max-bytes'],
    lookbackMs: values['query.lookback-delta'],
    features: [...features],
  };
  const pool: QueryPool<QueryClient> = new QueryPool({
    spawn: () =>
      spawnQueryWorker({
        workerData: { log: setting.log, settings: querySettings },
        shared: shared!,
        heapSizeMb: Math.max(512, Math.floor(totalmem() / MIB / 2)),
        onHello: (hello) => (language = hello.language),
        onEnd: (owner) => {
          // The thread may be gone too, when the server stops.
          ingest.call('releaseReader', owner).catch(() => {});
        },
      }),
    workerCountMax: Math.max(
      1,
      Math.min(queryCountMax, availableParallelism() + EXTRA_WORKER_COUNT),
    ),
    queryCountMax,
    clock: REAL_CLOCK,
    logger,
  });
  const near = new NearWork<QueryMethods>({
    load: async () => {
      const { createQueryMethods } = await import('./threads/query-methods.ts');
      const methods = createQueryMethods(querySettings, logger);
      methods.hello(await shared!);
      return methods;
    },
    monotonicMs: () => REAL_CLOCK.monotonicMs(),
  });
  const threadCount = () => 2 + pool.workerCount;
  registerProcessMetrics(metrics.registry, threadCount);

  const notifications = new NotificationBoard({
    subscriberCountMax: values['web.max-notifications-subscribers'],
    nowMs: () => REAL_CLOCK.nowMs(),
    registry: webRegistry,
  });
  const activeQueries = new ActiveQueries(REAL_CLOCK, () => server.activeQueryFile);
  const queries = new Queries({
    pool,
    near,
    ingest,
    active: activeQueries,
    metrics: new QueryMetrics(metrics.registry, queryCountMax, () => pool.queryCount),
    clock: REAL_CLOCK,
    timeoutMs: values['query.timeout'],
    lookbackMs: values['query.lookback-delta'],
    subqueryStepMs: () => current.values.global.evaluation_interval,
    externalLabels: () => current.externalLabels,
    queryLog: () => server.queryLog,
    queryLogFile: () => {
      const file = current.values.global.query_log_file;
      return file === '' ? null : fileLoggers.open(file);
    },
  });
  const discovery = new DiscoveryManager({
    clock: REAL_CLOCK,
    logger,
    registry: metrics.registry,
    userAgent: USER_AGENT,
    parseYaml: parsePlainYaml,
    updateIntervalMs: values['scrape.discovery-reload-interval'],
    onTargets: (jobName, groups) => {
      ingest.call('setTargets', { jobName, groups }).catch((error: unknown) => {
        logger.error('Targets not taken over', {
          component: 'discovery',
          job: jobName,
          err: error,
        });
      });
    },
  });
  const alertHistory = new AlertHistory(logger);
  const alerting = new Alerting({
    clock: REAL_CLOCK,
    logger,
    registry: metrics.registry,
    queries,
    ingest,
    userAgent: USER_AGENT,
    externalUrl: location.externalUrl,
    externalLabels: () => current.externalLabels,
    discoveryIntervalMs: values['scrape.discovery-reload-interval'],
    outageToleranceMs: values['rules.alert.for-outage-tolerance'],
    gracePeriodMs: values['rules.alert.for-grace-period'],
    resendDelayMs: values['rules.alert.resend-delay'],
    concurrentCountMax: features.has('concurrent-rule-eval')
      ? values['rules.max-concurrent-evals']
      : null,
    queueCapacity: values['alertmanager.notification-queue-capacity'],
    batchSizeMax: values['alertmanager.notification-batch-size'],
    drains: values['alertmanager.drain-notification-queue-on-shutdown'],
    onTransition: (transition) => alertHistory.addTransition(transition),
    onDelivery: (url, alerts, error) => {
      const atMs = REAL_CLOCK.nowMs();
      for (const { ruleLabels, isResolved } of alerts) {
        const fingerprint = alertFingerprint(ruleLabels);
        alertHistory.addDelivery({ fingerprint, atMs, url, isResolved, error });
      }
    },
  });
  const reloader = new Reloader(
    {
      file: values['config.file'],
      clock: REAL_CLOCK,
      logger,
      state,
      metrics,
      notifications,
      load: () => loadConfig(values['config.file'], { isAgent: values.agent }),
      apply: async (config) => {
        // First what can still be refused.
        const groups = await loadRules(config, languageOf(features));
        await ingest.call('configure', {
          jobs: config.jobs,
          offsetSeed: JSON.stringify([hostname(), config.externalLabels]),
          db: databaseChanges(config, values, features),
        });
        discovery.applyConfig(new Map(config.jobs.map((job) => [job.jobName, job.discovery])));
        fileLoggers.reopen();
        current = config;
        await alerting.apply(config, groups);
        metrics.queryLogEnabled.set(config.values.global.query_log_file === '' ? 0 : 1);
      },
    },
    setting.config,
  );

  const remoteRead = new ReadServer({
    ask: (job, signal) => queries.readPage(job, signal),
    externalLabels: () => current.externalLabels,
    sampleCountMax: values['storage.remote.read-sample-limit'],
    frameSizeBytesMax: values['storage.remote.read-max-bytes-in-frame'],
    concurrencyMax: values['storage.remote.read-concurrent-limit'],
    registry: webRegistry,
  });
  const ports = createPorts({
    clock: REAL_CLOCK,
    state,
    ingest,
    queries,
    alerting,
    alertHistory,
    notifications,
    remoteRead,
    flags: values,
    features,
    statusFlags: statusFlags(values, setting.given, location.routePrefix),
    flagDefaults: defaults,
    dataDirectory,
    config: () => current,
    language: async () => {
      if (language === null) await pool.start();
      return language!;
    },
    registries: [metrics.registry, webRegistry],
    threadCount,
    queryLog: () => server.queryLog,
    activeQueries,
    reload: () => reloader.reload(),
    quit: setting.quit,
  });
  const app = buildApp(ports, {
    externalUrl: location.externalUrl,
    routePrefix: location.routePrefix,
    corsOrigin: values['web.cors.origin'],
    enableLifecycle: values['web.enable-lifecycle'],
    enableAdminApi: values['web.enable-admin-api'],
    enableRemoteWriteReceiver: values['web.enable-remote-write-receiver'],
    remoteWriteVersions: values['web.remote-write-receiver.accepted-protobuf-messages'].map(
      (message) => (message === 'prometheus.WriteRequest' ? 1 : 2),
    ),
    enableOtlpReceiver: values['web.enable-otlp-receiver'],
    agentMode: values.agent,
    pageTitle: values['web.page-title'],
    uiDirectory: UI_DIRECTORY,
    formSizeBytesMax: FORM_SIZE_BYTES_MAX,
    writeSizeBytesMax: WRITE_SIZE_BYTES_MAX,
    readTimeoutMs: values['web.read-timeout'],
    connectionCountMax: values['web.max-connections'],
    clock: REAL_CLOCK,
    logger,
    registry: webRegistry,
  });

  const server: Server = {
    app,
    state,
    metrics,
    notifications,
    ingest,
    pool,
    discovery,
    alerting,
    alertHistory,
    reloader,
    fileLoggers,
    queryLog: null,
    activeQueryFile: null,
    openStorage: async () => {
      // Whoever asked before a restart asks again, so a query worker loads its code meanwhile. A new
      // server has nothing to tell yet: the 10 MB of its first worker can wait for a question.
      const isNew = !existsSync(path.join(dataDirectory, 'wal'));
      shared = ingest.call('open', {
        db: databaseOptions(setting.config, values, features, dataDirectory),
        scrape: {
          userAgent: USER_AGENT,
          timestampToleranceMs: values['scrape.adjust-timestamps']
            ? values['scrape.timestamp-tolerance']
            : 0,
          appendMetadata: features.has('metadata-wal-records'),
          externalHost: location.externalUrl.host,
          listenPort: /\d+$/.exec(values['web.listen-address'][0]!)?.[0] ?? '',
        },
      });
      await (isNew ? shared : Promise.all([shared, pool.start()]));
    },
  };
  return server;
}
