/**
 * A whole server from outside, on Linux: time and CPU until it is ready, memory when it has settled,
 * then CPU per sample and memory while it scrapes targets of this process every second.
 *
 *   node bench/server.bench.ts [targets] [series per target] [seconds]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const targetCount = Number(process.argv[2] ?? 50);
const seriesCount = Number(process.argv[3] ?? 2000);
const seconds = Number(process.argv[4] ?? 10);
const WARM_UP_MS = 8000;
const TICKS_PER_SECOND = 100;

let servedCount = 0;

/** Gauges and counters whose last digits change from scrape to scrape. */
function startTarget(target: number): Promise<Server> {
  let scrape = 0;
  const server = createServer((_, response) => {
    scrape++;
    let body = '';
    for (let i = 0; i < seriesCount; i++) {
      if (i % 50 === 0)
        body += `# HELP app_metric_${i} Something.\n# TYPE app_metric_${i} counter\n`;
      const labels = `handler="/api/v1/resource-${i % 7}",method="GET",shard="${i % 50}"`;
      const value = i % 3 === 0 ? 1000 + target : 1000 * (i % 11) + scrape * (i % 13);
      body += `app_metric_${i - (i % 50)}{${labels}} ${value}\n`;
    }
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(body);
    servedCount += seriesCount;
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

const targets = await Promise.all(Array.from({ length: targetCount }, (_, i) => startTarget(i)));
const probe = createServer();
await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
const port = portOf(probe);
await new Promise((resolve) => probe.close(resolve));

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-bench-'));
const config = path.join(folder, 'prometheus.yml');
const hosts = targets.map((server) => `127.0.0.1:${portOf(server)}`);
writeFileSync(
  config,
  'global: {scrape_interval: 1s}\n' +
    `scrape_configs: [{job_name: bench, static_configs: [{targets: ${JSON.stringify(hosts)}}]}]\n`,
);
const startMs = performance.now();
const child = spawn(
  path.join(import.meta.dirname, '..', 'bin', 'narthex'),
  [
    `--config.file=${config}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ],
  { stdio: 'ignore' },
);

function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memory(): string {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const mib = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]) / 1024).toFixed(1);
  return `${mib('VmRSS')} MiB resident, ${mib('RssAnon')} of them its own, peak ${mib('VmHWM')}`;
}

try {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null);
    if (answer?.ok === true) break;
    await sleep(5);
  }
  const readyMs = performance.now() - startMs;
  console.log(`ready after ${readyMs.toFixed(0)} ms, ${cpuSeconds().toFixed(2)} s CPU`);
  await sleep(WARM_UP_MS);
  console.log(`after ${WARM_UP_MS / 1000} s: ${memory()}`);
  const [cpuBefore, servedBefore] = [cpuSeconds(), servedCount];
  await sleep(seconds * 1000);
  const samples = servedCount - servedBefore;
  const nsPerSample = ((cpuSeconds() - cpuBefore) * 1e9) / samples;
  console.log(`${samples} samples: ${nsPerSample.toFixed(0)} ns CPU each; ${memory()}`);
} finally {
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  for (const server of targets) server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
}
