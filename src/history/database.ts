/**
 * `narthex.db`, beside the blocks: what the server remembers that is not a time series. Deleting
 * the file loses history and nothing else, so a damaged one is put aside and a new one begun.
 */
import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { type Logger, messageOf, NarthexError } from '../../model/index.ts';
import { MIGRATIONS } from './migrations.ts';

export const HISTORY_FILE = 'narthex.db';

class HistoryError extends NarthexError {
  readonly code = 'HISTORY';
}

/** Opens or creates the file in `directory`; gives null when neither works, which it reports. */
export function openHistory(directory: string, logger: Logger, nowMs: number): Database | null {
  const file = path.join(directory, HISTORY_FILE);
  try {
    return openFile(file);
  } catch (error) {
    if (!existsSync(file)) {
      logger.warn('No history: its file cannot be created', { file, err: messageOf(error) });
      return null;
    }
    const aside = `${file}.damaged-${nowMs}`;
    try {
      for (const suffix of ['', '-wal', '-shm']) {
        if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
      }
      const database = openFile(file);
      logger.warn('The history file cannot be used; it was put aside and a new one begun', {
        file,
        aside,
        err: messageOf(error),
      });
      return database;
    } catch (second) {
      logger.warn('No history: its file cannot be used', { file, err: messageOf(second) });
      return null;
    }
  }
}

/** For what has to work where no file can: it is forgotten with the process. */
export function openMemoryHistory(): Database {
  const database = new BetterSqlite3(':memory:');
  migrate(database);
  return database;
}

function openFile(file: string): Database {
  const database = new BetterSqlite3(file);
  try {
    database.pragma('journal_mode = WAL');
    // Losing the last seconds of history to a power cut is fine; slowing the server down is not.
    database.pragma('synchronous = NORMAL');
    database.pragma('busy_timeout = 250');
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Brings the file up to date. @throws HistoryError when it comes from a newer Narthex */
export function migrate(database: Database, steps: readonly string[] = MIGRATIONS): void {
  const seen = database.pragma('user_version', { simple: true }) as number;
  if (seen > steps.length) {
    throw new HistoryError(`written by a newer Narthex (${seen} steps, ${steps.length} known)`);
  }
  for (let step = seen; step < steps.length; step++) {
    database.transaction(() => {
      database.exec(steps[step]!);
      database.pragma(`user_version = ${step + 1}`);
    })();
  }
}
