/** A query that never ends can be seen, stopped, and named after a crash. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestServer, until } from './support/server.ts';

/** Minutes of work, without any data. */
const ENDLESS = 'sum_over_time(count_over_time(vector(1)[30d:1s])[30d:1s])';

type Listed = { id: number; query: string; state: string; client: string; userAgent: string };

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

async function startedServer(): Promise<TestServer> {
  const server = await TestServer.create('global:\n  query_log_file: queries.log\n');
  servers.push(server);
  await server.startReady('--query.max-samples=0');
  return server;
}

function askEndless(server: TestServer): Promise<{ status: number; text: string }> {
  return server.get(`/api/v1/query?query=${encodeURIComponent(ENDLESS)}`, {
    headers: { 'User-Agent': 'a test' },
  });
}

async function listed(server: TestServer): Promise<Listed[]> {
  return (await server.json<{ queries: Listed[] }>('/api/v1/status/active_queries')).queries;
}

test('a query can be seen while it runs, and be canceled by its number', async () => {
  const server = await startedServer();
  const answer = askEndless(server);
  await until('it runs', async () =>
    (await listed(server)).some(({ state }) => state === 'running'),
  );
  const [running] = await listed(server);
  expect(running).toMatchObject({ query: ENDLESS, client: '127.0.0.1', userAgent: 'a test' });
  const cancel = `/api/v1/status/active_queries/cancel?id=${running!.id}`;
  expect((await server.get(cancel, { method: 'POST' })).status).toBe(204);
  const { status, text } = await answer;
  expect(status).toBe(499);
  expect(JSON.parse(text)).toMatchObject({ errorType: 'canceled' });
  expect(await listed(server)).toEqual([]);
  const log = readFileSync(path.join(server.folder, 'queries.log'), 'utf8').trim().split('\n');
  expect(JSON.parse(log.at(-1)!)).toMatchObject({
    msg: 'promql query logged',
    params: { query: ENDLESS },
    error: 'query was canceled in query execution',
  });
}, 60_000);

test('a query that was under way when the server died is named at the next start', async () => {
  const server = await startedServer();
  const lost = askEndless(server).catch(() => null);
  const file = path.join(server.dataFolder, 'queries.active');
  await until('it is noted', () => readFileSync(file, 'utf8').includes('count_over_time'));
  await server.kill('SIGKILL');
  await lost;
  server.log = '';
  await server.startReady();
  await until('it is named', () =>
    server.log.includes("These queries didn't finish in the last run:"),
  );
  expect(server.log).toContain('sum_over_time(count_over_time(vector(1)[30d:1s])[30d:1s])');
  expect(readFileSync(file, 'utf8').replaceAll('\0', '')).toBe('[');
}, 60_000);
