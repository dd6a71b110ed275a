import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { type Clock, Labels } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';
import { oneSample } from '../support/one-sample.ts';

const SERIES_COUNT = 300;
const STEP_MS = 1000;
const RANGE_MS = 100 * STEP_MS;
const COMMIT_COUNT = 600;

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

let directory = '';
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Report = { queryCount: number; newest: number; wrong: string };

test('queries in other threads see all of a commit or nothing, while blocks are cut', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-isolation-'));
  const db = openDb({ directory, clock, minBlockMs: RANGE_MS, retentionMs: 0 });
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workers = [0, 1].map(
    () =>
      new Worker(path.join(import.meta.dirname, 'isolation-reader.ts'), {
        workerData: { shared: db.shared, stop, seriesCount: SERIES_COUNT },
      }),
  );
  const reports = workers.map(
    (worker) =>
      new Promise<Report>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', (message: Report | 'ready') => {
          if (message !== 'ready') resolve(message);
        });
      }),
  );
  await Promise.all(workers.map((worker) => new Promise((ready) => worker.once('message', ready))));

  const columns = {
    count: SERIES_COUNT,
    refs: new Float64Array(SERIES_COUNT),
    timestampsMs: new Float64Array(SERIES_COUNT),
    values: new Float64Array(SERIES_COUNT),
  };
  const outcomes = new Uint8Array(SERIES_COUNT);
  const startMs = 1_700_000_000_000;
  for (let n = 0; n < COMMIT_COUNT; n++) {
    const appender = db.appender();
    for (let i = 0; i < SERIES_COUNT; i++) {
      if (n === 0) {
        columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'steady', i: `${i}` }));
      }
      columns.timestampsMs[i] = startMs + n * STEP_MS;
      columns.values[i] = n;
    }
    // Others come and go, so that memory is given back and used again.
    const fleeting = appender.series(Labels.fromObject({ __name__: 'fleeting', n: `${n}` }));
    expect(appender.appendSamples(columns, outcomes)).toBe(0);
    appender.appendSamples(oneSample(fleeting, startMs + n * STEP_MS, 0), outcomes);
    appender.commit();
    if (n % 20 === 19) await db.tick();
  }
  Atomics.store(stop, 0, 1);
  let report = '';
  for (const { queryCount, newest, wrong } of await Promise.all(reports)) {
    report += ` ${queryCount} queries up to ${newest}`;
    expect(wrong).toBe('');
    expect(newest).toBeGreaterThan(100);
    expect(queryCount).toBeGreaterThan(20);
  }
  console.info(`${COMMIT_COUNT} commits, ${db.status(1).blocks.length} blocks,${report}`);
  // Otherwise the interesting part, the head giving away what a block holds, was not reached.
  expect(db.status(1).blocks.length).toBeGreaterThan(1);
  await db.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
});
