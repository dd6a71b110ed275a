/** bin/narthex as a script meets it that was written for the prometheus binary. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, until } from '../src/support/server.ts';
import { Clone, plainEnvironment } from './support/clone.ts';

const VERSION = /^narthex, version \d+\.\d+\.\d+ /;
const NOBODY = 65_534;
// Bundling takes three seconds, on a busy machine many more.
vi.setConfig({ testTimeout: 180_000 });
let clone: Clone;

beforeAll(() => {
  clone = new Clone();
});
afterAll(() => clone.remove());

/** Folders of the cache with the code of a server. */
function bundles(): string[] {
  return readdirSync(clone.cache).filter((name) => /^server-[0-9a-f]+$/.test(name));
}

/** Changes what `--version` says. */
function changeSource(version: string): void {
  const file = clone.path('src/version.ts');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(PROMETHEUS_VERSION = ')[^']*/, `$1${version}`));
  const soon = new Date(Date.now() + 10);
  utimesSync(file, soon, soon);
}

describe('bin/narthex', () => {
  test('sets itself up once when several are started at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 3 }, () => clone.run(['--version'])));
    for (const { status, out } of results) {
      expect(status).toBe(0);
      // Set-up speaks on stderr only; what a script reads is the answer.
      expect(out).toMatch(VERSION);
    }
    expect(bundles()).toHaveLength(1);
  });

  test('works through symbolic links, from any folder', async () => {
    const link = path.join(clone.folder, 'data', 'prometheus');
    symlinkSync('../bin/narthex', link);
    symlinkSync(link, `${link}-2`);
    const { status, out, err } = await clone.run(['--version'], { program: `${link}-2` });
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(VERSION);
  });

  test('has the exit code of the server', async () => {
    const { status, err } = await clone.run(['--foo']);
    expect(status).toBe(1);
    expect(err).toContain("unknown long flag '--foo'");
  });

  test('is the server process itself, so that signals reach it', async () => {
    const port = await freePort();
    const config = clone.path('data', 'empty.yml');
    writeFileSync(config, '');
    const child = spawn(
      clone.path('bin/narthex'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${clone.path('data', 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { cwd: tmpdir(), stdio: 'ignore', env: plainEnvironment() },
    );
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    try {
      await until('it is ready', () =>
        fetch(`http://127.0.0.1:${port}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=up`);
      expect(response.status).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });

  test('runs changed sources, and leaves their code to servers that run', async () => {
    const before = bundles();
    changeSource('3.14.77');
    const { out } = await clone.run(['--version']);
    expect(out).toContain('Prometheus 3.14.77');
    expect(bundles()).toEqual(expect.arrayContaining(before));
    expect(bundles()).toHaveLength(before.length + 1);
  });

  test('runs from a clone that it cannot write to, and then the newest sources', async (context) => {
    if (process.getuid?.() !== 0) {
      context.skip('only root can start a program as another user');
      return;
    }
    for (const folder of [clone.folder, clone.path('data')]) chmodSync(folder, 0o755);
    const { status, err } = await clone.run(['--version'], { uid: NOBODY });
    if (err.includes('Permission denied')) {
      context.skip('this checkout cannot be read by other users');
      return;
    }
    expect({ status, err }).toEqual({ status: 0, err: '' });
    changeSource('3.14.78');
    const newer = await clone.run(['--version'], { uid: NOBODY });
    expect(newer).toMatchObject({ status: 0, err: '' });
    expect(newer.out).toContain('Prometheus 3.14.78');
  });
});
