/** What becomes of a server, and of its samples, when it or a part of it dies. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort, TestServer, until } from './support/server.ts';

const CRASH_THREAD = path.join(import.meta.dirname, 'support/crash-thread.cjs');

const toClean: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const clean of toClean.splice(0)) await clean();
});

async function serverWith(config: string): Promise<TestServer> {
  const server = await TestServer.create(config);
  toClean.push(() => server.remove());
  return server;
}

/** A target that shows a counter, one step higher at every scrape. */
async function countingTarget(): Promise<{ port: number; served: () => number }> {
  let count = 0;
  const http = createServer((_, response) => {
    count++;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE steps_total counter\nsteps_total ${count}\n`);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  toClean.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return { port, served: () => count };
}

/** `time value` of every sample of a metric. */
async function samplesOf(server: TestServer, metric: string): Promise<Set<string>> {
  const { result } = await server.json<{ result: { values: [number, string][] }[] }>(
    `/api/v1/query?query=${metric}[1h]`,
  );
  return new Set(result.flatMap(({ values }) => values.map(([time, value]) => `${time} ${value}`)));
}

test('a server that is killed has lost no sample that it had taken', async () => {
  const target = await countingTarget();
  const server = await serverWith(`
global: {scrape_interval: 150ms, scrape_timeout: 150ms}
scrape_configs: [{job_name: t, static_configs: [{targets: ["127.0.0.1:${target.port}"]}]}]
`);
  /** Answered just before a kill, so it may have died on its way in. */
  const onTheWay = new Set<number>();
  const shown = new Set<string>();
  for (let round = 0; round < 3; round++) {
    await server.startReady();
    const goal = target.served() + 6;
    await until('some more scrapes', () => target.served() >= goal);
    for (const sample of await samplesOf(server, 'steps_total')) shown.add(sample);
    expect(await server.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    onTheWay.add(target.served());
  }
  const servedCount = target.served();

  await server.startReady();
  expect(await server.ownMetric('prometheus_tsdb_clean_start')).toBe(0);
  // Each start began a segment.
  const replay = { min: 0, max: 3, current: 3 };
  expect(await server.json('/api/v1/status/walreplay')).toEqual(replay);
  const kept = await samplesOf(server, 'steps_total');
  expect([...shown].filter((sample) => !kept.has(sample))).toEqual([]);
  // A target is asked again only when what it said before is in the log, or came too late.
  const values = new Set([...kept].map((sample) => Number(sample.split(' ')[1])));
  const lost = Array.from({ length: servedCount }, (_, i) => i + 1).filter(
    (value) => !values.has(value) && !onTheWay.has(value),
  );
  const lateCount = [...(await samplesOf(server, 'up'))].filter((s) => s.endsWith(' 0')).length;
  expect(lost.length, `of ${servedCount}: ${lost.join()}`).toBeLessThanOrEqual(lateCount);
});

test('a server whose writing thread dies says so and ends with code 1', async () => {
  const server = await serverWith('');
  const file = path.join(server.folder, 'crash');
  server.environment = {
    NODE_OPTIONS: `--require=${CRASH_THREAD}`,
    CRASH_THREAD: 'ingest',
    CRASH_FILE: file,
  };
  await server.startReady();
  writeFileSync(file, '');
  expect(await server.ended).toEqual({ code: 1, signal: null });
  expect(server.log).toContain('The ingest thread ended');
  expect(server.log).toContain('struck by a test');
  rmSync(file);
  await server.startReady();
});

test('a server goes on when a query worker dies', async () => {
  const server = await serverWith('');
  const file = path.join(server.folder, 'crash');
  server.environment = {
    NODE_OPTIONS: `--require=${CRASH_THREAD}`,
    CRASH_THREAD: 'query',
    CRASH_FILE: file,
  };
  await server.startReady();
  // Labels are always asked of a worker, and bring one to life where none is.
  const ask = async () => (await server.get('/api/v1/labels')).status;
  expect(await ask()).toBe(200);
  writeFileSync(file, '');
  // Waits for a worker that lives long enough.
  const patient = ask();
  await until('a worker is struck', () => server.log.includes('struck by a test'));
  rmSync(file);
  expect([200, 422, 500, 503]).toContain(await patient);
  await until('questions are answered', async () => (await ask()) === 200);
});
