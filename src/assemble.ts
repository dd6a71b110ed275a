/** Builds the parts of the server and hands each what it needs. Nothing runs yet, but threads. */
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
import { type Config, loadConfig, parsePlainYaml } from './config/index.ts';
import { databaseChanges, databaseOptions, flagDefaults } from './database-options.ts';
import type { LanguageFeatures } from './features.ts';
import { FileLoggers } from './file-loggers.ts';
import { type Feature, type FlagName, type FlagValues, statusFlags } from './flags.ts';
import type { QueryLog } from './history/query-log.ts';
import type { WebLocation } from './listen-address.ts';
import type { LogOptions } from './log-writer.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { Queries } from './queries.ts';
import { QueryMetrics } from './query-metrics.ts';
import { REAL_CLOCK } from './real-clock.ts';
import { Reloader } from './reload.ts';
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
  readonly reloader: Reloader;
  readonly fileLoggers: FileLoggers;
  /** Opens the database and starts the first query worker. */
  readonly openStorage: () => Promise<void>;
  queryLog: QueryLog | null;
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
  let language: LanguageFeatures = { functions: {} };
  let shared: Promise<SharedDb> | null = null;

  const queryCountMax = values['query.max-concurrency'];
  const querySettings: QuerySettings = {
    sampleCountMax: values['query.max-samples'],
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
  const queries = new Queries({
    pool,
    near,
    ingest,
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
        await ingest.call('configure', {
          jobs: config.jobs,
          offsetSeed: JSON.stringify([hostname(), config.externalLabels]),
          db: databaseChanges(config, values, features),
        });
        discovery.applyConfig(new Map(config.jobs.map((job) => [job.jobName, job.discovery])));
        fileLoggers.reopen();
        current = config;
        metrics.queryLogEnabled.set(config.values.global.query_log_file === '' ? 0 : 1);
      },
    },
    setting.config,
  );

  const ports = createPorts({
    clock: REAL_CLOCK,
    state,
    ingest,
    queries,
    notifications,
    flags: values,
    features,
    statusFlags: statusFlags(values, setting.given, location.routePrefix),
    flagDefaults: defaults,
    dataDirectory,
    config: () => current,
    language: () => language,
    registries: [metrics.registry, webRegistry],
    threadCount,
    queryLog: () => server.queryLog,
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
    reloader,
    fileLoggers,
    queryLog: null,
    openStorage: async () => {
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
      // The worker loads its code meanwhile.
      await Promise.all([shared, pool.start()]);
    },
  };
  return server;
}
