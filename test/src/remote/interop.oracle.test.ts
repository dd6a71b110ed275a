/**
 * Real servers write to ours and read from it: every sample is the same on both sides. With the
 * server that is installed, and with the one on the PATH where that is another one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onPath, PROMETHEUS } from '../../support/installed.ts';
import { sleep, type TestServer, until } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';
import { ChangingTarget } from './support/changing-target.ts';

const servers = [...new Set([PROMETHEUS, onPath('prometheus')])].filter((path) => path !== null);

type Matrix = { metric: Record<string, string>; values: [number, string][] }[];

let target: ChangingTarget;
beforeAll(async () => {
  target = await ChangingTarget.start();
});
afterAll(() => target.stop());

const { start } = serversOfTests();

/** Raw samples of the target's series in the minute before `timeSeconds`, sorted. */
async function samples(server: TestServer, timeSeconds: number): Promise<string[]> {
  const query = encodeURIComponent('{job="target"}[1m]');
  const { result } = await server.json<{ result: Matrix }>(
    `/api/v1/query?query=${query}&time=${timeSeconds}`,
  );
  return result
    .map(({ metric, values }) => {
      const labels = Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify([labels, values]);
    })
    .toSorted();
}

const cases = servers.flatMap((server) =>
  (server === PROMETHEUS && !server.startsWith('/usr/bin/')
    ? ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request']
    : ['']
  ).map((message) => [server, message] as const),
);

test.each(cases)('%s %s', { timeout: 90_000 }, async (program, message) => {
  target.scrapes = 0;
  const ours = await start('global: {}\n', undefined, '--web.enable-remote-write-receiver');
  const chosen = message === '' ? '' : `protobuf_message: ${message}, `;
  const writer = await start(
    `${target.scrapeConfig}
remote_write:
- {url: "http://127.0.0.1:${ours.port}/api/v1/write", ${chosen}queue_config: {batch_send_deadline: 200ms}}
`,
    [program],
  );
  await until('some scrapes', async () => {
    const rows = await samples(writer, Date.now() / 1000);
    return rows.some((row) => (JSON.parse(row) as [unknown, unknown[]])[1].length >= 12);
  });
  const timeSeconds = Math.floor(Date.now()) / 1000;
  await sleep(300);
  const written = await samples(writer, timeSeconds);
  expect(written.length).toBeGreaterThan(8);
  expect(written.join()).toContain('"leaves"');
  await until('all is there', async () => {
    return JSON.stringify(await samples(ours, timeSeconds)) === JSON.stringify(written);
  }).catch(async () => expect(await samples(ours, timeSeconds)).toEqual(written));

  // The other way round: a server without samples of its own.
  const reader = await start(
    `remote_read: [{url: "http://127.0.0.1:${ours.port}/api/v1/read", read_recent: true}]\n`,
    [program],
  );
  expect(await samples(reader, timeSeconds)).toEqual(written);
});

test('ours does not answer writers unless it is told to', async () => {
  const ours = await start('global: {}\n');
  const { status, text } = await ours.get('/api/v1/write', { method: 'POST', body: 'x' });
  expect([status, text]).toEqual([
    404,
    'remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n',
  ]);
});
