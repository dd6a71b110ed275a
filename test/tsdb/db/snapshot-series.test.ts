/** A series that begins while a snapshot of the head is written is known to the log all the same. */
import { expect, test } from 'vitest';
import { Labels, SimulatedClock } from '../../../model/index.ts';
import { type Db, openDb, runCompactionJob } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { listSnapshots, removeSnapshots } from '../../../tsdb/head/snapshot-dir.ts';
import { oneSample } from '../support/one-sample.ts';

const START_MS = 1_700_000_000_000;

test('so that nothing is lost when the snapshot cannot be used', async () => {
  const files = new MemoryFiles();
  let db: Db;
  const append = (name: string, timestampMs: number, commits = true): void => {
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: name }));
    const columns = oneSample(ref, timestampMs, 1);
    appender.appendSamples(columns, new Uint8Array(1));
    if (commits) appender.commit();
    else appender.rollback();
  };
  const open = (): Db =>
    openDb({
      directory: '/data',
      clock: new SimulatedClock(START_MS),
      files,
      usesLockFile: false,
      retentionMs: 0,
      headSnapshotLogSizeBytes: 1,
      headSnapshotLogRatio: 0,
      runJob: async (job, shared) => {
        if (job.kind === 'head-snapshot') append('late', START_MS, false);
        return runCompactionJob(job, shared, files);
      },
    });
  db = open();
  append('first', START_MS);
  await db.tick();
  expect(listSnapshots(files, '/data').length).toBe(1);
  for (const timestampMs of [START_MS + 1, START_MS + 2]) {
    await db.close();
    db = open();
    append('late', timestampMs);
  }
  await db.close();
  removeSnapshots(files, '/data', () => true);
  db = open();
  const querier = db.querier(-Infinity, Infinity);
  expect(querier.labelValues('__name__', []).texts).toEqual(['first', 'late']);
  querier.close();
  expect(db.head.maxMs).toBe(START_MS + 2);
  await db.close();
});
