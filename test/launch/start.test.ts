/** `npm start`: the sample app and the server, until Ctrl-C, and once more on the same data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { freePort, temporaryFolder, until } from '../src/support/server.ts';
import { plainEnvironment, ROOT } from './support/clone.ts';

const STOP_WITHIN_MS = 5000;
// Two programs, run from their sources, twice.
vi.setConfig({ testTimeout: 180_000 });

type Run = {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly ended: Promise<number | null>;
};

const toClean: (() => void)[] = [];
afterEach(() => {
  for (const clean of toClean.splice(0).reverse()) clean();
});

function start(appPort: number, flags: readonly string[]): Run {
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts/start.ts'), ...flags], {
    // A process group of its own, as a shell makes one for what runs in the foreground.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), APP_PORT: String(appPort) },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  toClean.push(() => {
    if (isGroupAlive(child)) process.kill(-child.pid!, 'SIGKILL');
  });
  return { child, text: () => text, ended };
}

function isGroupAlive({ pid }: ChildProcess): boolean {
  try {
    process.kill(-pid!, 0);
    return true;
  } catch {
    return false;
  }
}

async function ask(port: number, query: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
  const answer = (await (await fetch(url)).json()) as {
    data: { result: { value: [number, string] }[] };
  };
  return Number(answer.data.result[0]?.value[1]);
}

test('watches the sample app, stops everything on Ctrl-C, and continues on the same data', async () => {
  const folder = temporaryFolder();
  toClean.push(() => rmSync(folder, { recursive: true, force: true }));
  const [port, appPort] = [await freePort(), await freePort()];
  const flags = [`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${folder}/data`];

  const first = start(appPort, flags);
  await until('the summary is printed', () => first.text().includes('Ctrl-C stops'), 30_000);
  expect(first.text()).toContain(`http://localhost:${port}/`);
  expect(first.text()).toContain(`http://localhost:${appPort}/`);
  expect(first.text()).toContain(`${folder}/data`);
  await until(
    'server and app are scraped',
    async () => (await ask(port, 'count(up == 1)')) === 2,
    30_000,
  );
  const firstSampleAt = await ask(port, 'min(timestamp(up))');
  const stopAskedMs = performance.now();
  process.kill(-first.child.pid!, 'SIGINT');
  await first.ended;
  expect(performance.now() - stopAskedMs).toBeLessThan(STOP_WITHIN_MS);
  await until('nothing is left running', () => !isGroupAlive(first.child), 2000);

  const second = start(appPort, flags);
  await until('it runs again', () => second.text().includes('Ctrl-C stops'), 30_000);
  // Samples from before the stop.
  expect(await ask(port, `count_over_time(up[1h] @ ${firstSampleAt + 1})`)).toBeGreaterThan(0);
  // `kill <pid>` has to end its children too.
  second.child.kill('SIGTERM');
  await second.ended;
  await until('nothing is left running', () => !isGroupAlive(second.child), 2000);
});

test('names the port that is taken, and how to choose another', async () => {
  const holder = createServer();
  const taken = await freePort();
  await new Promise<void>((resolve) => holder.listen(taken, '127.0.0.1', resolve));
  toClean.push(() => void holder.close());
  const server = start(await freePort(), [`--web.listen-address=127.0.0.1:${taken}`]);
  expect(await server.ended).toBe(1);
  expect(server.text()).toContain(`port ${taken} is in use`);
  expect(server.text()).toContain(`--web.listen-address=127.0.0.1:${taken + 1}`);
  const app = start(taken, [`--web.listen-address=127.0.0.1:${await freePort()}`]);
  expect(await app.ended).toBe(1);
  expect(app.text()).toContain(`port ${taken} (sample app) is in use`);
  expect(app.text()).toContain(`APP_PORT=${taken + 1}`);
});
