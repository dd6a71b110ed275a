/**
 * Which queries were asked and what they cost. Entries wait in memory and are written together,
 * now and then; a query never waits for the file.
 */
import type { Database } from 'better-sqlite3';
import type { TopQuery } from '../../web/index.ts';

export type QueryLogEntry = {
  readonly query: string;
  readonly kind: 'instant' | 'range';
  readonly atMs: number;
  readonly durationMs: number;
  readonly samples: number;
  readonly series: number;
  /** Null when it was answered. */
  readonly error: string | null;
};

export type TopRequest = {
  readonly sortBy: 'count' | 'duration' | 'samples' | 'recent';
  readonly sinceMs: number;
  readonly limit: number;
};

const WRITE_EVERY_MS = 2000;
/** What comes faster than this is not written: history is not worth the memory. */
const WAITING_COUNT_MAX = 5000;
const ENTRY_COUNT_MAX = 200_000;
const QUERY_LENGTH_MAX = 10_000;

const ORDER: Readonly<Record<TopRequest['sortBy'], string>> = {
  count: 'count(*)',
  duration: 'sum(duration_ms)',
  samples: 'sum(samples)',
  recent: 'max(at_ms)',
};

export class QueryLog {
  readonly #database: Database;
  #waiting: QueryLogEntry[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writtenSinceTrim = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  add(entry: QueryLogEntry): void {
    if (this.#waiting.length >= WAITING_COUNT_MAX || entry.query.length > QUERY_LENGTH_MAX) return;
    this.#waiting.push(entry);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_EVERY_MS).unref();
  }

  /** Writes what waits. A full disk or a locked file costs these entries, nothing more. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#waiting;
    this.#waiting = [];
    if (entries.length === 0) return;
    try {
      this.#write(entries);
    } catch {
      // Nobody who asks a query cares, and the next batch may succeed.
    }
  }

  top({ sortBy, sinceMs, limit }: TopRequest): TopQuery[] {
    this.flush();
    const rows = this.#database
      .prepare(
        `SELECT text, kind, count(*) AS count,
                sum(duration_ms) / 1000 AS durationSecondsSum,
                max(duration_ms) / 1000 AS durationSecondsMax,
                sum(samples) AS samplesSum, max(at_ms) AS lastMs
           FROM query_log JOIN query_text ON id = text_id
          WHERE at_ms >= ?
          GROUP BY text_id, kind
          ORDER BY ${ORDER[sortBy]} DESC, text
          LIMIT ?`,
      )
      .all(sinceMs, limit <= 0 ? -1 : limit) as (Omit<TopQuery, 'query'> & { text: string })[];
    return rows.map(({ text, ...figures }) => ({ query: text, ...figures }));
  }

  close(): void {
    this.flush();
    this.#database.close();
  }

  #write(entries: readonly QueryLogEntry[]): void {
    const addText = this.#database.prepare('INSERT OR IGNORE INTO query_text (text) VALUES (?)');
    const addEntry = this.#database.prepare(
      `INSERT INTO query_log (at_ms, text_id, kind, duration_ms, samples, series, error)
       SELECT ?, id, ?, ?, ?, ?, ? FROM query_text WHERE text = ?`,
    );
    this.#database.transaction(() => {
      for (const { query, kind, atMs, durationMs, samples, series, error } of entries) {
        addText.run(query);
        addEntry.run(Math.trunc(atMs), kind, durationMs, samples, series, error, query);
      }
      this.#writtenSinceTrim += entries.length;
      if (this.#writtenSinceTrim >= ENTRY_COUNT_MAX / 20) this.#trim();
    })();
  }

  /** Keeps the newest entries. */
  #trim(): void {
    this.#writtenSinceTrim = 0;
    this.#database
      .prepare(
        `DELETE FROM query_log WHERE rowid <=
           (SELECT max(rowid) FROM query_log) - ?`,
      )
      .run(ENTRY_COUNT_MAX);
    this.#database.exec(
      `DELETE FROM query_text WHERE id NOT IN (SELECT text_id FROM query_log)
                                AND id NOT IN (SELECT query_id FROM alert_event)`,
    );
  }
}
