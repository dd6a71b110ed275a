/**
 * Clients that ask what dashboards ask, each again a tenth of a second after its answer, while the
 * server scrapes 100,000 series every second: ours and the Prometheus that NARTHEX_PROMETHEUS names,
 * one after the other; Linux. Prints how long clients waited, how many answers they got, and how late
 * scrapes came, seen from the targets.
 *
 *   node bench/dashboards.bench.ts [rounds=1] [clients=50] [targets=100] [series per target=1000] [seconds=20]
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, quantileTexts } from './clients.ts';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { metricName, ScrapeTargets } from './scrape-targets.ts';

const [
  roundCount = 1,
  clientCount = 50,
  targetCount = 100,
  seriesCountPerTarget = 1000,
  seconds = 20,
] = process.argv.slice(2).map(Number);

const PAUSE_MS = 100;
/** Until all targets are known and some data is there to ask for. */
const WARM_UP_MS = 15_000;
const INTERVAL_MS = 1000;
const SHARES = [0.5, 0.95, 0.99, 1];
const METRIC_COUNT = seriesCountPerTarget / 10;

type Kind = {
  readonly name: string;
  /** The path to ask for the n-th time. */
  readonly path: (n: number) => string;
  /** Reads a fifth of all series. */
  readonly isHeavy?: boolean;
};

const instant = (query: string) => `/api/v1/query?query=${encodeURIComponent(query)}`;
const lastMinute = (query: string, step: number) => {
  const now = Math.floor(Date.now() / 1000);
  return `/api/v1/query_range?query=${encodeURIComponent(query)}&start=${now - 60}&end=${now}&step=${step}`;
};

const KINDS: readonly Kind[] = [
  { name: 'up', path: () => instant('up') },
  {
    name: 'one metric of all targets, 1,000 series',
    path: (n) => instant(`sum by (part) (${metricName(n % METRIC_COUNT)})`),
  },
  {
    name: 'sum over all targets, 60 steps',
    path: () => lastMinute('sum(scrape_samples_scraped)', 1),
  },
  {
    name: 'one line per target, 12 steps',
    path: () => lastMinute('avg by (instance) (scrape_duration_seconds)', 5),
  },
  { name: 'values of a label', path: () => '/api/v1/label/job/values' },
  { name: 'rate per target', path: () => instant('rate(scrape_samples_scraped[10s])') },
  {
    name: 'a fifth of all series',
    path: (n) => {
      const digit = 1 + 2 * (n % 4);
      return instant(`count({__name__=~"bench_metric_[${digit}${digit + 1}]..*"})`);
    },
    isHeavy: true,
  },
];

class Answers {
  readonly #tookMs = KINDS.map((): number[] => []);
  failedCount = 0;

  note(kind: number, tookMs: number): void {
    this.#tookMs[kind]!.push(tookMs);
  }

  get count(): number {
    return this.#tookMs.reduce((sum, { length }) => sum + length, 0);
  }

  of(isWanted: (kind: Kind) => boolean): number[] {
    return this.#tookMs.flatMap((times, kind) => (isWanted(KINDS[kind]!) ? times : []));
  }
}

async function askAll(server: MeasuredServer): Promise<Answers> {
  const answers = new Answers();
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const endMs = performance.now() + seconds * 1000;
  const client = async (first: number) => {
    for (let n = first; performance.now() < endMs; n++) {
      const kind = n % KINDS.length;
      const beganMs = performance.now();
      const isAnswered = await ask(`${server.url}${KINDS[kind]!.path(n)}`, agent);
      answers.note(kind, performance.now() - beganMs);
      if (!isAnswered) answers.failedCount++;
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: clientCount }, (_, i) => client(i)));
  agent.destroy();
  return answers;
}

async function measure(name: string, program: string): Promise<void> {
  const targets = await ScrapeTargets.start({ targetCount, seriesCountPerTarget });
  const server = await MeasuredServer.start(program, { config: targets.config });
  try {
    await sleep(WARM_UP_MS);
    await targets.arrivals();
    const cpuBefore = server.cpuSeconds();
    const answers = await askAll(server);
    const cpuSeconds = server.cpuSeconds() - cpuBefore;
    const { gapsMs } = await targets.arrivals();
    const lateMs = gapsMs.map((gap) => Math.max(0, gap - INTERVAL_MS));
    const missedCount = gapsMs.reduce((sum, gap) => sum + Math.round(gap / INTERVAL_MS) - 1, 0);
    console.log(
      `${name}: ${(answers.count / seconds).toFixed(0)} answers a second, ${answers.failedCount} failed; ` +
        `${(cpuSeconds / seconds).toFixed(2)} cores, ${(server.memoryBytes() / 2 ** 20).toFixed(0)} MiB; ` +
        `${missedCount} of ${gapsMs.length} scrapes missed`,
    );
    const row = (what: string, values: readonly number[]) =>
      console.log(`  ${what.padEnd(42)} ${quantileTexts(values, SHARES)} ms`);
    row('scrapes late by', lateMs);
    row(
      'light queries',
      answers.of(({ isHeavy }) => isHeavy !== true),
    );
    for (const kind of KINDS) {
      row(
        `  ${kind.name}`,
        answers.of((own) => own === kind),
      );
    }
  } finally {
    await server.stop();
    await targets.stop();
  }
}

for (let round = 0; round < roundCount; round++) {
  for (const { name, program } of serversToCompare()) await measure(name, program);
}
