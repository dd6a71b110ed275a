/** A server's life: check, assemble, start, serve, stop. Resolves with the exit code. */
import path from 'node:path';
import type { Database } from 'better-sqlite3';
import { ConfigError, type Logger, messageOf, ValueError } from '../model/index.ts';
import { compileRegex } from '../model/index.ts';
import { type Listener, NOTIFICATION_TEXTS, type SecurityPort } from '../web/index.ts';
import { openActiveQueryFile } from './active-query-file.ts';
import { assemble, type Server } from './assemble.ts';
import { keepCodePagesFew } from './code-pages.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { type Config, loadConfig } from './config/index.ts';
import { dataDirectoryOf } from './data-directory.ts';
import { chooseFeatures, type ChosenFeatures, type FlagName, type FlagValues } from './flags.ts';
import { openHistory, openMemoryHistory } from './history/database.ts';
import { QueryLog } from './history/query-log.ts';
import { languageOf } from './language.ts';
import { locateWeb, type WebLocation } from './listen-address.ts';
import { readsStarts } from './database-options.ts';
import { listenOn } from './listeners.ts';
import { type LoadedFiles, loadReceiverFile, loadRules, RuleFilesError } from './load-rules.ts';
import { createStderrLogger } from './log-writer.ts';
import { shutDown } from './shutdown.ts';
import type { StorageOpening } from './storage-opening.ts';
import type { ReplayProgress } from './threads/ingest.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import type { CreateUploader } from './upload/uploader-for.ts';
import { narthexVersion, platformName, PROMETHEUS_VERSION, sourceRevision } from './version.ts';

/** As Prometheus ends: 1 when it cannot run, 2 when what it was told is wrong. */
const EXIT = { good: 0, cannotRun: 1, badInput: 2 } as const;

/**
 * @param ingest   begun as early as possible; what is wrong with the configuration ends it, too
 * @param opening  of the storage, likewise; null when something is wrong that has to be told here
 */
export async function runServer(
  values: FlagValues,
  given: ReadonlySet<FlagName>,
  ingest: IngestClient,
  opening: StorageOpening | null,
): Promise<number> {
  const log = { level: values['log.level'], format: values['log.format'] };
  const logger = createStderrLogger(log);
  let features: ChosenFeatures;
  try {
    features = chooseFeatures(values['enable-feature']);
  } catch (error) {
    if (error instanceof ValueError) return refuse(error.message, EXIT.cannotRun);
    throw error;
  }
  reportFeatures(features, logger);
  let security: SecurityPort | undefined;
  if (values['web.config.file'] !== '') {
    try {
      // Most servers have none, and need not hold its code.
      const { WebSecurityFile } = await import('./security/web-security.ts');
      security = new WebSecurityFile(values['web.config.file'], logger);
    } catch (error) {
      logger.error('Unable to validate web configuration file', { err: messageOf(error) });
      return EXIT.cannotRun;
    }
  }
  let createUploader: CreateUploader | undefined;
  if (values['storage.upload.objstore-config-file'] !== '') {
    try {
      const { uploaderFor } = await import('./upload/uploader-for.ts');
      createUploader = uploaderFor(values['storage.upload.objstore-config-file']);
    } catch (error) {
      logger.error('Unable to use the configuration of uploads', { err: messageOf(error) });
      return EXIT.badInput;
    }
  }
  let location: WebLocation;
  try {
    location = locateWeb(
      values['web.external-url'],
      values['web.route-prefix'],
      values['web.listen-address'],
    );
    checkCorsOrigin(values['web.cors.origin']);
  } catch (error) {
    if (error instanceof ValueError) return refuse(error.message, EXIT.badInput);
    throw error;
  }

  let server: Server | null = null;
  const noteReplay = (progress: ReplayProgress | null) => {
    // Without a log there is no last segment.
    if (server !== null && progress !== null && progress.max >= 0) {
      server.state.walReplay = progress;
    }
  };
  ingest.onReplay = noteReplay;
  const { promise: asked, resolve: askToStop } = Promise.withResolvers<string>();
  let config: Config;
  try {
    config =
      opening?.config ??
      loadConfig(values['config.file'], {
        isAgent: values.agent,
        prefersProtobuf: readsStarts(features.names),
      });
  } catch (error) {
    logger.error(`Error loading config (--config.file=${values['config.file']})`, {
      file: path.resolve(values['config.file']),
      err: messageOf(error),
    });
    return EXIT.badInput;
  }
  let rules: LoadedFiles['rules'];
  try {
    rules = await loadRules(config, {
      language: languageOf(features.names),
      quarantine: values['rules.quarantine'],
    });
  } catch (error) {
    if (!(error instanceof RuleFilesError)) throw error;
    const what = 'Error loading rule files from config';
    logger.error(`${what} (--config.file=${JSON.stringify(values['config.file'])})`, {
      file: path.resolve(values['config.file']),
      err: error.message,
    });
    return EXIT.badInput;
  }
  let receivers: LoadedFiles['receivers'];
  try {
    receivers = await loadReceiverFile(values['notifications.file']);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const what = 'Error loading receivers';
    logger.error(`${what} (--notifications.file=${JSON.stringify(values['notifications.file'])})`, {
      err: error.message,
    });
    return EXIT.badInput;
  }
  reportStart(values.agent, logger);

  server = assemble(
    {
      values,
      given,
      features: features.names,
      location,
      log,
      logger,
      config,
      loaded: { rules, receivers },
      opening,
      ...(security === undefined ? {} : { security }),
      ...(createUploader === undefined ? {} : { createUploader }),
      quit: () => askToStop('request to /-/quit'),
    },
    ingest,
  );
  noteReplay(ingest.replay);
  let listener: Listener;
  try {
    const addresses = values['web.listen-address'];
    listener = await listenOn(server.app, addresses, server.webOptions, logger);
  } catch (error) {
    logger.error('Unable to start web listener', { err: messageOf(error) });
    return EXIT.cannotRun;
  }
  listenToProcess(server, logger, askToStop);
  void ingest.failed.then((error) => {
    logger.error('The ingest thread ended', { err: messageOf(error) });
    process.exit(EXIT.cannotRun);
  });

  try {
    await start(server, config, values, features, logger, opening?.isLong ?? false);
  } catch (error) {
    logger.error('Fatal error', { err: messageOf(error) });
    await shutDown(server, listener, logger);
    return EXIT.cannotRun;
  }

  const reason = await asked;
  logger.warn('Received an OS signal or request, exiting gracefully...', { reason });
  const isGood = await shutDown(server, listener, logger);
  logger.info('See you next time!');
  return isGood ? EXIT.good : EXIT.cannotRun;
}

