/** What a start does with a snapshot of the head, and when one is written. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  Labels,
  type LogRecord,
  Matcher,
  Registry,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb, runCompactionJob } from '../../../tsdb/index.ts';
import type { DbOptions } from '../../../tsdb/db-options.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const STEP_MS = 1000;
const SERIES_COUNT = 40;

let files = new MemoryFiles();
let said: LogRecord[] = [];
let db: Db;

function open(options: Partial<DbOptions> = {}): Db {
  said = [];
  const logger = createLogger((record) => said.push(record), { level: 'info', nowMs: () => 0 });
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    logger,
    usesLockFile: false,
    minBlockMs: 100 * STEP_MS,
    retentionMs: 0,
    samplesPerChunk: 8,
    walSegmentSizeBytes: 32 * 1024,
    headSnapshotLogSizeBytes: 1,
    headSnapshotLogRatio: 0,
    ...options,
  });
}

beforeEach(() => {
  files = new MemoryFiles();
  db = open();
});

function append(first: number, last: number, seriesCount = SERIES_COUNT): void {
  for (let n = first; n < last; n++) {
    const appender = db.appender();
    const columns = {
      count: seriesCount,
      refs: new Float64Array(seriesCount),
      timestampsMs: new Float64Array(seriesCount).fill(n * STEP_MS),
      values: new Float64Array(seriesCount),
    };
    for (let i = 0; i < seriesCount; i++) {
      columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'n', i: `${i}` }));
      columns.values[i] = n * 1.5 + i;
    }
    expect(appender.appendSamples(columns, new Uint8Array(seriesCount))).toBe(0);
    appender.commit();
  }
}

/** All samples; each is checked. */
function sampleCount(): number {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  let count = 0;
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    for (let i = 0; i < out.count; i++) {
      expect(out.values[i]).toBe((out.timestampsMs[i]! / STEP_MS) * 1.5 + Number(labels.get('i')));
    }
    count += out.count;
  });
  querier.close();
  return count;
}

function kill(): void {
  files = files.crash('everything');
}

function snapshots(): string[] {
  return files.list('/data').filter((name) => name.includes('_snapshot.'));
}

function messages(): string[] {
  return said.map(({ message }) => message);
}

describe('after a kill', () => {
  test('only what the log has behind the snapshot is read', async () => {
    append(0, 50);
    await db.tick();
    append(50, 53);
    kill();
    // The older part of the log is not needed, then.
    const segments = files.list('/data/wal');
    const read = new Set<string>();
    const open_ = files.open.bind(files);
    files.open = (path, mode) => {
      if (mode === 'read') read.add(path.split('/').slice(-2).join('/'));
      return open_(path, mode);
    };
    db = open();
    expect(messages()).toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(53 * SERIES_COUNT);
    expect(segments.length).toBeGreaterThan(1);
    const readSegments = [...read].filter((path) => path.startsWith('wal/'));
    // The one before, to know it again; that one behind.
    expect(readSegments).toEqual([`wal/${segments.at(-2)}`, `wal/${segments.at(-1)}`]);
    append(53, 90);
    expect(sampleCount()).toBe(90 * SERIES_COUNT);
  });

  test('what was deleted stays so, and new series get new refs', async () => {
    append(0, 20);
    await db.deleteSeries(5 * STEP_MS, 9 * STEP_MS, [new Matcher('i', '=', '3')]);
    await db.tick();
    const { lastRef } = db.head;
    kill();
    db = open();
    expect(messages()).toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(20 * SERIES_COUNT - 5);
    append(20, 21, SERIES_COUNT + 1);
    expect(db.head.lastRef).toBe(lastRef + 1);
  });

  test('commits during the job are there once', async () => {
    await db.close();
    let isRunning = false;
    db = open({
      runJob: async (job, shared) => {
        isRunning = true;
        append(20, 30);
        const result = runCompactionJob(job, shared, files);
        append(30, 40);
        return result;
      },
    });
    append(0, 20);
    await db.tick();
    expect(isRunning).toBe(true);
    kill();
    db = open();
    expect(messages()).toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(40 * SERIES_COUNT);
  });

  test('a snapshot that was not finished is no snapshot', async () => {
    append(0, 20);
    await db.tick();
    kill();
    const [name] = snapshots();
    files.rename(`/data/${name}`, `/data/${name}.tmp`);
    db = open({ headSnapshotLogSizeBytes: 0 });
    expect(messages()).not.toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(20 * SERIES_COUNT);
    expect(snapshots()).toEqual([]);
  });

  test.each([
    ['a chunk file that lost its end', () => files.truncate('/data/chunks_head/000001', 8)],
    ['a log that is another one', () => files.truncate('/data/wal/00000000', 0)],
    ['a segment that is missing', (name: string) => files.remove(`/data/wal/${name}`)],
  ])('%s makes the whole log count', async (_, damage) => {
    append(0, 12);
    await db.tick();
    append(12, 20);
    kill();
    damage(files.list('/data/wal').at(-1)!);
    const registry = new Registry();
    db = open({ registry });
    const failures = registry
      .snapshot()
      .find(({ name }) => name === 'prometheus_tsdb_snapshot_replay_error_total');
    expect(failures?.samples[0]?.value).toBe(1);
    expect(messages()).toContain('Snapshot of the head not used, the log is read instead');
    // Nothing is wrong in what is left, which `sampleCount` sees to.
    expect(sampleCount()).toBeLessThanOrEqual(20 * SERIES_COUNT);
  });
});

