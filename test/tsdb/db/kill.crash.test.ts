import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { SampleBuffer, SimulatedClock } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';

const ROUND_COUNT = 6;
const RANGE_MS = 60_000;

let directory = '';
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Lets a process write until it is killed; returns the last number that it acknowledged. */
function writeUntilKilled(first: number, killAfterMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const script = path.join(import.meta.dirname, 'kill-writer.ts');
    const options = [script, directory, String(first), String(RANGE_MS)];
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => (complaint += bytes));
    child.stdout.on('data', (bytes: Buffer) => {
      // The time runs from the first commit, so that every round gets something done.
      if (said === '') setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      said += bytes;
    });
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(complaint));
      const complete = said.slice(0, said.lastIndexOf('\n'));
      resolve(Number(complete.slice(complete.lastIndexOf('\n') + 1)));
    });
  });
}

test('nothing that was acknowledged is missing after kill -9, time after time', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-kill-'));
  let next = 0;
  let blockCount = 0;
  for (let round = 0; round < ROUND_COUNT; round++) {
    const acknowledged = await writeUntilKilled(next, 30 + 97 * round);
    const db = openDb({
      directory,
      clock: new SimulatedClock(0),
      minBlockMs: RANGE_MS,
      retentionMs: 0,
      usesLockFile: false,
    });
    const querier = db.querier(-Infinity, Infinity);
    const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
    expect(rows.labels.length).toBe(20);
    const out = new SampleBuffer();
    for (let row = 0; row < rows.labels.length; row++) {
      rows.read(row, -Infinity, Infinity, out);
      expect(out.count - 1).toBeGreaterThanOrEqual(acknowledged);
      for (let i = 0; i < out.count; i++) {
        if (out.values[i] !== i)
          expect.fail(`${rows.labels[row]!.toString()} has ${out.values[i]} at ${i}`);
      }
      next = out.count;
    }
    querier.close();
    blockCount = db.status(1).blocks.length;
    await db.close();
  }
  console.info(`${ROUND_COUNT} kills, ${next} commits, ${blockCount} blocks`);
  expect(blockCount).toBeGreaterThan(0);
});
