/**
 * How a fresh server answers its first requests, side by side with another one on the same blocks:
 * each query is asked once, then some dozen times, in alternation; Linux.
 *
 *   node bench/cold-queries.bench.ts DATA_DIR UNIX_TIME REQUEST_COUNT 'COMMAND A' ['COMMAND B']
 *
 * DATA_DIR holds blocks; UNIX_TIME is when the queries are evaluated. Standard input: a query a line
 * (`i,r100 EXPR`, or `get PATH`), as in `w3` of the benchmark that compares whole servers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [dataDirectory, atText, countText, ...commands] = process.argv.slice(2);
if (dataDirectory === undefined || commands.length === 0) {
  console.error('usage: cold-queries.bench.ts DATA_DIR UNIX_TIME REQUEST_COUNT COMMAND…');
  process.exit(2);
}
const at = Number(atText);
const requestCount = Number(countText);
const SPAN_SECONDS = 12_000;
const SETTLE_MS = 1500;
const TICKS_PER_SECOND = 100;
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

class Contestant {
  readonly name: string;
  readonly readyMs: number;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  private constructor(
    name: string,
    child: ChildProcess,
    folder: string,
    port: number,
    readyMs: number,
  ) {
    this.name = name;
    this.#process = child;
    this.#folder = folder;
    this.#port = port;
    this.readyMs = readyMs;
  }

  static async start(command: string): Promise<Contestant> {
    const folder = mkdtempSync(path.join(tmpdir(), 'narthex-cold-'));
    const port = await freePort();
    const config = path.join(folder, 'prometheus.yml');
    writeFileSync(config, 'global: {scrape_interval: 1m}\n');
    cpSync(dataDirectory!, path.join(folder, 'data'), { recursive: true });
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const startedMs = performance.now();
    const child = spawn(command, args, { stdio: 'ignore' });
    const probe = `http://127.0.0.1:${port}/-/ready`;
    while (
      !(await fetch(probe).then(
        (answer) => answer.ok,
        () => false,
      ))
    ) {
      await sleep(5);
    }
    return new Contestant(command, child, folder, port, performance.now() - startedMs);
  }

  ask(url: string): Promise<number> {
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      get({ port: this.#port, path: url, agent: this.#agent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(performance.now() - startedMs));
      }).on('error', reject);
    });
  }

  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  get residentMib(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const lines = readFileSync(0, 'utf8').split('\n');
const questions = lines
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .flatMap(questionsOf);
const contestants: Contestant[] = [];
try {
  for (const command of commands) contestants.push(await Contestant.start(command));
  await sleep(SETTLE_MS);
  for (const contestant of contestants) {
    const { name, readyMs, cpuSeconds, residentMib } = contestant;
    console.log(
      `${name}: ready after ${readyMs.toFixed(0)} ms, ${cpuSeconds.toFixed(2)} s of CPU, ` +
        `${residentMib.toFixed(1)} MiB before the first request`,
    );
  }
  const cpuBefore = contestants.map(({ cpuSeconds }) => cpuSeconds);
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
  for (const [c, contestant] of contestants.entries()) {
    const cpu = contestant.cpuSeconds - cpuBefore[c]!;
    console.log(
      `${contestant.name}: ${cpu.toFixed(2)} s, ${contestant.residentMib.toFixed(1)} MiB`,
    );
  }
} finally {
  for (const contestant of contestants) await contestant.stop();
}
