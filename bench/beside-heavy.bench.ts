/**
 * What a cheap query every 50 ms and the scrapes of ten targets have to bear while others ask heavy
 * queries: ours and the Prometheus that NARTHEX_PROMETHEUS names, in alternation; Linux.
 *
 * Where every client asks again at once, a server that answers heavy queries faster has more of them to
 * do. With the third argument each asks at that pace, so that both do the same. The fourth asks the
 * cheap query so many times beforehand, until its code has been optimised.
 *
 *   node bench/beside-heavy.bench.ts [rounds=2] [seconds=10] [heavy every ms=0] [cheap ones before=0]
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, quantileTexts } from './clients.ts';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { sendLoad } from './remote-write.ts';
import { ScrapeTargets } from './scrape-targets.ts';
import { SCRAPE_MS } from './tsdb-data.ts';

const [roundCount = 2, seconds = 10, heavyEveryMs = 0, cheapCountBefore = 0] = process.argv
  .slice(2)
  .map(Number);

const CHEAP_EVERY_MS = 50;
const SCRAPE_INTERVAL_MS = 1000;
const SERIES_COUNT = 10_000;
/** Less than an hour: older samples than that are refused once there are scrapes. */
const SAMPLE_COUNT = 200;
const STEP_COUNT = 1000;
/** Until what was written has been tidied up after. */
const SETTLE_MS = 5000;
const CHEAP = 'sum(app_metric_8_total{instance="10.0.0.2:9100"})';
/** Reads all series and gives a hundred. */
const HEAVY = 'sum by (handler, code, method) ({__name__=~"app_metric_.*"})';
const SHARES = [0.5, 0.95, 0.99];

type Urls = { readonly cheap: string; readonly heavy: string };

function urlsOf(server: MeasuredServer, firstMs: number): Urls {
  const end = Math.floor((firstMs + (SAMPLE_COUNT - 1) * SCRAPE_MS) / 1000);
  const step = Math.floor(((SAMPLE_COUNT - 1) * SCRAPE_MS) / 1000 / STEP_COUNT);
  const range = { start: `${end - (STEP_COUNT - 1) * step}`, end: `${end}`, step: `${step}` };
  const cheap = new URLSearchParams({ query: CHEAP, time: `${end}` });
  const heavy = new URLSearchParams({ query: HEAVY, ...range });
  return {
    cheap: `${server.url}/api/v1/query?${cheap}`,
    heavy: `${server.url}/api/v1/query_range?${heavy}`,
  };
}

async function phase(
  name: string,
  server: MeasuredServer,
  targets: ScrapeTargets,
  urls: Urls,
  heavyClientCount: number,
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  await targets.arrivals();
  const cpuBefore = server.cpuSeconds();
  const beganMs = performance.now();
  let isOver = false;
  let heavyCount = 0;
  let failedCount = 0;
  const heavyClient = async () => {
    while (!isOver) {
      const askedMs = performance.now();
      if (await ask(urls.heavy, agent)) heavyCount++;
      else failedCount++;
      await sleep(Math.max(0, heavyEveryMs - (performance.now() - askedMs)));
    }
  };
  const clients = Array.from({ length: heavyClientCount }, heavyClient);
  const tookMs: number[] = [];
  const pending: Promise<void>[] = [];
  // On a fixed clock, whatever the earlier ones do.
  for (let atMs = 0; atMs < seconds * 1000; atMs += CHEAP_EVERY_MS) {
    await sleep(Math.max(0, beganMs + atMs - performance.now()));
    const askedMs = performance.now();
    const cheap = ask(urls.cheap, agent).then((isAnswered) => {
      tookMs.push(performance.now() - askedMs);
      if (!isAnswered) failedCount++;
    });
    pending.push(cheap);
  }
  await Promise.all(pending);
  const cores = (server.cpuSeconds() - cpuBefore) / ((performance.now() - beganMs) / 1000);
  const { gapsMs } = await targets.arrivals();
  const doneCount = heavyCount;
  isOver = true;
  await Promise.all(clients);
  agent.destroy();
  const lateMs = gapsMs.map((gap) => Math.max(0, gap - SCRAPE_INTERVAL_MS));
  console.log(
    `${name} ${heavyClientCount} heavy: cheap ${quantileTexts(tookMs, SHARES, 2)} ms; ` +
      `scrapes late by ${quantileTexts(lateMs, SHARES)} ms; ` +
      `${(doneCount / seconds).toFixed(1)} heavy a second; ${cores.toFixed(2)} cores; ` +
      `${failedCount} failed`,
  );
}

async function measure(name: string, program: string): Promise<void> {
  const targets = await ScrapeTargets.start({ targetCount: 10, seriesCountPerTarget: 100 });
  const server = await MeasuredServer.start(program, {
    config: targets.config,
    flags: ['--web.enable-remote-write-receiver'],
  });
  try {
    const firstMs = Date.now() - SAMPLE_COUNT * SCRAPE_MS;
    await sendLoad(server.url, {
      seriesCount: SERIES_COUNT,
      sampleCountPerSeries: SAMPLE_COUNT,
      firstMs,
      stepMs: SCRAPE_MS,
      sampleCountPerRequest: 20,
    });
    await sleep(SETTLE_MS);
    const urls = urlsOf(server, firstMs);
    const agent = new Agent({ keepAlive: true });
    for (let i = 0; i < cheapCountBefore; i++) await ask(urls.cheap, agent);
    agent.destroy();
    for (const heavyClientCount of [0, 1, 2]) {
      await phase(name.padEnd(10), server, targets, urls, heavyClientCount);
    }
  } finally {
    await server.stop();
    await targets.stop();
  }
}

for (let round = 0; round < roundCount; round++) {
  for (const { name, program } of serversToCompare()) await measure(name, program);
}
