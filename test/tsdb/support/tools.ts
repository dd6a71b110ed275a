/** Prometheus's own programs, where they are installed: they judge what we write. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

export { PROMETHEUS, PROMETHEUS_VERSION, PROMTOOLS } from '../../support/installed.ts';

/** Runs a promtool; throws with what it said when it fails. */
export function promtool(tool: string, ...options: string[]): string {
  const run = spawnSync(tool, options, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0)
    throw new Error(`${tool} ${options.join(' ')}: ${run.stderr || run.stdout}`);
  return run.stdout;
}

export type RunningServer = {
  readonly url: string;
  /** By SIGTERM; done when the process has ended. */
  stop(): Promise<void>;
  /** By SIGKILL. */
  kill(): Promise<void>;
};

/** A server on a data directory; it writes there. */
export function startServer(
  server: string,
  dataDirectory: string,
  ...options: string[]
): Promise<RunningServer> {
  const config = path.join(dataDirectory, 'prometheus.yml');
  if (!existsSync(config)) writeFileSync(config, '');
  return start(server, dataDirectory, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${dataDirectory}`,
    '--storage.tsdb.retention.time=100y',
    ...options,
  ]);
}

/** An agent that takes remote writes and sends them nowhere. */
export function startAgent(
  server: string,
  dataDirectory: string,
  ...options: string[]
): Promise<RunningServer> {
  mkdirSync(dataDirectory, { recursive: true });
  const config = `${dataDirectory}.yml`;
  writeFileSync(config, 'remote_write: [{url: "http://127.0.0.1:1/"}]\n');
  return start(server, dataDirectory, [
    '--agent',
    `--config.file=${config}`,
    `--storage.agent.path=${dataDirectory}`,
    '--web.enable-remote-write-receiver',
    ...options,
  ]);
}

async function start(
  server: string,
  dataDirectory: string,
  options: readonly string[],
): Promise<RunningServer> {
  const port = await freePort();
  const child = spawn(server, [`--web.listen-address=127.0.0.1:${port}`, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4000);
  });
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  const giveUpAtMs = performance.now() + 120_000;
  for (;;) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null || performance.now() > giveUpAtMs) {
      await end('SIGKILL');
      throw new Error(`${server} does not become ready on ${dataDirectory}: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
