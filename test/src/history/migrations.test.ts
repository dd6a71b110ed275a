import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../../src/history/migrations.ts';

test('every reference to another table has an index, or deleting there reads all of this one', () => {
  const database = new Database(':memory:');
  for (const step of MIGRATIONS) database.exec(step);
  const tables = database
    .prepare<[], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
    .all();
  const references: string[] = [];
  const indexed = new Set<string>();
  for (const { name } of tables) {
    const keys = database.pragma(`foreign_key_list(${name})`) as { from: string }[];
    for (const { from } of keys) references.push(`${name}.${from}`);
    for (const index of database.pragma(`index_list(${name})`) as { name: string }[]) {
      const [first] = database.pragma(`index_info(${index.name})`) as { name: string }[];
      indexed.add(`${name}.${first!.name}`);
    }
  }
  expect(references).toContain('query_log.text_id');
  expect(references.filter((reference) => !indexed.has(reference))).toEqual([]);
  database.close();
});
