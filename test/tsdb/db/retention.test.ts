/** Which blocks go, by age, by size and by share of the device; and what waits before it is merged. */
import { describe, expect, test } from 'vitest';
import {
  createLogger,
  Labels,
  type LogRecord,
  NO_SERIES,
  Registry,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, type DbOptions, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { beyondSize, beyondTime } from '../../../tsdb/retention.ts';
import { oneSample } from '../support/one-sample.ts';

const RANGE_MS = 60_000;

function open(files: MemoryFiles, extra: Partial<DbOptions> = {}): Db {
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    maxBlockMs: RANGE_MS * 3,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    ...extra,
  });
}

function commit(db: Db, timestampMs: number, name = 'n'): boolean {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject({ __name__: name }));
  const columns = oneSample(ref, timestampMs, 1);
  const refused = appender.appendSamples(columns, new Uint8Array(1));
  appender.commit();
  return refused === 0;
}

function write(db: Db, fromMs: number, toMs: number): void {
  for (let timestampMs = fromMs; timestampMs < toMs; timestampMs += 1000) commit(db, timestampMs);
}

function blockTimes(db: Db): [number, number][] {
  return db.status(1).blocks.map(({ minMs, endMs }) => [minMs / RANGE_MS, endMs / RANGE_MS]);
}

function block(endMs: number, sizeBytes: number) {
  const compaction = {
    level: 1,
    sources: [],
    parents: [],
    deletable: false,
    failed: false,
    hints: [],
  };
  const stats = {
    sampleCount: 1,
    floatSampleCount: 1,
    histogramSampleCount: 0,
    seriesCount: 1,
    chunkCount: 1,
    tombstoneCount: 0,
  };
  return { meta: { ulid: `${endMs}`, minMs: endMs - 10, endMs, stats, compaction }, sizeBytes };
}

describe('blocks that are', () => {
  const blocks = [block(100, 10), block(200, 20), block(300, 30)];
  const ends = (some: readonly ReturnType<typeof block>[]) => some.map(({ meta }) => meta.endMs);

  test('too old are those that ended the retention before the newest one, or earlier', () => {
    expect(ends(beyondTime(blocks, 200))).toEqual([100]);
    expect(ends(beyondTime(blocks, 201))).toEqual([]);
    expect(ends(beyondTime(blocks, 100))).toEqual([100, 200]);
    expect(beyondTime(blocks, 0)).toEqual([]);
    expect(beyondTime([], 10)).toEqual([]);
  });

  test('too many are the oldest, and all before the first that does not fit', () => {
    expect(ends(beyondSize(blocks, 5, 65))).toEqual([]);
    expect(ends(beyondSize(blocks, 5, 64))).toEqual([100]);
    expect(new Set(ends(beyondSize(blocks, 5, 40)))).toEqual(new Set([100, 200]));
    expect(ends(beyondSize(blocks, 100, 50)).length).toBe(3);
    expect(beyondSize(blocks, 100, 0)).toEqual([]);
  });
});

