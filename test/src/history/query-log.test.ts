import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { createLogger, type LogRecord, SILENT_LOGGER } from '../../../model/index.ts';
import { HISTORY_FILE, migrate, openHistory } from '../../../src/history/database.ts';
import { QueryLog, type QueryLogEntry } from '../../../src/history/query-log.ts';

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-history-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function entry(changes: Partial<QueryLogEntry>): QueryLogEntry {
  const usual = { query: 'up', kind: 'instant', atMs: 1000, durationMs: 2 } as const;
  return { ...usual, samples: 10, series: 1, error: null, ...changes };
}

describe('the query log', () => {
  test('sums up what was asked, in the order that was asked for', () => {
    const log = new QueryLog(openHistory(temporaryFolder(), SILENT_LOGGER, 0)!);
    log.add(entry({ query: 'up', durationMs: 2, atMs: 1000 }));
    log.add(entry({ query: 'up', durationMs: 4, atMs: 2000 }));
    log.add(entry({ query: 'rate(x[5m])', kind: 'range', durationMs: 50, samples: 7, atMs: 1500 }));
    const order = (sortBy: 'count' | 'duration' | 'samples' | 'recent', sinceMs = 0) =>
      log.top({ sortBy, sinceMs, limit: 10 }).map(({ query }) => query);
    expect(order('count')).toEqual(['up', 'rate(x[5m])']);
    expect(order('duration')).toEqual(['rate(x[5m])', 'up']);
    expect(order('samples')).toEqual(['up', 'rate(x[5m])']);
    expect(order('recent')).toEqual(['up', 'rate(x[5m])']);
    expect(order('recent', 1600)).toEqual(['up']);
    expect(log.top({ sortBy: 'count', sinceMs: 0, limit: 1 })).toEqual([
      {
        query: 'up',
        kind: 'instant',
        count: 2,
        durationSecondsSum: 0.006,
        durationSecondsMax: 0.004,
        samplesSum: 20,
        lastMs: 2000,
      },
    ]);
    log.close();
  });

  test('survives a restart', () => {
    const folder = temporaryFolder();
    const first = new QueryLog(openHistory(folder, SILENT_LOGGER, 0)!);
    first.add(entry({}));
    first.close();
    const second = new QueryLog(openHistory(folder, SILENT_LOGGER, 0)!);
    expect(second.top({ sortBy: 'count', sinceMs: 0, limit: 0 })).toHaveLength(1);
    second.close();
  });

  test('a damaged file is put aside, said so, and begun anew', () => {
    const folder = temporaryFolder();
    writeFileSync(
      path.join(folder, HISTORY_FILE),
      'this is no database, it only looks long enough',
    );
    const records: LogRecord[] = [];
    const logger = createLogger((record) => records.push(record), {
      level: 'info',
      nowMs: () => 0,
    });
    const log = new QueryLog(openHistory(folder, logger, 77)!);
    log.add(entry({}));
    expect(log.top({ sortBy: 'count', sinceMs: 0, limit: 0 })).toHaveLength(1);
    log.close();
    expect(records.map(({ level }) => level)).toEqual(['warn']);
    expect(readdirSync(folder)).toContain(`${HISTORY_FILE}.damaged-77`);
  });

  test('a folder that cannot be written costs the history, not the start', () => {
    const missing = path.join(temporaryFolder(), 'not', 'there');
    expect(openHistory(missing, SILENT_LOGGER, 0)).toBeNull();
  });
});

describe('migrations', () => {
  test('run once each, in order, and refuse a newer file', () => {
    const database = new BetterSqlite3(':memory:');
    const steps = ['CREATE TABLE a (x) STRICT'.replace('(x)', '(x INTEGER)')];
    migrate(database, steps);
    migrate(database, [...steps, 'ALTER TABLE a ADD COLUMN y INTEGER']);
    database.exec('INSERT INTO a (x, y) VALUES (1, 2)');
    expect(database.pragma('user_version', { simple: true })).toBe(2);
    expect(() => migrate(database, steps)).toThrow('newer Narthex');
    database.close();
  });

  test('that fail leave the file as it was', () => {
    const database = new BetterSqlite3(':memory:');
    expect(() => migrate(database, ['CREATE TABLE a (x INTEGER); nonsense'])).toThrow('nonsense');
    expect(database.prepare("SELECT name FROM sqlite_master WHERE name = 'a'").all()).toEqual([]);
    database.close();
  });
});
