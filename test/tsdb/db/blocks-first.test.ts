/** Blocks can be read while the log still is; then the head comes in. */
import { expect, test } from 'vitest';
import { Labels, SampleBuffer, SimulatedClock } from '../../../model/index.ts';
import { type Db, openDb, openReader, type SharedDb } from '../../../tsdb/index.ts';
import type { DbOptions } from '../../../tsdb/db-options.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const STEP_MS = 1000;
const RANGE_MS = 20 * STEP_MS;
const STEP_COUNT = 50;
const ALL = { minMs: -Infinity, maxMs: Infinity };

const files = new MemoryFiles();

function open(options: Partial<DbOptions> = {}): Db {
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    samplesPerChunk: 8,
    ...options,
  });
}

type Answer = { readonly counts: readonly number[]; readonly warnings: readonly string[] };

function ask(reader: { querier: Db['querier'] }): Answer {
  const querier = reader.querier(ALL.minMs, ALL.maxMs);
  const rows = querier.select([], ALL);
  const out = new SampleBuffer();
  const counts = rows.labels.map((_, row) => {
    rows.read(row, ALL.minMs, ALL.maxMs, out);
    return out.count;
  });
  expect(querier.labelValues('__name__', []).warnings).toEqual(rows.warnings);
  expect(querier.labelNames([]).warnings).toEqual(rows.warnings);
  querier.close();
  return { counts, warnings: rows.warnings };
}

test('what is in blocks is answered with a warning while the log is read', async () => {
  let db = open();
  for (let n = 0; n < STEP_COUNT; n++) {
    const appender = db.appender();
    const columns = oneSample(
      appender.series(Labels.fromObject({ __name__: 'n' })),
      n * STEP_MS,
      n,
    );
    appender.appendSamples(columns, new Uint8Array(1));
    appender.commit();
  }
  await db.compact();
  const [block] = db.status(1).blocks;
  const inBlocks = RANGE_MS / STEP_MS;
  expect(block?.endMs).toBe(RANGE_MS);
  await db.close();

  const answers: Answer[] = [];
  let shared: SharedDb | null = null;
  let first: ReturnType<typeof openReader> | null = null;
  const askNow = () => {
    first ??= openReader(shared!, { files });
    answers.push(ask(first));
  };
  db = open({
    onBlocksOpen: (early) => {
      shared = early;
      askNow();
    },
    onReplayProgress: ({ log }) => {
      if (log === 'wal') askNow();
    },
  });
  expect(answers.length).toBeGreaterThan(2);
  for (const { counts, warnings } of answers) {
    expect(counts).toEqual([inBlocks]);
    expect(warnings).toEqual([expect.stringContaining('still being read from the log')]);
  }
  // The same reader, now that the head is there.
  expect(shared).toEqual(db.shared);
  expect(ask(first!)).toEqual({ counts: [STEP_COUNT], warnings: [] });
  first!.close();
  await db.close();
});

test('without blocks nobody is called', async () => {
  let isCalled = false;
  const db = open({ directory: '/empty', onBlocksOpen: () => (isCalled = true) });
  expect(isCalled).toBe(false);
  await db.close();
});
