/** What the admin and status endpoints of the API get from a database, as 3.14 answers it. */
import { expect, test } from 'vitest';
import {
  Labels,
  type LogFields,
  Matcher,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const HOUR_MS = 3_600_000;
const START_MS = Math.floor(1_700_000_000_000 / (6 * HOUR_MS)) * 6 * HOUR_MS;
const ALL = new Matcher('__name__', '!=', '');

function open(logger = SILENT_LOGGER): Db {
  return openDb({
    directory: '/data',
    logger,
    clock: new SimulatedClock(START_MS),
    files: new MemoryFiles(),
    usesLockFile: false,
    retentionMs: 0,
  });
}

function write(db: Db, labels: Record<string, string>, timestampMs: number): void {
  const appender = db.appender();
  const columns = oneSample(appender.series(Labels.fromObject(labels)), timestampMs, 1);
  appender.appendSamples(columns, new Uint8Array(1));
  appender.commit();
}

function seriesCount(db: Db): number {
  const querier = db.querier(-Infinity, Infinity);
  const { labels } = querier.select([ALL], { minMs: -Infinity, maxMs: Infinity });
  querier.close();
  return labels.length;
}

test('a deletion without matchers deletes nothing', async () => {
  const db = open();
  for (const x of ['a', 'b']) write(db, { __name__: 'm', x }, START_MS);
  await db.deleteSeries(-Infinity, Infinity, []);
  expect(seriesCount(db)).toBe(2);
  await db.deleteSeries(-Infinity, Infinity, [ALL]);
  expect(seriesCount(db)).toBe(0);
  await db.close();
});

test('a block without what was deleted counts as just written', async () => {
  const db = open();
  for (let minute = 0; minute < 600; minute++) {
    for (const x of ['a', 'b']) write(db, { __name__: 'm', x }, START_MS + minute * 60_000);
  }
  await db.compact();
  const before = db.status(1).blocks;
  expect(before.map(({ compaction }) => compaction.level)).toEqual([2, 1]);
  await db.deleteSeries(START_MS, START_MS + HOUR_MS, [new Matcher('x', '=', 'a')]);
  await db.cleanTombstones();
  const [cleaned, untouched] = db.status(1).blocks;
  expect(cleaned!.compaction).toMatchObject({
    level: 1,
    sources: [cleaned!.ulid],
    parents: [{ ulid: before[0]!.ulid }],
  });
  expect(untouched).toEqual(before[1]);
  expect(cleaned!.stats.sampleCount).toBe(before[0]!.stats.sampleCount - 61);
  await db.close();
});

test('what becomes of blocks is in the log', async () => {
  const lines: { message: string; fields: LogFields }[] = [];
  const info = (message: string, fields: LogFields = {}) => lines.push({ message, fields });
  const db = open({ ...SILENT_LOGGER, info });
  const told = () => lines.splice(0).map(({ message }) => message);
  for (let minute = 0; minute < 600; minute++) {
    write(db, { __name__: 'm' }, START_MS + minute * 60_000);
  }
  told();
  await db.compact();
  const merged = lines.find(({ message }) => message === 'compact blocks')!;
  expect(merged.fields).toMatchObject({
    count: 3,
    mint: START_MS,
    maxt: START_MS + 6 * HOUR_MS,
    ulid: db.status(1).blocks[0]!.ulid,
    duration: expect.stringMatching(/^\d+\.\d{3}s$/),
  });
  const written = ['write block started', 'write block completed'];
  const deleted = Array.from({ length: 3 }, () => 'Deleting obsolete block');
  expect(told()).toEqual([
    ...Array.from({ length: 4 }, () => written).flat(),
    'compact blocks',
    ...deleted,
  ]);

  await db.deleteSeries(-Infinity, START_MS + 6 * HOUR_MS, [ALL]);
  await db.cleanTombstones();
  expect(told()).toContain('compact blocks resulted in empty block');
  await db.close();
});

test('memory of labels is what the series of Prometheus take', async () => {
  const db = open();
  // Lengths take one byte, from 255 on four. Values from a running 3.14.
  const lengths = { v254: 254, v255: 255, v300: 300, v70000: 70_000 };
  for (const [name, length] of Object.entries(lengths)) {
    write(db, { __name__: 'm', [name]: 'x'.repeat(length) }, START_MS);
  }
  write(db, { __name__: 'm', ['n'.repeat(300)]: 'x' }, START_MS);
  const found = db.status(10).memoryInBytesByLabelName;
  expect(Object.fromEntries(found.map(({ name, value }) => [name, value]))).toEqual({
    v254: 260,
    v255: 264,
    v300: 309,
    v70000: 70_011,
    ['n'.repeat(300)]: 306,
    __name__: 55,
  });
  await db.close();
});
