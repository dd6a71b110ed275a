/**
 * Thanos beside us: its sidecar reads and uploads, its store reads what it or we have uploaded, and
 * its querier answers what we answer. NARTHEX_THANOS names the program, which no package has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type FakeS3, startFakeS3 } from '../../support/fake-s3.ts';
import { encodeV1, packed } from '../remote/support/messages.ts';
import { freePort, TestServer, until } from '../support/server.ts';

const THANOS = process.env['NARTHEX_THANOS'];
if (THANOS === undefined) console.info('skipped: NARTHEX_THANOS does not name a thanos');

const ACCOUNT = { accessKey: 'KEY', secretKey: 'SECRET', region: 'us-east-1' };
const CONFIG = `
global: {scrape_interval: 500ms, evaluation_interval: 500ms, external_labels: {cluster: c1, replica: r1}}
scrape_configs:
- {job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
rule_files: [rules.yml]
`;
const RULES = 'groups: [{name: g, rules: [{alert: A, expr: vector(1) > 0}]}]\n';
/** As Thanos wants them: it compacts. */
const BLOCKS_2H = ['--storage.tsdb.min-block-duration=2h', '--storage.tsdb.max-block-duration=2h'];

const children: ChildProcess[] = [];
const logs = new Map<ChildProcess, string>();
let server: TestServer | undefined;
let store: FakeS3 | undefined;
afterEach(async () => {
  await Promise.all(children.splice(0).map(end));
  await server?.remove();
  await store?.close();
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

type Component = { readonly child: ChildProcess; readonly http: number; readonly grpc: number };

async function thanos(kind: string, ...flags: string[]): Promise<Component> {
  const [http, grpc] = [await freePort(), await freePort()];
  const addresses = [`--http-address=127.0.0.1:${http}`, `--grpc-address=127.0.0.1:${grpc}`];
  const child = spawn(THANOS!, [kind, ...addresses, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  logs.set(child, '');
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    logs.set(child, logs.get(child)! + text);
  });
  const isReady = () =>
    fetch(`http://127.0.0.1:${http}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(`thanos ${kind} is ready`, isReady, 30_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${logs.get(child)}`, { cause: error });
  });
  return { child, http, grpc };
}

/** A querier that knows one store. */
async function querier(of: Component): Promise<Component> {
  const found = await thanos('query', `--endpoint=127.0.0.1:${of.grpc}`);
  await until('the store is known', async () => {
    const { data } = await ask<Record<string, unknown[]>>(found.http, '/api/v1/stores');
    return Object.values(data).some((stores) => stores.length > 0);
  });
  return found;
}

type Answer<T> = { readonly status: string; readonly data: T; readonly warnings?: string[] };

async function ask<T>(port: number, route: string): Promise<Answer<T>> {
  const response = await fetch(`http://127.0.0.1:${port}${route}`);
  expect([route, response.status]).toEqual([route, 200]);
  return (await response.json()) as Answer<T>;
}

type Series = { metric: Record<string, string>; values?: unknown[]; histograms?: unknown[] };

/** The answer to a range query, with external labels, which ours does not show by itself. */
async function rows(port: number, query: string, [start, last]: [number, number], step: number) {
  const parameters = new URLSearchParams({
    query,
    start: String(start),
    end: String(last),
    step: String(step),
    dedup: 'false',
  });
  const { data } = await ask<{ result: Series[] }>(port, `/api/v1/query_range?${parameters}`);
  return data.result
    .map(({ metric, ...points }) => {
      const labels = { ...metric, cluster: 'c1', replica: 'r1' };
      return JSON.stringify([Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)), points]);
    })
    .toSorted();
}

