/** What receivers believe, in SQLite: see migration 4 of the history. */
import type { Database } from 'better-sqlite3';
import type { GroupStore, StoredGroup } from './alert-groups.ts';

export function sqliteGroupStore(database: Database): GroupStore {
  return {
    load(receiver) {
      const rows = database
        .prepare('SELECT state FROM notify_group WHERE receiver = ?')
        .all(receiver) as { state: string }[];
      return rows.map(({ state }) => JSON.parse(state) as StoredGroup);
    },
    save(receiver, group) {
      database
        .prepare('INSERT OR REPLACE INTO notify_group (receiver, key, state) VALUES (?, ?, ?)')
        .run(receiver, group.key, JSON.stringify(group));
    },
    remove(receiver, key) {
      database
        .prepare('DELETE FROM notify_group WHERE receiver = ? AND key = ?')
        .run(receiver, key);
    },
  };
}
