import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Labels, SimulatedClock } from '../../../model/index.ts';
import { startReplayReader } from '../../../src/threads/start-replay-reader.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-replay-reader-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SAMPLE_COUNT = 600_000;
const START_MS = 1_700_000_000_000;

function open(directory: string, readAhead?: SharedArrayBuffer): Db {
  return openDb({
    directory,
    clock: new SimulatedClock(START_MS),
    usesLockFile: false,
    retentionMs: 0,
    headSnapshotLogSizeBytes: 0,
    ...(readAhead === undefined ? {} : { readAhead }),
  });
}

test('a small log is read without another thread', () => {
  const directory = path.join(folder, 'small');
  expect(startReplayReader(directory)).toEqual({});
  mkdirSync(path.join(directory, 'wal'), { recursive: true });
  writeFileSync(path.join(directory, 'wal', '00000000'), Buffer.alloc(100_000));
  expect(startReplayReader(directory)).toEqual({});
});

test('a large log is read by another thread, completely', async () => {
  const directory = path.join(folder, 'large');
  const made = open(directory);
  const ref = made.appender().series(Labels.fromObject({ __name__: 'n' }));
  const columns = {
    count: SAMPLE_COUNT,
    refs: new Float64Array(SAMPLE_COUNT).fill(ref),
    timestampsMs: new Float64Array(SAMPLE_COUNT).map((_, i) => START_MS + i),
    values: new Float64Array(SAMPLE_COUNT).map((_, i) => Math.sin(i)),
  };
  const appender = made.appender();
  appender.appendSamples(columns, new Uint8Array(SAMPLE_COUNT));
  appender.commit();
  await made.close();
  const { readAhead } = startReplayReader(directory);
  expect(readAhead).toBeInstanceOf(SharedArrayBuffer);
  const db = open(directory, readAhead);
  expect([db.head.maxMs, db.head.lastRef]).toEqual([START_MS + SAMPLE_COUNT - 1, ref]);
  expect(db.head.chunkCount).toBe(made.head.chunkCount);
  await db.close();
});
