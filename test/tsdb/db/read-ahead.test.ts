/** A log that another thread reads ahead gives the same database as one that is read on the spot. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test } from 'vitest';
import {
  createLogger,
  Labels,
  type LogRecord,
  Matcher,
  SampleBuffer,
  type SeriesRef,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, type DbOptions, openDb } from '../../../tsdb/index.ts';
import { BATCH_SIZE_BYTES } from '../../../tsdb/head/replay-batch.ts';

const START_MS = 1_700_000_000_000;
const SERIES_COUNT = 600;
const SCRAPE_COUNT = 60;
const folder = mkdtempSync(path.join(tmpdir(), 'narthex-read-ahead-db-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Opened = { readonly db: Db; readonly log: readonly LogRecord[] };

function open(directory: string, options: Partial<DbOptions> = {}): Opened {
  const log: LogRecord[] = [];
  const db = openDb({
    directory,
    clock: new SimulatedClock(START_MS + 3_600_000),
    logger: createLogger((record) => log.push(record), { level: 'debug', nowMs: () => 0 }),
    usesLockFile: false,
    retentionMs: 0,
    exemplarCountMax: 100,
    outOfOrderWindowMs: 600_000,
    samplesPerChunk: 20,
    headSnapshotLogSizeBytes: 0,
    ...options,
  });
  return { db, log };
}

/** Floats, some of them late; series that come later, exemplars, a deletion. No clean end. */
async function make(directory: string): Promise<void> {
  let { db } = open(directory);
  for (let n = 0; n < SCRAPE_COUNT; n++) {
    const count = SERIES_COUNT + n * 5;
    const appender = db.appender();
    const columns = {
      count,
      refs: new Float64Array(count),
      timestampsMs: new Float64Array(count).fill(START_MS + n * 15_000),
      values: new Float64Array(count).map((_, i) => Math.sin(i + n)),
    };
    let newest!: SeriesRef;
    for (let i = 0; i < count; i++) {
      newest = appender.series(
        Labels.fromObject({ __name__: `m${i % 7}`, instance: `host-${i % 20}`, i: `${i}` }),
      );
      columns.refs[i] = newest;
    }
    if (n % 10 === 9) columns.timestampsMs[3] = START_MS + n * 15_000 - 100_000;
    appender.appendSamples(columns, new Uint8Array(count));
    const exemplar = { labels: Labels.fromObject({ trace: `${n}` }), value: n };
    appender.appendExemplar(newest, {
      ...exemplar,
      timestampMs: START_MS + n * 15_000,
    });
    appender.commit();
    if (n % 15 !== 14) continue;
    // Each start begins a segment of the log.
    await db.close();
    ({ db } = open(directory));
  }
  const matcher = new Matcher('__name__', '=', 'm3');
  await db.deleteSeries(START_MS + 60_000, START_MS + 120_000, [matcher]);
  // Copied while open, as a kill would leave it.
  cpSync(directory, `${directory}-killed`, { recursive: true });
  await db.close();
}

/** All that a reader can see. */
function contentOf({ db }: Opened): unknown {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const series = rows.labels.map((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    const times = [...out.timestampsMs.subarray(0, out.count)];
    return [labels.toString(), times, [...out.values.subarray(0, out.count)]] as const;
  });
  querier.close();
  const exemplars = db.exemplars(-Infinity, Infinity, [[new Matcher('__name__', '=~', '.+')]]);
  return { series, exemplars, chunkCount: db.head.chunkCount, lastRef: db.head.lastRef };
}

async function compare(directory: string): Promise<readonly LogRecord[]> {
  const near = `${directory}-near`;
  const far = `${directory}-far`;
  for (const copy of [near, far]) cpSync(directory, copy, { recursive: true });
  const expected = open(near);
  const memory = new SharedArrayBuffer(64 + 3 * BATCH_SIZE_BYTES);
  const worker = new Worker(path.join(import.meta.dirname, '../head/read-ahead-worker.ts'), {
    workerData: { memory },
  });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  try {
    const found = open(far, { readAhead: memory });
    expect(contentOf(found)).toEqual(contentOf(expected));
    const told = ({ log }: Opened) =>
      log.filter(({ level }) => level !== 'info' && level !== 'debug');
    const text = JSON.stringify(told(found)).replaceAll(far, near);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(told(expected))));
    // It has no more to do.
    expect(await ended).toBe(0);
    const files = (at: string) =>
      readdirSync(`${at}/wal`).map((name) => [name, readFileSync(`${at}/wal/${name}`).length]);
    expect(files(far)).toEqual(files(near));
    await found.db.close();
    return told(expected);
  } finally {
    await worker.terminate();
    await expected.db.close();
  }
}

describe('a log that another thread reads', async () => {
  const directory = path.join(folder, 'data');
  await make(directory);
  const killed = `${directory}-killed`;
  const segmentCount = readdirSync(`${killed}/wal`).length;

  test('gives the same database', async () => {
    expect(segmentCount).toBeGreaterThan(3);
    expect(await compare(killed)).toEqual([]);
  });

  test.each([1, 2, 3])('is cut at the same place when it is damaged (%i)', async (segment) => {
    const damaged = `${directory}-damaged-${segment}`;
    cpSync(killed, damaged, { recursive: true });
    const file = `${damaged}/wal/${String(segment).padStart(8, '0')}`;
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2) + 100]! ^= 0x10;
    writeFileSync(file, bytes);
    const told = await compare(damaged);
    expect(told.map(({ message }) => message)).toContain('Corruption in the log');
  });
});