async function start(
  server: Server,
  config: Config,
  values: FlagValues,
  features: ChosenFeatures,
  logger: Logger,
  isLong: boolean,
): Promise<void> {
  const { state, notifications, metrics, reloader } = server;
  notifications.add(NOTIFICATION_TEXTS.starting);
  logger.info(values.agent ? 'Starting WAL storage ...' : 'Starting TSDB ...');
  const directory = dataDirectoryOf(values);
  let history: Database | null | undefined;
  try {
    const opened = server.openStorage();
    if (isLong) {
      // While the log is read the directory is locked, and there is nothing else to do here.
      await Promise.race([server.ingest.replayBegun, opened]);
      history = openHistory(directory, logger, Date.now());
    }
    await opened;
  } catch (error) {
    throw new Error(`opening storage failed: ${messageOf(error)}`, { cause: error });
  }
  if (!values.agent) await server.imports.recover();
  logger.info(values.agent ? 'Agent WAL storage started' : 'TSDB started');
  logger.info('Loading configuration file', { filename: config.file });
  await reloader.applyFirst(config);
  if (values['config.auto-reload'] || features.autoReload) {
    const intervalMs = values['config.auto-reload-interval'];
    logger.info('Automatic configuration file reloading enabled', { interval: `${intervalMs}ms` });
    reloader.watch(Math.max(1, intervalMs));
  }
  state.readiness = 'ready';
  metrics.ready.set(1);
  notifications.remove(NOTIFICATION_TEXTS.starting);
  logger.info('Server is ready to receive web requests.');
  server.uploader?.start();
  keepCompiledCode();
  keepCodePagesFew();
  if (values.agent) {
    // There are neither queries nor alerts to remember.
    await server.alerting.openQueue(openMemoryHistory());
    return;
  }
  if (history === undefined) history = openHistory(directory, logger, Date.now());
  if (history !== null) {
    server.queryLog = new QueryLog(history);
    server.alertHistory.open(history);
  }
  await server.alerting.openQueue(history ?? openMemoryHistory());
  server.silentRules.start();
  const slotCount = values['query.max-concurrency'];
  server.activeQueryFile = openActiveQueryFile(directory, slotCount, logger);
}

function listenToProcess(
  server: Server,
  logger: Logger,
  askToStop: (reason: string) => void,
): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => askToStop(signal));
  }
  process.on('SIGHUP', () => {
    // Told to the log and the metrics; a signal has nobody to answer.
    server.reloader.reload().catch(() => {});
  });
  process.on('unhandledRejection', (error) => {
    logger.error('Unhandled rejection; this is a bug', {
      err: messageOf(error),
      stack: stackOf(error),
    });
  });
  process.on('uncaughtException', (error) => {
    logger.error('Uncaught exception; this is a bug', {
      err: messageOf(error),
      stack: stackOf(error),
    });
    askToStop('uncaught exception');
  });
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function refuse(what: string, exitCode: number): number {
  process.stderr.write(`${what}\n`);
  return exitCode;
}

function checkCorsOrigin(pattern: string): void {
  try {
    compileRegex(pattern);
  } catch (error) {
    const what = `could not compile CORS regex string ${JSON.stringify(pattern)}`;
    throw new ValueError(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

function reportFeatures({ warnings, names }: ChosenFeatures, logger: Logger): void {
  for (const { message, option } of warnings) logger.warn(message, { option });
  if (names.has('exemplar-storage')) logger.info('Experimental in-memory exemplar storage enabled');
}

function reportStart(isAgent: boolean, logger: Logger): void {
  const { branch, revision } = sourceRevision();
  logger.info(isAgent ? 'Starting Narthex Agent' : 'Starting Narthex Server', {
    mode: isAgent ? 'agent' : 'server',
    version: `(version=${narthexVersion()}, branch=${branch}, revision=${revision})`,
    compatible: `Prometheus ${PROMETHEUS_VERSION}`,
  });
  logger.info('operational information', {
    build_context: `(node=${process.version}, platform=${platformName()})`,
  });
}
