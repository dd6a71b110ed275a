/**
 * The objects of one kind, kept up to date: listed once, then watched from that version on. What
 * breaks is listed anew; what was known stays until then.
 * Source: Kubernetes API concepts, "Efficient detection of changes".
 */
import { CanceledError, messageOf, ValueError } from '../../../model/index.ts';
import { type PlatformApi, statusError } from '../platform-api.ts';
import { keyOf, type KubernetesObject } from './objects.ts';

type List<T> = {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[];
};
type WatchEvent<T> = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
};

const PAGE_SIZE = 500;
const WATCH_SECONDS = 300;
/** A watch that the server does not end is ended here. */
const WATCH_TIMEOUT_MS = (WATCH_SECONDS + 30) * 1000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** Between watches that end well. */
const WATCH_AGAIN_MS = 100;

export class WatchedList<T extends KubernetesObject> {
  readonly #api: PlatformApi<unknown>;
  readonly #url: string;
  readonly #params: Readonly<Record<string, string>>;
  readonly #role: string;
  readonly #onChange: () => void;
  readonly #objects = new Map<string, T>();
  #isListed = false;
  #version = '';

  /**
   * @param url   of the collection
   * @param role  under which changes are counted
   */
  constructor(
    api: PlatformApi<unknown>,
    url: string,
    params: Readonly<Record<string, string>>,
    role: string,
    onChange: () => void,
  ) {
    this.#api = api;
    this.#url = url;
    this.#params = params;
    this.#role = role;
    this.#onChange = onChange;
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Has there been a first list? */
  get isListed(): boolean {
    return this.#isListed;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, metrics, jobName } = this.#api.context;
    let retryMs = RETRY_MIN_MS;
    let mustList = true;
    while (!signal.aborted) {
      let waitMs = WATCH_AGAIN_MS;
      try {
        if (mustList) await this.#list(signal);
        mustList = false;
        retryMs = RETRY_MIN_MS;
        mustList = !(await this.#watch(signal));
      } catch (error) {
        if (signal.aborted) return;
        mustList = true;
        waitMs = retryMs;
        retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
        metrics.refreshFailed('kubernetes', jobName);
        logger.error('Failed to list or watch', {
          discovery: 'kubernetes',
          config: jobName,
          url: this.#url,
          err: messageOf(error),
        });
      }
      try {
        await clock.sleep(waitMs, signal);
      } catch (error) {
        if (error instanceof CanceledError) return;
        throw error;
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const found: T[] = [];
    let next = '';
    do {
      const params = new URLSearchParams({ ...this.#params, limit: String(PAGE_SIZE) });
      // Any version will do at first; later pages belong to the first one.
      if (next === '') params.set('resourceVersion', '0');
      else params.set('continue', next);
      const list = await this.#api.json<List<T>>(`${this.#url}?${params}`, signal);
      found.push(...(list.items ?? []));
      this.#version = list.metadata?.resourceVersion ?? '';
      next = list.metadata?.continue ?? '';
    } while (next !== '');
    const gone = new Set(this.#objects.keys());
    for (const object of found) {
      gone.delete(keyOf(object));
      this.#put(object);
    }
    for (const key of gone) this.#remove(key);
    this.#isListed = true;
    this.#onChange();
  }

  /** Returns when the stream ends. @returns false when the list is needed anew */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const params = new URLSearchParams({
      ...this.#params,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const url = `${this.#url}?${params}`;
    let isUsable = true;
    const lines = new LineReader((line) => {
      if (isUsable) isUsable = this.#take(JSON.parse(line) as WatchEvent<T>);
    });
    // A line that cannot be read ends the watch by its error.
    let failure: unknown;
    const stop = new AbortController();
    const response = await this.#api
      .ask(url, AbortSignal.any([signal, stop.signal]), {
        headers: { Accept: 'application/json' },
        timeoutMs: WATCH_TIMEOUT_MS,
        onData: (chunk) => {
          try {
            lines.push(chunk);
          } catch (error) {
            failure = error;
            stop.abort();
          }
          if (!isUsable) stop.abort();
        },
      })
      .catch((error: unknown) => {
        if (failure !== undefined) throw failure;
        if (isUsable) throw error;
        return null;
      });
    if (response === null) return false;
    if (response.status !== 200) throw statusError(url, response);
    return true;
  }

  /** @returns false when the server has lost the place that was reached */
  #take({ type, object }: WatchEvent<T>): boolean {
    if (type === 'ERROR') return false;
    if (object?.metadata === undefined) throw new ValueError(`${this.#url}: event without object`);
    this.#version = object.metadata.resourceVersion ?? this.#version;
    if (type === 'BOOKMARK') return true;
    if (type === 'DELETED') this.#remove(keyOf(object));
    else this.#put(object);
    this.#onChange();
    return true;
  }

  #put(object: T): void {
    const key = keyOf(object);
    const { platforms } = this.#api.context.metrics;
    platforms.kubernetesChanged(this.#role, this.#objects.has(key) ? 'update' : 'add');
    this.#objects.set(key, object);
  }

  #remove(key: string): void {
    const { platforms } = this.#api.context.metrics;
    if (this.#objects.delete(key)) platforms.kubernetesChanged(this.#role, 'delete');
  }
}

/** Cuts a stream of bytes into lines of text. */
class LineReader {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') this.#onLine(line);
  }
}
