/** A receiver is away for longer than the log reaches by itself. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestServer, until } from '../../support/server.ts';
import { serversOfTests } from '../../support/servers.ts';
import { ChangingTarget } from '../support/changing-target.ts';

/** Heads are cut, and logs shortened, every few seconds. */
const SHORT_BLOCKS = [
  '--storage.tsdb.min-block-duration=1s',
  '--storage.tsdb.max-block-duration=1s',
];

let target: ChangingTarget;
beforeAll(async () => {
  target = await ChangingTarget.start();
});
afterAll(() => target.stop());

const { create } = serversOfTests();

const sendingTo = (receiver: TestServer) => `${target.scrapeConfig}
remote_write:
- url: "http://127.0.0.1:${receiver.port}/api/v1/write"
  queue_config:
    {batch_send_deadline: 100ms, max_backoff: 200ms, capacity: 20, max_samples_per_send: 20}
`;

/** Values of the counter that goes up by one with every scrape, in order. */
async function received(receiver: TestServer): Promise<number[]> {
  type Matrix = { result: { values: [number, string][] }[] };
  const query = encodeURIComponent('requests_total{path="/a ä"}[10m]');
  const { result } = await receiver.json<Matrix>(`/api/v1/query?query=${query}`);
  return (result[0]?.values ?? []).map(([, value]) => Number(value));
}

const segmentsOf = (server: TestServer) =>
  readdirSync(path.join(server.dataFolder, 'wal')).filter((name) => /^\d+$/.test(name));

test('gets everything when it is back, even after a kill', { timeout: 90_000 }, async () => {
  target.scrapes = 0;
  const receiver = await create('global: {}\n');
  await receiver.startReady('--web.enable-remote-write-receiver');
  const sender = await create(sendingTo(receiver));
  await sender.startReady(...SHORT_BLOCKS);
  await until('samples', async () => (await received(receiver)).length > 3);
  await receiver.kill('SIGKILL');
  const [first] = segmentsOf(sender);
  const grown = (from: string, by: number) => () =>
    Number(segmentsOf(sender).at(-1)) > Number(from) + by;
  await until('the log would have been shortened', grown(segmentsOf(sender).at(-1)!, 4), 40_000);
  await sender.kill('SIGKILL');
  await sender.startReady(...SHORT_BLOCKS);
  await until('and again', grown(segmentsOf(sender).at(-1)!, 2), 40_000);
  const held = segmentsOf(sender);
  expect(held[0]).toBe(first);

  await receiver.startReady('--web.enable-remote-write-receiver');
  const { scrapes } = target;
  await until('the next', async () => (await received(receiver)).some((v) => v > scrapes + 2));
  const values = await received(receiver);
  // The scrape during which it was killed may be nowhere.
  const missing = Array.from({ length: values.at(-1)! }, (_, i) => i + 1).filter(
    (value) => !values.includes(value),
  );
  expect(missing.length).toBeLessThanOrEqual(1);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  // Now it can go.
  await until('the log is shortened', () => segmentsOf(sender)[0]! > held.at(-1)!, 40_000);
});

test('keeps no more of the log than allowed, and goes on behind', { timeout: 90_000 }, async () => {
  const receiver = await create('global: {}\n');
  const sender = await create(sendingTo(receiver));
  await sender.startReady(...SHORT_BLOCKS, '--storage.remote.log-hold-size=10KB');
  await until('the log is shortened', () => segmentsOf(sender)[0]! > '00000004', 50_000);
  await receiver.startReady('--web.enable-remote-write-receiver');
  await until('samples', async () => (await received(receiver)).length > 10);
  const values = await received(receiver);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(sender.log).toContain('were removed before they were read');
});
