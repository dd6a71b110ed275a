/** Series that ended leave the head before the rest of it is cut into a block. */
import { beforeEach, expect, test } from 'vitest';
import {
  Labels,
  Matcher,
  Registry,
  SampleBuffer,
  SimulatedClock,
  writeStaleNaN,
} from '../../../model/index.ts';
import { type Db, openDb, runCompactionJob } from '../../../tsdb/index.ts';
import type { DbOptions } from '../../../tsdb/db-options.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const STEP_MS = 1000;
const RANGE_MS = 100 * STEP_MS;
const START_MS = 1_700_000_000_000;

let files = new MemoryFiles();
let registry = new Registry();
let db: Db;

function open(options: Partial<DbOptions> = {}): Db {
  registry = new Registry();
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(START_MS),
    files,
    registry,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    samplesPerChunk: 8,
    staleCompactionThreshold: 0.5,
    ...options,
  });
}

beforeEach(() => {
  files = new MemoryFiles();
  db = open();
});

/** Step `n` of series `i`; a stale marker instead of a value when `ends`. */
function append(i: number, n: number, ends = false): number {
  const appender = db.appender();
  const values = Float64Array.of(n + i);
  if (ends) writeStaleNaN(values, 0);
  const columns = {
    count: 1,
    refs: Float64Array.of(appender.series(Labels.fromObject({ __name__: 'm', i: `${i}` }))),
    timestampsMs: Float64Array.of(START_MS + n * STEP_MS),
    values,
  };
  const outcomes = new Uint8Array(1);
  appender.appendSamples(columns, outcomes);
  appender.commit();
  return outcomes[0]!;
}

/** Four series, of which `staleCount` end at step 20. */
function fill(staleCount: number): void {
  for (let n = 0; n < 25; n++) {
    for (let i = 0; i < 4; i++) {
      if (i >= staleCount || n < 20) append(i, n);
      else if (n === 20) append(i, n, true);
    }
  }
}

function counts(): Record<string, number> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const counted: Record<string, number> = {};
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    counted[labels.get('i')] = out.count;
  });
  querier.close();
  return counted;
}

function hints(): string[][] {
  return db.status(1).blocks.map(({ ulid }) => {
    const text = new TextDecoder().decode(files.readAll(`/data/${ulid}/meta.json`));
    return (JSON.parse(text) as { compaction: { hints?: string[] } }).compaction.hints ?? [];
  });
}

test('they go into a block that says so, and out of the head', async () => {
  fill(2);
  expect(db.head.series.count).toBe(4);
  await db.tick();
  expect(db.head.series.count).toBe(2);
  expect(db.head.writer.staleCount).toBe(0);
  expect(hints()).toEqual([['from-stale-series']]);
  expect(counts()).toEqual({ 0: 21, 1: 21, 2: 25, 3: 25 });
  const triggered = registry
    .snapshot()
    .find(({ name }) => name === 'prometheus_tsdb_stale_series_compactions_triggered_total');
  expect(triggered?.samples[0]?.value).toBe(1);
});

test('not while there are fewer than the threshold says, nor without one', async () => {
  fill(1);
  await db.tick();
  expect(hints()).toEqual([]);
  db.configure({ staleCompactionThreshold: 0 });
  for (let i = 1; i < 4; i++) append(i, 30, true);
  await db.tick();
  expect(hints()).toEqual([]);
  db.configure({ staleCompactionThreshold: 0.9 });
  await db.tick();
  expect(hints()).toEqual([['from-stale-series']]);
  expect(db.head.series.count).toBe(0);
});

test('not when the head is about to be cut anyway', async () => {
  fill(2);
  append(3, 145);
  await db.tick();
  expect(hints()).toEqual([]);
});

test('one that comes back is a new series, and all of it can be read', async () => {
  fill(2);
  await db.tick();
  expect(append(0, 40)).toBe(0);
  expect(counts()).toMatchObject({ 0: 22 });
  files = files.crash('everything');
  db = open({ staleCompactionThreshold: 0 });
  expect(counts()).toEqual({ 0: 22, 1: 21, 2: 25, 3: 25 });
  expect(append(0, 41)).toBe(0);
  expect(counts()).toMatchObject({ 0: 23 });
});

test('one that comes back at the time at which it ended is read in order after a kill', async () => {
  fill(2);
  await db.tick();
  for (let n = 20; n < 40; n++) expect(append(0, n)).toBe(0);
  db.head.flushChunks();
  files = files.crash('everything');
  db = open({ staleCompactionThreshold: 0 });
  // In the log the end of the first life comes before the chunks of the second are found.
  const querier = db.querier(START_MS + 15 * STEP_MS, Infinity);
  const rows = querier.select([new Matcher('i', '=', '0')], { minMs: 0, maxMs: Infinity });
  const out = new SampleBuffer();
  rows.read(0, START_MS + 15 * STEP_MS, Infinity, out);
  querier.close();
  const steps = Array.from(
    out.timestampsMs.subarray(0, out.count),
    (t) => (t - START_MS) / STEP_MS,
  );
  expect(steps).toEqual(Array.from({ length: 25 }, (_, i) => 15 + i));
});

