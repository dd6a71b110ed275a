/**
 * What a database is with everything hard removed: three tables in SQLite. A sample is a text
 * (the bits of a float, the content of a histogram), and where two may count (the same time said
 * twice, a late sample where something was deleted) both are in the table.
 */
import BetterSqlite3, { type Database, type Statement } from 'better-sqlite3';

export type Range = { readonly minMs: number; readonly maxMs: number };
/** A difference between what was found and what must be. */
export type Difference = {
  readonly series: number;
  readonly timestampMs: number;
  readonly value: string;
  readonly problem: 'invented' | 'missing' | 'out of order' | 'unexpected series';
};

/** A possible value of its own: the sample need not be there. */
export const ABSENT = 'absent';

const SCHEMA = `
  CREATE TABLE sample (series INT, t INT, value TEXT, PRIMARY KEY (series, t, value)) WITHOUT ROWID;
  CREATE TABLE held (series INT, t INT, value TEXT, PRIMARY KEY (series, t, value)) WITHOUT ROWID;
  CREATE TABLE deletion (series INT, min_ms INT, max_ms INT);
  CREATE TABLE found (series INT, t INT, value TEXT);
  CREATE INDEX found_sample ON found (series, t);
  CREATE TABLE wanted (series INT PRIMARY KEY);
`;
/** Milliseconds that stand for no limit; SQLite has no infinite integers. */
const NO_LIMIT_MS = 2 ** 52;

export class SampleStore {
  readonly #db: Database = new BetterSqlite3(':memory:');
  readonly #statements = new Map<string, Statement>();

  constructor() {
    this.#db.exec(SCHEMA);
  }

  /** A committed sample; where something was deleted before it may count as deleted or not. */
  add(series: number, timestampMs: number, value: string): void {
    const insert = this.#prepare('INSERT OR IGNORE INTO sample VALUES (?, ?, ?)');
    insert.run(series, timestampMs, value);
    this.#prepare(
      `INSERT OR IGNORE INTO sample SELECT ?, ?, '${ABSENT}' WHERE EXISTS
           (SELECT 1 FROM deletion WHERE series = ? AND ? BETWEEN min_ms AND max_ms)`,
    ).run(series, timestampMs, series, timestampMs);
  }

  delete(series: readonly number[], { minMs, maxMs }: Range): void {
    for (const one of series) {
      this.#prepare('INSERT INTO deletion VALUES (?, ?, ?)').run(one, minMs, maxMs);
      this.#prepare('DELETE FROM sample WHERE series = ? AND t BETWEEN ? AND ?').run(
        one,
        minMs,
        maxMs,
      );
    }
  }

  /** From now on the sample there need not be there. */
  doubt(series: number, timestampMs: number): void {
    this.#prepare(`INSERT OR IGNORE INTO sample VALUES (?, ?, '${ABSENT}')`).run(
      series,
      timestampMs,
    );
  }

  /** The same for all samples of these series in a range. */
  doubtRange(series: readonly number[], { minMs, maxMs }: Range): void {
    const statement = this.#prepare(
      `INSERT OR IGNORE INTO sample
         SELECT series, t, '${ABSENT}' FROM sample WHERE series = ? AND t BETWEEN ? AND ?`,
    );
    for (const one of series) statement.run(one, minMs, maxMs);
  }

  /** The sample that was in doubt must be there after all. */
  trust(series: number, timestampMs: number): void {
    this.#prepare(`DELETE FROM sample WHERE series = ? AND t = ? AND value = '${ABSENT}'`).run(
      series,
      timestampMs,
    );
  }

  /** Remembers the content as it is now, for a query that was opened now. */
  hold(): void {
    this.#db.exec('DELETE FROM held; INSERT INTO held SELECT * FROM sample');
  }

  /** Series that certainly have a sample in the range. */
  seriesWithin({ minMs, maxMs }: Range): number[] {
    return this.#prepare(
      `SELECT DISTINCT series FROM sample WHERE t BETWEEN ? AND ? AND NOT EXISTS (SELECT 1
           FROM sample o WHERE o.series = sample.series AND o.t = sample.t AND o.value = '${ABSENT}')`,
    )
      .pluck()
      .all(limited(minMs), limited(maxMs)) as number[];
  }

  /** Compares rows that a query gave with what these series hold. */
  differences(
    found: readonly { series: number; timestampMs: number; value: string }[],
    series: readonly number[],
    { minMs, maxMs }: Range,
    isHeld = false,
  ): Difference[] {
    const db = this.#db;
    const truth = isHeld ? 'held' : 'sample';
    db.exec('DELETE FROM found; DELETE FROM wanted');
    const wants = this.#prepare('INSERT INTO wanted VALUES (?)');
    const finds = this.#prepare('INSERT INTO found VALUES (?, ?, ?)');
    db.transaction(() => {
      for (const one of series) wants.run(one);
      for (const row of found) finds.run(row.series, row.timestampMs, row.value);
    })();
    return this.#prepare(
      `SELECT series, t AS timestampMs, value, 'invented' AS problem FROM found
           WHERE NOT EXISTS (SELECT 1 FROM ${truth} s
             WHERE s.series = found.series AND s.t = found.t AND s.value = found.value)
         UNION ALL
         SELECT series, t, min(value), 'missing' FROM ${truth} s
           WHERE t BETWEEN ? AND ? AND series IN (SELECT series FROM wanted)
             AND NOT EXISTS (SELECT 1 FROM found f WHERE f.series = s.series AND f.t = s.t)
           GROUP BY series, t HAVING sum(value = '${ABSENT}') = 0
         UNION ALL
         SELECT series, t, value, 'out of order' FROM (SELECT *,
             lag(t) OVER (PARTITION BY series ORDER BY rowid) AS before FROM found)
           WHERE t <= before
         UNION ALL
         SELECT series, t, value, 'unexpected series' FROM found
           WHERE series NOT IN (SELECT series FROM wanted)
         LIMIT 5`,
    ).all(limited(minMs), limited(maxMs)) as Difference[];
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  close(): void {
    this.#db.close();
  }
}

function limited(timestampMs: number): number {
  return Math.max(-NO_LIMIT_MS, Math.min(NO_LIMIT_MS, timestampMs));
}
