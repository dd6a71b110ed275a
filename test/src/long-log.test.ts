/** A start with a log so large that a second thread reads it. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../model/index.ts';
import { REAL_CLOCK } from '../../src/real-clock.ts';
import { openDb } from '../../tsdb/index.ts';
import { TestServer } from './support/server.ts';

const SERIES_COUNT = 2000;
const SCRAPE_COUNT = 400;
const SCRAPE_MS = 15_000;

/** Noise, which takes room. Copies nothing and snapshots nothing: all of it is in the log. */
async function fill(directory: string): Promise<void> {
  const db = openDb({ directory, clock: REAL_CLOCK, headSnapshotLogSizeBytes: 0 });
  const firstMs = REAL_CLOCK.nowMs() - SCRAPE_COUNT * SCRAPE_MS;
  const refs = new Float64Array(SERIES_COUNT);
  for (let n = 0; n < SCRAPE_COUNT; n++) {
    const appender = db.appender();
    for (let i = 0; n === 0 && i < SERIES_COUNT; i++) {
      refs[i] = appender.series(Labels.fromObject({ __name__: 'n', i: `${i}` }));
    }
    const columns = {
      count: SERIES_COUNT,
      refs,
      timestampsMs: new Float64Array(SERIES_COUNT).fill(firstMs + n * SCRAPE_MS),
      values: new Float64Array(SERIES_COUNT).map((_, i) => Math.sin(i * n)),
    };
    appender.appendSamples(columns, new Uint8Array(SERIES_COUNT));
    appender.commit();
  }
  await db.close();
}

function sizeBytes(directory: string): number {
  return readdirSync(directory).reduce(
    (sum, name) => sum + statSync(path.join(directory, name)).size,
    0,
  );
}

test('nothing of it is lost', async () => {
  const server = await TestServer.create('');
  try {
    await fill(server.dataFolder);
    expect(sizeBytes(path.join(server.dataFolder, 'wal'))).toBeGreaterThan(4 * 1024 * 1024);
    await server.startReady();
    const samples = await server.query('sum(count_over_time(n[3h]))');
    expect([...samples.values()]).toEqual([SERIES_COUNT * SCRAPE_COUNT]);
    const series = await server.query('count(n)');
    expect([...series.values()]).toEqual([SERIES_COUNT]);
  } finally {
    await server.remove();
  }
}, 60_000);
