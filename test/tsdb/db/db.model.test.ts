/**
 * A whole database against tables in SQLite. Steps are random; files are in memory, so that a
 * process can be killed and power can fail.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AppendOutcome,
  compareLabels,
  type FloatHistogram,
  type Histogram,
  type Labels,
  Labels as LabelSet,
  Matcher,
  type Querier,
  SampleBuffer,
  type SeriesRef,
  SimulatedClock,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  toFloatHistogram,
} from '../../../model/index.ts';
import { type Db, openDb, runCompactionJob } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import {
  floatHistogramArbitrary,
  histogramArbitrary,
  staleOf,
  valueBits,
} from '../support/arbitraries.ts';
import { histogramText } from '../support/sample-text.ts';
import { type Range, SampleStore } from './sample-store.ts';

const MINUTE_MS = 60_000;
const RANGE_MS = 20 * MINUTE_MS;
const START_MS = 1_700_000_000_000;
const SERIES: readonly Labels[] = [0, 1, 2, 3, 4, 5].map((i) =>
  LabelSet.fromObject({ __name__: `metric_${i % 2}`, job: i < 3 ? 'api' : 'db', n: `${i}` }),
);
const ALL: Range = { minMs: -Infinity, maxMs: Infinity };
const EVERYTHING = new Matcher('absent', '=', '');
const NUMBER_OF_SERIES = new Map(SERIES.map((labels, i) => [labels.toString(), i]));

type Bits = readonly [high: number, low: number];
type AnySample = Bits | Histogram | FloatHistogram;

const anySample: fc.Arbitrary<AnySample> = fc.oneof(
  { weight: 8, arbitrary: valueBits },
  { weight: 2, arbitrary: fc.constant([STALE_NAN_HIGH, STALE_NAN_LOW] as const) },
  { weight: 1, arbitrary: histogramArbitrary },
  { weight: 1, arbitrary: floatHistogramArbitrary },
  { weight: 1, arbitrary: histogramArbitrary.map(staleOf) },
);
const anyMatcher = fc.constantFrom(
  new Matcher('job', '=', 'api'),
  new Matcher('__name__', '=~', 'metric_.'),
  new Matcher('n', '!~', '[024]'),
  new Matcher('n', '=', '3'),
  new Matcher('job', '!=', 'api'),
  EVERYTHING,
);
const anyTime = fc.record({
  fromMs: fc.integer({ min: -RANGE_MS * 2, max: RANGE_MS }),
  lengthMs: fc.nat(RANGE_MS * 3),
});
const constant = <const T>(kind: T) => fc.constant({ kind });

const anyBatch = fc.record({
  rows: fc.array(
    fc.record({
      series: fc.nat(SERIES.length - 1),
      stepMs: fc.oneof(fc.constantFrom(15_000, 15_000, 0), fc.integer({ min: -5000, max: 90_000 })),
      sample: anySample,
    }),
    { minLength: 1, maxLength: 40 },
  ),
  commits: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
});

const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append' as const), batch: anyBatch }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('busy' as const),
      work: fc.constantFrom('compact' as const, 'tick' as const),
      batches: fc.array(anyBatch, { maxLength: 5 }),
      query: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('jump' as const), ms: fc.nat(RANGE_MS * 2) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('query' as const, 'labels' as const, 'labels' as const),
      time: anyTime,
      matcher: anyMatcher,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      time: anyTime,
      matcher: anyMatcher,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('power' as const), seed: fc.nat() }),
  },
  { weight: 2, arbitrary: constant('hold') },
  { weight: 1, arbitrary: constant('clean') },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  { weight: 3, arbitrary: constant('compact') },
  { weight: 3, arbitrary: constant('tick') },
  { weight: 1, arbitrary: constant('snapshot') },
  { weight: 1, arbitrary: constant('close') },
  { weight: 1, arbitrary: constant('kill') },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;
type Batch = (Step & { kind: 'append' })['batch'];

type Setting = {
  readonly windowMs?: number;
  readonly snapshotsAtEnd?: boolean;
  readonly staleThreshold?: number;
};

class JobFailure extends Error {}

class Harness {
  files = new MemoryFiles();
  readonly store = new SampleStore();
  readonly newestMs = new Map<number, number>();
  readonly windowMs: number;
  nowMs = START_MS;
  snapshotCount = 0;
  db: Db;
  /** Whether the next job fails, without having done anything or after it has done everything. */
  failure: 'none' | 'before' | 'after' = 'none';
  /** A query that was opened earlier; the store holds what it must see. */
  held: Querier | null = null;

  /** Whether a clean stop leaves a snapshot of the head. */
  readonly snapshotsAtEnd: boolean;
  readonly staleThreshold: number;

  constructor({ windowMs = 0, snapshotsAtEnd = false, staleThreshold = 0 }: Setting) {
    this.windowMs = windowMs;
    this.snapshotsAtEnd = snapshotsAtEnd;
    this.staleThreshold = staleThreshold;
    this.db = this.open('/data');
  }

  open(directory: string): Db {
    return openDb({
      directory,
      clock: new SimulatedClock(START_MS),
      files: this.files,
      usesLockFile: false,
      minBlockMs: RANGE_MS,
      maxBlockMs: RANGE_MS * 9,
      retentionMs: 0,
      walSegmentSizeBytes: 32 * 1024,
      outOfOrderWindowMs: this.windowMs,
      outOfOrderCapacity: 4,
      samplesPerChunk: 8,
      headSnapshotLogSizeBytes: 1,
      headSnapshotLogRatio: 0,
      snapshotsAtEnd: this.snapshotsAtEnd,
      staleCompactionThreshold: this.staleThreshold,
      runJob: async (job, shared) => {
        await nextTurn();
        const { failure } = this;
        this.failure = 'none';
        if (failure === 'before') throw new JobFailure();
        const result = runCompactionJob(job, shared, this.files);
        await nextTurn();
        if (failure === 'after') throw new JobFailure();
        return result;
      },
    });
  }

  async run(step: Step): Promise<void> {
    if (step.kind !== 'append' && step.kind !== 'query' && step.kind !== 'labels') this.letGo();
    switch (step.kind) {
      case 'append':
        return this.append(step.batch);
      case 'busy':
        return this.workWhileBusy(step.work, step.batches, step.query);
      case 'jump':
        this.nowMs += step.ms;
        return;
      case 'query':
        return this.check(this.db, this.rangeOf(step.time), step.matcher);
      case 'labels':
        return this.checkLabels(this.rangeOf(step.time), step.matcher);
      case 'hold':
        this.held = this.db.querier(ALL.minMs, ALL.maxMs);
        return this.store.hold();
      case 'delete':
        return this.delete(this.rangeOf(step.time), step.matcher);
      case 'fail':
        this.failure = step.when;
        return;
      case 'clean':
        return this.db.cleanTombstones().catch((error: unknown) => {
          if (!(error instanceof JobFailure)) throw error;
        });
      case 'compact':
        return this.db.compact();
      case 'tick':
        return this.db.tick();
      case 'snapshot':
        return this.snapshot();
      case 'close':
        await this.db.close();
        this.db = this.open('/data');
        return;
      case 'kill':
        return this.crash('everything', 0);
      case 'power':
        this.db.sync();
        return this.crash('random', step.seed);
    }
  }

  rangeOf(time: { fromMs: number; lengthMs: number }): Range {
    const minMs = this.nowMs + time.fromMs;
    return { minMs, maxMs: minMs + time.lengthMs };
  }

  /** Jobs take their time, during which others write and ask. */
  async workWhileBusy(
    work: 'compact' | 'tick',
    batches: readonly Batch[],
    asks: boolean,
  ): Promise<void> {
    const done = work === 'compact' ? this.db.compact() : this.db.tick();
    for (const batch of batches) {
      await nextTurn();
      this.append(batch);
      if (asks) this.check(this.db, ALL, EVERYTHING);
    }
    await done;
    this.check(this.db, ALL, EVERYTHING);
  }

  append({ rows, commits }: Batch): void {
    const appender = this.db.appender();
    const isTaken: boolean[] = [];
    const timesMs: number[] = [];
    for (const { series, stepMs, sample } of rows) {
      const ref = appender.series(SERIES[series]!);
      const newestMs = Math.max(this.newestMs.get(series) ?? -Infinity, this.nowMs);
      // A series that left the head does not know any more which samples are too old.
      const timestampMs = newestMs + (this.staleThreshold > 0 ? Math.max(1, stepMs) : stepMs);
      if (stepMs > 0) this.newestMs.set(series, timestampMs);
      timesMs.push(timestampMs);
      isTaken.push(appendOne(appender, ref, timestampMs, sample) === AppendOutcome.Ok);
    }
    if (!commits) return appender.rollback();
    appender.commit();
    rows.forEach(({ series, sample }, i) => {
      if (isTaken[i]) this.store.add(series, timesMs[i]!, textOf(sample));
    });
  }

  async delete(range: Range, matcher: Matcher): Promise<void> {
    await this.db.deleteSeries(range.minMs, range.maxMs, [matcher]);
    this.store.delete(numbersMatching(matcher), range);
  }

  /** What a snapshot holds is what the database held. */
  async snapshot(): Promise<void> {
    const directory = `/snapshots/${this.snapshotCount++}`;
    this.failure = 'none';
    await this.db.snapshot(directory, true);
    const db = this.open(directory);
    this.check(db, ALL, EVERYTHING);
    await db.close();
  }

  crash(survival: 'everything' | 'random', seed: number): void {
    let state = seed;
    this.files = this.files.crash(survival, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    });
    this.db = this.open('/data');
  }

  letGo(): void {
    if (this.held === null) return;
    const querier = this.held;
    this.held = null;
    const found = rowsOf(querier, ALL, EVERYTHING);
    querier.close();
    const all = SERIES.map((_, i) => i);
    expect(this.store.differences(found, all, ALL, true)).toEqual([]);
  }

  check(source: Db, range: Range, matcher: Matcher): void {
    const querier = source.querier(range.minMs, range.maxMs);
    const found = rowsOf(querier, range, matcher);
    querier.close();
    expect(this.store.differences(found, numbersMatching(matcher), range)).toEqual([]);
  }

  /** Names and values: those of every series with samples there, and none that nobody wrote. */
  checkLabels(range: Range, matcher: Matcher): void {
    const querier = this.db.querier(range.minMs, range.maxMs);
    const matching = numbersMatching(matcher);
    const certain = this.store.seriesWithin(range).filter((series) => matching.includes(series));
    const answers = [
      [querier.labelNames([matcher]).texts, (labels: Labels) => [...labels].map(([name]) => name)],
      [querier.labelValues('n', [matcher]).texts, (labels: Labels) => [labels.get('n')]],
      [querier.labelValues('job', [matcher]).texts, (labels: Labels) => [labels.get('job')]],
    ] as const;
    querier.close();
    for (const [texts, textsOf] of answers) {
      const unique = [...new Set(texts)].sort();
      expect(texts).toEqual(unique);
      expect(texts).toEqual(
        expect.arrayContaining([...new Set(certain.flatMap((i) => textsOf(SERIES[i]!)))]),
      );
      const possible = new Set(matching.flatMap((i) => textsOf(SERIES[i]!)));
      expect(texts.filter((text) => !possible.has(text))).toEqual([]);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function numbersMatching(matcher: Matcher): number[] {
  return SERIES.flatMap((labels, i) => (matcher.matches(labels.get(matcher.name)) ? [i] : []));
}

function isFloat(sample: AnySample): sample is Bits {
  return Array.isArray(sample);
}

function textOf(sample: AnySample): string {
  if (isFloat(sample)) return bitsText(sample[0], sample[1]);
  return sample.stale ? 'stale' : histogramText(toFloatHistogram(sample));
}

function bitsText(high: number, low: number): string {
  return `${high.toString(16)}.${low.toString(16)}`;
}

function appendOne(
  appender: ReturnType<Db['appender']>,
  ref: SeriesRef,
  timestampMs: number,
  sample: AnySample,
): AppendOutcome {
  if (!isFloat(sample)) return appender.appendHistogram(ref, timestampMs, sample);
  const values = new Float64Array(1);
  new Uint32Array(values.buffer).set([sample[1], sample[0]]);
  const outcomes = new Uint8Array(1);
  const columns = {
    count: 1,
    refs: Float64Array.of(ref),
    timestampsMs: Float64Array.of(timestampMs),
    values,
  };
  appender.appendSamples(columns, outcomes);
  return outcomes[0] as AppendOutcome;
}

/** All samples of the series that satisfy the matcher, row by row. */
function rowsOf(
  querier: Querier,
  { minMs, maxMs }: Range,
  matcher: Matcher,
): { series: number; timestampMs: number; value: string }[] {
  const rows = querier.select([matcher], { minMs, maxMs });
  const out = new SampleBuffer();
  const found: { series: number; timestampMs: number; value: string }[] = [];
  rows.labels.forEach((labels, row) => {
    if (row > 0) expect(compareLabels(rows.labels[row - 1]!, labels)).toBeLessThan(0);
    const series = NUMBER_OF_SERIES.get(labels.toString())!;
    rows.read(row, minMs, maxMs, out);
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      const value =
        histogram === null
          ? bitsText(out.valueHalves[i * 2 + 1]!, out.valueHalves[i * 2]!)
          : textOf(histogram);
      found.push({ series, timestampMs: out.timestampsMs[i]!, value });
    }
  });
  return found;
}

describe('a database', () => {
  test.each([
    { setting: { snapshotsAtEnd: true }, name: 'without an out-of-order window' },
    { setting: { windowMs: RANGE_MS }, name: 'with an out-of-order window' },
    { setting: { staleThreshold: 0.2 }, name: 'with early compaction of stale series' },
  ])(
    '$name holds what was committed and not deleted, whatever happens to it',
    async ({ setting }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 80, size: 'max' }), async (steps) => {
          const harness = new Harness(setting);
          try {
            for (const step of steps) await harness.run(step);
            harness.letGo();
            harness.check(harness.db, ALL, EVERYTHING);
            harness.crash('everything', 0);
            harness.check(harness.db, ALL, EVERYTHING);
          } finally {
            await harness.db.close();
            harness.store.close();
          }
        }),
        { numRuns: Number(process.env['NARTHEX_RUNS'] ?? 60), interruptAfterTimeLimit: 40_000 },
      );
    },
  );
});
