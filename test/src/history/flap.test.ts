/** More than ten thousand changes of alerts a minute: all are kept, and scrapes come as before. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep, TestServer, until } from '../support/server.ts';

const ALERT_COUNT = 250;
const SCRAPE_MS = 250;
const OBSERVED_MS = 8000;

/** When the steady target was asked. */
let arrivedMs: number[] = [];
let isFlapping = false;
let turn = 0;
const target = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; version=0.0.4');
  if (request.url === '/steady') {
    arrivedMs.push(performance.now());
    response.end('steady 1\n');
    return;
  }
  turn++;
  const value = isFlapping ? turn % 2 : 0;
  const lines = Array.from({ length: ALERT_COUNT }, (_, i) => `flap{host="h${i}"} ${value}\n`);
  response.end(lines.join(''));
});
let server: TestServer;

beforeAll(async () => {
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  const address = `127.0.0.1:${(target.address() as AddressInfo).port}`;
  server = await TestServer.create(`
global: {evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
- {job_name: flap, scrape_interval: 1s, metrics_path: /flap, static_configs: [{targets: ["${address}"]}]}
- {job_name: steady, scrape_interval: ${SCRAPE_MS}ms, metrics_path: /steady, static_configs: [{targets: ["${address}"]}]}
`);
  const rules = 'groups: [{name: g, rules: [{alert: Flap, expr: flap == 1}]}]';
  writeFileSync(path.join(server.folder, 'rules.yml'), rules);
  await server.startReady();
}, 40_000);
afterAll(async () => {
  await server?.remove();
  target.closeAllConnections();
  target.close();
});

/** How far apart scrapes are, beyond their interval: the middle and the worst, in ms. */
async function lateness(): Promise<{ middle: number; worst: number; count: number }> {
  arrivedMs = [];
  await sleep(OBSERVED_MS);
  const gaps = arrivedMs
    .slice(1)
    .map((atMs, index) => Math.abs(atMs - arrivedMs[index]! - SCRAPE_MS));
  gaps.sort((a, b) => a - b);
  return { middle: gaps[gaps.length >> 1]!, worst: gaps.at(-1)!, count: arrivedMs.length };
}

test('a heavy flap is kept whole and does not slow scraping', async () => {
  await until('it scrapes', async () => (await server.query('flap')).size === ALERT_COUNT);
  const calm = await lateness();
  isFlapping = true;
  const startMs = Date.now();
  const wild = await lateness();
  const minutes = (Date.now() - startMs) / 60_000;
  isFlapping = false;
  await sleep(3000);
  type Page = { entries: { samples?: object[]; to: string }[]; nextToken?: string };
  const entries: Page['entries'] = [];
  for (let token = ''; ; ) {
    const more = token === '' ? '' : `&next_token=${token}`;
    const page = await server.json<Page>(`/api/v1/alerts/history?limit=10000${more}`);
    entries.push(...page.entries);
    if (page.nextToken === undefined) break;
    token = page.nextToken;
  }
  const perMinute = entries.length / minutes;
  console.info(
    `${perMinute.toFixed(0)} changes a minute; scrapes off by ${calm.middle.toFixed(1)} ms ` +
      `(worst ${calm.worst.toFixed(0)}) when calm, ${wild.middle.toFixed(1)} ms ` +
      `(worst ${wild.worst.toFixed(0)}) in the flap`,
  );
  expect(perMinute).toBeGreaterThan(10_000);
  // As many ends as beginnings: nothing is missing in between.
  const fired = entries.filter(({ to }) => to === 'firing').length;
  expect(entries.filter(({ to }) => to === 'inactive')).toHaveLength(fired);
  expect(entries.length % ALERT_COUNT).toBe(0);
  const sampled = entries.filter(({ samples }) => samples !== undefined).length;
  expect(sampled / entries.length).toBeGreaterThan(0.5);
  expect(server.log).not.toContain('could not be written');
  expect(wild.count).toBeGreaterThanOrEqual(calm.count - 2);
  expect(wild.middle).toBeLessThan(calm.middle + 25);
}, 60_000);
