/** A server in a process of its own, on a free port and an empty folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const READY_WITHIN_MS = 30_000;

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'narthex-test-'));
}

/** The sources, run as they are. */
const FROM_SOURCES = [process.execPath, path.join(ROOT, 'src/main.ts')] as const;
/** As a user starts it. */
export const AS_INSTALLED = [path.join(ROOT, 'bin/narthex')] as const;

/** One data folder and one configuration; the process can come and go. */
export class TestServer {
  readonly folder = temporaryFolder();
  readonly port: number;
  readonly #program: readonly string[];
  dataFolder = path.join(this.folder, 'data');
  log = '';
  /** Added to ours. */
  environment: NodeJS.ProcessEnv = {};
  #child: ChildProcess | null = null;
  #ended: Promise<Ended> = Promise.resolve({ code: null, signal: null });

  constructor(port: number, program: readonly string[]) {
    this.port = port;
    this.#program = program;
  }

  static async create(
    config: string,
    program: readonly string[] = FROM_SOURCES,
  ): Promise<TestServer> {
    const server = new TestServer(await freePort(), program);
    server.writeConfig(config);
    return server;
  }

  get configFile(): string {
    return path.join(this.folder, 'prometheus.yml');
  }

  /** `PORT` in the text stands for the server's own port. */
  writeConfig(text: string): void {
    writeFileSync(this.configFile, text.replaceAll('PORT', String(this.port)));
  }

  /** Beside the configuration. */
  writeFile(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  start(...flags: string[]): void {
    const [command, ...first] = this.#program;
    const args = [
      ...first,
      `--config.file=${this.configFile}`,
      `--storage.${flags.includes('--agent') ? 'agent' : 'tsdb'}.path=${this.dataFolder}`,
      `--web.listen-address=127.0.0.1:${this.port}`,
      ...flags,
    ];
    const child = spawn(command!, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.environment },
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Starts and waits until it answers. */
  async startReady(...flags: string[]): Promise<void> {
    this.start(...flags);
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadlineMs) {
      if (this.#child?.exitCode !== null) throw new Error(`the server ended:\n${this.log}`);
      const isReady = await this.get('/-/ready').then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isReady) return;
      await sleep(20);
    }
    throw new Error(`the server is not ready after ${READY_WITHIN_MS} ms:\n${this.log}`);
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child?.kill(signal);
    return this.#ended;
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  async get(route: string, options: RequestInit = {}): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${route}`, options);
    return { status: response.status, text: await response.text() };
  }

  async json<T>(route: string): Promise<T> {
    const { status, text } = await this.get(route);
    if (status !== 200) throw new Error(`${route}: ${status} ${text}\n${this.log}`);
    return (JSON.parse(text) as { data: T }).data;
  }

  /** Series of an instant query: label text → value. */
  async query(query: string): Promise<Map<string, number>> {
    const { result } = await this.json<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>(`/api/v1/query?query=${encodeURIComponent(query)}`);
    return new Map(result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
  }

  /** The value of one of the server's own metrics, without labels. */
  async ownMetric(name: string): Promise<number> {
    const { text } = await this.get('/metrics');
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  /** Ends what still runs and removes everything. */
  async remove(): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null)
      await this.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again until `check` holds. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  withinMs = 15_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs) {
    if (await check()) return;
    await sleep(25);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}
