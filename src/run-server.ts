/** A server's life: check, assemble, start, serve, stop. Resolves with the exit code. */
import path from 'node:path';
import { type Logger, messageOf, ValueError } from '../model/index.ts';
import { compileRegex } from '../model/index.ts';
import { NOTIFICATION_TEXTS } from '../web/index.ts';
import { openActiveQueryFile } from './active-query-file.ts';
import { assemble, type Server } from './assemble.ts';
import { keepCompiledCode } from './compile-cache.ts';
import { type Config, loadConfig } from './config/index.ts';
import { chooseFeatures, type ChosenFeatures, type FlagName, type FlagValues } from './flags.ts';
import { openHistory } from './history/database.ts';
import { QueryLog } from './history/query-log.ts';
import { languageOf } from './language.ts';
import { locateWeb, type WebLocation } from './listen-address.ts';
import { listenOn, type Listeners } from './listeners.ts';
import { loadRules, RuleFilesError } from './load-rules.ts';
import { createStderrLogger } from './log-writer.ts';
import { shutDown } from './shutdown.ts';
import { IngestClient } from './threads/ingest-client.ts';
import { narthexVersion, platformName, PROMETHEUS_VERSION, sourceRevision } from './version.ts';

/** As Prometheus ends: 1 when it cannot run, 2 when what it was told is wrong. */
const EXIT = { good: 0, cannotRun: 1, badInput: 2 } as const;

export async function runServer(values: FlagValues, given: ReadonlySet<FlagName>): Promise<number> {
  const log = { level: values['log.level'], format: values['log.format'] };
  const logger = createStderrLogger(log);
  const features = chooseFeatures(values['enable-feature']);
  reportFeatures(features, logger);
  if (values.agent) return refuse('agent mode is not available yet', EXIT.cannotRun);
  if (values['web.config.file'] !== '') {
    // Serving without the TLS and the passwords that somebody counts on would be worse.
    return refuse('--web.config.file: TLS and authentication are not available yet', EXIT.badInput);
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

  // Its code loads in another core while the configuration is read here.
  const ingest = new IngestClient(log, (progress) => {
    if (server !== null) server.state.walReplay = progress;
  });
  let server: Server | null = null;
  const { promise: asked, resolve: askToStop } = Promise.withResolvers<string>();
  let config: Config;
  try {
    config = loadConfig(values['config.file'], { isAgent: values.agent });
  } catch (error) {
    logger.error(`Error loading config (--config.file=${values['config.file']})`, {
      file: path.resolve(values['config.file']),
      err: messageOf(error),
    });
    return EXIT.badInput;
  }
  try {
    await loadRules(config, languageOf(features.names));
  } catch (error) {
    if (!(error instanceof RuleFilesError)) throw error;
    const what = 'Error loading rule files from config';
    logger.error(`${what} (--config.file=${JSON.stringify(values['config.file'])})`, {
      file: path.resolve(values['config.file']),
      err: error.message,
    });
    return EXIT.badInput;
  }
  reportStart(logger);

  server = assemble(
    {
      values,
      given,
      features: features.names,
      location,
      log,
      logger,
      config,
      quit: () => askToStop('request to /-/quit'),
    },
    ingest,
  );
  let listeners: Listeners;
  try {
    listeners = await listenOn(server.app, values['web.listen-address'], {
      connectionCountMax: values['web.max-connections'],
      logger,
    });
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
    await start(server, config, values, features, logger);
  } catch (error) {
    logger.error('Fatal error', { err: messageOf(error) });
    await shutDown(server, listeners, logger);
    return EXIT.cannotRun;
  }

  const reason = await asked;
  logger.warn('Received an OS signal or request, exiting gracefully...', { reason });
  const isGood = await shutDown(server, listeners, logger);
  logger.info('See you next time!');
  return isGood ? EXIT.good : EXIT.cannotRun;
}

async function start(
  server: Server,
  config: Config,
  values: FlagValues,
  features: ChosenFeatures,
  logger: Logger,
): Promise<void> {
  const { state, notifications, metrics, reloader } = server;
  notifications.add(NOTIFICATION_TEXTS.starting);
  logger.info('Starting TSDB ...');
  try {
    await server.openStorage();
  } catch (error) {
    throw new Error(`opening storage failed: ${messageOf(error)}`, { cause: error });
  }
  logger.info('TSDB started');
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
  keepCompiledCode();
  const directory = path.resolve(values['storage.tsdb.path']);
  const history = openHistory(directory, logger, Date.now());
  if (history !== null) {
    server.queryLog = new QueryLog(history);
    server.alertHistory.open(history);
  }
  if (values.agent) return;
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

function reportStart(logger: Logger): void {
  const { branch, revision } = sourceRevision();
  logger.info('Starting Narthex Server', {
    mode: 'server',
    version: `(version=${narthexVersion()}, branch=${branch}, revision=${revision})`,
    compatible: `Prometheus ${PROMETHEUS_VERSION}`,
  });
  logger.info('operational information', {
    build_context: `(node=${process.version}, platform=${platformName()})`,
  });
}
