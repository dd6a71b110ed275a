/** What rules read and write, through a real database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  AppendOutcome,
  type Clock,
  floatHistogram,
  Labels,
  SILENT_LOGGER,
} from '../../../model/index.ts';
import { createEngine } from '../../../promql/index.ts';
import { type Db, openDb, openReader } from '../../../tsdb/index.ts';
import { appendRuleBatch } from '../../../src/threads/rule-append.ts';
import { latestColumns, vectorColumns } from '../../../src/threads/rule-answers.ts';

const NOW_MS = 1_800_000_000_000;
const clock: Clock = {
  nowMs: () => NOW_MS,
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};
const directories: string[] = [];
const databases: Db[] = [];
afterEach(async () => {
  for (const db of databases.splice(0)) await db.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function opened() {
  const directory = mkdtempSync(path.join(tmpdir(), 'narthex-rules-'));
  directories.push(directory);
  const db = openDb({ directory, clock });
  databases.push(db);
  const queryable = openReader(db.shared, { logger: SILENT_LOGGER });
  const engine = createEngine();
  const ask = (query: string, timeMs: number) =>
    vectorColumns(engine.instant({ query, timeMs, queryable })).value;
  return { db, queryable, ask };
}

const flat = (object: Record<string, string>) => Labels.fromObject(object).flat;
const A = flat({ __name__: 'r', x: 'a' });
const B = flat({ __name__: 'r', x: 'b' });
const NONE = { histograms: null, ended: [] };

test('what is written is read, floats beside histograms, until it ends', () => {
  const { db, ask } = opened();
  const histogram = floatHistogram({
    count: 3,
    sum: 4.5,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveCounts: [1, 2],
  });
  const outcomes = appendRuleBatch(db, {
    labels: [A, B],
    values: Float64Array.of(1.5, 0),
    histograms: [null, histogram],
    timestampMs: NOW_MS,
    ended: [],
  });
  expect([...outcomes]).toEqual([AppendOutcome.Ok, AppendOutcome.Ok]);
  const both = ask('r', NOW_MS);
  expect(both.labels).toEqual([A, B]);
  expect(both.values[0]).toBe(1.5);
  expect(both.histograms).toMatchObject([null, { count: 3, sum: 4.5, positiveCounts: [1, 2] }]);

  appendRuleBatch(db, {
    ...NONE,
    labels: [A],
    values: Float64Array.of(2),
    timestampMs: NOW_MS + 1000,
    ended: [B],
  });
  const one = ask('r', NOW_MS + 1000);
  expect(one).toMatchObject({ labels: [A], histograms: null });
  expect([...one.values]).toEqual([2]);
});

test('a sample that is too late is told, the others are stored', () => {
  const { db, ask } = opened();
  const batch = { ...NONE, labels: [A], values: Float64Array.of(1), timestampMs: NOW_MS };
  appendRuleBatch(db, batch);
  const outcomes = appendRuleBatch(db, {
    ...batch,
    labels: [A, B],
    values: Float64Array.of(7, 8),
    timestampMs: NOW_MS - 1000,
  });
  expect([...outcomes]).toEqual([AppendOutcome.OutOfOrder, AppendOutcome.Ok]);
  expect([...ask('r', NOW_MS).values]).toEqual([1, 8]);
});

test('a scalar is a vector of one; text and ranges are none', () => {
  const { ask } = opened();
  expect(ask('1 + 1', NOW_MS)).toMatchObject({ labels: [[]], histograms: null });
  expect(ask('1 + 1', NOW_MS).values[0]).toBe(2);
  expect(() => ask('"text"', NOW_MS)).toThrow('rule result is not a vector or scalar');
  expect(() => ask('r[1m]', NOW_MS)).toThrow('rule result is not a vector or scalar');
});

test('the newest sample of each series, markers left out', () => {
  const { db, queryable } = opened();
  const labels = [
    flat({ __name__: 'ALERTS_FOR_STATE', alertname: 'X', i: '1' }),
    flat({ __name__: 'ALERTS_FOR_STATE', alertname: 'X', i: '2' }),
  ];
  for (const [index, value] of [10, 20].entries()) {
    const values = Float64Array.of(value, value + 1);
    appendRuleBatch(db, { ...NONE, labels, values, timestampMs: NOW_MS + index * 1000 });
  }
  const end = { ...NONE, labels: [], values: new Float64Array(0), ended: [labels[0]!] };
  appendRuleBatch(db, { ...end, timestampMs: NOW_MS + 2000 });
  const equal = { __name__: 'ALERTS_FOR_STATE', alertname: 'X' };
  const found = latestColumns(queryable, { equal, minMs: NOW_MS - 1, maxMs: NOW_MS + 9000 });
  expect(found.labels).toEqual(labels);
  expect([...found.timestampsMs]).toEqual([NOW_MS + 1000, NOW_MS + 1000]);
  expect([...found.values]).toEqual([20, 21]);
  const early = latestColumns(queryable, { equal, minMs: NOW_MS - 1, maxMs: NOW_MS + 500 });
  expect([...early.values]).toEqual([10, 11]);
  const other = { equal: { ...equal, alertname: 'Y' }, minMs: 0, maxMs: NOW_MS * 2 };
  expect(latestColumns(queryable, other).labels).toEqual([]);
});
