/**
 * Many clients at once at a server that nobody has asked before: light queries, and among every six a
 * heavy one, of ours and of the Prometheus that NARTHEX_PROMETHEUS names, in alternation; Linux.
 * Prints how long clients waited and the processor time of the whole process, which says more than the
 * times where the machine has other work.
 *
 *   node bench/many-clients.bench.ts [rounds=3] [clients=50] [requests=600] [series=100000]
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, quantileTexts } from './clients.ts';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { sendLoad } from './remote-write.ts';
import { SCRAPE_MS } from './tsdb-data.ts';

const [roundCount = 3, clientCount = 50, requestCount = 600, seriesCount = 100_000] = process.argv
  .slice(2)
  .map(Number);

const SAMPLE_COUNT = 20;
/** Until what was written has been tidied up after. */
const SETTLE_MS = 5000;
const LIGHT = [
  'count by (job) (app_metric_7_total{instance="10.0.0.1:9100"})',
  'sum(app_metric_8_total{instance="10.0.0.2:9100"})',
  'rate(app_metric_9_total{instance="10.0.0.3:9100"}[1m])',
  'avg by (instance) (app_metric_5_total{job="job-4"})',
  'max(app_metric_6_total{instance="10.0.0.5:9100"})',
];
/** Each reads a tenth of all series and shows none. */
const HEAVY = [1, 2, 3, 4].map(
  (digit) => `{__name__=~"app_metric_${digit}._total"} and on() (vector(0) > 1)`,
);

type Asked = { readonly isHeavy: boolean; readonly tookMs: number };

async function askAll(server: MeasuredServer, atSeconds: number): Promise<Asked[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const asked: Asked[] = [];
  let next = 0;
  const client = async () => {
    for (let i = next++; i < requestCount; i = next++) {
      const isHeavy = i % 6 === 1;
      const queries = isHeavy ? HEAVY : LIGHT;
      const query = encodeURIComponent(
        queries[Math.floor(i / (isHeavy ? 6 : 1)) % queries.length]!,
      );
      const beganMs = performance.now();
      const url = `${server.url}/api/v1/query?query=${query}&time=${atSeconds}`;
      if (!(await ask(url, agent))) throw new Error(`${url}: not answered`);
      asked.push({ isHeavy, tookMs: performance.now() - beganMs });
    }
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  agent.destroy();
  return asked;
}

function quantilesOf(all: readonly Asked[], isHeavy: boolean): string {
  const times = all.filter((own) => own.isHeavy === isHeavy).map(({ tookMs }) => tookMs);
  return `${quantileTexts(times, [0.5, 0.95, 0.99], 0)} ms`;
}

for (let round = 0; round < roundCount; round++) {
  for (const { name, program } of serversToCompare()) {
    const server = await MeasuredServer.start(program, {
      flags: ['--web.enable-remote-write-receiver'],
    });
    try {
      const firstMs = Date.now() - SAMPLE_COUNT * SCRAPE_MS;
      await sendLoad(server.url, {
        seriesCount,
        sampleCountPerSeries: SAMPLE_COUNT,
        firstMs,
        stepMs: SCRAPE_MS,
        sampleCountPerRequest: SAMPLE_COUNT,
      });
      await sleep(SETTLE_MS);
      const cpuBefore = server.cpuSeconds();
      const asked = await askAll(server, (firstMs + (SAMPLE_COUNT - 1) * SCRAPE_MS) / 1000);
      const cpuMs = ((server.cpuSeconds() - cpuBefore) * 1000) / requestCount;
      console.log(
        `${name.padEnd(11)} light ${quantilesOf(asked, false)}; heavy ${quantilesOf(asked, true)}; ` +
          `CPU per request ${cpuMs.toFixed(2)} ms`,
      );
    } finally {
      await server.stop();
    }
  }
}
