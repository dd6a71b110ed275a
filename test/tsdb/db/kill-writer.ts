/**
 * The process that kill.crash.test.ts kills. It commits, deletes, compacts, cleans and takes
 * snapshots, for ever, and says on standard output what it is about to do and what it has done:
 *
 *   c 17                   commit 17 is done
 *   > delete b 3000 9000   about to …             < delete b 3000 9000   … and done
 *   > compact | clean | save | snapshot NAME | reopen    likewise
 */
import { writeSync } from 'node:fs';
import { type Clock, Matcher } from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { RANGE_MS, samplesOf, SERIES, STEP_MS } from './kill-plan.ts';
import { oneSample } from '../support/one-sample.ts';

const [directory = '', first = '0'] = process.argv.slice(2);
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

function open(): Db {
  return openDb({
    directory: `${directory}/data`,
    clock,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    outOfOrderWindowMs: RANGE_MS,
    outOfOrderCapacity: 4,
    samplesPerChunk: 8,
    usesLockFile: false,
    headSnapshotLogSizeBytes: 1,
    headSnapshotLogRatio: 0,
    snapshotsAtEnd: true,
  });
}

let db = open();

async function doing(what: string, body: () => Promise<unknown>): Promise<void> {
  writeSync(1, `> ${what}\n`);
  await body();
  writeSync(1, `< ${what}\n`);
}

function commit(n: number): void {
  const appender = db.appender();
  const outcomes = new Uint8Array(1);
  for (const { series, timestampMs, value, histogram } of samplesOf(n)) {
    const ref = appender.series(SERIES[series]!);
    if (histogram !== null) {
      outcomes[0] = appender.appendHistogram(ref, timestampMs, histogram);
    } else {
      const columns = oneSample(ref, timestampMs, value);
      appender.appendSamples(columns, outcomes);
    }
    if (outcomes[0] !== 0) throw new Error(`commit ${n}, series ${series}: ${outcomes[0]}`);
  }
  appender.commit();
  writeSync(1, `c ${n}\n`);
}

for (let n = Number(first); ; n++) {
  commit(n);
  if (n % 20 === 19) await doing('compact', () => db.compact());
  if (n % 35 === 34) {
    const name = SERIES[((n / 5) % SERIES.length) | 0]!.get('__name__');
    const minMs = Math.max(0, n - (n % 3 === 0 ? 20 : 150)) * STEP_MS;
    const maxMs = minMs + 6 * STEP_MS;
    await doing(`delete ${name} ${minMs} ${maxMs}`, () =>
      db.deleteSeries(minMs, maxMs, [new Matcher('__name__', '=', name)]),
    );
  }
  // Writes a snapshot of the head for the next start.
  if (n % 15 === 12) await doing('save', () => db.tick());
  if (n % 90 === 89) await doing('clean', () => db.cleanTombstones());
  if (n % 70 === 69) {
    await doing(`snapshot ${n}`, () => db.snapshot(`${directory}/snapshot-${n}`, true));
  }
  if (n % 170 === 169) {
    await doing('reopen', async () => {
      await db.close();
      db = open();
    });
  }
}
