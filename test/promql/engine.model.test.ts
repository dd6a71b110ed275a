/** The engine works on columns; what it must give is what the naive evaluator says, step by step. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { listBuckets, newBucketList } from '../../model/index.ts';
import { createEngine, parseExpr, type QueryAnswer } from '../../promql/index.ts';
import type { MemoryStorage } from '../../promql/script/memory-storage.ts';
import { NaiveEvaluator, NaiveError, type NaiveValue } from '../support/naive-evaluator.ts';
import {
  DATA_SPAN_MS,
  dataArbitrary,
  expressionArbitrary,
  storageOf,
} from '../support/promql-arbitraries.ts';

const LOOKBACK_MS = 60_000;
const RUN_COUNT = Number(process.env.NARTHEX_RUNS ?? 400);
const engine = createEngine({ lookbackMs: LOOKBACK_MS });

/** Values by label text and time; of a histogram everything but empty buckets. */
type Table = Map<string, number[]>;

function numbersOf(value: NaiveValue): number[] {
  if (typeof value === 'number') return [value];
  const { count, sum, schema, ...rest } = value;
  const buckets = newBucketList();
  listBuckets(value, buckets);
  const numbers = [count, sum, schema, rest.zeroCount, ...rest.customBounds];
  for (let i = 0; i < buckets.size; i++) {
    if (buckets.counts[i] === 0) continue;
    numbers.push(buckets.lowers[i]!, buckets.uppers[i]!, buckets.counts[i]!);
  }
  return numbers;
}

function naiveTable(
  storage: MemoryStorage,
  query: string,
  startMs: number,
  stepMs: number,
  stepCount: number,
): Table | 'error' {
  const endMs = startMs + (stepCount - 1) * stepMs;
  const naive = new NaiveEvaluator(storage, LOOKBACK_MS, { startMs, endMs });
  const expr = parseExpr(query);
  const table: Table = new Map();
  try {
    for (let step = 0; step < stepCount; step++) {
      const timeMs = startMs + step * stepMs;
      for (const { labels, value } of naive.vector(expr, timeMs)) {
        table.set(`${labels.toString()} @ ${timeMs}`, numbersOf(value));
      }
    }
  } catch (error) {
    if (error instanceof NaiveError) return 'error';
    throw error;
  }
  return table;
}

function engineTable(evaluate: () => QueryAnswer): Table | 'error' {
  let answer: QueryAnswer;
  try {
    answer = evaluate();
  } catch (error) {
    if ((error as { code?: string }).code === 'PROMQL_EXECUTION') return 'error';
    throw error;
  }
  const table: Table = new Map();
  const { result } = answer;
  if (result.kind === 'matrix') {
    for (const { labels, count, timestampsMs, values, histograms } of result.series) {
      for (let i = 0; i < count; i++) {
        const value = histograms?.[i] ?? values[i]!;
        table.set(`${labels.toString()} @ ${timestampsMs[i]}`, numbersOf(value));
      }
    }
  }
  if (result.kind === 'vector') {
    for (const { labels, value, histogram } of result.entries) {
      table.set(`${labels.toString()} @ ${result.timestampMs}`, numbersOf(histogram ?? value));
    }
  }
  return table;
}

function isClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 100);
}

function expectSame(actual: Table | 'error', expected: Table | 'error'): void {
  if (actual === 'error' || expected === 'error') {
    expect(actual).toBe(expected);
    return;
  }
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, numbers] of expected) {
    const ours = actual.get(key)!;
    const same = ours.length === numbers.length && numbers.every((n, i) => isClose(n, ours[i]!));
    if (!same) expect({ [key]: ours }).toEqual({ [key]: numbers });
  }
}

const gridArbitrary = fc.record({
  startMs: fc.integer({ min: 0, max: DATA_SPAN_MS / 1000 }).map((seconds) => seconds * 1000),
  stepMs: fc.constantFrom(7000, 15_000, 30_000, 60_000),
  stepCount: fc.integer({ min: 1, max: 12 }),
});

test('a range query gives what evaluating every step by itself gives', () => {
  fc.assert(
    fc.property(dataArbitrary, expressionArbitrary, gridArbitrary, (data, query, grid) => {
      const storage = storageOf(data);
      const { startMs, stepMs, stepCount } = grid;
      const endMs = startMs + (stepCount - 1) * stepMs;
      const expected = naiveTable(storage, query, startMs, stepMs, stepCount);
      const range = () => engine.range({ query, queryable: storage, startMs, endMs, stepMs });
      expectSame(engineTable(range), expected);
    }),
    { numRuns: RUN_COUNT },
  );
});

test('an instant query gives what the naive evaluator gives', () => {
  fc.assert(
    fc.property(dataArbitrary, expressionArbitrary, gridArbitrary, (data, query, { startMs }) => {
      const storage = storageOf(data);
      const expected = naiveTable(storage, query, startMs, 1, 1);
      const instant = () => engine.instant({ query, queryable: storage, timeMs: startMs });
      expectSame(engineTable(instant), expected);
    }),
    { numRuns: RUN_COUNT },
  );
});

/** Texts without what sums up over the steps of a query. */
function notesOf(evaluate: () => QueryAnswer): Set<string> | 'error' {
  try {
    const { warnings, infos } = evaluate();
    return new Set([...warnings, ...infos].filter((text) => !text.includes('monotonicity')));
  } catch (error) {
    if ((error as { code?: string }).code === 'PROMQL_EXECUTION') return 'error';
    throw error;
  }
}

function withoutPlaces(notes: Iterable<string>): Set<string> {
  return new Set(Array.from(notes, (note) => note.replace(/ \(\d+:\d+\)$/, '')));
}

test('a range query says what its steps say by themselves', () => {
  const talkative = createEngine({ lookbackMs: LOOKBACK_MS, annotationsMax: 1000 });
  fc.assert(
    fc.property(dataArbitrary, expressionArbitrary, gridArbitrary, (data, query, grid) => {
      const queryable = storageOf(data);
      const { startMs, stepMs, stepCount } = grid;
      const endMs = startMs + (stepCount - 1) * stepMs;
      const whole = notesOf(() => talkative.range({ query, queryable, startMs, endMs, stepMs }));
      if (whole === 'error') return;
      const single = new Set<string>();
      for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
        const notes = notesOf(() => talkative.instant({ query, queryable, timeMs }));
        if (notes !== 'error') for (const text of notes) single.add(text);
      }
      // A subquery of a range query is evaluated at all its steps from the first window to the last,
      // also at those that lie in no window: 3.14 does, and tells what it finds there.
      const mayTellMore = /\[[^\]]*:[^\]]*\]/.test(query);
      const expected = mayTellMore ? new Set([...single, ...whole]) : single;
      // Of equal notes on several places a query tells the last, which may be another one at each step.
      expect(expected.isSupersetOf(whole)).toBe(true);
      expect([...withoutPlaces(whole)].sort()).toEqual([...withoutPlaces(expected)].sort());
    }),
    { numRuns: RUN_COUNT },
  );
});
