import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { sleep, TestServer, until } from './support/server.ts';

const SERIES_COUNT = 72;
const STEP_COUNT = 11_000;
/** Some 25 MB of text, from no data at all: more than a connection and a queue of pieces hold. */
const TERMS = Array.from(
  { length: SERIES_COUNT },
  (_, i) => `label_replace(vector(time() / 7), "row", "${i}", "", "")`,
);
const LARGE = `/api/v1/query_range?start=0&end=${STEP_COUNT - 1}&step=1&query=${encodeURIComponent(
  TERMS.join(' or '),
)}`;
const CANCEL = '/api/v1/status/active_queries/cancel';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

async function started(config = 'global: {scrape_interval: 15s}\n'): Promise<TestServer> {
  const server = await TestServer.create(config);
  servers.push(server);
  await server.startReady();
  return server;
}

/** The answer's beginning; the rest is left where it is. */
async function begin(server: TestServer, headers = {}): Promise<IncomingMessage> {
  const url = `http://127.0.0.1:${server.port}${LARGE}`;
  const [response] = await once(http.get(url, { agent: false, headers }), 'response');
  (response as IncomingMessage).pause();
  return response as IncomingMessage;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

type Active = { readonly id: number; readonly state: string };
const active = async (server: TestServer) =>
  (await server.json<{ queries: Active[] }>('/api/v1/status/active_queries')).queries;
const queryCount = (server: TestServer) => server.ownMetric('prometheus_engine_queries');

test('a large answer arrives whole, plain and compressed, also at a slow reader', async () => {
  const server = await started();
  const response = await begin(server);
  expect(response.headers['transfer-encoding']).toBe('chunked');
  expect(response.headers['content-length']).toBeUndefined();
  await sleep(200);
  // The worker is still busy with it.
  expect(await queryCount(server)).toBe(1);
  const plain = await bodyOf(response);
  expect(plain.length).toBeGreaterThan(20e6);
  const { data } = JSON.parse(plain.toString()) as {
    data: { result: { metric: { row: string }; values: [number, string][] }[] };
  };
  expect(data.result).toHaveLength(SERIES_COUNT);
  for (const { values } of data.result) {
    expect(values).toHaveLength(STEP_COUNT);
    expect(values.findIndex(([s, v], i) => s !== i || Number(v) !== i / 7)).toBe(-1);
  }
  const compressed = await begin(server, { 'accept-encoding': 'gzip' });
  expect(compressed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(await bodyOf(compressed)).equals(plain)).toBe(true);
  await until('no query is under way', async () => (await queryCount(server)) === 0);
  const { queries } = await server.json<{ queries: { count: number; series: number }[] }>(
    '/api/v1/status/top_queries',
  );
  expect(queries[0]).toMatchObject({ count: 2 });
});

test('who reads slowly keeps nobody else waiting', async () => {
  const server = await started();
  const slow = [await begin(server), await begin(server), await begin(server)];
  const askedMs = performance.now();
  expect([...(await server.query('vector(1) + 1')).values()]).toEqual([2]);
  // Far from the time that a worker would wait for one of them.
  expect(performance.now() - askedMs).toBeLessThan(8000);
  const [first, ...others] = await Promise.all(slow.map(bodyOf));
  for (const other of others) expect(other.equals(first!)).toBe(true);
});

test('one that is canceled halfway is cut off, and its worker is free', async () => {
  const server = await started();
  const response = await begin(server);
  const [query] = await active(server);
  expect(query!.state).toBe('running');
  const canceled = await server.get(`${CANCEL}?id=${query!.id}`, { method: 'POST' });
  expect(canceled.status).toBe(204);
  await expect(bodyOf(response)).rejects.toThrow('aborted');
  expect(response.complete).toBe(false);
  await until('its worker is free', async () => (await queryCount(server)) === 0, 2000);
  expect(server.log).toContain('an answer was cut off');
});

test('a reader that leaves halfway frees the worker', async () => {
  const server = await started();
  const response = await begin(server, { 'accept-encoding': 'gzip' });
  response.on('error', () => {});
  response.destroy();
  await until('its worker is free', async () => (await queryCount(server)) === 0, 2000);
  expect(await active(server)).toEqual([]);
  expect(server.log).not.toContain('cut off');
});

test('long lists of series and of values, and a large federation, too', async () => {
  const values = Array.from({ length: 15_000 }, (_, i) => `${i} ${'x'.repeat(100)}`);
  const rows = values.map((value) => `m{row="${value}"} 1\n`);
  const target = http.createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(rows.join(''));
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  try {
    const { port } = target.address() as AddressInfo;
    const targets = `static_configs: [{targets: ["127.0.0.1:${port}"]}]`;
    const server = await started(
      `global: {scrape_interval: 1s}\nscrape_configs: [{job_name: many, ${targets}}]`,
    );
    const ask = async (path: string): Promise<Buffer> => {
      const url = `http://127.0.0.1:${server.port}${path}`;
      const [response] = await once(http.get(url, { agent: false }), 'response');
      expect(response.headers['transfer-encoding']).toBe('chunked');
      return bodyOf(response);
    };
    const dataOf = (body: Buffer) => (JSON.parse(body.toString()) as { data: unknown[] }).data;
    await until('all are there', async () => {
      const answer = await server.query('count(m)');
      return answer.get('{}') === rows.length;
    });
    const series = dataOf(await ask('/api/v1/series?match[]=m')) as { row: string }[];
    expect(series.map(({ row }) => row)).toEqual(values.toSorted());
    expect(dataOf(await ask('/api/v1/label/row/values'))).toEqual(values.toSorted());
    const [type, ...lines] = (await ask('/federate?match[]=m')).toString().split('\n');
    expect(type).toBe('# TYPE m untyped');
    expect(lines.map((line) => /row="(.*?)"/.exec(line)?.[1] ?? '')).toEqual([
      ...values.toSorted(),
      '',
    ]);
    const short = await fetch(`http://127.0.0.1:${server.port}/api/v1/series?match[]=m&limit=1`);
    expect(short.headers.get('content-length')).toBe(String((await short.text()).length));
  } finally {
    target.closeAllConnections();
    target.close();
  }
});

test('a stop does not wait for who does not read', async () => {
  const server = await started();
  const response = await begin(server);
  const outcome = bodyOf(response).catch(() => 'cut off');
  response.pause();
  const ended = await server.kill('SIGTERM');
  expect(ended.code).toBe(0);
  response.resume();
  await outcome;
});
