/**
 * A process that writes is killed by SIGKILL at random moments, many of them in the middle of a
 * compaction, a deletion, a cleaning or a snapshot. NARTHEX_ROUNDS says how often.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { SampleBuffer, SimulatedClock } from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { histogramText } from '../support/sample-text.ts';
import { RANGE_MS, samplesOf, SERIES, STEP_MS, textOf } from './kill-plan.ts';
import { type Range, SampleStore } from './sample-store.ts';

const ROUND_COUNT = Number(process.env['NARTHEX_ROUNDS'] ?? 8);
const ALL: Range = { minMs: -Infinity, maxMs: Infinity };
const EVERY_SERIES = SERIES.map((_, i) => i);
/** What to strike at; '' is a random moment after the first commit. */
const TARGETS = ['', 'save', 'compact', 'delete', 'save', 'snapshot', 'clean', 'reopen'] as const;

let directory = '';
let writer: ChildProcess | null = null;
afterEach(() => {
  writer?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the writer until it is killed; returns the complete lines that it said. */
function writeUntilKilled(first: number, target: string, delayMs: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const script = path.join(import.meta.dirname, 'kill-writer.ts');
    const child = spawn(process.execPath, [script, directory, String(first)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    writer = child;
    let said = '';
    let complaint = '';
    let isStruck = false;
    child.stderr.on('data', (bytes: Buffer) => (complaint += bytes.toString()));
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (isStruck || (target !== '' && !said.includes(`> ${target}`))) return;
      isStruck = true;
      setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(complaint));
      resolve(
        said
          .slice(0, said.lastIndexOf('\n') + 1)
          .split('\n')
          .slice(0, -1),
      );
    });
  });
}

function open(name: string): Db {
  return openDb({
    directory: path.join(directory, name),
    clock: new SimulatedClock(0),
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    outOfOrderWindowMs: RANGE_MS,
    outOfOrderCapacity: 4,
    samplesPerChunk: 8,
    usesLockFile: false,
    snapshotsAtEnd: true,
  });
}

function contentOf(db: Db): { series: number; timestampMs: number; value: string }[] {
  const querier = db.querier(ALL.minMs, ALL.maxMs);
  const rows = querier.select([], ALL);
  const out = new SampleBuffer();
  const content: { series: number; timestampMs: number; value: string }[] = [];
  rows.labels.forEach((labels, row) => {
    const series = SERIES.findIndex((known) => known.equals(labels));
    rows.read(row, ALL.minMs, ALL.maxMs, out);
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      const value = histogram === null ? String(out.values[i]) : histogramText(histogram);
      content.push({ series, timestampMs: out.timestampsMs[i]!, value });
    }
  });
  querier.close();
  return content;
}

/** What the lines of one life say. */
class Account {
  readonly store = new SampleStore();
  /** The next commit. */
  next = 0;
  readonly counts = new Map<string, number>();
  /** Finished snapshots, with the number of the last commit in each. */
  snapshots: number[] = [];

  read(lines: readonly string[]): string {
    let begun = '';
    for (const line of lines) {
      const [mark, what = '', ...rest] = line.split(' ');
      if (mark === 'c') {
        this.#commit(Number(what));
        this.next = Number(what) + 1;
        continue;
      }
      begun = mark === '>' ? what : '';
      if (what === 'delete') this.#delete(rest, mark === '<');
      if (what === 'snapshot' && mark === '<') this.snapshots.push(Number(rest[0]));
    }
    this.counts.set(begun, (this.counts.get(begun) ?? 0) + 1);
    return begun;
  }

  /** The commit on whose way the process died is there as a whole or not at all. */
  judgeLast(found: readonly { series: number; timestampMs: number }[]): void {
    const isIn = found.some(
      ({ series, timestampMs }) => series === 0 && timestampMs === this.next * STEP_MS,
    );
    if (!isIn) return;
    this.#commit(this.next);
    // Late samples are logged after the others.
    for (const { series, timestampMs } of samplesOf(this.next)) {
      if (timestampMs !== this.next * STEP_MS) this.store.doubt(series, timestampMs);
    }
    this.next++;
  }

  #commit(n: number): void {
    for (const sample of samplesOf(n)) {
      this.store.add(sample.series, sample.timestampMs, textOf(sample));
    }
  }

  #delete([name, minMs, maxMs]: readonly string[], isDone: boolean): void {
    const series = SERIES.flatMap((labels, i) => (labels.get('__name__') === name ? [i] : []));
    const range = { minMs: Number(minMs), maxMs: Number(maxMs) };
    if (isDone) this.store.delete(series, range);
    else this.store.doubtRange(series, range);
  }
}

test('nothing that was acknowledged is missing after kill -9, and nothing else is there', {
  timeout: 60_000 + ROUND_COUNT * 20_000,
}, async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-kill-'));
  mkdirSync(path.join(directory, 'data'));
  const account = new Account();
  let snapshotCount = 0;
  for (let round = 0; round < ROUND_COUNT; round++) {
    const target = TARGETS[round % TARGETS.length]!;
    const delayMs = Math.random() * (target === '' ? 400 : 12);
    const lines = await writeUntilKilled(account.next, target, delayMs);
    const begun = account.read(lines);
    const what = `round ${round}, aimed at '${target}' + ${delayMs.toFixed(1)} ms, in '${begun}'`;
    for (const n of account.snapshots.splice(0)) {
      const snapshot = open(`snapshot-${n}`);
      const found = contentOf(snapshot);
      const newest = found.findLast(({ series }) => series === 0);
      expect(newest?.timestampMs, `${what}, snapshot ${n}`).toBe(n * STEP_MS);
      await snapshot.close();
      rmSync(path.join(directory, `snapshot-${n}`), { recursive: true });
      snapshotCount++;
    }
    const db = open('data');
    const found = contentOf(db);
    account.judgeLast(found);
    expect(account.store.differences(found, EVERY_SERIES, ALL), what).toEqual([]);
    await db.close();
    if (round % 20 === 19) console.info(`${round + 1} kills survived`);
  }
  const again = open('data');
  const blockCount = again.status(1).blocks.length;
  await again.close();
  const kills = [...account.counts].map(([what, count]) => `${what || 'commit'} ${count}`);
  console.info(
    `${ROUND_COUNT} kills (in ${kills.join(', ')}), ${account.next} commits, ` +
      `${blockCount} blocks, ${snapshotCount} snapshots`,
  );
  expect(blockCount).toBeGreaterThan(0);
  expect(existsSync(path.join(directory, 'data/wal'))).toBe(true);
  account.store.close();
});
