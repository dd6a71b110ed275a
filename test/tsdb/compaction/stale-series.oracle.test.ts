/** A real server reads a directory out of which series that ended were compacted early. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Labels, SimulatedClock, writeStaleNaN } from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import {
  PROMETHEUS,
  PROMETHEUS_VERSION,
  PROMTOOLS,
  promtool,
  type RunningServer,
  startServer,
} from '../support/tools.ts';

const STEP_MS = 15_000;
const STEP_COUNT = 100;
const END_STEP = 60;
const START_MS = Math.floor(Date.now() / STEP_MS) * STEP_MS - STEP_COUNT * STEP_MS;

let directory = '';
let running: RunningServer | null = null;
let db: Db | null = null;
afterEach(async () => {
  await db?.close();
  await running?.kill();
  db = running = null;
  rmSync(directory, { recursive: true, force: true });
});

/** Steps [first, last) of four series, the even ones of which have ended by END_STEP. */
function write(target: Db, first: number, last: number): void {
  for (let n = first; n < last; n++) {
    const appender = target.appender();
    for (let i = 0; i < 4; i++) {
      if (i % 2 === 0 && n > END_STEP) continue;
      const values = Float64Array.of(n * 10 + i);
      if (i % 2 === 0 && n === END_STEP) writeStaleNaN(values, 0);
      const labels = Labels.fromObject({ __name__: 'stale_test', i: `${i}` });
      const columns = {
        count: 1,
        refs: Float64Array.of(appender.series(labels)),
        timestampsMs: Float64Array.of(START_MS + n * STEP_MS),
        values,
      };
      expect(appender.appendSamples(columns, new Uint8Array(1))).toBe(0);
    }
    appender.commit();
  }
}

// Older ones do not know such blocks, and take them for all that there is of their time.
const isKnown = PROMETHEUS !== null && !PROMETHEUS_VERSION.startsWith('2.');
if (!isKnown) console.info('skipped: no Prometheus that knows blocks of stale series');

test.skipIf(!isKnown)('and finds every sample once', { timeout: 60_000 }, async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-stale-'));
  db = openDb({
    directory,
    clock: new SimulatedClock(START_MS),
    retentionMs: 0,
    staleCompactionThreshold: 0.5,
  });
  write(db, 0, END_STEP + 1);
  await db.tick();
  expect(db.head.series.count).toBe(2);
  const ulids = db.status(1).blocks.map(({ ulid }) => ulid);
  write(db, END_STEP + 1, STEP_COUNT);
  await db.close();
  db = null;
  for (const tool of PROMTOOLS) {
    for (const ulid of ulids) {
      expect(promtool(tool, 'tsdb', 'list', directory)).toContain(ulid);
      promtool(tool, 'tsdb', 'analyze', directory, ulid);
    }
  }
  running = await startServer(PROMETHEUS!, directory);
  const query = new URLSearchParams({
    query: 'stale_test[2h]',
    time: `${(START_MS + STEP_COUNT * STEP_MS) / 1000}`,
  });
  const answer = (await (await fetch(`${running.url}/api/v1/query?${query}`)).json()) as {
    data: { result: { metric: { i: string }; values: [number, string][] }[] };
  };
  expect(answer.data.result.length).toBe(4);
  for (const { metric, values } of answer.data.result) {
    const i = Number(metric.i);
    const stepCount = i % 2 === 0 ? END_STEP : STEP_COUNT;
    expect(values).toEqual(
      Array.from({ length: stepCount }, (_, n) => [
        (START_MS + n * STEP_MS) / 1000,
        String(n * 10 + i),
      ]),
    );
  }
});
