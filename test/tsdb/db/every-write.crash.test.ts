/**
 * One life of a database, with everything that writes: commits in and out of order, histograms,
 * deletions, compactions, checkpoints, cleaning, snapshots, restarts. It is stopped at every single
 * change of a file, as by kill -9 and as by a power loss, and opened again.
 */
import { describe, expect, test } from 'vitest';
import {
  AppendOutcome,
  type Histogram,
  Labels,
  Matcher,
  SampleBuffer,
  SimulatedClock,
  toFloatHistogram,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import type { Files } from '../../../tsdb/io/files.ts';
import type { CrashSurvival, MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { KilledError, MortalFiles } from '../support/mortal-files.ts';
import { histogramText } from '../support/sample-text.ts';
import { type Range, SampleStore } from './sample-store.ts';
import { oneSample } from '../support/one-sample.ts';

const STEP_MS = 1000;
const RANGE_MS = 30 * STEP_MS;
const COMMIT_COUNT = 130;
const SERIES: readonly Labels[] = ['a', 'b', 'c', 'late', 'native'].map((name) =>
  Labels.fromObject({ __name__: name, job: 'x' }),
);
const LATE = 3;
const NATIVE = 4;
const ALL: Range = { minMs: -Infinity, maxMs: Infinity };
/** How many of the moments are tried: all of them with NARTHEX_SLOW. */
const MOMENT_STEP = process.env['NARTHEX_SLOW'] === undefined ? 29 : 1;

function open(files: Files, directory: string, syncsCommits: boolean): Db {
  return openDb({
    directory,
    clock: new SimulatedClock(0),
    files,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    outOfOrderWindowMs: RANGE_MS,
    outOfOrderCapacity: 4,
    samplesPerChunk: 8,
    syncsCommits,
    headSnapshotLogSizeBytes: 1,
    headSnapshotLogRatio: 0,
    snapshotsAtEnd: true,
  });
}

function histogramAt(n: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: n,
    count: n * 3,
    sum: n / 7,
    positiveSpans: [{ offset: n % 20 > 10 ? 0 : 1, length: 2 }],
    negativeSpans: [],
    positiveDeltas: [n, 0],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}

type Sample = { readonly series: number; readonly timestampMs: number; readonly n: number };

/** What commit `n` brings. */
function samplesOf(n: number): Sample[] {
  const samples = SERIES.map((_, series) => ({ series, timestampMs: n * STEP_MS, n }));
  if (n > 10 && n % 3 === 0) {
    for (const [series, behind] of [
      [LATE, 7],
      [LATE, 9],
      [NATIVE, 5],
    ] as const) {
      samples.push({ series, timestampMs: (n - behind) * STEP_MS + 500, n: n + 0.5 });
    }
  }
  return samples;
}

function textOf({ series, n }: Sample): string {
  if (series !== NATIVE) return String(n);
  return histogramText(toFloatHistogram(histogramAt(Math.floor(n))));
}

/** The life of a database; the store learns what was acknowledged, and what was under way. */
class Life {
  readonly store = new SampleStore();
  readonly #files: Files;
  readonly #syncsCommits: boolean;
  snapshotPath: string | null = null;
  #next = 0;
  #db: Db;

  constructor(files: Files, syncsCommits: boolean) {
    this.#files = files;
    this.#syncsCommits = syncsCommits;
    this.#db = open(files, '/data', syncsCommits);
  }

  async live(): Promise<void> {
    for (; this.#next < COMMIT_COUNT; this.#next++) {
      const n = this.#next;
      this.#commit(n);
      if (n % 25 === 24) await this.#db.compact();
      // Writes a snapshot of the head, for one thing.
      if (n % 20 === 13) await this.#db.tick();
      if (n === 55) await this.#delete('b', { minMs: 0, maxMs: 9 * STEP_MS });
      if (n === 56) await this.#delete('a|late', { minMs: 20 * STEP_MS, maxMs: 40 * STEP_MS });
      if (n === 70) await this.#db.cleanTombstones();
      if (n === 80) await this.#reopen();
      if (n === 101) await this.#delete('b|native', { minMs: 90 * STEP_MS, maxMs: 95 * STEP_MS });
      if (n === 110) {
        await this.#db.snapshot('/snapshot', true);
        this.snapshotPath = '/snapshot';
      }
    }
    await this.#db.close();
  }

  #commit(n: number): void {
    const samples = samplesOf(n);
    // Until the commit has returned each of them may be there or not.
    for (const sample of samples) this.store.add(sample.series, sample.timestampMs, textOf(sample));
    for (const { series, timestampMs } of samples) this.store.doubt(series, timestampMs);
    const appender = this.#db.appender();
    const outcomes: AppendOutcome[] = [];
    for (const { series, timestampMs, n: value } of samples) {
      const ref = appender.series(SERIES[series]!);
      if (series === NATIVE) {
        const histogram = histogramAt(Math.floor(value));
        outcomes.push(appender.appendHistogram(ref, timestampMs, histogram));
        continue;
      }
      const columns = oneSample(ref, timestampMs, value);
      const taken = new Uint8Array(1);
      appender.appendSamples(columns, taken);
      outcomes.push(taken[0] as AppendOutcome);
    }
    expect(outcomes.every((outcome) => outcome === AppendOutcome.Ok)).toBe(true);
    appender.commit();
    for (const { series, timestampMs } of samples) this.store.trust(series, timestampMs);
  }

  async #delete(names: string, range: Range): Promise<void> {
    const matcher = new Matcher('__name__', '=~', names);
    const series = SERIES.flatMap((labels, i) =>
      matcher.matches(labels.get('__name__')) ? [i] : [],
    );
    this.store.doubtRange(series, range);
    await this.#db.deleteSeries(range.minMs, range.maxMs, [matcher]);
    this.store.delete(series, range);
  }

  async #reopen(): Promise<void> {
    await this.#db.close();
    this.#db = open(this.#files, '/data', this.#syncsCommits);
  }
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