describe('a snapshot is written', () => {
  test('when the log has grown by enough, and replaces the one before', async () => {
    await db.close();
    db = open({ headSnapshotLogSizeBytes: 100_000 });
    append(0, 20);
    await db.tick();
    expect(snapshots()).toEqual([]);
    // Incompressible enough: every value differs.
    for (let n = 20; n < 400 && snapshots().length === 0; n += 10) {
      append(n, n + 10);
      await db.tick();
    }
    const [first] = snapshots();
    expect(first).toMatch(/^head_snapshot\./);
    await db.tick();
    expect(snapshots()).toEqual([first]);
    append(400, 900);
    await db.tick();
    expect(snapshots().length).toBe(1);
    expect(snapshots()).not.toEqual([first]);
  });

  test('never when that is switched off', async () => {
    await db.close();
    db = open({ headSnapshotLogSizeBytes: 0 });
    append(0, 50);
    await db.tick();
    await db.close();
    expect(snapshots()).toEqual([]);
  });

  test('and a disk that is full is told, without harm', async () => {
    append(0, 20);
    const open_ = files.open.bind(files);
    files.open = (path, mode) => {
      if (path.includes('_snapshot.')) throw new Error('ENOSPC');
      return open_(path, mode);
    };
    await db.tick();
    expect(messages()).toContain('snapshot of the head not written');
    append(20, 30);
    expect(sampleCount()).toBe(30 * SERIES_COUNT);
  });

  test('no more when the log is damaged before it, so that the next start repairs it', async () => {
    for (let n = 0; n < 140; n += 20) {
      append(n, n + 20);
      await db.tick();
    }
    expect(snapshots().length).toBe(1);
    const oldest = files.list('/data/wal').find((name) => /^\d+$/.test(name));
    const content = files.readAll(`/data/wal/${oldest}`).slice();
    content[60]! ^= 1;
    files.put(`/data/wal/${oldest}`, content);
    append(140, 160);
    await db.tick();
    expect(messages()).toContain('compaction failed');
    expect(snapshots()).toEqual([]);
    append(160, 165);
    await db.tick();
    expect(snapshots()).toEqual([]);
    kill();
    db = open();
    expect(messages()).toContain('Corruption in the log');
    sampleCount();
  });

  test('at the end, where it is asked for', async () => {
    await db.close();
    db = open({ snapshotsAtEnd: true, headSnapshotLogSizeBytes: 0 });
    append(0, 50);
    await db.close();
    expect(snapshots()).toEqual([expect.stringMatching(/^chunk_snapshot\./)]);
    db = open({ snapshotsAtEnd: true });
    expect(messages()).toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(50 * SERIES_COUNT);
    // Without the feature nobody looks at it.
    await db.close();
    db = open();
    expect(messages()).not.toContain('Snapshot of the head loaded');
    expect(sampleCount()).toBe(50 * SERIES_COUNT);
  });
});
