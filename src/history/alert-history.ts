/**
 * What became of alerts: every change of state, and who was told with which result. Entries wait in
 * memory for a moment and are written together, so that thousands of changes a minute cost one
 * transaction each half second; evaluating rules never waits for the file.
 */
import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import {
  type Labels,
  type Logger,
  messageOf,
  MINUTE_MS,
  SILENT_LOGGER,
} from '../../model/index.ts';
import type {
  AlertHistoryEntry,
  AlertHistoryPage,
  AlertHistoryRequest,
  AlertTimelineRequest,
  AlertTimelines,
  LabelObject,
  SelectorSamples,
} from '../../web/index.ts';
import type { AlertTransition } from '../rules/index.ts';
import { alertFilter } from './alert-filter.ts';
import { readTimelines } from './alert-timelines.ts';

type Delivery = {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly url: string;
  readonly isResolved: boolean;
  /** Null when it was accepted. */
  readonly error: string | null;
};
type Waiting = TransitionEntry | { readonly kind: 'delivery'; readonly delivery: Delivery };

/** A change on its way into the file, or in it. */
export type TransitionEntry = {
  readonly kind: 'transition';
  readonly transition: AlertTransition;
  /** JSON of `SelectorSamples[]`; it comes later than the change itself. */
  samples: string | null;
  /** Set once it is written. */
  id: number | null;
};

export type AlertHistoryOptions = {
  readonly logger?: Logger;
  /** Older entries are removed; 0: none for their age. */
  readonly retentionMs?: number;
  readonly nowMs?: () => number;
};

const WRITE_EVERY_MS = 500;
/** So exactly it is known after a crash when alerts were last watched. */
const SEEN_EVERY_MS = 10_000;
const WATCH_COUNT_MAX = 1000;
/** What comes faster than this is dropped, and counted. */
const WAITING_COUNT_MAX = 20_000;
const ENTRY_COUNT_MAX = 500_000;
/** At most this often it is looked for what is too old. */
const TRIM_EVERY_MS = 10 * MINUTE_MS;
/** Rows that one request looks through at most; the next page goes on behind them. */
const SCAN_COUNT_MAX = 20_000;
const TOLD_COUNT_MAX = 50_000;
/** Rows that one step removes for their age. */
const TRIM_COUNT_MAX = 5000;

/** Tells one alert from another, over restarts. */
export function alertFingerprint(labels: Labels): string {
  return createHash('sha256').update(labels.key).digest('hex').slice(0, 16);
}

const EVERYTHING: AlertHistoryRequest = {
  minMs: Number.MIN_SAFE_INTEGER,
  maxMs: Number.MAX_SAFE_INTEGER,
  alertName: '',
  fingerprint: '',
  states: [],
  matcherSets: [],
  id: null,
  limit: 1,
  beforeId: null,
};

type Row = {
  readonly id: number;
  readonly atMs: number;
  readonly rule: string;
  readonly groupName: string;
  readonly file: string;
  readonly query: string;
  readonly fingerprint: string;
  readonly fromState: AlertTransition['from'];
  readonly toState: AlertTransition['to'];
  readonly activeAtMs: number;
  readonly value: string;
  readonly labels: string;
  readonly annotations: string;
  readonly samples: string | null;
};

export class AlertHistory {
  readonly #logger: Logger;
  /** Null until the file is open, or when it cannot be used. */
  #database: Database | null = null;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writtenSinceTrim = 0;
  #trimmedMs = 0;
  #watchId = 0;
  #heartbeat: NodeJS.Timeout | null = null;
  readonly #retentionMs: number;
  readonly #nowMs: () => number;
  /** Rules begin before the file is open. */
  readonly #startedMs: number;
  /** Per alert and receiver what was told last, because the same is told again and again. */
  readonly #told = new Map<string, string>();
  droppedCount = 0;

  constructor(options: AlertHistoryOptions = {}) {
    const { logger = SILENT_LOGGER, retentionMs = 0, nowMs = () => Date.now() } = options;
    this.#logger = logger.with({ component: 'history' });
    this.#retentionMs = retentionMs;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  get isOpen(): boolean {
    return this.#database !== null;
  }

