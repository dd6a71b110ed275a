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
  type SecurityPort,
  type WebOptions,
  WRITE_SIZE_BYTES_MAX,
} from '../web/index.ts';
import { ActiveQueries } from './active-queries.ts';
import type { ActiveQueryFile } from './active-query-file.ts';
import { keepLogShort } from './agent.ts';
import { LogHold } from './log-hold.ts';
import { Alerting } from './alerting.ts';
import { type Config, loadConfig, parsePlainYaml } from './config/index.ts';
import { Consoles } from './consoles/consoles.ts';
import { dataDirectoryOf } from './data-directory.ts';
import { databaseChanges, flagDefaults, readsStarts } from './database-options.ts';
import { type LanguageFeatures, languageOf } from './language.ts';
import { Debug } from './debug/debug-port.ts';
import { FileLoggers } from './file-loggers.ts';
import {
  type Feature,
  type FlagName,
  type FlagValues,
  maxBlockDurationMs,
  statusFlags,
  withRetention,
} from './flags.ts';
import { AlertInsight } from './alert-insight.ts';
import { AlertHistory } from './history/alert-history.ts';
import { AlertRecorder } from './history/alert-recorder.ts';
import type { QueryLog } from './history/query-log.ts';
import type { WebLocation } from './listen-address.ts';
import { Imports } from './import/imports.ts';
import { type LoadedFiles, loadReceiverFile, loadRules } from './load-rules.ts';
import { RuleQuarantine } from './rule-quarantine.ts';
import { SilentRules } from './silent-rules.ts';
import type { LogOptions } from './log-writer.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { Queries } from './queries.ts';
import { QueryMetrics } from './query-metrics.ts';
import { REAL_CLOCK } from './real-clock.ts';
import { Reloader } from './reload.ts';
import { RemoteReadClients } from './remote/read/read-clients.ts';
import { ReadServer } from './remote/read-server.ts';
import { ROOT } from './root.ts';
import { createServerMetrics, type ServerMetrics } from './server-metrics.ts';
import { ServerState } from './server-state.ts';
import { openStorage, type StorageOpening, USER_AGENT } from './storage-opening.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import { Tracing } from './tracing/tracing.ts';
import { RemoteReadBridge } from './threads/remote-read-bridge.ts';
import { RemoteWriteClient, scrapedMetadata } from './threads/remote-write-client.ts';
import { NearWork } from './threads/near-work.ts';
import type { QueryMethods, QuerySettings } from './threads/query-methods.ts';
import { QueryPool } from './threads/query-pool.ts';
import { type QueryClient, spawnQueryWorker } from './threads/query-workers.ts';
import { WorkHistory } from './threads/work-history.ts';
import type { Uploader } from './upload/uploader.ts';
import type { CreateUploader } from './upload/uploader-for.ts';
import { createPorts } from './web-ports.ts';

const UI_DIRECTORY = path.join(ROOT, 'web', 'ui', 'dist');
/** Workers beyond the number of cores let cheap queries pass heavy ones. */
const EXTRA_WORKER_COUNT = 2;
const MIB = 1024 * 1024;
/** So many block ranges after its oldest sample the storage counts as complete for remote read. */
const BLOCKS_UNTIL_COMPLETE = 2;

export type Setting = {
  readonly values: FlagValues;
  readonly given: ReadonlySet<FlagName>;
  readonly features: ReadonlySet<Feature>;
  readonly location: WebLocation;
  readonly log: LogOptions;
  readonly logger: Logger;
  /** Of the start. */
  readonly config: Config;
  /** What it names, read already. */
  readonly loaded: LoadedFiles;
  /** Begun with that configuration; null when it is still to begin. */
  readonly opening: StorageOpening | null;
  /** `--storage.upload.objstore-config-file`. */
  readonly createUploader?: CreateUploader;
  /** `--web.config.file`. */
  readonly security?: SecurityPort;
  /** Asked to stop by HTTP. */
  readonly quit: () => void;
};

