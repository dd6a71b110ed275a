/** Agent mode: what is scraped is sent on and kept no longer than needed; nothing can be asked. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exactPrometheus } from '../support/installed.ts';
import { ChangingTarget } from './remote/support/changing-target.ts';
import { encodeReadRequest } from './remote/support/read-messages.ts';
import { sleep, type TestServer, until } from './support/server.ts';
import { serversOfTests } from './support/servers.ts';

const JUDGE = exactPrometheus();

let target: ChangingTarget;
beforeAll(async () => {
  target = await ChangingTarget.start();
});
afterAll(() => target.stop());

const { create } = serversOfTests();

async function startReceiver(): Promise<TestServer> {
  const receiver = await create('global: {}\n');
  await receiver.startReady('--web.enable-remote-write-receiver');
  return receiver;
}

const sending = (receiver: TestServer) => `${target.scrapeConfig}
remote_write:
- {url: "http://127.0.0.1:${receiver.port}/api/v1/write", queue_config: {batch_send_deadline: 100ms}}
`;

/** Values of the counter that goes up by one with every scrape, in order. */
async function received(receiver: TestServer): Promise<number[]> {
  type Matrix = { result: { values: [number, string][] }[] };
  const query = encodeURIComponent('requests_total{path="/a ä"}[5m]');
  const { result } = await receiver.json<Matrix>(`/api/v1/query?query=${query}`);
  return (result[0]?.values ?? []).map(([, value]) => Number(value));
}

test('sends what it scrapes, over an outage and a kill', { timeout: 60_000 }, async () => {
  target.scrapes = 0;
  const receiver = await startReceiver();
  const agent = await create(sending(receiver));
  await agent.startReady('--agent');
  await until('samples', async () => (await received(receiver)).length > 4);
  await receiver.kill('SIGKILL');
  await sleep(600);
  await agent.kill('SIGKILL');
  await receiver.startReady('--web.enable-remote-write-receiver');
  await agent.startReady('--agent');
  const { scrapes } = target;
  await until('the next', async () => (await received(receiver)).some((v) => v > scrapes + 2));
  const values = await received(receiver);
  // The scrape during which it was killed may be nowhere.
  const missing = Array.from({ length: values.at(-1)! }, (_, i) => i + 1).filter(
    (value) => !values.includes(value),
  );
  expect(missing.length).toBeLessThanOrEqual(1);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(existsSync(path.join(agent.dataFolder, 'chunks_head'))).toBe(false);
  expect(await agent.ownMetric('prometheus_agent_active_series')).toBeGreaterThan(5);
  expect(agent.log).toContain('Starting Narthex Agent');
});

test('keeps the log short', { timeout: 60_000 }, async () => {
  const receiver = await startReceiver();
  const agent = await create(sending(receiver));
  await agent.startReady(
    '--agent',
    '--storage.agent.wal-truncate-frequency=500ms',
    '--storage.agent.retention.min-time=1s',
  );
  const wal = path.join(agent.dataFolder, 'wal');
  const names = () => readdirSync(wal);
  await until('a checkpoint', () => names().some((name) => name.startsWith('checkpoint.')), 30_000);
  await until('no first segment', () => !names().includes('00000000'));
  expect(await agent.ownMetric('prometheus_agent_checkpoint_creations_total')).toBeGreaterThan(0);
  // A series that has gone is forgotten.
  const before = (await received(receiver)).length;
  await agent.kill('SIGTERM');
  await agent.startReady('--agent');
  await until('goes on', async () => (await received(receiver)).length > before + 2);
  const values = await received(receiver);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
});

test('sections of a server are refused', async () => {
  const agent = await create('rule_files: [x.yml]\n');
  agent.start('--agent');
  expect((await agent.ended).code).toBe(2);
  expect(agent.log).toContain('field rule_files is not allowed in agent mode');
});

