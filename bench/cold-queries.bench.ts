/**
 * How a fresh server answers its first requests, side by side with another one on the same blocks:
 * each query is asked once, then some dozen times, in alternation; Linux.
 *
 *   node bench/cold-queries.bench.ts DATA_DIR UNIX_TIME REQUEST_COUNT 'COMMAND A' ['COMMAND B']
 *
 * DATA_DIR holds blocks; UNIX_TIME is when the queries are evaluated. Standard input: a query a line
 * (`i,r100 EXPR`, or `get PATH`), as in `w3` of the benchmark that compares whole servers.
 */
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredServer } from './measured-server.ts';

const [dataDirectory, atText, countText, ...commands] = process.argv.slice(2);
if (dataDirectory === undefined || commands.length === 0) {
  console.error('usage: cold-queries.bench.ts DATA_DIR UNIX_TIME REQUEST_COUNT COMMAND…');
  process.exit(2);
}
const at = Number(atText);
const requestCount = Number(countText);
const SPAN_SECONDS = 12_000;
const SETTLE_MS = 1500;
/** Requests are told apart by how many of their kind came before. */
const PHASES = [
  { name: 'first', from: 0, to: 1 },
  { name: '2-5', from: 1, to: 5 },
  { name: '6-20', from: 5, to: 20 },
  { name: '21-', from: 20, to: Infinity },
] as const;

type Question = { readonly mode: string; readonly text: string; readonly url: string };

function questionsOf(line: string): Question[] {
  const cut = line.indexOf(' ');
  const text = line.slice(cut + 1).trim();
  return line
    .slice(0, cut)
    .split(',')
    .map((mode) => {
      if (mode === 'get') {
        const url = text.replaceAll('{start}', String(at - SPAN_SECONDS));
        return { mode: 'meta', text, url: encodeURI(url.replaceAll('{end}', String(at))) };
      }
      const query = encodeURIComponent(text);
      if (mode === 'i') return { mode, text, url: `/api/v1/query?query=${query}&time=${at}` };
      const stepCount = Number(mode.slice(1));
      const step = Math.max(2, Math.floor(SPAN_SECONDS / stepCount / 2) * 2);
      const start = at - step * (stepCount - 1);
      const url = `/api/v1/query_range?query=${query}&start=${start}&end=${at}&step=${step}`;
      return { mode, text, url };
    });
}

/** Asks over one connection, which stays. */
class Contestant {
  readonly server: MeasuredServer;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(server: MeasuredServer) {
    this.server = server;
  }

  ask(url: string): Promise<number> {
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      get(this.server.url + url, { agent: this.#agent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(performance.now() - startedMs));
      }).on('error', reject);
    });
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.server.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

function figuresOf(server: MeasuredServer, cpuBefore: number): string {
  const cpu = (server.cpuSeconds() - cpuBefore).toFixed(2);
  return `${cpu} s of CPU, ${(server.memoryBytes() / 2 ** 20).toFixed(1)} MiB`;
}

const lines = readFileSync(0, 'utf8').split('\n');
const questions = lines
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .flatMap(questionsOf);
const contestants: Contestant[] = [];
try {
  for (const command of commands) {
    const server = await MeasuredServer.start(command, {
      config: 'global: {scrape_interval: 1m}\n',
      data: dataDirectory,
      flags: ['--storage.tsdb.retention.time=100y'],
    });
    contestants.push(new Contestant(server));
  }
  await sleep(SETTLE_MS);
  for (const { server } of contestants) {
    console.log(
      `${server.program}: ready after ${server.readyMs.toFixed(0)} ms, ` +
        `${figuresOf(server, 0)} before the first request`,
    );
  }
  const cpuBefore = contestants.map(({ server }) => server.cpuSeconds());
  /** Ratios A/B by mode and phase. */
  const ratios = new Map<string, number[]>();
  for (const [i, { mode, text, url }] of questions.entries()) {
    const times: number[][] = contestants.map(() => []);
    for (let request = 0; request < requestCount; request++) {
      for (let c = 0; c < contestants.length; c++) {
        const turn = (c + request + i) % contestants.length;
        times[turn]!.push(await contestants[turn]!.ask(url));
      }
    }
    const columns = PHASES.map(({ name, from, to }) => {
      const medians = times.map((own) => median(own.slice(from, to)));
      const ratio = medians[0]! / (medians[1] ?? NaN);
      if (!Number.isNaN(ratio)) {
        const key = `${mode.padEnd(6)}${name}`;
        ratios.set(key, [...(ratios.get(key) ?? []), ratio]);
      }
      return medians.map((ms) => ms.toFixed(2).padStart(7)).join('');
    });
    console.log(`${mode.padEnd(6)}${text.slice(0, 50).padEnd(51)}${columns.join(' |')}`);
  }
  for (const [key, values] of ratios) {
    console.log(`${key.padEnd(14)} A/B ${geometricMean(values).toFixed(2)} (${values.length})`);
  }
  for (const [c, { server }] of contestants.entries()) {
    console.log(`${server.program}: ${figuresOf(server, cpuBefore[c]!)}`);
  }
} finally {
  for (const contestant of contestants) await contestant.stop();
}
