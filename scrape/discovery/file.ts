/**
 * Targets from files, read again when they change and, to be sure, at intervals. A file that cannot
 * be read keeps the targets it had; a file that is gone has none.
 * Source: Prometheus documentation, `<file_sd_config>`.
 */
import { type FSWatcher, watch } from 'node:fs';
import { glob, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { CanceledError, messageOf } from '../../model/index.ts';
import type { FileDiscoveryConfig, TargetGroup } from '../config.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import { parseTargetGroups } from './target-group.ts';

/** Writers touch a file several times; wait for them to have finished. */
const SETTLE_MS = 100;

export class FileProvider implements DiscoveryProvider {
  readonly #config: FileDiscoveryConfig;
  readonly #context: ProviderContext;
  readonly #stop = new AbortController();
  readonly #watchers = new Map<string, FSWatcher>();
  /** What each file said when it was last in order. */
  #groups = new Map<string, readonly TargetGroup[]>();
  #update: (groups: readonly TargetGroup[]) => void = () => {};
  #isReading = false;
  #readAgain = false;

  constructor(config: FileDiscoveryConfig, context: ProviderContext) {
    this.#config = config;
    this.#context = context;
  }

  start(update: (groups: readonly TargetGroup[]) => void): void {
    this.#update = update;
    this.#watchDirectories();
    void this.#refreshForever();
  }

  stop(): void {
    this.#stop.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    for (const file of this.#groups.keys()) this.#context.metrics.fileMtime.remove(file);
  }

  async #refreshForever(): Promise<void> {
    for (;;) {
      await this.#read();
      if (!(await this.#sleep(this.#config.refreshIntervalMs))) return;
      // A directory may have come into being, or its watcher have broken.
      this.#watchDirectories();
    }
  }

  /** False when the provider was stopped meanwhile. */
  async #sleep(delayMs: number): Promise<boolean> {
    try {
      await this.#context.clock.sleep(delayMs, this.#stop.signal);
      return true;
    } catch (error) {
      if (error instanceof CanceledError) return false;
      throw error;
    }
  }

  /** Directories, not files: a file is often replaced by renaming another one. */
  #watchDirectories(): void {
    for (const pattern of this.#config.files) {
      const directory = path.dirname(pattern);
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => void this.#settle());
        watcher.on('error', (error) => this.#watcherFailed(directory, error));
        this.#watchers.set(directory, watcher);
      } catch (error) {
        this.#watcherFailed(directory, error);
      }
    }
  }

  #watcherFailed(directory: string, error: unknown): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
    this.#context.metrics.fileWatcherErrors.increase();
    this.#context.logger.warn('Error watching directory for target files', {
      directory,
      err: messageOf(error),
    });
  }

  #isSettling = false;
  async #settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    const goesOn = await this.#sleep(SETTLE_MS);
    this.#isSettling = false;
    if (goesOn) await this.#read();
  }

  /** Reads all files; a change in the middle of it leads to another round. */
  async #read(): Promise<void> {
    if (this.#isReading) {
      this.#readAgain = true;
      return;
    }
    this.#isReading = true;
    try {
      do {
        this.#readAgain = false;
        await this.#readOnce();
      } while (this.#readAgain && !this.#stop.signal.aborted);
    } finally {
      this.#isReading = false;
    }
  }

  async #readOnce(): Promise<void> {
    const { clock, metrics, logger } = this.#context;
    const startMs = clock.monotonicMs();
    const found = new Map<string, readonly TargetGroup[]>();
    for (const file of await this.#matchingFiles()) {
      try {
        found.set(file, await this.#readFile(file));
      } catch (error) {
        metrics.fileReadErrors.increase();
        logger.error('Error reading file', { path: file, err: messageOf(error) });
        const before = this.#groups.get(file);
        if (before !== undefined) found.set(file, before);
      }
    }
    metrics.fileScanDuration.observe((clock.monotonicMs() - startMs) / 1000);
    if (this.#stop.signal.aborted) return;
    for (const file of this.#groups.keys()) if (!found.has(file)) metrics.fileMtime.remove(file);
    this.#groups = found;
    this.#update([...found.values()].flat());
  }

  async #matchingFiles(): Promise<string[]> {
    const files = new Set<string>();
    for (const pattern of this.#config.files) {
      if (!pattern.includes('*')) {
        const exists = await stat(pattern).then(
          () => true,
          () => false,
        );
        if (exists) files.add(pattern);
        continue;
      }
      // Only the last segment is a pattern; brackets and the like elsewhere mean themselves.
      const directory = path.dirname(pattern);
      const names = glob(path.basename(pattern), { cwd: directory });
      for await (const name of names) files.add(path.join(directory, name));
    }
    return [...files].sort();
  }

  async #readFile(file: string): Promise<TargetGroup[]> {
    const text = await readFile(file, 'utf8');
    const { mtimeMs } = await stat(file);
    const document: unknown = /\.json$/i.test(file)
      ? JSON.parse(text)
      : this.#context.parseYaml(text, file);
    const groups = parseTargetGroups(document, (index) => `${file}:${index}`, {
      __meta_filepath: file,
    });
    this.#context.metrics.fileMtime.labels(file).set(mtimeMs / 1000);
    return groups;
  }
}
