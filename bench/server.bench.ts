/**
 * A whole server from outside, on Linux: time and CPU until it is ready, memory when it has settled,
 * then CPU per sample and memory while it scrapes targets of this process every second.
 *
 *   node bench/server.bench.ts [targets] [series per target] [seconds]
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredServer, OURS } from './measured-server.ts';

const targetCount = Number(process.argv[2] ?? 50);
const seriesCount = Number(process.argv[3] ?? 2000);
const seconds = Number(process.argv[4] ?? 10);
const WARM_UP_MS = 8000;

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
const hosts = targets.map((server) => `127.0.0.1:${portOf(server)}`);
const server = await MeasuredServer.start(OURS, {
  config:
    'global: {scrape_interval: 1s}\n' +
    `scrape_configs: [{job_name: bench, static_configs: [{targets: ${JSON.stringify(hosts)}}]}]\n`,
});

function memory(): string {
  const mib = (kind: 'VmRSS' | 'RssAnon' | 'VmHWM') =>
    (server.memoryBytes(kind) / 2 ** 20).toFixed(1);
  return `${mib('VmRSS')} MiB resident, ${mib('RssAnon')} of them its own, peak ${mib('VmHWM')}`;
}

try {
  console.log(
    `ready after ${server.readyMs.toFixed(0)} ms, ${server.cpuSeconds().toFixed(2)} s CPU`,
  );
  await sleep(WARM_UP_MS);
  console.log(`after ${WARM_UP_MS / 1000} s: ${memory()}`);
  const [cpuBefore, servedBefore] = [server.cpuSeconds(), servedCount];
  await sleep(seconds * 1000);
  const samples = servedCount - servedBefore;
  const nsPerSample = ((server.cpuSeconds() - cpuBefore) * 1e9) / samples;
  console.log(`${samples} samples: ${nsPerSample.toFixed(0)} ns CPU each; ${memory()}`);
} finally {
  await server.stop();
  for (const target of targets) target.close().closeAllConnections();
}