/** A server with ten hours of samples in blocks. */
async function withBlocks(): Promise<{ ours: TestServer; start: number }> {
  const ours = await TestServer.create(CONFIG);
  server = ours;
  ours.writeFile('rules.yml', RULES);
  const features = ['--web.enable-admin-api', '--web.enable-remote-write-receiver'];
  await ours.startReady(...features, ...BLOCKS_2H);
  const now = Math.floor(Date.now() / 60_000) * 60;
  const lines = Array.from({ length: 600 }, (_, i) => {
    const at = now - 60 * (600 - i);
    return `m,a,${at},${i}\nm,b ä,${at},${(i * 37) % 101}.5\nn_total,a,${at},${i * 3}`;
  });
  await ours.get('/api/v1/import', {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: ['metric,x,timestamp,value', ...lines].join('\n'),
  });
  await until('there are blocks', async () => {
    const [status] = await ours.json<{ state: string }[]>('/api/v1/import');
    return status!.state === 'done';
  });
  return { ours, start: now - 36_000 };
}

/** Two series with twenty native histograms each, of integers and of floats. */
async function writeHistograms(ours: TestServer, start: number): Promise<void> {
  const histogram = (i: number) => ({
    hint: 'unknown' as const,
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: i,
    count: 7 * i,
    sum: i * 3.5,
    stale: false,
    positiveSpans: [
      { offset: -2, length: 2 },
      { offset: 3, length: 1 },
    ],
    negativeSpans: [{ offset: 0, length: 1 }],
    customBounds: [],
  });
  const steps = Array.from({ length: 20 }, (_, i) => ({ t: (start + 10 * i) * 1000, i }));
  const integers = steps.map(({ t, i }) => {
    const h = { kind: 'integer' as const, ...histogram(i), positiveDeltas: [i, i, -i] };
    return { t, h: { ...h, negativeDeltas: [2 * i] } };
  });
  const floats = steps.map(({ t, i }) => {
    const h = { kind: 'float' as const, ...histogram(i), positiveCounts: [i, 2 * i, i] };
    return { t, h: { ...h, negativeCounts: [2 * i] } };
  });
  const labels = (kind: string) => [['__name__', 'nh'] as const, ['kind', kind] as const];
  const body = encodeV1([
    { labels: labels('a'), histograms: integers },
    { labels: labels('b'), histograms: floats },
  ]);
  const { status } = await ours.get('/api/v1/write', {
    method: 'POST',
    headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
    body: Buffer.from(packed(body)),
  });
  expect(status).toBe(204);
}

const OLD_QUERIES = [
  'm',
  'rate(n_total[10m])',
  'sum by (x) ({__name__=~"m|n_total"})',
  'm{x=~"b.*"}',
];

function bucketOf(folder: string): string {
  const directory = path.join(folder, 'bucket');
  mkdirSync(directory, { recursive: true });
  return JSON.stringify({ type: 'FILESYSTEM', config: { directory } });
}