test('one that goes on while the block is written stays in the head', async () => {
  await db.close();
  db = open({
    runJob: async (job, shared) => {
      const result = runCompactionJob(job, shared, files);
      if (job.kind === 'head-block') append(0, 30);
      return result;
    },
  });
  fill(2);
  await db.tick();
  expect(db.head.series.count).toBe(3);
  expect(counts()).toEqual({ 0: 22, 1: 21, 2: 25, 3: 25 });
});

test('what is deleted afterwards stays so, whatever is read at the next start', async () => {
  fill(2);
  await db.tick();
  await db.deleteSeries(START_MS, START_MS + 9 * STEP_MS, [new Matcher('i', '=', '1')]);
  expect(counts()).toMatchObject({ 1: 11 });
  files = files.crash('everything');
  db = open({ staleCompactionThreshold: 0 });
  expect(counts()).toEqual({ 0: 21, 1: 11, 2: 25, 3: 25 });
});

/** Series 0 to 2; the first two end, and only the second of them has samples in two block ranges. */
function fillTwoRanges(): void {
  // Known before it has any.
  const appender = db.appender();
  appender.series(Labels.fromObject({ __name__: 'm', i: '0' }));
  appender.commit();
  for (let n = 80; n < 125; n++) {
    if (n >= 105 && n <= 110) append(0, n, n === 110);
    if (n <= 110) append(1, n, n === 110);
    append(2, n);
  }
}

function blockNames(): string[] {
  return files.list('/data').filter((name) => /^[0-9A-Z]{26}$/.test(name));
}

test('each is in the blocks of the ranges in which it has samples', async () => {
  fillTwoRanges();
  await db.tick();
  expect(hints()).toEqual([['from-stale-series'], ['from-stale-series']]);
  expect(db.head.series.count).toBe(1);
  expect(counts()).toEqual({ 0: 6, 1: 31, 2: 45 });
});

test('when one of the blocks cannot be written there is none, and the series stay', async () => {
  await db.close();
  let isBroken = true;
  db = open({
    runJob: async (job, shared) => {
      if (isBroken && job.kind === 'head-block' && job.minMs > START_MS) throw new Error('full');
      return runCompactionJob(job, shared, files);
    },
  });
  fillTwoRanges();
  await db.tick();
  expect(blockNames()).toEqual([]);
  expect(db.head.series.count).toBe(3);
  isBroken = false;
  await db.deleteSeries(START_MS, START_MS + 99 * STEP_MS, [new Matcher('i', '=', '1')]);
  db.configure({ staleCompactionThreshold: 0 });
  files = files.crash('everything');
  db = open();
  await db.tick();
  expect(blockNames().length).toBe(1);
  expect(counts()).toEqual({ 0: 6, 1: 11, 2: 45 });
});

test('what is deleted is deleted from a block whose job failed after it was written', async () => {
  await db.close();
  db = open({
    runJob: async (job, shared) => {
      runCompactionJob(job, shared, files);
      throw new Error('gone');
    },
  });
  fill(2);
  await db.tick();
  expect(blockNames().length).toBe(1);
  await db.deleteSeries(START_MS, START_MS + 9 * STEP_MS, [new Matcher('i', '=', '1')]);
  expect(counts()).toEqual({ 0: 21, 1: 11, 2: 25, 3: 25 });
  files = files.crash('everything');
  db = open({ staleCompactionThreshold: 0 });
  expect(counts()).toEqual({ 0: 21, 1: 11, 2: 25, 3: 25 });
});

test('nor does it come back with a block that was written anew by a job that failed then', async () => {
  await db.close();
  db = open({
    runJob: async (job, shared) => {
      const result = runCompactionJob(job, shared, files);
      if (job.kind === 'merge-blocks') throw new Error('gone');
      return result;
    },
  });
  for (let n = 0; n < 180; n++) for (let i = 0; i < 2; i++) append(i, n);
  await db.compact();
  await db.deleteSeries(START_MS, START_MS + 9 * STEP_MS, [new Matcher('i', '=', '1')]);
  await expect(db.cleanTombstones()).rejects.toThrow('gone');
  expect(blockNames().length).toBe(2);
  await db.deleteSeries(START_MS, START_MS + 9 * STEP_MS, [new Matcher('i', '=', '0')]);
  expect(counts()).toEqual({ 0: 170, 1: 170 });
  files = files.crash('everything');
  db = open();
  expect(blockNames().length).toBe(1);
  expect(counts()).toEqual({ 0: 170, 1: 170 });
});
