/** Prometheus's own programs, where they are installed: they judge what we write. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

/**
 * The promtools to ask: that of NARTHEX_PROMTOOL (meant for 3.14) and the one on the PATH (Debian has
 * 2.42).
 */
export const PROMTOOLS: readonly string[] = [process.env['NARTHEX_PROMTOOL'], onPath('promtool')]
  .filter((tool) => tool !== undefined)
  .filter((tool) => existsSync(tool));

/** A server, or null when there is none. */
export const PROMETHEUS: string | null =
  [process.env['NARTHEX_PROMETHEUS'], onPath('prometheus')].find(
    (server) => server !== undefined && existsSync(server),
  ) ?? null;

if (PROMTOOLS.length === 0 || PROMETHEUS === null) {
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error('promtool is missing');
  console.info('skipped: no prometheus or promtool (set NARTHEX_PROMETHEUS, NARTHEX_PROMTOOL)');
}

/** Runs a promtool; throws with what it said when it fails. */
export function promtool(tool: string, ...options: string[]): string {
  const run = spawnSync(tool, options, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0)
    throw new Error(`${tool} ${options.join(' ')}: ${run.stderr || run.stdout}`);
  return run.stdout;
}

/** A server on a data directory; it writes there. */
export async function startServer(
  server: string,
  dataDirectory: string,
  ...options: string[]
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const config = path.join(dataDirectory, 'prometheus.yml');
  writeFileSync(config, '');
  const child = spawn(
    server,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${dataDirectory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=100y',
      ...options,
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let attempt = 0; ; attempt++) {
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null || attempt > 300) {
      child.kill('SIGKILL');
      throw new Error(`${server} does not become ready on ${dataDirectory}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
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

function onPath(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
}
