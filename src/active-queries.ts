/** Queries that wait or run: to be listed, to be canceled by number, and noted against a crash. */
import type { ActiveQueriesPort, ActiveQuery, Asker } from '../web/index.ts';
import type { Clock } from '../model/index.ts';
import type { ActiveQueryFile } from './active-query-file.ts';
import type { CallProgress } from './threads/rpc.ts';

/** What is quicker is not worth the writing: a crash would hardly be its doing. */
const NOTE_AFTER_MS = 10;

const NOTHING_YET: CallProgress = { sampleCount: 0, seriesCount: 0, heldSizeBytes: 0 };

export type Activity = {
  readonly kind: ActiveQuery['kind'];
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Who asked; null for the server itself. */
  readonly client: Asker | null;
};

/** One query between its beginning and its end. */
export type Running = {
  /** Aborts when the asker goes away and when somebody cancels. */
  readonly signal: AbortSignal;
  /** A worker has taken it, and tells what it has cost so far. */
  begun(progress: () => CallProgress): void;
  ended(): void;
};

type Entry = {
  readonly id: number;
  readonly activity: Activity;
  readonly controller: AbortController;
  readonly startedMs: number;
  readonly startedMonotonicMs: number;
  /** Null while it waits for a worker. */
  progress: (() => CallProgress) | null;
  /** Place in the file; -1 while it has none. */
  slot: number;
};

export class ActiveQueries implements ActiveQueriesPort {
  readonly #clock: Clock;
  readonly #file: () => ActiveQueryFile | null;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;
  #noteTimer: NodeJS.Timeout | null = null;

  /** @param file  null while there is none */
  constructor(clock: Clock, file: () => ActiveQueryFile | null) {
    this.#clock = clock;
    this.#file = file;
  }

  /** @param signal  of whoever waits for the answer */
  add(activity: Activity, signal: AbortSignal): Running {
    const controller = new AbortController();
    const leave = () => controller.abort();
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    const entry: Entry = {
      id: ++this.#lastId,
      activity,
      controller,
      startedMs: this.#clock.nowMs(),
      startedMonotonicMs: this.#clock.monotonicMs(),
      progress: null,
      slot: -1,
    };
    this.#entries.set(entry.id, entry);
    this.#noteLater();
    return {
      signal: controller.signal,
      begun: (progress) => {
        entry.progress = progress;
      },
      ended: () => {
        signal.removeEventListener('abort', leave);
        this.#entries.delete(entry.id);
        if (entry.slot >= 0) this.#file()?.remove(entry.slot);
      },
    };
  }

  list(): ActiveQuery[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#entries.values()].map(({ id, activity, progress, ...entry }) => ({
      id,
      ...activity,
      state: progress === null ? 'waiting' : 'running',
      startedMs: entry.startedMs,
      durationSeconds: (nowMs - entry.startedMonotonicMs) / 1000,
      ...(progress?.() ?? NOTHING_YET),
    }));
  }

  cancel(id: number): boolean {
    const entry = this.#entries.get(id);
    entry?.controller.abort();
    return entry !== undefined;
  }

  #noteLater(): void {
    if (this.#noteTimer !== null) return;
    this.#noteTimer = setTimeout(() => {
      this.#noteTimer = null;
      this.#noteAll();
    }, NOTE_AFTER_MS).unref();
  }

  /** Those that came just now are left for the next time. */
  #noteAll(): void {
    const file = this.#file();
    if (file === null) return;
    const nowMs = this.#clock.monotonicMs();
    let areSomeYoung = false;
    for (const entry of this.#entries.values()) {
      if (entry.slot >= 0 || entry.progress === null) continue;
      if (nowMs - entry.startedMonotonicMs < NOTE_AFTER_MS / 2) areSomeYoung = true;
      else entry.slot = file.add(entry.activity.query, entry.startedMs);
    }
    const areSomeWaiting = [...this.#entries.values()].some(({ progress }) => progress === null);
    if (areSomeYoung || areSomeWaiting) this.#noteLater();
  }
}
