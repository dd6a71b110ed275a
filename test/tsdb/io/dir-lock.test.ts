/** One server per data directory, whoever wrote the other one. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Registry, SILENT_LOGGER, SimulatedClock } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';
import { DirectoryLock } from '../../../tsdb/io/dir-lock.ts';
import { PROMETHEUS } from '../support/tools.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const modulePath = path.resolve(import.meta.dirname, '../../../tsdb/io/dir-lock.ts');
const script = (then: string) =>
  `const { DirectoryLock } = await import(${JSON.stringify(modulePath)});
   DirectoryLock.acquire(${JSON.stringify(directory)}); ${then}`;

describe('the lock of a data directory', () => {
  test('keeps a second process out until the first lets go', () => {
    const lock = DirectoryLock.acquire(directory);
    const refused = spawnSync(process.execPath, ['-e', script('')], { encoding: 'utf8' });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('lock DB directory');
    lock.release();
    expect(spawnSync(process.execPath, ['-e', script('')]).status).toBe(0);
  });

  test('is gone after a clean end, so that a left one tells of another end', () => {
    const file = path.join(directory, 'lock');
    const first = DirectoryLock.acquire(directory);
    expect(first.wasClean).toBe(true);
    first.release();
    expect(existsSync(file)).toBe(false);
    // Empty is what a Prometheus leaves that was killed.
    writeFileSync(file, '');
    const warnings: string[] = [];
    const logger = { ...SILENT_LOGGER, warn: (message: string) => warnings.push(message) };
    const second = DirectoryLock.acquire(directory, logger);
    expect(second.wasClean).toBe(false);
    expect(warnings.length).toBe(1);
    second.release();
  });

  test('is free again when its holder was killed', async () => {
    const child = spawn(process.execPath, [
      '-e',
      script("console.log('held'); setInterval(() => {}, 1e6)"),
    ]);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(() => DirectoryLock.acquire(directory)).toThrow(
      'another server uses this data directory',
    );
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    DirectoryLock.acquire(directory).release();
  });

  test.skipIf(PROMETHEUS === null)('keeps a real Prometheus out', () => {
    const lock = DirectoryLock.acquire(directory);
    expect(lock.isKernelLock).toBe(true);
    const config = path.join(directory, 'prometheus.yml');
    mkdirSync(path.join(directory, 'wal'));
    writeFileSync(config, '');
    const options = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}`,
      '--web.listen-address=127.0.0.1:0',
    ];
    // Debian's asks to be asked for it.
    const help = spawnSync(PROMETHEUS!, ['--help'], { encoding: 'utf8' });
    if (`${help.stdout}${help.stderr}`.includes('--storage.tsdb.use-lockfile')) {
      options.push('--storage.tsdb.use-lockfile');
    }
    const { status, stderr } = spawnSync(PROMETHEUS!, options, {
      encoding: 'utf8',
      timeout: 20_000,
    });
    lock.release();
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/lock DB directory/);
  });

  test('is neither taken nor minded where it is switched off', async () => {
    const open = (usesLockFile: boolean) => {
      const registry = new Registry();
      const db = openDb({ directory, clock: new SimulatedClock(0), usesLockFile, registry });
      const families = registry.snapshot();
      const cleanStart = families.find(({ name }) => name === 'prometheus_tsdb_clean_start');
      return { db, cleanStart: cleanStart?.samples[0]?.value };
    };
    const unlocked = open(false);
    expect(unlocked.cleanStart).toBe(-1);
    expect(existsSync(path.join(directory, 'lock'))).toBe(false);
    await unlocked.db.close();
    expect(existsSync(path.join(directory, 'lock'))).toBe(false);

    const lock = DirectoryLock.acquire(directory);
    expect(() => open(true)).toThrow('another server uses this data directory');
    const second = open(false);
    await second.db.close();
    // It is still held, and was not emptied.
    expect(readFileSync(path.join(directory, 'lock'), 'utf8')).toBe(`${process.pid}\n`);
    lock.release();
  });
});