export type Server = {
  readonly app: ReturnType<typeof buildApp>;
  readonly webOptions: WebOptions;
  readonly imports: Imports;
  readonly uploader: Uploader | null;
  readonly state: ServerState;
  readonly metrics: ServerMetrics;
  readonly notifications: NotificationBoard;
  readonly ingest: IngestClient;
  readonly remoteWrite: RemoteWriteClient;
  readonly remoteReads: RemoteReadClients;
  readonly pool: QueryPool<QueryClient>;
  readonly discovery: DiscoveryManager;
  readonly alerting: Alerting;
  readonly alertHistory: AlertHistory;
  readonly alertRecorder: AlertRecorder;
  readonly silentRules: SilentRules;
  readonly reloader: Reloader;
  readonly fileLoggers: FileLoggers;
  readonly tracing: Tracing;
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
  const dataDirectory = dataDirectoryOf(values);
  const defaults = flagDefaults(values, features);
  const fileLoggers = new FileLoggers(() => metrics.queryLogFailures.increase());
  const tracing = new Tracing(REAL_CLOCK, logger, true);
  const tracer = () => tracing.tracer;
  let current = setting.config;
  /** Known from the first query worker on. */
  let language: LanguageFeatures | null = null;
  let shared: Promise<SharedDb> | null = null;

  const queryCountMax = values['query.max-concurrency'];
  const heapSizeMb = Math.max(512, Math.floor(totalmem() / MIB / 2));
  const querySettings: QuerySettings = {
    sampleCountMax: values['query.max-samples'],
    seriesCountMax: values['query.max-series'],
    bytesMax: values['query.max-bytes'],
    lookbackMs: values['query.lookback-delta'],
    features: [...features],
  };
  const remoteReads = new RemoteReadClients({
    clock: REAL_CLOCK,
    userAgent: USER_AGENT,
    registry: metrics.registry,
    tracer,
  });
  const readBridge = new RemoteReadBridge(
    remoteReads,
    BLOCKS_UNTIL_COMPLETE * values['storage.tsdb.min-block-duration'],
  );
  const pool: QueryPool<QueryClient> = new QueryPool({
    spawn: () =>
      spawnQueryWorker({
        workerData: {
          log: setting.log,
          settings: querySettings,
          remoteRead: readBridge.connect(),
        },
        shared: shared!,
        heapSizeMb,
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
    coreCount: availableParallelism(),
    queryCountMax,
    clock: REAL_CLOCK,
    logger,
  });
  const history = new WorkHistory();
  const near = new NearWork<QueryMethods>({
    lastMs: (key) => history.lastMs(key),
    isAwaited: () => pool.hasWaiting,
    load: async () => {
      const { createQueryMethods, practice } = await import('./threads/query-methods.ts');
      const methods = createQueryMethods(querySettings, logger);
      methods.hello(await shared!);
      return { methods, practice: practice() };
    },
    monotonicMs: () => REAL_CLOCK.monotonicMs(),
    isOff: () => remoteReads.count > 0,
  });
  const threadCount = () => 2 + pool.workerCount + remoteWrite.threadCount;
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
    history,
    ingest,
    active: activeQueries,
    metrics: new QueryMetrics(metrics.registry, queryCountMax, () => pool.queryCount),
    clock: REAL_CLOCK,
    bounds: { timeoutMs: values['query.timeout'], queryCountMax, heapSizeMb },
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
  const alertHistory = new AlertHistory({
    logger,
    retentionMs: values['rules.alert.history-retention'],
  });
  const alertRecorder = new AlertRecorder({
    history: alertHistory,
    queries,
    clock: REAL_CLOCK,
    logger,
  });
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
    tracer,
    onTransitions: (transitions, queryMs) => alertRecorder.addTransitions(transitions, queryMs),
    onDelivery: (url, alerts, error) => alertRecorder.addDelivery(url, alerts, error),
  });
  const remoteWrite = new RemoteWriteClient({
    data: {
      log: setting.log,
      dataDirectory,
      userAgent: USER_AGENT,
      flushDeadlineMs: values['storage.remote.flush-deadline'],
    },
    logger,
    logEnd: () => ingest.call('logEnd', undefined),
    metadata: () => scrapedMetadata(ingest),
  });
  const logHold = new LogHold(ingest, remoteWrite);
  const quarantine = new RuleQuarantine({ logger, registry: metrics.registry, notifications });
  const load = async (config: Config): Promise<LoadedFiles> => ({
    rules: await loadRules(config, {
      language: languageOf(features),
      quarantine: values['rules.quarantine'],
    }),
    receivers: await loadReceiverFile(values['notifications.file']),
  });
  const reloader = new Reloader(
    {
      file: values['config.file'],
      besides: [values['notifications.file']].filter((file) => file !== ''),
      clock: REAL_CLOCK,
      logger,
      state,
      metrics,
      notifications,
      load: () =>
        loadConfig(values['config.file'], {
          isAgent: values.agent,
          prefersProtobuf: readsStarts(features),
        }),
      apply: async (config) => {
        // First what can still be refused.
        const { rules, receivers } =
          config === setting.config ? setting.loaded : await load(config);
        await tracing.configure(config.tracing);
        await ingest.call('configure', {
          jobs: config.jobs,
          offsetSeed: JSON.stringify([hostname(), config.externalLabels]),
          pushIntervalMs: config.values.global.scrape_interval,
          db: databaseChanges(config, values, features),
          tracing: config.tracing,
        });
        // Before anything is scraped that is to be sent.
        await remoteWrite.configure(config);
        if (!values.agent) await logHold.update();
        remoteReads.configure(config.remoteRead, config.externalLabels);
        readBridge.update();
        discovery.applyConfig(new Map(config.jobs.map((job) => [job.jobName, job.discovery])));
        fileLoggers.reopen();
        current = config;
        await alerting.apply(config, rules.groups, receivers);
        quarantine.set(rules.quarantined);
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
  const imports = new Imports({
    dataDirectory,
    adopt: (directory) => ingest.call('adoptBlocks', directory),
    retentionMs: () => current.retention?.timeMs ?? defaults.retentionMs,
    blockMsMax: maxBlockDurationMs(withRetention(values, setting.config.retention)),
    clock: REAL_CLOCK,
    logger,
    registry: webRegistry,
  });
  const uploader =
    setting.createUploader?.({
      dataDirectory,
      userAgent: USER_AGENT,
      blocks: async () => {
        const { blocks } = await ingest.call('status', 1);
        return blocks.map(({ ulid }) => ulid);
      },
      externalLabels: () => current.externalLabels,
      clock: REAL_CLOCK,
      logger,
      registry: webRegistry,
    }) ?? null;
  const consoles = new Consoles({
    templates: values['web.console.templates'],
    libraries: values['web.console.libraries'],
    externalLabels: () => current.externalLabels,
    externalUrl: location.externalUrl.href.replace(/\/$/, ''),
    pathPrefix: location.externalUrl.pathname.replace(/\/+$/, ''),
    nowMs: () => REAL_CLOCK.nowMs(),
    queries,
  });
  const alertInsight = new AlertInsight({
    clock: REAL_CLOCK,
    rules: alerting,
    history: alertHistory,
    queries,
    quarantined: () => quarantine.groups,
  });
  const silentRules = new SilentRules({
    clock: REAL_CLOCK,
    logger,
    registry: metrics.registry,
    insight: alertInsight,
  });
  const ports = createPorts({
    clock: REAL_CLOCK,
    logger,
    state,
    ingest,
    queries,
    alerting,
    alertHistory,
    alertInsight,
    notifications,
    remoteRead,
    imports,
    consoles,
    debug: new Debug(ingest, REAL_CLOCK, () => [
      'main',
      'ingest',
      ...Array.from({ length: pool.workerCount }, (_, i) => `query ${i + 1}`),
    ]),
    flags: values,
    features,
    statusFlags: statusFlags(
      withRetention(values, setting.config.retention),
      setting.given,
      location.routePrefix,
    ),
    flagDefaults: defaults,
    dataDirectory,
    config: () => current,
    language: async () => {
      if (values.agent) return { functions: {} };
      if (language === null) await pool.start();
      return language!;
    },
    registries: [metrics.registry, webRegistry],
    remoteWrite,
    threadCount,
    queryLog: () => server.queryLog,
    activeQueries,
    reload: () => reloader.reload(),
    quit: setting.quit,
  });
  const webOptions: WebOptions = {
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
    enablePushReceiver: values['web.enable-push-receiver'],
    searchLimitMax: values['web.search.max-limit'],
    agentMode: values.agent,
    pageTitle: values['web.page-title'],
    uiDirectory: UI_DIRECTORY,
    ...(values['web.user-assets'] === '' ? {} : { userAssetsDirectory: values['web.user-assets'] }),
    formSizeBytesMax: FORM_SIZE_BYTES_MAX,
    writeSizeBytesMax: WRITE_SIZE_BYTES_MAX,
    readTimeoutMs: values['web.read-timeout'],
    connectionCountMax: values['web.max-connections'],
    ...(setting.security === undefined ? {} : { security: setting.security }),
    tracer,
    clock: REAL_CLOCK,
    logger,
    registry: webRegistry,
  };
  const app = buildApp(ports, webOptions);

  const server: Server = {
    app,
    webOptions,
    imports,
    uploader,
    state,
    metrics,
    notifications,
    ingest,
    remoteWrite,
    remoteReads,
    pool,
    discovery,
    alerting,
    alertHistory,
    alertRecorder,
    silentRules,
    reloader,
    fileLoggers,
    tracing,
    queryLog: null,
    activeQueryFile: null,
    openStorage: async () => {
      const opening = setting.opening ?? openStorage(setting, ingest);
      const { opened } = opening;
      shared = opening.shared;
      if (shared === null) {
        await opened;
        keepLogShort(values, ingest, remoteWrite, logger);
        return;
      }
      if (values['query.blocks-during-replay']) {
        shared = Promise.race([ingest.blocksOpen, shared]);
        // That opening failed is told below.
        shared.catch(() => {});
        void ingest.blocksOpen.then(() => (state.servesBlocks = true));
      }
      // Whoever asked before a restart asks again, so a query worker loads its code meanwhile. A new
      // server has nothing to tell yet: the 10 MB of its first worker can wait for a question.
      await (opening.isNew ? opened : Promise.all([opened, pool.start()]));
    },
  };
  return server;
}