const ROUTES = [
  '/',
  '/graph',
  '/alerts',
  '/federate?match[]=up',
  '/api/v1/query?query=up',
  '/api/v1/query_range?query=up&start=1&end=2&step=1',
  '/api/v1/query_exemplars?query=up&start=1&end=2',
  '/api/v1/labels',
  '/api/v1/label/job/values',
  '/api/v1/series?match[]=up',
  '/api/v1/format_query?query=up',
  '/api/v1/rules',
  '/api/v1/alerts',
  '/api/v1/alertmanagers',
  '/api/v1/scrape_pools',
  '/api/v1/targets/metadata',
  '/api/v1/metadata',
  '/api/v1/status/tsdb',
  '/api/v1/status/walreplay',
  '/api/v1/status/config',
  '/api/v1/features',
];

test.runIf(JUDGE !== null)('answers as Prometheus does', { timeout: 60_000 }, async () => {
  const answers = [];
  for (const program of [undefined, [JUDGE!]]) {
    const agent = await create('global: {}\n', program);
    await agent.startReady('--agent');
    const found: Record<string, unknown> = {};
    for (const route of ROUTES) {
      const { status, text } = await agent.get(route, { redirect: 'manual' });
      // Details of what is there beside agent mode are compared elsewhere.
      const shown = route === '/api/v1/features' ? Object.keys(JSON.parse(text).data) : text;
      found[route] = [status, status === 302 ? '' : shown];
    }
    answers.push(found);
  }
  expect(answers[0]).toEqual(answers[1]);
});

/** Not for an agent; refused alike in a server without the flags that these need. */
const POSTS = [
  '/api/v1/query',
  '/api/v1/query_range',
  '/api/v1/series',
  '/api/v1/labels',
  '/api/v1/admin/tsdb/snapshot',
  '/api/v1/admin/tsdb/delete_series?match[]=up',
  '/api/v1/admin/tsdb/clean_tombstones',
  '/api/v1/write',
  '/api/v1/otlp/v1/metrics',
];

test.runIf(JUDGE !== null)('refuses as Prometheus does', { timeout: 60_000 }, async () => {
  const answers = [];
  const read = encodeReadRequest(
    [{ startMs: 0, endMs: 1, matchers: [['=', '__name__', 'up']] }],
    [],
  );
  for (const program of [undefined, [JUDGE!]]) {
    const agent = await create('global: {}\n', program);
    await agent.startReady('--agent', '--web.enable-admin-api');
    const found: unknown[] = [];
    const ask = async (method: string, route: string, body?: Uint8Array<ArrayBuffer>) => {
      const options = { method, signal: AbortSignal.timeout(10_000), ...(body && { body }) };
      const { status, text } = await agent.get(route, options);
      found.push([method, route, status, text]);
    };
    for (const route of POSTS) await ask('POST', route);
    for (const route of POSTS) await ask('DELETE', route);
    await ask('POST', '/api/v1/read', Uint8Array.from(read));
    await ask('DELETE', '/api/v1/series?match[]=up');
    answers.push(found);
  }
  expect(answers[0]).toEqual(answers[1]);
});

test.runIf(JUDGE !== null)(
  'Prometheus takes over, and hands back',
  { timeout: 60_000 },
  async () => {
    target.scrapes = 0;
    const receiver = await startReceiver();
    const agent = await create(sending(receiver));
    await agent.startReady('--agent');
    await until('samples', async () => (await received(receiver)).length > 3);
    await agent.kill('SIGTERM');

    const judge = await create(sending(receiver), [JUDGE!]);
    judge.dataFolder = agent.dataFolder;
    await judge.startReady('--agent');
    const before = (await received(receiver)).length;
    await until('more', async () => (await received(receiver)).length > before + 3, 30_000);
    expect(await judge.ownMetric('prometheus_agent_active_series')).toBeGreaterThan(5);
    expect(judge.log).not.toMatch(/level=ERROR/);
    await judge.kill('SIGTERM');

    const between = (await received(receiver)).length;
    await agent.startReady('--agent');
    await until('again', async () => (await received(receiver)).length > between + 3);
    const values = await received(receiver);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(new Set(values).size).toBe(values.length);
    // What the other one has sent in between is sent once more, and refused as known.
    const errors = agent.log.split('\n').filter((line) => line.includes('level=ERROR'));
    expect(errors.filter((line) => !line.includes('out of order sample'))).toEqual([]);
  },
);
