/** A server that is killed while it imports has all of the import afterwards, or nothing. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { sleep } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';

const ROUND_COUNT = Number(process.env['NARTHEX_RUNS'] ?? 6);
const SAMPLE_COUNT = 60_000;
const HOUR_SECONDS = 3600;

const { create } = serversOfTests();

/** Over two days, so that there are many blocks. */
function csv(metric: string): string {
  const end = Math.floor(Date.now() / 1000) - HOUR_SECONDS;
  const rows = Array.from(
    { length: SAMPLE_COUNT },
    (_, i) => `${metric},${i % 20},${end - Math.floor(i / 20) * 60},${i}`,
  );
  return ['metric,part,timestamp,value', ...rows].join('\n');
}

test('a kill at any moment', { timeout: 120_000 }, async () => {
  const server = await create('scrape_configs: []\n');
  const flags = ['--web.enable-admin-api', '--storage.tsdb.retention.time=10y'];
  await server.startReady(...flags);
  const counts = new Set<number>();
  let wholeMs = 0;
  for (let round = 0; round < ROUND_COUNT; round++) {
    const metric = `imported_${round}`;
    const startMs = performance.now();
    const body = csv(metric);
    const headers = { 'content-type': 'text/csv' };
    const { status } = await server.get('/api/v1/import', { method: 'POST', headers, body });
    expect(status).toBe(202);
    if (round === 0) {
      // How long it takes when nothing happens.
      for (let state = ''; state !== 'done'; await sleep(5)) {
        state = (await server.json<{ state: string }[]>('/api/v1/import'))[0]!.state;
      }
      wholeMs = performance.now() - startMs;
    } else {
      await sleep((wholeMs * round) / ROUND_COUNT);
    }
    await server.kill('SIGKILL');
    await server.startReady(...flags);
    const query = `sum(count_over_time(${metric}[100d]))`;
    const [count = 0] = (await server.query(query)).values();
    expect([0, SAMPLE_COUNT]).toContain(count);
    counts.add(count);
    expect(readdirSync(path.join(server.dataFolder, 'import'))).toEqual([]);
  }
  expect(counts).toContain(SAMPLE_COUNT);
});