/** Lives until the `lastChange`-th change, if there are so many; null when there are not. */
async function liveUntil(lastChange: number, syncsCommits: boolean) {
  const files = new MortalFiles(lastChange);
  let store = new SampleStore();
  let snapshotPath: string | null = null;
  try {
    const life = new Life(files, syncsCommits);
    store = life.store;
    try {
      await life.live();
    } finally {
      snapshotPath = life.snapshotPath;
    }
  } catch (error) {
    // What was thrown elsewhere was thrown because of it.
    if (!(error instanceof KilledError) && !files.isDead) throw error;
  }
  return { files: files.files, changeCount: files.changeCount, store, snapshotPath };
}

async function checkAfter(files: MemoryFiles, store: SampleStore, moment: string): Promise<void> {
  const everySeries = SERIES.map((_, i) => i);
  const db = open(files, '/data', false);
  expect(store.differences(contentOf(db), everySeries, ALL), moment).toEqual([]);
  // And it goes on from there.
  const appender = db.appender();
  const ref = appender.series(SERIES[0]!);
  const timestampMs = (COMMIT_COUNT + 1) * STEP_MS;
  const columns = oneSample(ref, timestampMs, 7);
  expect(appender.appendSamples(columns, new Uint8Array(1)), moment).toBe(0);
  appender.commit();
  store.add(0, timestampMs, '7');
  await db.compact();
  expect(store.differences(contentOf(db), everySeries, ALL), `${moment}, compacted`).toEqual([]);
  await db.close();
  const again = open(files, '/data', false);
  expect(store.differences(contentOf(again), everySeries, ALL), `${moment}, again`).toEqual([]);
  await again.close();
}

function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function tryEveryMoment(survival: CrashSurvival, syncsCommits: boolean): Promise<number> {
  const { changeCount } = await liveUntil(Infinity, syncsCommits);
  let triedCount = 0;
  const first = 1 + (Number(process.env['NARTHEX_SEED'] ?? 0) % MOMENT_STEP);
  for (let moment = first; moment <= changeCount; moment += MOMENT_STEP) {
    const { files, store, snapshotPath } = await liveUntil(moment, syncsCommits);
    const after = files.crash(survival, pseudoRandom(moment));
    if (snapshotPath !== null) {
      // Taken by then, and never touched again.
      const snapshot = open(after, snapshotPath, false);
      const found = contentOf(snapshot).filter(({ series }) => series === 2);
      expect(found.length).toBe(111);
      await snapshot.close();
    }
    await checkAfter(after, store, `${survival} after change ${moment}`);
    store.close();
    triedCount++;
  }
  return triedCount;
}

describe('a database that is stopped while it changes a file', () => {
  test('by a kill holds what was acknowledged', { timeout: 3_600_000 }, async () => {
    const triedCount = await tryEveryMoment('everything', false);
    console.info(`${triedCount} moments`);
    expect(triedCount).toBeGreaterThan(20);
  });

  test.each(['random', 'synced-only'] as const)(
    'by a power loss, of which %s survives, holds what was synced',
    { timeout: 3_600_000 },
    async (survival) => {
      const triedCount = await tryEveryMoment(survival, true);
      console.info(`${triedCount} moments`);
      expect(triedCount).toBeGreaterThan(20);
    },
  );
});