test.runIf(THANOS !== undefined)('sidecar and querier', { timeout: 120_000 }, async () => {
  const { ours, start } = await withBlocks();
  const bucket = bucketOf(ours.folder);
  const sidecar = await thanos(
    'sidecar',
    `--prometheus.url=http://127.0.0.1:${ours.port}`,
    `--tsdb.path=${ours.dataFolder}`,
    `--objstore.config=${bucket}`,
  );
  const all = await querier(sidecar);
  const last = Math.floor(Date.now() / 1000) - 1;
  await until('a scrape after it', async () => (await ours.query('up > 0')).size > 0);
  for (const query of OLD_QUERIES) {
    const expected = await rows(ours.port, query, [start, last], 300);
    expect(expected.length).toBeGreaterThan(0);
    expect([query, await rows(all.http, query, [start, last], 300)]).toEqual([query, expected]);
  }
  // What is in the head, native histograms among it.
  let now = 0;
  let head: string[] = [];
  await until('scrapes', async () => {
    now = Math.floor(Date.now() / 1000);
    head = await rows(ours.port, '{job="self"}', [now - 2, now], 1);
    return head.length > 200;
  });
  await writeHistograms(ours, now - 200);
  expect(await rows(all.http, '{job="self"}', [now - 2, now], 1)).toEqual(head);
  for (const query of ['nh', 'rate(nh[1m])', 'histogram_quantile(0.9, nh)']) {
    const expected = await rows(ours.port, query, [now - 200, now], 20);
    expect(expected).toHaveLength(2);
    expect([query, await rows(all.http, query, [now - 200, now], 20)]).toEqual([query, expected]);
  }

  // What it asks of our API beside samples.
  const names = await ask<string[]>(all.http, '/api/v1/label/__name__/values');
  expect(names.data).toEqual(await ours.json('/api/v1/label/__name__/values'));
  const labels = await ask<string[]>(all.http, '/api/v1/labels?match[]=m');
  expect(labels.data).toEqual(['__name__', 'cluster', 'replica', 'x']);
  const series = await ask<unknown[]>(all.http, `/api/v1/series?match[]=m&start=${start}`);
  expect(series.data).toHaveLength(2);
  const rules = await ask<{ groups: { name: string }[] }>(all.http, '/api/v1/rules');
  expect(rules.data.groups.map(({ name }) => name)).toEqual(['g']);
  await until('an alert fires', async () => {
    const { alerts } = await ours.json<{ alerts: unknown[] }>('/api/v1/alerts');
    return alerts.length === 1;
  });
  const alerts = await ask<{ alerts: { labels: unknown }[] }>(all.http, '/api/v1/alerts');
  expect(alerts.data.alerts).toHaveLength(1);
  const targets = await ask<{ activeTargets: unknown[] }>(all.http, '/api/v1/targets');
  expect(targets.data.activeTargets).toHaveLength(1);
  const metadata = await ask<Record<string, unknown>>(all.http, '/api/v1/metadata?metric=up');
  expect(metadata.data).toEqual(await ours.json('/api/v1/metadata?metric=up'));
  const exemplars = '/api/v1/query_exemplars?query=up&start=0&end=1';
  expect((await ask(all.http, exemplars)).data).toEqual([]);
  expect(logs.get(sidecar.child)).not.toMatch(/level=error/);

  // It uploads what is finished, and a store answers from it.
  const uploaded = () =>
    readdirSync(path.join(ours.folder, 'bucket')).filter((name) => name.length === 26);
  const finished = async () => {
    const { text } = await fetch(`http://127.0.0.1:${sidecar.http}/metrics`).then(
      async (response) => ({ text: await response.text() }),
    );
    return Number(/^thanos_shipper_uploads_total(?:\{.*\})? (.*)$/m.exec(text)?.[1] ?? 0);
  };
  await until('blocks are uploaded', async () => (await finished()) >= 5, 60_000);
  expect(uploaded().length).toBeGreaterThanOrEqual(5);
});

test.runIf(THANOS !== undefined)('a store of our uploads', { timeout: 120_000 }, async () => {
  store = await startFakeS3(ACCOUNT);
  const { endpoint, objects } = store;
  const config = { bucket: 'b', endpoint, insecure: true, access_key: 'KEY', secret_key: 'SECRET' };
  const { ours, start } = await withBlocks();
  const file = path.join(ours.folder, 'bucket.yml');
  writeFileSync(file, JSON.stringify({ type: 'S3', config }));
  await ours.kill('SIGTERM');
  await ours.startReady(`--storage.upload.objstore-config-file=${file}`, ...BLOCKS_2H);
  const blocks = readdirSync(ours.dataFolder).filter((name) => name.length === 26);
  expect(blocks.length).toBeGreaterThan(4);
  await until('all are uploaded', () => blocks.every((ulid) => objects.has(`b/${ulid}/meta.json`)));
  const bucket = bucketOf(ours.folder);
  for (const [key, content] of objects) {
    const copy = path.join(ours.folder, key.replace(/^b\//, 'bucket/'));
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, content);
  }
  const data = path.join(ours.folder, 'store');
  const gateway = await thanos('store', `--data-dir=${data}`, `--objstore.config=${bucket}`);
  const all = await querier(gateway);
  const last = start + 35_000;
  for (const query of OLD_QUERIES) {
    const expected = await rows(ours.port, query, [start, last], 300);
    expect(expected.length).toBeGreaterThan(0);
    expect([query, await rows(all.http, query, [start, last], 300)]).toEqual([query, expected]);
  }
  expect(logs.get(gateway.child)).not.toMatch(/level=error/);
});