  /** From now on what waits can be written. */
  open(database: Database): void {
    this.#database = database;
    this.#quietly(0, () => {
      const insert = database.prepare(
        'INSERT INTO alert_watch (started_ms, seen_ms) VALUES (?, ?)',
      );
      this.#watchId = Number(insert.run(this.#startedMs, this.#nowMs()).lastInsertRowid);
      database
        .prepare('DELETE FROM alert_watch WHERE id <= ?')
        .run(this.#watchId - WATCH_COUNT_MAX);
    });
    this.#heartbeat = setInterval(() => this.#seen(), SEEN_EVERY_MS).unref();
    this.flush();
  }

  /** Writes what waits; the file can be closed afterwards. */
  close(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#seen();
    this.flush();
  }

  /** Up to now nothing has been missed. */
  #seen(): void {
    const database = this.#database;
    if (database === null) return;
    this.#quietly(0, () => {
      const update = database.prepare('UPDATE alert_watch SET seen_ms = ? WHERE id = ?');
      update.run(this.#nowMs(), this.#watchId);
    });
  }

  /** @returns what samples can be added to */
  addTransition(transition: AlertTransition): TransitionEntry {
    const entry: TransitionEntry = { kind: 'transition', transition, samples: null, id: null };
    this.#add(entry);
    return entry;
  }

  /** What the selectors gave, in the order of `entries`. */
  addSamples(entries: readonly TransitionEntry[], samples: readonly string[]): void {
    const written: TransitionEntry[] = [];
    entries.forEach((entry, index) => {
      entry.samples = samples[index] ?? null;
      if (entry.id !== null) written.push(entry);
    });
    if (this.#database === null || written.length === 0) return;
    const database = this.#database;
    this.#quietly(written.length, () => {
      const update = database.prepare('UPDATE alert_event SET samples = ? WHERE id = ?');
      database.transaction(() => {
        for (const entry of written) update.run(entry.samples, entry.id);
      })();
    });
  }

  /** Kept only when it differs from what the receiver was told of this alert before. */
  addDelivery(delivery: Delivery): void {
    const key = `${delivery.fingerprint} ${delivery.url}`;
    const what = `${delivery.isResolved} ${delivery.error ?? ''}`;
    if (this.#told.get(key) === what) return;
    this.#told.delete(key);
    this.#told.set(key, what);
    if (this.#told.size > TOLD_COUNT_MAX) this.#told.delete(this.#told.keys().next().value!);
    this.#add({ kind: 'delivery', delivery });
  }

  /** Newest first. */
  page(request: AlertHistoryRequest): AlertHistoryPage {
    this.flush();
    if (this.#database === null) return { entries: [], nextToken: null };
    const { limit, beforeId, matcherSets } = request;
    const isWanted = alertFilter(matcherSets);
    const rows = this.#rows(request);
    const entries: AlertHistoryPage['entries'][number][] = [];
    let lastId = beforeId;
    let scannedCount = 0;
    let isCut = false;
    for (const row of rows) {
      if (entries.length >= limit || scannedCount >= SCAN_COUNT_MAX) {
        isCut = true;
        break;
      }
      scannedCount++;
      lastId = row.id;
      const labels = JSON.parse(row.labels) as LabelObject;
      if (!isWanted(labels)) continue;
      entries.push({
        id: row.id,
        fingerprint: row.fingerprint,
        atMs: row.atMs,
        rule: row.rule,
        group: row.groupName,
        file: row.file,
        query: row.query,
        from: row.fromState,
        to: row.toState,
        activeAtMs: row.activeAtMs,
        value: Number(row.value),
        labels,
        annotations: JSON.parse(row.annotations) as LabelObject,
        samples: row.samples === null ? null : (JSON.parse(row.samples) as SelectorSamples[]),
        deliveries: this.#deliveries(row),
      });
    }
    return { entries, nextToken: isCut ? lastId : null };
  }

  /** Null when there is none, or no longer. */
  entry(id: number): AlertHistoryEntry | null {
    return this.page({ ...EVERYTHING, id, limit: 1 }).entries[0] ?? null;
  }

  /** The newest change of an alert up to `timeMs`. */
  lastBefore(fingerprint: string, timeMs: number): AlertHistoryEntry | null {
    const request = { ...EVERYTHING, fingerprint, maxMs: timeMs, limit: 1 };
    return this.page(request).entries[0] ?? null;
  }

  /** @param active  fingerprints of the alerts that are pending or firing now */
  timelines(request: AlertTimelineRequest, active: ReadonlySet<string>): AlertTimelines {
    this.flush();
    if (this.#database === null) return { alerts: [], isCut: false };
    return readTimelines(this.#database, request, active);
  }

  /** Writes what waits. A full disk or a locked file costs these entries, nothing more. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#waiting;
    if (this.#database === null || entries.length === 0) return;
    this.#waiting = [];
    const database = this.#database;
    this.#quietly(entries.length, () => this.#write(database, entries));
  }

  #quietly(entryCount: number, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.droppedCount += entryCount;
      const fields = { entries: entryCount, err: messageOf(error) };
      this.#logger.warn('Part of the alert history could not be written', fields);
    }
  }

  #add(entry: Waiting): void {
    if (this.#waiting.length >= WAITING_COUNT_MAX) {
      this.droppedCount++;
      return;
    }
    this.#waiting.push(entry);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_EVERY_MS).unref();
  }

  #rows(request: AlertHistoryRequest): Iterable<Row> {
    const { minMs, maxMs, id, beforeId, alertName, fingerprint, states } = request;
    const conditions = ['at_ms BETWEEN ? AND ?'];
    const values: (string | number)[] = [minMs, maxMs];
    if (id !== null) {
      conditions.push('alert_event.id = ?');
      values.push(id);
    }
    if (beforeId !== null) {
      conditions.push('alert_event.id < ?');
      values.push(beforeId);
    }
    if (alertName !== '') {
      conditions.push('rule = ?');
      values.push(alertName);
    }
    if (fingerprint !== '') {
      conditions.push('fingerprint = ?');
      values.push(fingerprint);
    }
    if (states.length > 0) {
      conditions.push(`to_state IN (${states.map(() => '?').join(', ')})`);
      values.push(...states);
    }
    // Not iterated lazily: deliveries are asked for in between.
    return this.#database!.prepare(
      `SELECT alert_event.id AS id, at_ms AS atMs, rule, group_name AS groupName, file,
              text AS query, fingerprint, from_state AS fromState, to_state AS toState,
              active_at_ms AS activeAtMs, value, labels, annotations, samples
         FROM alert_event JOIN query_text ON query_text.id = query_id
        WHERE ${conditions.join(' AND ')}
        ORDER BY alert_event.id DESC
        LIMIT ?`,
    ).all(...values, rowCountMax(request)) as Row[];
  }

  #deliveries({ id }: Row): AlertHistoryPage['entries'][number]['deliveries'] {
    const rows = this.#database!.prepare(
      'SELECT at_ms AS atMs, url, error FROM alert_delivery WHERE event_id = ? ORDER BY id',
    ).all(id);
    return rows as { atMs: number; url: string; error: string | null }[];
  }

  #write(database: Database, entries: readonly Waiting[]): void {
    const addText = database.prepare('INSERT OR IGNORE INTO query_text (text) VALUES (?)');
    const addEvent = database.prepare(
      `INSERT INTO alert_event (at_ms, rule, group_name, file, query_id, fingerprint, from_state,
                                to_state, active_at_ms, value, labels, annotations, samples)
       SELECT ?, ?, ?, ?, id, ?, ?, ?, ?, ?, ?, ?, ? FROM query_text WHERE text = ?`,
    );
    // It is about the newest change to the state that was told, which may not be the newest change.
    const addDelivery = database.prepare(
      `INSERT INTO alert_delivery (at_ms, url, error, event_id)
       SELECT ?, ?, ?, max(id) FROM alert_event WHERE fingerprint = ? AND to_state = ?
       HAVING max(id) IS NOT NULL`,
    );
    database.transaction(() => {
      for (const entry of entries) {
        if (entry.kind === 'delivery') {
          const { atMs, fingerprint, url, isResolved, error } = entry.delivery;
          const state = isResolved ? 'inactive' : 'firing';
          addDelivery.run(Math.trunc(atMs), url, error, fingerprint, state);
          continue;
        }
        const { rule, group, file, query, from, to, atMs, activeAtMs, value, labels, annotations } =
          entry.transition;
        addText.run(query);
        const { lastInsertRowid } = addEvent.run(
          Math.trunc(atMs),
          rule,
          group,
          file,
          alertFingerprint(labels),
          from,
          to,
          Math.trunc(activeAtMs),
          String(value),
          JSON.stringify(labels.toObject()),
          JSON.stringify(annotations.toObject()),
          entry.samples,
          query,
        );
        entry.id = Number(lastInsertRowid);
      }
      this.#writtenSinceTrim += entries.length;
      if (this.#writtenSinceTrim >= ENTRY_COUNT_MAX / 20) this.#trimCount(database);
      this.#trimAge(database);
    })();
  }

  /** Keeps the newest entries. */
  #trimCount(database: Database): void {
    this.#writtenSinceTrim = 0;
    for (const table of ['alert_event', 'alert_delivery']) {
      database
        .prepare(`DELETE FROM ${table} WHERE id <= (SELECT max(id) FROM ${table}) - ?`)
        .run(ENTRY_COUNT_MAX);
    }
  }

  /** In pieces, so that a lot that is too old at once holds nobody up. */
  #trimAge(database: Database): void {
    const nowMs = this.#nowMs();
    if (this.#retentionMs === 0 || nowMs - this.#trimmedMs < TRIM_EVERY_MS) return;
    const oldestMs = nowMs - this.#retentionMs;
    const { changes } = database
      .prepare(
        `DELETE FROM alert_event WHERE id IN
           (SELECT id FROM alert_event WHERE at_ms < ? ORDER BY at_ms LIMIT ?)`,
      )
      .run(oldestMs, TRIM_COUNT_MAX);
    database
      .prepare(
        `DELETE FROM alert_delivery WHERE id IN
           (SELECT id FROM alert_delivery WHERE at_ms < ? ORDER BY id LIMIT ?)`,
      )
      .run(oldestMs, TRIM_COUNT_MAX);
    if (changes < TRIM_COUNT_MAX) this.#trimmedMs = nowMs;
  }
}

/** Without selectors every row is one of the answer; one more tells whether there are more. */
function rowCountMax({ limit, matcherSets }: AlertHistoryRequest): number {
  return (matcherSets.length === 0 ? limit : SCAN_COUNT_MAX) + 1;
}
