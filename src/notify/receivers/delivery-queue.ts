/**
 * Messages on their way, in SQLite: they survive a restart and are tried again, ever more seldom,
 * until they arrive or are too old. Of a group only the newest message waits for each receiver; what
 * an older one had to say about ends is said by the newer one.
 */
import type { Database } from 'better-sqlite3';
import {
  type Clock,
  DAY_MS,
  type Logger,
  messageOf,
  MINUTE_MS,
  SECOND_MS,
} from '../../../model/index.ts';
import type { WaitingMessage } from '../../../web/index.ts';
import type { Message, MessageAlert } from './message.ts';

/** Rejects with what went wrong. */
export type Send = (message: Message, signal: AbortSignal) => Promise<void>;

export type Integration = {
  readonly key: string;
  /** As people are told: `team (webhook)`. */
  readonly label: string;
  readonly sendsResolved: boolean;
  readonly send: Send;
};

export type DeliveryResult = {
  readonly integration: Integration;
  readonly message: Message;
  /** Null when it arrived. */
  readonly error: string | null;
  /** It will not be tried again. */
  readonly isLast: boolean;
};

export type DeliveryQueueOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onResult: (result: DeliveryResult) => void;
};

type Row = {
  readonly id: number;
  readonly createdMs: number;
  readonly attemptCount: number;
  readonly nextMs: number;
  readonly message: string;
};

const FIRST_DELAY_MS = 5 * SECOND_MS;
const DELAY_MS_MAX = 5 * MINUTE_MS;
const AGE_MS_MAX = DAY_MS;
const WAITING_COUNT_MAX = 10_000;

