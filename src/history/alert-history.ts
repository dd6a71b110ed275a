/**
 * What became of alerts: every change of state, and who was told with which result. Entries wait in
 * memory for a moment and are written together, so that thousands of changes a minute cost one
 * transaction each half second; evaluating rules never waits for the file.
 */
import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { type Labels, type Logger, Matcher, messageOf, SILENT_LOGGER } from '../../model/index.ts';
import type { AlertHistoryPage, AlertHistoryRequest, LabelObject } from '../../web/index.ts';
import type { AlertTransition } from '../rules/index.ts';

type Delivery = {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly url: string;
  readonly isResolved: boolean;
  /** Null when it was accepted. */
  readonly error: string | null;
};
type Waiting =
  | { readonly kind: 'transition'; readonly transition: AlertTransition }
  | { readonly kind: 'delivery'; readonly delivery: Delivery };

const WRITE_EVERY_MS = 500;
/** What comes faster than this is dropped, and counted. */
const WAITING_COUNT_MAX = 20_000;
const ENTRY_COUNT_MAX = 500_000;
/** Rows that one request looks through at most; the next page goes on behind them. */
const SCAN_COUNT_MAX = 20_000;
const TOLD_COUNT_MAX = 50_000;

/** Tells one alert from another, over restarts. */
export function alertFingerprint(labels: Labels): string {
  return createHash('sha256').update(labels.key).digest('hex').slice(0, 16);
}

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
};

export class AlertHistory {
  readonly #logger: Logger;
  /** Null until the file is open, or when it cannot be used. */
  #database: Database | null = null;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writtenSinceTrim = 0;
  /** Per alert and receiver what was told last, because the same is told again and again. */
  readonly #told = new Map<string, string>();
  droppedCount = 0;

  constructor(logger: Logger = SILENT_LOGGER) {
    this.#logger = logger.with({ component: 'history' });
  }

  get isOpen(): boolean {
    return this.#database !== null;
  }

  /** From now on what waits can be written. */
  open(database: Database): void {
    this.#database = database;
    this.flush();
  }

  addTransition(transition: AlertTransition): void {
    this.#add({ kind: 'transition', transition });
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
    const sets = matcherSets.map((set) => set.map((m) => new Matcher(m.name, m.operator, m.value)));
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
      const fits = sets.some((set) => set.every((m) => m.matches(labels[m.name] ?? '')));
      if (sets.length > 0 && !fits) continue;
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
        deliveries: this.#deliveries(row),
      });
    }
    return { entries, nextToken: isCut ? lastId : null };
  }

  /** Writes what waits. A full disk or a locked file costs these entries, nothing more. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#waiting;
    if (this.#database === null || entries.length === 0) return;
    this.#waiting = [];
    try {
      this.#write(this.#database, entries);
    } catch (error) {
      this.droppedCount += entries.length;
      const fields = { entries: entries.length, err: messageOf(error) };
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
    const { minMs, maxMs, beforeId, alertName, fingerprint, states } = request;
    const conditions = ['at_ms BETWEEN ? AND ?'];
    const values: (string | number)[] = [minMs, maxMs];
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
              active_at_ms AS activeAtMs, value, labels, annotations
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
                                to_state, active_at_ms, value, labels, annotations)
       SELECT ?, ?, ?, ?, id, ?, ?, ?, ?, ?, ?, ? FROM query_text WHERE text = ?`,
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
        addEvent.run(
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
          query,
        );
      }
      this.#writtenSinceTrim += entries.length;
      if (this.#writtenSinceTrim >= ENTRY_COUNT_MAX / 20) this.#trim(database);
    })();
  }

  /** Keeps the newest entries. */
  #trim(database: Database): void {
    this.#writtenSinceTrim = 0;
    for (const table of ['alert_event', 'alert_delivery']) {
      database
        .prepare(`DELETE FROM ${table} WHERE id <= (SELECT max(id) FROM ${table}) - ?`)
        .run(ENTRY_COUNT_MAX);
    }
  }
}

/** Without selectors every row is one of the answer; one more tells whether there are more. */
function rowCountMax({ limit, matcherSets }: AlertHistoryRequest): number {
  return (matcherSets.length === 0 ? limit : SCAN_COUNT_MAX) + 1;
}
