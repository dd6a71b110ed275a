import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { type Clock, Labels, SampleBuffer } from '../../../model/index.ts';
import { type JobResult, openDb } from '../../../tsdb/index.ts';

const STEP_MS = 1000;
const RANGE_MS = 100 * STEP_MS;
const SERIES_COUNT = 50;
const COMMIT_COUNT = 2000;

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

let directory = '';
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('blocks and checkpoints are written in another thread while commits go on', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-jobs-'));
  const worker = new Worker(path.join(import.meta.dirname, 'job-worker.ts'));
  const kinds = new Set<string>();
  let isWorking = false;
  const db = openDb({
    directory,
    clock,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    outOfOrderWindowMs: RANGE_MS,
    runJob: (job, shared) =>
      new Promise<JobResult>((resolve, reject) => {
        kinds.add(job.kind);
        isWorking = true;
        worker.once('error', reject);
        worker.once('message', (result: JobResult) => {
          isWorking = false;
          worker.off('error', reject);
          resolve(result);
        });
        worker.postMessage({ job, shared }, []);
      }),
  });
  const columns = {
    count: SERIES_COUNT,
    refs: new Float64Array(SERIES_COUNT),
    timestampsMs: new Float64Array(SERIES_COUNT),
    values: new Float64Array(SERIES_COUNT),
  };
  const outcomes = new Uint8Array(SERIES_COUNT);
  let commitsMeanwhile = 0;
  let ticking: Promise<void> | null = null;
  let n = 0;
  for (; n < COMMIT_COUNT; n++) {
    const appender = db.appender();
    for (let i = 0; i < SERIES_COUNT; i++) {
      columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'm', i: `${i}` }));
      // Series 0 is late now and then.
      const lateMs = i === 0 && n % 10 === 5 ? 3.5 * STEP_MS : 0;
      columns.timestampsMs[i] = n * STEP_MS - lateMs;
      columns.values[i] = n;
    }
    expect(appender.appendSamples(columns, outcomes)).toBe(0);
    appender.commit();
    if (isWorking) commitsMeanwhile++;
    ticking ??= db.tick().then(() => void (ticking = null));
    if (n % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  }
  await (ticking ?? Promise.resolve());
  await db.compact();

  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  expect(rows.labels.length).toBe(SERIES_COUNT);
  for (let row = 0; row < SERIES_COUNT; row++) {
    rows.read(row, -Infinity, Infinity, out);
    expect(out.count).toBe(n);
    const values = [...out.values.subarray(0, out.count)].sort((a, b) => a - b);
    expect(values.every((value, i) => value === i)).toBe(true);
  }
  querier.close();
  console.info(`${n} commits, ${commitsMeanwhile} of them while a job ran; ${[...kinds].join()}`);
  expect([...kinds].sort()).toEqual(['checkpoint', 'head-block', 'merge-blocks']);
  expect(commitsMeanwhile).toBeGreaterThan(0);
  await db.close();
  await worker.terminate();
});