export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #database: Database;
  #integrations = new Map<string, Integration>();
  /** Integrations that are sending, and which row. */
  readonly #busy = new Map<string, { readonly id: number; readonly done: Promise<void> }>();
  readonly #stop = new AbortController();
  #wake = new AbortController();
  readonly #running: Promise<void>;

  constructor(database: Database, options: DeliveryQueueOptions) {
    this.#options = options;
    this.#database = database;
    this.#running = this.#run();
  }

  /** What waits for one that is gone is dropped. */
  setIntegrations(integrations: readonly Integration[]): void {
    this.#integrations = new Map(integrations.map((one) => [one.key, one]));
    const rows = this.#database.prepare('SELECT DISTINCT integration FROM notify_queue').all() as {
      integration: string;
    }[];
    for (const { integration } of rows) {
      if (this.#integrations.has(integration)) continue;
      this.#options.logger.warn('Waiting notifications dropped: no such receiver', { integration });
      this.#database.prepare('DELETE FROM notify_queue WHERE integration = ?').run(integration);
    }
    this.#wakeUp();
  }

  /** Inside a transaction of the caller's, if there is one. */
  add(integration: Integration, message: Message): void {
    const { key } = integration;
    const nowMs = this.#options.clock.nowMs();
    let alerts = message.alerts;
    let createdMs = nowMs;
    for (const old of this.#waitingOf(key, message.groupKey)) {
      alerts = withEarlierEnds(alerts, (JSON.parse(old.message) as Message).alerts);
      createdMs = Math.min(createdMs, old.createdMs);
      this.#database.prepare('DELETE FROM notify_queue WHERE id = ?').run(old.id);
    }
    const told = integration.sendsResolved
      ? alerts
      : alerts.filter(({ isResolved }) => !isResolved);
    if (told.length === 0) return;
    const text = JSON.stringify({ ...message, alerts: told });
    this.#database
      .prepare(
        `INSERT INTO notify_queue (integration, group_key, created_ms, attempts, next_ms, message)
         VALUES (?, ?, ?, 0, ?, ?)`,
      )
      .run(key, message.groupKey, createdMs, nowMs, text);
    this.#database
      .prepare('DELETE FROM notify_queue WHERE id <= (SELECT max(id) FROM notify_queue) - ?')
      .run(WAITING_COUNT_MAX);
    this.#wakeUp();
  }

  waiting(): readonly WaitingMessage[] {
    const rows = this.#database
      .prepare(
        `SELECT integration, group_key AS groupKey, created_ms AS createdMs,
                attempts AS attemptCount, next_ms AS nextMs, error,
                json_array_length(message, '$.alerts') AS alertCount
           FROM notify_queue ORDER BY id LIMIT 1000`,
      )
      .all() as WaitingMessage[];
    return rows.map((row) => ({
      ...row,
      integration: this.#integrations.get(row.integration)?.label ?? row.integration,
    }));
  }

  /** Gives what is under way a moment; everything that has not arrived waits for the next start. */
  async stop(graceMs: number): Promise<void> {
    const sending = [...this.#busy.values()].map(({ done }) => done);
    const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([Promise.all(sending), grace]);
    this.#stop.abort();
    await this.#running;
    await Promise.all([...this.#busy.values()].map(({ done }) => done));
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#wake.signal, this.#stop.signal]);
      const nextMs = this.#startDue();
      try {
        // Infinity is no delay that timers know.
        await clock.sleep(Math.min(Math.max(0, nextMs - clock.nowMs()), DAY_MS), signal);
      } catch {
        // Woken up, or stopped.
      }
    }
  }

  #wakeUp(): void {
    this.#wake.abort();
  }

  /** Starts what is due. @returns when something of a free integration is due next */
  #startDue(): number {
    const nowMs = this.#options.clock.nowMs();
    let nextMs = Infinity;
    for (const integration of this.#integrations.values()) {
      if (this.#busy.has(integration.key)) continue;
      const row = this.#database
        .prepare(
          `SELECT id, created_ms AS createdMs, attempts AS attemptCount, next_ms AS nextMs, message
             FROM notify_queue WHERE integration = ? ORDER BY next_ms, id LIMIT 1`,
        )
        .get(integration.key) as Row | undefined;
      if (row === undefined) continue;
      if (row.nextMs > nowMs) nextMs = Math.min(nextMs, row.nextMs);
      else {
        const done = this.#send(integration, row).finally(() => {
          this.#busy.delete(integration.key);
          this.#wakeUp();
        });
        this.#busy.set(integration.key, { id: row.id, done });
      }
    }
    return nextMs;
  }

  async #send(integration: Integration, row: Row): Promise<void> {
    const { logger, onResult, clock } = this.#options;
    const message = JSON.parse(row.message) as Message;
    let error: string | null = null;
    try {
      await integration.send(message, this.#stop.signal);
    } catch (failure) {
      if (this.#stop.signal.aborted) return;
      error = messageOf(failure);
    }
    if (!this.#database.open) return;
    const nowMs = clock.nowMs();
    const isLast = error === null || nowMs - row.createdMs >= AGE_MS_MAX;
    if (isLast) this.#database.prepare('DELETE FROM notify_queue WHERE id = ?').run(row.id);
    else this.#postpone(integration, row, message, error!, nowMs);
    if (error !== null) {
      const what = isLast ? 'Notification given up' : 'Notification failed; it is tried again';
      const attempts = row.attemptCount + 1;
      logger.warn(what, { receiver: integration.label, attempts, err: error });
    }
    onResult({ integration, message, error, isLast });
  }

  #postpone(
    { key }: Integration,
    row: Row,
    { groupKey, alerts }: Message,
    error: string,
    nowMs: number,
  ): void {
    const attempts = row.attemptCount + 1;
    const nextMs = nowMs + Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** (attempts - 1));
    const update = this.#database.prepare(
      'UPDATE notify_queue SET attempts = ?, next_ms = ?, error = ? WHERE id = ?',
    );
    this.#database.transaction(() => {
      const newer = this.#waitingOf(key, groupKey, row.id);
      if (newer.length === 0) {
        update.run(attempts, nextMs, error, row.id);
        return;
      }
      // What came meanwhile says it all.
      this.#database.prepare('DELETE FROM notify_queue WHERE id = ?').run(row.id);
      for (const one of newer) {
        const message = JSON.parse(one.message) as Message;
        const text = JSON.stringify({
          ...message,
          alerts: withEarlierEnds(message.alerts, alerts),
        });
        this.#database
          .prepare('UPDATE notify_queue SET message = ? WHERE id = ?')
          .run(text, one.id);
        update.run(attempts, nextMs, error, one.id);
      }
    })();
  }

  /** Those that are not being sent at this moment. */
  #waitingOf(key: string, groupKey: string, exceptId = -1): readonly Row[] {
    const sendingId = this.#busy.get(key)?.id ?? -1;
    return this.#database
      .prepare(
        `SELECT id, created_ms AS createdMs, attempts AS attemptCount, next_ms AS nextMs, message
           FROM notify_queue
          WHERE integration = ? AND group_key = ? AND id <> ? AND id <> ?`,
      )
      .all(key, groupKey, sendingId, exceptId) as Row[];
  }
}

/** Ends in `earlier` that `alerts` do not speak of are added. */
function withEarlierEnds(
  alerts: readonly MessageAlert[],
  earlier: readonly MessageAlert[],
): readonly MessageAlert[] {
  const known = new Set(alerts.map(({ fingerprint }) => fingerprint));
  const ends = earlier.filter((one) => one.isResolved && !known.has(one.fingerprint));
  return [...alerts, ...ends];
}
