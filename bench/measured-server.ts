/** A server as a black box: started in a directory of its own, with its CPU and memory read from /proc. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const POLL_MS = 5;
const DATA = 'data';
/** The program of this checkout. */
export const OURS = path.join(import.meta.dirname, '..', 'bin', 'narthex');

/** Ours, and the one that NARTHEX_PROMETHEUS names. */
export function serversToCompare(): { readonly name: string; readonly program: string }[] {
  const prometheus = process.env['NARTHEX_PROMETHEUS'];
  return [
    { name: 'narthex', program: OURS },
    ...(prometheus === undefined ? [] : [{ name: 'prometheus', program: prometheus }]),
  ];
}

export type ServerOptions = {
  /** Its text; empty if not given. */
  readonly config?: string;
  /** A directory whose copy is its data. */
  readonly data?: string;
  readonly flags?: readonly string[];
};

export class MeasuredServer {
  readonly program: string;
  readonly url: string;
  readonly dataDirectory: string;
  /** From its start until it was ready. */
  readonly readyMs: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(
    program: string,
    url: string,
    folder: string,
    child: ChildProcess,
    readyMs: number,
  ) {
    this.program = program;
    this.url = url;
    this.dataDirectory = path.join(folder, DATA);
    this.readyMs = readyMs;
    this.#folder = folder;
    this.#child = child;
  }

  /** Resolves when it is ready. */
  static async start(
    program: string,
    { config = '', data, flags = [] }: ServerOptions = {},
  ): Promise<MeasuredServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'narthex-bench-'));
    const configFile = path.join(folder, 'prometheus.yml');
    const dataDirectory = path.join(folder, DATA);
    writeFileSync(configFile, config);
    if (data !== undefined) cpSync(data, dataDirectory, { recursive: true });
    const address = `127.0.0.1:${await freePort()}`;
    const url = `http://${address}`;
    const startMs = performance.now();
    const child = spawn(
      program,
      [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${dataDirectory}`,
        `--web.listen-address=${address}`,
        ...flags,
      ],
      { stdio: 'ignore' },
    );
    for (;;) {
      const answer = await fetch(`${url}/-/ready`).catch(() => null);
      if (answer?.ok === true) break;
      if (child.exitCode !== null) {
        rmSync(folder, { recursive: true });
        throw new Error(`${program} ended`);
      }
      await sleep(POLL_MS);
    }
    return new MeasuredServer(program, url, folder, child, performance.now() - startMs);
  }

  /** Of all its threads, since its start. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** What it has resident; of that its own (`RssAnon`); the most that it had (`VmHWM`). */
  memoryBytes(kind: 'VmRSS' | 'RssAnon' | 'VmHWM' = 'VmRSS'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${kind}:\\s+(\\d+)`, 'm').exec(status)![1]) * 1024;
  }

  /** Bytes of all files below a directory of the data directory. */
  diskBytes(name: string): number {
    const directory = path.join(this.dataDirectory, name);
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((file) => statSync(path.join(directory, file)))
      .filter((stat) => stat.isFile())
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** Of its own metrics, without labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  async post<T>(route: string): Promise<T> {
    const response = await fetch(`${this.url}${route}`, { method: 'POST' });
    const answer = (await response.json()) as { data: T };
    if (!response.ok) throw new Error(`${route}: ${JSON.stringify(answer)}`);
    return answer.data;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
