/**
 * Runs the server once, on an empty folder and a free port, with a query, so that the code of every
 * thread lies compiled in the cache. Part of the set-up; what goes wrong here shows later anyway.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);
const WITHIN_MS = 30_000;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-warm-'));
const port = await freePort();
const config = path.join(folder, 'prometheus.yml');
writeFileSync(
  config,
  `scrape_configs: [{job_name: self, scrape_interval: 200ms, static_configs: [{targets: ["127.0.0.1:${port}"]}]}]\n`,
);
const server = spawn(
  process.execPath,
  [
    process.env['NARTHEX_ENTRY'] ?? path.join(ROOT, 'src/main.ts'),
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-admin-api',
  ],
  { stdio: 'ignore' },
);
const ended = new Promise((resolve) => server.once('exit', resolve));
const deadlineMs = performance.now() + WITHIN_MS;
const ask = async (route: string, method = 'GET') => {
  const response = await fetch(`http://127.0.0.1:${port}${route}`, { method });
  await response.arrayBuffer();
  return response.ok;
};
while (performance.now() < deadlineMs && server.exitCode === null) {
  if (await ask('/-/ready').catch(() => false)) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await new Promise((resolve) => setTimeout(resolve, 600));
for (const query of ['sum(rate(prometheus_http_requests_total[1m]))', 'up']) {
  await ask(`/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => false);
}
// Makes a block, in the thread that does such work.
await ask('/api/v1/admin/tsdb/snapshot', 'POST').catch(() => false);
server.kill('SIGTERM');
await ended;
rmSync(folder, { recursive: true, force: true });
