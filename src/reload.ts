/**
 * Taking another configuration while running: all of it or nothing. A file that cannot be used
 * leaves everything as it was and shows in a gauge, a notification and the log.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Clock, type Logger, messageOf, NarthexError } from '../model/index.ts';
import { NOTIFICATION_TEXTS, type NotificationBoard } from '../web/index.ts';
import type { Config } from './config/index.ts';
import type { ServerMetrics } from './server-metrics.ts';
import type { ServerState } from './server-state.ts';

class ReloadError extends NarthexError {
  readonly code = 'RELOAD';
}

export type ReloaderOptions = {
  readonly file: string;
  /** Files that flags name and that a reload reads, too. */
  readonly besides: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ServerState;
  readonly metrics: ServerMetrics;
  readonly notifications: NotificationBoard;
  /** @throws ConfigError */
  readonly load: () => Config;
  /** Puts it in force; when it fails, nothing of it may stay. */
  readonly apply: (config: Config) => Promise<void>;
};

export class Reloader {
  readonly #options: ReloaderOptions;
  /** Reloads take turns. */
  #last: Promise<unknown> = Promise.resolve();
  #watched: readonly string[] = [];
  #watchedHash = '';
  #timer: NodeJS.Timeout | null = null;

  /** @param config  loaded already, for the first {@link apply} */
  constructor(options: ReloaderOptions, config: Config) {
    this.#options = options;
    this.#remember(config);
  }

  /** Puts the configuration of the start in force. */
  async applyFirst(config: Config): Promise<void> {
    await this.#apply(config, this.#options.clock.monotonicMs());
  }

  /** Loads the file anew. Rejects with what is wrong with it. */
  reload(): Promise<void> {
    const reloaded = this.#last.then(() => this.#reload());
    this.#last = reloaded.catch(() => {});
    return reloaded;
  }

  /** Looks at the files every `intervalMs` and reloads when one has changed. */
  watch(intervalMs: number): void {
    this.#timer = setInterval(() => {
      const hash = hashOfFiles(this.#watched);
      if (hash === this.#watchedHash) return;
      this.#watchedHash = hash;
      this.#options.logger.info('Configuration file change detected, reloading the configuration.');
      // Reported where it fails.
      this.reload().catch(() => {});
    }, intervalMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  async #reload(): Promise<void> {
    const { file, clock, logger, load } = this.#options;
    const startMs = clock.monotonicMs();
    logger.info('Loading configuration file', { filename: file });
    try {
      let config: Config;
      try {
        config = load();
      } catch (error) {
        const what = `couldn't load configuration (--config.file="${file}"): ${messageOf(error)}`;
        throw new ReloadError(what, { cause: error });
      }
      await this.#apply(config, startMs);
      this.#remember(config);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #remember({ watchedFiles }: Config): void {
    this.#watched = [...watchedFiles, ...this.#options.besides];
    this.#watchedHash = hashOfFiles(this.#watched);
  }

  async #apply(config: Config, startMs: number): Promise<void> {
    const { file, clock, logger, state, metrics, notifications, apply } = this.#options;
    for (const warning of config.warnings) logger.warn(warning);
    await apply(config);
    state.reloadConfigSuccess = true;
    state.lastConfigTimeMs = clock.nowMs();
    metrics.reloadSuccessful.set(1);
    metrics.reloadTimestamp.set(state.lastConfigTimeMs / 1000);
    notifications.remove(NOTIFICATION_TEXTS.reloadFailed);
    const totalDuration = `${(clock.monotonicMs() - startMs).toFixed(3)}ms`;
    logger.info('Completed loading of configuration file', { filename: file, totalDuration });
  }

  #failed(error: unknown): void {
    const { logger, state, metrics, notifications } = this.#options;
    state.reloadConfigSuccess = false;
    metrics.reloadSuccessful.set(0);
    notifications.add(NOTIFICATION_TEXTS.reloadFailed);
    logger.error('Error reloading config', { err: messageOf(error) });
  }
}

/** Of names and contents; a file that is missing counts as empty. */
function hashOfFiles(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(file).update('\0');
    try {
      hash.update(readFileSync(file));
    } catch {
      hash.update('(missing)');
    }
  }
  return hash.digest('hex');
}
