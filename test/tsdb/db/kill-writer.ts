/**
 * The process that kill.crash.test.ts kills: commits sample number n to every series, n being its
 * value, and says so on standard output, for ever.
 */
import { writeSync } from 'node:fs';
import { type Clock, Labels } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';

const SERIES_COUNT = 20;
const [directory, first, rangeMs] = process.argv.slice(2);
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};
const db = openDb({
  directory: directory!,
  clock,
  minBlockMs: Number(rangeMs),
  retentionMs: 0,
  walSegmentSizeBytes: 64 * 1024,
  usesLockFile: false,
});
const columns = {
  count: SERIES_COUNT,
  refs: new Float64Array(SERIES_COUNT),
  timestampsMs: new Float64Array(SERIES_COUNT),
  values: new Float64Array(SERIES_COUNT),
};
const outcomes = new Uint8Array(SERIES_COUNT);

for (let n = Number(first); ; n++) {
  const appender = db.appender();
  for (let i = 0; i < SERIES_COUNT; i++) {
    columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'n', i: `${i}` }));
    columns.timestampsMs[i] = n * 1000;
    columns.values[i] = n;
  }
  if (appender.appendSamples(columns, outcomes) > 0) throw new Error(`refused: ${outcomes.join()}`);
  appender.commit();
  writeSync(1, `${n}\n`);
  if (n % 25 === 24) await db.tick();
}
