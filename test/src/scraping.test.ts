/** Scraping as a whole server does it: what is logged of failures, and what a reload leaves alone. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestServer, until } from './support/server.ts';

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
});

async function serve(body: () => string): Promise<string> {
  const server: Server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(body());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const job = (name: string, address: string, ...more: string[]) =>
  `- job_name: ${name}
  scrape_interval: 1s
  scrape_timeout: 1s
  static_configs: [ { targets: ["${address}"] } ]
${more.map((line) => `  ${line}\n`).join('')}`;

async function start(config: string): Promise<TestServer> {
  const server = await TestServer.create(`scrape_configs:\n${config}`);
  closers.push(() => server.remove());
  await server.startReady('--web.enable-lifecycle');
  return server;
}

async function reload(server: TestServer, config: string): Promise<void> {
  server.writeConfig(`scrape_configs:\n${config}`);
  expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
}

test('failures of a job go into its file, which a reload opens anew', async () => {
  const config = job('one', '127.0.0.1:1', 'scrape_failure_log_file: failures.log');
  const server = await start(config);
  const file = path.join(server.folder, 'failures.log');
  const lines = () =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  await until('a failure is written', () => lines().length > 0);
  const entry = JSON.parse(lines()[0]!) as Record<string, unknown>;
  expect(entry).toMatchObject({
    level: 'ERROR',
    job_name: 'one',
    target: 'http://127.0.0.1:1/metrics',
    msg: 'Get "http://127.0.0.1:1/metrics": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  renameSync(file, `${file}.1`);
  await reload(server, config);
  await until('the new file is written', () => lines().length > 0);
});

test('a reload leaves an unchanged job alone, and ends the series of one that is gone', async () => {
  let scrapes = 0;
  const kept = await serve(() => `kept ${++scrapes}\n`);
  const gone = await serve(() => 'gone 1\n');
  const server = await start(job('kept', kept) + job('gone', gone));
  await until('both are scraped', async () => (await server.query('{job!=""}')).size > 10);
  for (let round = 0; round < 3; round++) {
    await reload(server, job('kept', kept) + job(`new-${round}`, '127.0.0.1:1'));
  }
  await until('the old series ends', async () => (await server.query('gone')).size === 0);
  // A job that is begun anew would take its series for new ones.
  const added = await server.query('sum_over_time(scrape_series_added{job="kept"}[1m])');
  expect([...added.values()]).toEqual([1]);
});

test('jobs that cannot be applied leave everything as it was', async () => {
  const address = await serve(() => 'kept 1\n');
  const server = await start(job('kept', address));
  server.writeConfig(`scrape_configs:\n${job('kept', address)}${job('kept', address)}`);
  const { status, text } = await server.get('/-/reload', { method: 'POST' });
  expect(status).toBe(500);
  expect(text).toContain('found multiple scrape configs with job name "kept"');
  const { scrapePools } = await server.json<{ scrapePools: string[] }>('/api/v1/scrape_pools');
  expect(scrapePools).toEqual(['kept']);
});
