/** Jobs in their thread: in a row they share it, one that fails takes nobody with it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Labels, SimulatedClock } from '../../../model/index.ts';
import { CompactionRunner } from '../../../src/threads/compaction-runner.ts';
import { type CompactionJob, type Db, openDb } from '../../../tsdb/index.ts';
import { until } from '../support/server.ts';
import { oneSample } from '../../tsdb/support/one-sample.ts';

let directory = '';
let db: Db;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-runner-'));
  db = openDb({ directory, clock: new SimulatedClock(0), retentionMs: 0 });
  const appender = db.appender();
  const columns = oneSample(appender.series(Labels.fromObject({ __name__: 'm' })), 1000, 1);
  appender.appendSamples(columns, new Uint8Array(1));
  appender.commit();
});
afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Names of this process's threads; none where the system does not tell. */
function threadNames(): string[] {
  const tasks = '/proc/self/task';
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks).flatMap((task) => {
    const file = `${tasks}/${task}/comm`;
    return existsSync(file) ? [readFileSync(file, 'utf8').trim()] : [];
  });
}
const compactionThreads = () => threadNames().filter((name) => name === 'compaction').length;

function headBlock(serial: number, targetDirectory = directory): CompactionJob {
  return {
    kind: 'head-block',
    targetDirectory,
    ulid: `01M7XWB9G5Q5R6HHCNJ8${String(serial).padStart(6, '0')}`,
    minMs: 0,
    endMs: 7_200_000,
    part: 'in-order',
    chunkFiles: { segmentSizeBytesMax: 2 ** 20 },
  };
}

test('jobs in a row and at once are done, and threads end by themselves', async () => {
  const runner = new CompactionRunner();
  for (const serial of [1, 2]) {
    const { meta } = await runner.run(headBlock(serial), db.shared);
    expect(meta?.stats.sampleCount).toBe(1);
    if (process.platform === 'linux') expect(compactionThreads()).toBe(1);
  }
  const results = await Promise.all([3, 4, 5].map((n) => runner.run(headBlock(n), db.shared)));
  expect(results.map(({ meta }) => meta?.stats.seriesCount)).toEqual([1, 1, 1]);
  await until('no thread is left', () => compactionThreads() === 0);
});

test('a job that fails says why, and the next one has a thread', async () => {
  const runner = new CompactionRunner();
  const merge: CompactionJob = {
    kind: 'merge-blocks',
    ulid: '01M7XWB9G5Q5R6HHCNJ8000009',
    parents: ['01M7XWB9G5Q5R6HHCNJ8000008'],
    isRewrite: false,
    keptWhenEmpty: null,
    chunkFiles: { segmentSizeBytesMax: 2 ** 20 },
  };
  await expect(runner.run(merge, db.shared)).rejects.toThrow('ENOENT');
  const { meta } = await runner.run(headBlock(1), db.shared);
  expect(meta?.stats.sampleCount).toBe(1);
});
