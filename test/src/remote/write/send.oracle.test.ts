/**
 * Ours sends to real receivers, which hold the same samples afterwards: through outages, through ends
 * of the sender without a word, and in both versions of the protocol.
 */
import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { onPath, PROMETHEUS } from '../../../support/installed.ts';
import { freePort, sleep, TestServer, until } from '../../support/server.ts';
import { ChangingTarget } from '../support/changing-target.ts';

const V1 = 'prometheus.WriteRequest';
const V2 = 'io.prometheus.write.v2.Request';
/** null: ours. */
const servers = [...new Set([null, PROMETHEUS, onPath('prometheus')])];
const cases = servers.flatMap((server) =>
  (server !== null && (server !== PROMETHEUS || server.startsWith('/usr/bin/'))
    ? [V1]
    : [V1, V2]
  ).map((message) => [server ?? 'narthex', message, server] as const),
);
const VICTORIA = onPath('victoria-metrics');

type Row = { metric: Record<string, string>; values: [number, string][] };
type Matrix = { resultType: string; result: Row[] };

let target: ChangingTarget;
beforeAll(async () => {
  target = await ChangingTarget.start();
});
afterAll(() => target.stop());

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function create(config: string, program?: readonly string[]): Promise<TestServer> {
  const server = await TestServer.create(config, program);
  cleanups.push(() => server.remove());
  return server;
}

/** A receiver without samples of its own. */
async function startReceiver(program: string | null): Promise<TestServer> {
  const receiver = await create('global: {}\n', program === null ? undefined : [program]);
  await receiver.startReady('--web.enable-remote-write-receiver');
  return receiver;
}

function senderConfig(port: number, message: string, more = ''): string {
  return `${target.scrapeConfig}
remote_write:
- {url: "http://127.0.0.1:${port}/api/v1/write", protobuf_message: ${message}, ${more}
   queue_config: {batch_send_deadline: 200ms, max_backoff: 200ms}}
`;
}

/** Raw samples of the target's series in the minute before `timeSeconds`, sorted. */
async function samples(url: string, timeSeconds: number): Promise<string[]> {
  const query = encodeURIComponent('{job="target"}[1m]');
  const response = await fetch(`${url}/api/v1/query?query=${query}&time=${timeSeconds}`);
  const { data } = (await response.json()) as { data: Matrix };
  return data.result
    .map(({ metric, values }) => {
      const labels = Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify([labels, values]);
    })
    .toSorted();
}

const urlOf = ({ port }: TestServer) => `http://127.0.0.1:${port}`;

async function scraped(server: TestServer, count: number): Promise<void> {
  await until(`${count} scrapes`, async () => {
    const rows = await samples(urlOf(server), Date.now() / 1000);
    return rows.some((row) => (JSON.parse(row) as [unknown, unknown[]])[1].length >= count);
  });
}

async function expectEqual(receiver: string, sender: TestServer): Promise<void> {
  const timeSeconds = Math.floor(Date.now()) / 1000;
  await sleep(300);
  const written = await samples(urlOf(sender), timeSeconds);
  expect(written.length).toBeGreaterThan(8);
  await until('all is there', async () => {
    return JSON.stringify(await samples(receiver, timeSeconds)) === JSON.stringify(written);
  }).catch(async () => expect(await samples(receiver, timeSeconds)).toEqual(written));
}

test.each(cases)('%s %s', { timeout: 90_000 }, async (_name, message, program) => {
  target.scrapes = 0;
  const receiver = await startReceiver(program);
  const sender = await create(senderConfig(receiver.port, message));
  await sender.startReady();
  await scraped(sender, 12);
  await expectEqual(urlOf(receiver), sender);
  const { text } = await sender.get('/metrics');
  expect(text).toMatch(/^prometheus_remote_storage_samples_failed_total\{.*\} 0$/m);
});

