/**
 * A whole database against what it is with everything hard removed: a map from series and time to
 * value. Steps are random; files are in memory, so that a process can be killed and power can fail.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AppendOutcome,
  type Labels,
  Labels as LabelSet,
  Matcher,
  type Querier,
  SampleBuffer,
  SimulatedClock,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const MINUTE_MS = 60_000;
const RANGE_MS = 20 * MINUTE_MS;
const START_MS = 1_700_000_000_000;
const SERIES: readonly Labels[] = [0, 1, 2, 3, 4, 5].map((i) =>
  LabelSet.fromObject({ __name__: `metric_${i % 2}`, job: i < 3 ? 'api' : 'db', n: `${i}` }),
);

/** Series by the text of their labels, then value bits by time; several where either may count. */
type Content = Map<string, Map<number, Set<string>>>;

const anySeries = fc.nat(SERIES.length - 1);
const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      rows: fc.array(
        fc.record({
          series: anySeries,
          stepMs: fc.oneof(
            fc.constantFrom(15_000, 15_000, 0),
            fc.integer({ min: -5000, max: 90_000 }),
          ),
          value: fc.oneof(fc.nat(5), fc.double(), fc.constant('stale' as const)),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      commits: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('jump' as const), ms: fc.nat(RANGE_MS * 2) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('query' as const),
      fromMs: fc.integer({ min: -RANGE_MS * 2, max: RANGE_MS }),
      lengthMs: fc.nat(RANGE_MS * 3),
      matcher: fc.constantFrom(
        new Matcher('job', '=', 'api'),
        new Matcher('__name__', '=~', 'metric_.'),
        new Matcher('n', '!~', '[024]'),
        new Matcher('absent', '=', ''),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'hold' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      series: anySeries,
      agoMs: fc.nat(RANGE_MS * 2),
      lengthMs: fc.nat(RANGE_MS),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'clean' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'compact' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

class Harness {
  files = new MemoryFiles();
  readonly content: Content = new Map();
  readonly newestMs = new Map<string, number>();
  readonly deleted: { key: string; minMs: number; maxMs: number }[] = [];
  readonly windowMs: number;
  nowMs = START_MS;
  db: Db;
  /** A query that was opened earlier, and what it must see. */
  held: { querier: Querier; content: Content } | null = null;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.db = this.open();
  }

  open(): Db {
    return openDb({
      directory: '/data',
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
    });
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.append(step.rows, step.commits);
      case 'jump':
        this.nowMs += step.ms;
        return;
      case 'query': {
        const minMs = this.nowMs + step.fromMs;
        return this.check(this.db, this.content, minMs, minMs + step.lengthMs, step.matcher);
      }
      case 'hold':
        this.letGo();
        this.held = { querier: this.db.querier(-Infinity, Infinity), content: copy(this.content) };
        return;
      case 'delete': {
        const labels = SERIES[step.series]!;
        const minMs = this.nowMs - step.agoMs;
        return this.delete(labels, minMs, minMs + step.lengthMs);
      }
      case 'clean':
        this.letGo();
        return this.db.cleanTombstones();
      case 'compact':
        this.letGo();
        return this.db.compact();
      case 'close':
        this.letGo();
        await this.db.close();
        this.db = this.open();
        return;
      case 'kill':
        this.letGo();
        this.files = this.files.crash('everything');
        this.db = this.open();
    }
  }

  append(
    rows: readonly { series: number; stepMs: number; value: number | 'stale' }[],
    commits: boolean,
  ): void {
    const appender = this.db.appender();
    const count = rows.length;
    const refs = new Float64Array(count);
    const timestampsMs = new Float64Array(count);
    const values = new Float64Array(count);
    const halves = new Uint32Array(values.buffer);
    rows.forEach(({ series, stepMs, value }, i) => {
      const labels = SERIES[series]!;
      refs[i] = appender.series(labels);
      const key = labels.toString();
      const newestMs = Math.max(this.newestMs.get(key) ?? -Infinity, this.nowMs);
      timestampsMs[i] = newestMs + stepMs;
      if (stepMs > 0) this.newestMs.set(key, newestMs + stepMs);
      if (value === 'stale') {
        halves[i * 2] = STALE_NAN_LOW;
        halves[i * 2 + 1] = STALE_NAN_HIGH;
      } else {
        values[i] = value;
      }
    });
    const outcomes = new Uint8Array(count);
    appender.appendSamples({ count, refs, timestampsMs, values }, outcomes);
    if (!commits) return appender.rollback();
    appender.commit();
    rows.forEach(({ series }, i) => {
      if (outcomes[i] !== AppendOutcome.Ok) return;
      const key = SERIES[series]!.toString();
      const timestampMs = timestampsMs[i]!;
      // A late sample in a deleted stretch may count as deleted or not.
      const isUnsure = this.deleted.some(
        (d) => d.key === key && d.minMs <= timestampMs && timestampMs <= d.maxMs,
      );
      const samples = this.content.get(key) ?? new Map<number, Set<string>>();
      this.content.set(key, samples);
      const possible = samples.get(timestampMs) ?? new Set<string>();
      samples.set(timestampMs, possible);
      possible.add(`${halves[i * 2 + 1]!.toString(16)}.${halves[i * 2]!.toString(16)}`);
      if (isUnsure) possible.add('absent');
    });
  }

  async delete(labels: Labels, minMs: number, maxMs: number): Promise<void> {
    const key = labels.toString();
    const matchers = [...labels].map(([name, value]) => new Matcher(name, '=', value));
    await this.db.deleteSeries(minMs, maxMs, matchers);
    this.deleted.push({ key, minMs, maxMs });
    for (const timestampMs of this.content.get(key)?.keys() ?? []) {
      if (timestampMs >= minMs && timestampMs <= maxMs) this.content.get(key)!.delete(timestampMs);
    }
    // A query that was open before need not see the deletion.
    this.held?.querier.close();
    this.held = null;
  }

  letGo(): void {
    if (this.held === null) return;
    const { querier, content } = this.held;
    this.held = null;
    compare(querier, content, -Infinity, Infinity, new Matcher('absent', '=', ''));
    querier.close();
  }

  check(source: Db, content: Content, minMs: number, maxMs: number, matcher: Matcher): void {
    const querier = source.querier(minMs, maxMs);
    compare(querier, content, minMs, maxMs, matcher);
    querier.close();
  }
}

function copy(content: Content): Content {
  return new Map(
    [...content].map(([key, samples]) => [
      key,
      new Map([...samples].map(([timestampMs, possible]) => [timestampMs, new Set(possible)])),
    ]),
  );
}

function compare(
  querier: Querier,
  content: Content,
  minMs: number,
  maxMs: number,
  matcher: Matcher,
): void {
  const rows = querier.select([matcher], { minMs, maxMs });
  const out = new SampleBuffer();
  const found = new Map<string, Map<number, string>>();
  rows.labels.forEach((labels, row) => {
    expect(matcher.matches(labels.get(matcher.name))).toBe(true);
    rows.read(row, minMs, maxMs, out);
    const samples = new Map<number, string>();
    let beforeMs = -Infinity;
    for (let i = 0; i < out.count; i++) {
      const timestampMs = out.timestampsMs[i]!;
      expect(timestampMs).toBeGreaterThan(beforeMs);
      beforeMs = timestampMs;
      const high = out.valueHalves[i * 2 + 1]!.toString(16);
      samples.set(timestampMs, `${high}.${out.valueHalves[i * 2]!.toString(16)}`);
    }
    expect(found.has(labels.toString())).toBe(false);
    found.set(labels.toString(), samples);
  });
  for (const labels of SERIES) {
    if (!matcher.matches(labels.get(matcher.name))) continue;
    const key = labels.toString();
    const got = found.get(key) ?? new Map<number, string>();
    const wanted = content.get(key) ?? new Map<number, Set<string>>();
    for (const [timestampMs, bits] of got) {
      if (wanted.get(timestampMs)?.has(bits)) continue;
      expect.fail(
        `${key} has ${bits} at ${timestampMs - START_MS}, not ${show(wanted, timestampMs)}`,
      );
    }
    for (const [timestampMs, possible] of wanted) {
      if (timestampMs < minMs || timestampMs > maxMs) continue;
      if (got.has(timestampMs) || possible.has('absent')) continue;
      expect.fail(`${key} lacks ${show(wanted, timestampMs)} at ${timestampMs - START_MS}`);
    }
  }
}

function show(samples: Map<number, Set<string>>, timestampMs: number): string {
  return [...(samples.get(timestampMs) ?? ['nothing'])].join(' or ');
}

describe('a database', () => {
  test.each([
    { windowMs: 0, name: 'without an out-of-order window' },
    { windowMs: RANGE_MS, name: 'with an out-of-order window' },
  ])(
    '$name holds what was committed and not deleted, whatever happens to it',
    async ({ windowMs }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 80, size: 'max' }), async (steps) => {
          const harness = new Harness(windowMs);
          try {
            for (const step of steps) await harness.run(step);
            harness.letGo();
            const everything = new Matcher('absent', '=', '');
            harness.check(harness.db, harness.content, -Infinity, Infinity, everything);
            harness.files = harness.files.crash('everything');
            harness.db = harness.open();
            harness.check(harness.db, harness.content, -Infinity, Infinity, everything);
          } finally {
            await harness.db.close();
          }
        }),
        { numRuns: Number(process.env['NARTHEX_RUNS'] ?? 60), interruptAfterTimeLimit: 40_000 },
      );
    },
  );
});
