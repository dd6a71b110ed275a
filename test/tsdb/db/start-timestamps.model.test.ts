/**
 * Start timestamps against a list of what was appended: in the head, after a restart, in blocks; and
 * the samples of zero that may be made of them.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AppendOutcome,
  type Histogram,
  Labels,
  Matcher,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb, type StartTimestampUse } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const RANGE_MS = 20 * 60_000;
const START_MS = 1_700_000_000_000;
const SERIES = [0, 1, 2].map((n) => Labels.fromObject({ __name__: 'm', n: `${n}` }));

type Stored = { readonly timestampMs: number; readonly value: number; readonly startMs: number };
type Step = {
  readonly series: number;
  readonly stepMs: number;
  readonly isHistogram: boolean;
  /** Before the sample; null for none. */
  readonly ageMs: number | null;
  readonly value: number;
};

const anyStep: fc.Arbitrary<Step> = fc.record({
  series: fc.nat(SERIES.length - 1),
  stepMs: fc.oneof(
    { weight: 8, arbitrary: fc.constant(15_000) },
    { weight: 2, arbitrary: fc.integer({ min: -60_000, max: 90_000 }) },
  ),
  isHistogram: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
  ageMs: fc.oneof(
    fc.constant(null),
    fc.integer({ min: -5000, max: 40_000 }),
    fc.constantFrom(0, 5_000_000),
  ),
  value: fc.integer({ min: 1, max: 50 }),
});
/** How the database is run. */
type Plan = { readonly windowMs: number; readonly snapshotsAtEnd: boolean };
const anyPlan: fc.Arbitrary<Plan> = fc.record({
  windowMs: fc.constantFrom(0, 120_000),
  snapshotsAtEnd: fc.boolean(),
});
const anyUse: fc.Arbitrary<StartTimestampUse> = fc.record({
  isStored: fc.boolean(),
  isInHistogramChunks: fc.boolean(),
  isZeroSample: fc.boolean(),
});

function open(
  files: MemoryFiles,
  startTimestamps: StartTimestampUse,
  { windowMs, snapshotsAtEnd }: Plan,
): Db {
  return openDb({
    directory: 'data',
    files,
    clock: new SimulatedClock(START_MS),
    minBlockMs: RANGE_MS,
    maxBlockMs: RANGE_MS * 9,
    retentionMs: 0,
    usesLockFile: false,
    floatEncoding: 'xor2',
    outOfOrderWindowMs: windowMs,
    snapshotsAtEnd,
    startTimestamps,
  });
}

function histogramOf(count: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: 0,
    count,
    sum: count,
    positiveSpans: [{ offset: 0, length: 1 }],
    negativeSpans: [],
    positiveDeltas: [count],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}

/** What was appended, and what is stored of it. */
type Truth = {
  readonly byTime: readonly Map<number, Stored>[];
  /** Of each series. */
  readonly newestMs: number[];
  nowMs: number;
  /** Of all series. */
  headMs: number;
};

function nothing(): Truth {
  return {
    byTime: SERIES.map(() => new Map<number, Stored>()),
    newestMs: SERIES.map(() => -Infinity),
    nowMs: START_MS,
    headMs: -Infinity,
  };
}

/** Commits the steps one by one, and notes what should be stored. */
function appendAll(db: Db, steps: readonly Step[], use: StartTimestampUse, truth: Truth): void {
  const { byTime, newestMs: newest } = truth;
  const outcomes = new Uint8Array(1);
  for (const { series, stepMs, isHistogram, ageMs, value } of steps) {
    const timestampMs = truth.nowMs + stepMs;
    truth.nowMs = Math.max(truth.nowMs, timestampMs);
    const { headMs } = truth;
    const startMs = ageMs === null ? 0 : timestampMs - ageMs;
    const appender = db.appender();
    const ref = appender.series(SERIES[series]!);
    let outcome: AppendOutcome;
    if (isHistogram) {
      outcome = appender.appendHistogram(ref, timestampMs, histogramOf(value), startMs);
    } else {
      const columns = {
        ...oneSample(ref, timestampMs, value),
        startTimestampsMs: Float64Array.of(startMs),
      };
      appender.appendSamples(columns, outcomes);
      outcome = outcomes[0]! as AppendOutcome;
    }
    appender.commit();
    if (outcome !== AppendOutcome.Ok) continue;
    const rows = byTime[series]!;
    const isInOrder = timestampMs > newest[series]!;
    const oldestZeroMs = Math.max(headMs, headMs === -Infinity ? timestampMs : 0) - RANGE_MS / 2;
    if (
      use.isZeroSample &&
      isInOrder &&
      startMs !== 0 &&
      startMs > newest[series]! &&
      startMs < timestampMs &&
      startMs >= oldestZeroMs &&
      startMs >= timestampMs - RANGE_MS / 2
    ) {
      rows.set(startMs, { timestampMs: startMs, value: 0, startMs: 0 });
    }
    const isHeld = use.isStored && (!isHistogram || use.isInHistogramChunks);
    // A late sample does not replace another with its time.
    if (!rows.has(timestampMs)) {
      rows.set(timestampMs, { timestampMs, value, startMs: isHeld ? startMs : 0 });
    }
    newest[series] = Math.max(newest[series]!, timestampMs);
    truth.headMs = Math.max(headMs, timestampMs);
  }
}

function inOrder({ byTime }: Truth): Stored[][] {
  return byTime.map((rows) => [...rows.values()].toSorted((a, b) => a.timestampMs - b.timestampMs));
}

function readAll(db: Db): Stored[][] {
  const querier = db.querier(-1e15, 1e15);
  const found: Stored[][] = SERIES.map(() => []);
  try {
    const selected = querier.select([new Matcher('__name__', '=', 'm')], {
      minMs: -1e15,
      maxMs: 1e15,
    });
    const samples = new SampleBuffer();
    selected.labels.forEach((labels, row) => {
      selected.read(row, -1e15, 1e15, samples);
      const { timestampsMs, values, histograms, startTimestampsMs, count } = samples;
      found[Number(labels.get('n'))] = Array.from({ length: count }, (_, i) => ({
        timestampMs: timestampsMs[i]!,
        value: histograms?.[i]?.count ?? values[i]!,
        startMs: startTimestampsMs?.[i] ?? 0,
      }));
    });
  } finally {
    querier.close();
  }
  return found;
}

test('start timestamps stay with their samples', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 1, maxLength: 250 }),
      anyUse,
      anyPlan,
      async (steps, use, plan) => {
        const files = new MemoryFiles();
        const first = open(files, use, plan);
        const truth = nothing();
        const half = steps.length >>> 1;
        appendAll(first, steps.slice(0, half), use, truth);
        expect(readAll(first)).toEqual(inOrder(truth));
        await first.close();

        const second = open(files, use, plan);
        expect(readAll(second)).toEqual(inOrder(truth));
        appendAll(second, steps.slice(half), use, truth);
        expect(readAll(second)).toEqual(inOrder(truth));
        await second.compact();
        expect(readAll(second)).toEqual(inOrder(truth));
        await second.close();
      },
    ),
    { numRuns: 100 },
  );
});