test.each(cases)(
  'nothing is lost: %s %s',
  { timeout: 120_000 },
  async (_name, message, program) => {
    target.scrapes = 0;
    const receiver = await startReceiver(program);
    const sender = await create(senderConfig(receiver.port, message));
    await sender.startReady();
    await scraped(sender, 5);
    // The receiver goes away; the sender is killed meanwhile, twice.
    await receiver.kill('SIGTERM');
    await sleep(700);
    await sender.kill('SIGKILL');
    await sender.startReady();
    await sleep(700);
    await sender.kill('SIGKILL');
    await receiver.startReady('--web.enable-remote-write-receiver');
    await sender.startReady();
    await sleep(700);
    // Killed while it sends, and ended in an orderly way.
    await sender.kill('SIGKILL');
    await sender.startReady();
    await sleep(500);
    await sender.kill('SIGTERM');
    await sender.startReady();
    await sleep(500);
    await expectEqual(urlOf(receiver), sender);
  },
);

test.runIf(VICTORIA !== null)('VictoriaMetrics', { timeout: 60_000 }, async () => {
  target.scrapes = 0;
  const port = await freePort();
  const sender = await create(senderConfig(port, V1));
  const child = spawn(
    VICTORIA!,
    [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${sender.folder}/victoria`],
    { stdio: 'ignore' },
  );
  cleanups.push(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  await sender.startReady();
  await scraped(sender, 12);
  const timeMs = Date.now();
  await sleep(300);
  const query = encodeURIComponent('{job="target"}[1m]');
  const { result } = await sender.json<Matrix>(
    `/api/v1/query?query=${query}&time=${timeMs / 1000}`,
  );
  // It keeps neither NaN nor infinities as they are, and of numbers twelve digits.
  const wanted = new Map(
    result
      .map(({ metric, values }): [string, [number, number][]] => [
        textOf(metric),
        values
          .map(([seconds, value]): [number, number] => [Math.round(seconds * 1000), Number(value)])
          .filter(([, value]) => Number.isFinite(value)),
      ])
      .filter(([, values]) => values.length > 0),
  );
  const startMs = timeMs - 60_000;
  await until('all is there', async () => {
    const found = await exported(port, startMs, timeMs);
    return JSON.stringify(sorted(found)) === JSON.stringify(sorted(wanted));
  }).catch(async () => {
    expect(sorted(await exported(port, startMs, timeMs))).toEqual(sorted(wanted));
  });
});

/** What VictoriaMetrics holds, sample by sample. */
async function exported(
  port: number,
  startMs: number,
  endMs: number,
): Promise<Map<string, [number, number][]>> {
  // Shows what has just come in.
  await fetch(`http://127.0.0.1:${port}/internal/force_flush`).catch(() => {});
  const match = encodeURIComponent('{job="target"}');
  const range = `start=${startMs / 1000}&end=${endMs / 1000}`;
  const url = `http://127.0.0.1:${port}/api/v1/export?match[]=${match}&${range}`;
  const text = await fetch(url).then(
    (response) => response.text(),
    () => '',
  );
  type Line = {
    metric: Record<string, string>;
    values: (number | string | null)[];
    timestamps: number[];
  };
  const found = new Map<string, [number, number][]>();
  for (const line of text.split('\n').filter((l) => l !== '')) {
    const { metric, values, timestamps } = JSON.parse(quotedInfinities(line)) as Line;
    const rows = timestamps.map((at, i): [number, number] => [at, Number(values[i] ?? NaN)]);
    const kept = rows.filter(([, value]) => Number.isFinite(value));
    if (kept.length > 0) found.set(textOf(metric), kept);
  }
  return found;
}

/** It writes infinities as bare words. */
function quotedInfinities(line: string): string {
  return line.replaceAll(/([[,])([+-]?)Inf(?:inity)?(?=[,\]])/g, '$1"$2Infinity"');
}

const textOf = (metric: Record<string, string>) =>
  JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Numbers as text, for JSON knows no infinities. */
function sorted(series: Map<string, [number, number][]>): unknown {
  return [...series]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([labels, values]) => [labels, values.map(([at, value]) => [at, value.toPrecision(9)])]);
}
