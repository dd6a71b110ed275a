/** A server as a black box: started on an empty directory, with its CPU and memory read from /proc. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const ROOT = path.join(import.meta.dirname, '..');

/** Ours, and the one that NARTHEX_PROMETHEUS names. */
export function serversToCompare(): { readonly name: string; readonly program: string }[] {
  const prometheus = process.env['NARTHEX_PROMETHEUS'];
  return [
    { name: 'narthex', program: path.join(ROOT, 'bin', 'narthex') },
    ...(prometheus === undefined ? [] : [{ name: 'prometheus', program: prometheus }]),
  ];
}

export class MeasuredServer {
  readonly program: string;
  readonly url: string;
  readonly dataDirectory: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(program: string, folder: string, port: number, child: ChildProcess) {
    this.program = program;
    this.#folder = folder;
    this.dataDirectory = path.join(folder, 'data');
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
  }

  /** Resolves when it is ready. */
  static async start(program: string): Promise<MeasuredServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'narthex-bench-'));
    const config = path.join(folder, 'prometheus.yml');
    writeFileSync(config, '');
    const port = await freePort();
    const child = spawn(
      program,
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver',
        '--web.enable-admin-api',
      ],
      { stdio: 'ignore' },
    );
    const server = new MeasuredServer(program, folder, port, child);
    for (;;) {
      const answer = await fetch(`${server.url}/-/ready`).catch(() => null);
      if (answer?.ok === true) return server;
      if (child.exitCode !== null) throw new Error(`${program} ended`);
      await sleep(20);
    }
  }

  /** Of all its threads, since its start. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024;
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

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
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