describe('a database', () => {
  test('drops whole blocks by time, also when the time changes while it runs', async () => {
    const db = open(new MemoryFiles());
    write(db, 0, RANGE_MS * 8);
    await db.compact();
    const all = blockTimes(db);
    expect(all.at(-1)![1]).toBe(7);
    db.configure({ retentionMs: RANGE_MS });
    await db.tick();
    expect(blockTimes(db)).toEqual(all.slice(-1));
    await db.close();
  });

  test('drops the oldest blocks by size and by percentage of the device', async () => {
    const files = new MemoryFiles();
    files.deviceBytes = 1_000_000;
    const registry = new Registry();
    const db = open(files, { registry });
    write(db, 0, RANGE_MS * 8);
    await db.compact();
    const all = blockTimes(db);
    expect(all.length).toBeGreaterThan(2);
    const metric = (name: string) =>
      registry.snapshot().find((family) => family.name === name)?.samples[0]?.value;
    const usedBytes =
      metric('prometheus_tsdb_storage_blocks_bytes')! +
      metric('prometheus_tsdb_wal_storage_size_bytes')! +
      metric('prometheus_tsdb_head_chunks_storage_size_bytes')!;
    // So that one byte is missing for all of them.
    files.deviceBytes = usedBytes * 4 - 4;
    db.configure({ retentionPercentage: 25 });
    expect(metric('prometheus_tsdb_retention_limit_bytes')).toBe(usedBytes - 1);
    expect(metric('prometheus_tsdb_retention_limit_percentage')).toBe(25);
    await db.tick();
    expect(blockTimes(db)).toEqual(all.slice(1));
    expect(metric('prometheus_tsdb_size_retentions_total')).toBe(1);
    // Volumes grow, and of both limits the smaller holds.
    files.deviceBytes = 1e12;
    db.configure({ retentionSizeBytes: 1 });
    expect(metric('prometheus_tsdb_retention_limit_bytes')).toBe(1);
    await db.close();
  });

  test('puts off cutting the head by a random part of the range, once', async () => {
    const clock = new SimulatedClock(0);
    const extra = { clock, compactionDelayPercent: 10, random: () => 0.5 };
    const db = open(new MemoryFiles(), extra);
    write(db, 0, RANGE_MS * 4);
    await db.tick();
    expect(blockTimes(db)).toEqual([]);
    await clock.advance(RANGE_MS * 0.05 - 1);
    await db.tick();
    expect(blockTimes(db)).toEqual([]);
    await clock.advance(1);
    await db.tick();
    expect(blockTimes(db).at(-1)![1]).toBe(3);
    await db.close();
  });

  test('cuts at once when it is told to', async () => {
    const db = open(new MemoryFiles(), { compactionDelayPercent: 10, random: () => 0.99 });
    write(db, 0, RANGE_MS * 4);
    await db.compact();
    expect(blockTimes(db).length).toBeGreaterThan(0);
    await db.close();
  });

  test('merges first-level blocks only when they were uploaded', async () => {
    const files = new MemoryFiles();
    const db = open(files, { delayCompactFile: '/thanos.shipper.json' });
    write(db, 0, RANGE_MS * 8);
    await db.compact();
    const levels = () => db.status(1).blocks.map(({ compaction }) => compaction.level);
    expect(levels()).toEqual([1, 1, 1, 1, 1, 1, 1]);
    const uploaded = db.status(1).blocks.slice(0, 4);
    const list = { version: 1, uploaded: uploaded.map(({ ulid }) => ulid) };
    files.put('/thanos.shipper.json', new TextEncoder().encode(JSON.stringify(list)));
    await db.compact();
    expect(levels()).toEqual([2, 1, 1, 1, 1]);
    files.put('/thanos.shipper.json', new TextEncoder().encode('{"uploaded": 3}'));
    await db.compact();
    expect(levels()).toEqual([2, 1, 1, 1, 1]);
    await db.close();
  });

  test('names the loudest metric and label when it refuses series, and lets others flow', async () => {
    const said: LogRecord[] = [];
    const clock = new SimulatedClock(0);
    const registry = new Registry();
    const db = open(new MemoryFiles(), {
      clock,
      registry,
      logger: createLogger((record) => said.push(record), { level: 'warn', nowMs: () => 0 }),
      headMemoryLimitBytes: 1024 * 1024,
    });
    expect(commit(db, 1000)).toBe(true);
    let takenCount = 0;
    let refusedCount = 0;
    // Tables that grew leave room behind when they are given back, so it takes several commits.
    for (let round = 0; round < 20; round++) {
      const appender = db.appender();
      for (;;) {
        const labels = Labels.fromObject({ __name__: 'loud', id: `${takenCount}` });
        if (appender.series(labels) === NO_SERIES) break;
        takenCount++;
        expect(takenCount).toBeLessThan(100_000);
      }
      refusedCount++;
      appender.commit();
    }
    expect(commit(db, 2000, 'new')).toBe(false);
    expect(commit(db, 2000)).toBe(true);
    await db.tick();
    await db.tick();
    expect(said.length).toBe(1);
    expect(said[0]!.fields).toMatchObject({
      reason: 'memory_limit',
      refused: refusedCount + 1,
      metric: 'loud',
      metric_series: takenCount,
      label: 'id',
      label_values: takenCount,
    });
    const sample = (name: string) =>
      registry.snapshot().find((family) => family.name === name)?.samples[0];
    expect(sample('narthex_tsdb_head_series_refused_total')?.value).toBe(refusedCount + 1);
    expect(sample('narthex_tsdb_head_loudest_metric_series')?.value).toBe(takenCount);
    const { head, loudest } = db.status(1);
    expect(head.refusedSeriesCount).toEqual({ memory_limit: refusedCount + 1, reference_limit: 0 });
    expect(loudest).toEqual({
      metric: { name: 'loud', value: takenCount },
      label: { name: 'id', value: takenCount },
    });
    expect(commit(db, 3000, 'newer')).toBe(false);
    await clock.advance(60_000);
    await db.tick();
    expect(said.length).toBe(2);
    await db.close();
  });
});
