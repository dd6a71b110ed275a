/** An agent's storage: what it takes, what it refuses, what it forgets, and what it finds again. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppendOutcome, Labels, Registry, SimulatedClock } from '../../../model/index.ts';
import { type AgentDb, LogFollower, openAgentDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

let files: MemoryFiles;
let clock: SimulatedClock;
let registry: Registry;
let db: AgentDb;
beforeEach(() => {
  files = new MemoryFiles();
  clock = new SimulatedClock(NOW_MS);
  db = open();
});
afterEach(() => db.close());

function open(outOfOrderWindowMs = 0): AgentDb {
  registry = new Registry();
  return openAgentDb({
    directory: '/data',
    files,
    clock,
    registry,
    usesLockFile: false,
    walSegmentSizeBytes: 32 * 1024,
    outOfOrderWindowMs,
  });
}

function append(...samples: (readonly [name: string, t: number, v: number])[]): number[] {
  const appender = db.appender();
  const outcomes = new Uint8Array(samples.length);
  appender.appendSamples(
    {
      count: samples.length,
      refs: Float64Array.from(samples, ([name]) =>
        appender.series(Labels.fromObject({ __name__: name })),
      ),
      timestampsMs: Float64Array.from(samples, ([, t]) => t),
      values: Float64Array.from(samples, ([, , v]) => v),
    },
    outcomes,
  );
  appender.commit();
  return [...outcomes];
}

/** All samples of the log, in order. */
function logged(): string[] {
  const names = new Map<number, string>();
  const found: string[] = [];
  const follower = new LogFollower({
    directory: '/data/wal',
    files,
    start: { segmentIndex: 0, offsetBytes: 0 },
    sink: {
      series: (ref, labels) => names.set(ref, labels.get('__name__')),
      metadata: () => {},
      samples: ({ count, refs, timestampsMs, values }) => {
        for (let i = 0; i < count; i++) {
          found.push(`${names.get(refs[i]!)} ${timestampsMs[i]! - NOW_MS} ${values[i]}`);
        }
      },
      histograms: () => {},
      exemplars: () => {},
      damaged: (error) => {
        throw error;
      },
    },
  });
  while (follower.next());
  follower.close();
  return found;
}

const metric = (name: string) =>
  registry.snapshot().find((family) => family.name === `prometheus_agent_${name}`)?.samples[0]
    ?.value;

test('what is taken is in the log', () => {
  expect(append(['a', NOW_MS, 1], ['b', NOW_MS, 2], ['a', NOW_MS + 1, 3])).toEqual([0, 0, 0]);
  expect(logged()).toEqual(['a 0 1', 'b 0 2', 'a 1 3']);
  expect(metric('active_series')).toBe(2);
});

test('samples out of order are refused, within a batch and between batches', () => {
  const { Ok, OutOfOrder } = AppendOutcome;
  expect(append(['a', NOW_MS, 1], ['a', NOW_MS, 1], ['a', NOW_MS - 1, 1])).toEqual([
    Ok,
    OutOfOrder,
    OutOfOrder,
  ]);
  expect(append(['a', NOW_MS, 1], ['a', NOW_MS + 1, 1])).toEqual([OutOfOrder, Ok]);
  expect(metric('out_of_order_samples_total')).toBe(3);
  db.configure({ outOfOrderWindowMs: 10 });
  expect(append(['a', NOW_MS - 5, 1], ['a', NOW_MS - 20, 1])).toEqual([Ok, OutOfOrder]);
});

test('the log has the figures that the log of a server has', () => {
  append(['a', NOW_MS, 1]);
  append(['a', NOW_MS + 1, 1], ['b', NOW_MS + 1, 1]);
  const figure = (name: string) =>
    registry.snapshot().find((family) => family.name === `prometheus_tsdb_wal_${name}`)?.samples[0];
  expect(figure('page_flushes_total')?.value).toBe(2);
  // Series and samples, twice.
  expect(figure('record_part_writes_total')?.value).toBe(4);
  expect(figure('segment_current')?.value).toBe(0);
  expect(figure('storage_size_bytes')?.value).toBe(
    figure('record_parts_bytes_written_total')?.value,
  );
  expect(figure('record_bytes_saved_total')?.labels).toEqual(['snappy']);
  expect(figure('truncations_total')?.value).toBe(0);
});

test('an unknown reference is told', () => {
  const appender = db.appender();
  const outcomes = new Uint8Array(1);
  const one = new Float64Array([77]);
  appender.appendSamples({ count: 1, refs: one, timestampsMs: one, values: one }, outcomes);
  expect(outcomes[0]).toBe(AppendOutcome.UnknownSeries);
  appender.rollback();
});

test('after a restart series and times are known', async () => {
  append(['a', NOW_MS, 1], ['b', NOW_MS, 2]);
  await db.close();
  db = open();
  expect(db.seriesCount).toBe(2);
  expect(append(['a', NOW_MS, 1], ['b', NOW_MS + 1, 3], ['c', NOW_MS, 4])).toEqual([
    AppendOutcome.OutOfOrder,
    0,
    0,
  ]);
  expect(logged()).toEqual(['a 0 1', 'b 0 2', 'b 1 3', 'c 0 4']);
});

test('a log whose end is broken is cut there', async () => {
  append(['a', NOW_MS, 1]);
  const { offsetBytes } = db.logPosition;
  append(['b', NOW_MS, 2]);
  const file = files.open('/data/wal/00000000', 'append');
  file.write(offsetBytes + 9, new Uint8Array([0xff, 0xff]));
  file.close();
  db = open();
  expect(metric('corruptions_total')).toBe(1);
  expect(append(['c', NOW_MS, 3])).toEqual([0]);
  expect(logged()).toEqual(['a 0 1', 'c 0 3']);
});

/** Segments in the log's directory. */
const segments = () => files.list('/data/wal').filter((name) => /^\d+$/.test(name));

/** Fills segments: one series that goes on, one that ends. */
async function fill(count: number): Promise<void> {
  append(['gone', NOW_MS, 1]);
  for (let i = 0; i < count; i++) {
    await clock.advance(MINUTE_MS);
    append(['on', clock.nowMs(), i]);
    db.truncate({ timestampMs: NOW_MS, segment: 0 });
  }
}

test('nothing goes before everybody has it', async () => {
  await fill(12);
  expect(segments()[0]).toBe('00000000');
  expect(logged()).toHaveLength(13);
  expect(db.seriesCount).toBe(2);
});

test('what everybody has goes, and series with it', async () => {
  await fill(12);
  for (let i = 0; i < 4; i++) {
    await clock.advance(MINUTE_MS);
    db.truncate({ timestampMs: clock.nowMs(), segment: db.logPosition.segmentIndex });
  }
  expect(db.seriesCount).toBe(1);
  expect(segments()[0]).not.toBe('00000000');
  expect(files.list('/data/wal').filter((name) => name.startsWith('checkpoint'))).toHaveLength(1);
  expect(metric('checkpoint_creations_total')).toBeGreaterThan(0);
  await db.close();
  db = open();
  // The one that goes on is in the checkpoint.
  expect(db.seriesCount).toBe(1);
  expect(append(['on', NOW_MS, 0])).toEqual([AppendOutcome.OutOfOrder]);
  expect(append(['gone', clock.nowMs(), 0])).toEqual([0]);
});

test('a receiver that is away for too long holds nothing back', async () => {
  await fill(12);
  await clock.advance(5 * 60 * MINUTE_MS);
  append(['on', clock.nowMs(), 1]);
  for (let i = 0; i < 4; i++) {
    await clock.advance(MINUTE_MS);
    db.truncate({ timestampMs: NOW_MS, segment: 0 });
  }
  expect(segments()[0]).not.toBe('00000000');
  expect(db.seriesCount).toBe(1);
});

test('an exemplar that is the last one again is not logged', () => {
  const labels = Labels.fromObject({ trace_id: 'x' });
  const rows: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'e' }));
    expect(appender.appendExemplar(ref, { labels, value: Math.floor(i / 2), timestampMs: i })).toBe(
      true,
    );
    appender.commit();
    rows.push(metric('exemplars_appended_total'));
  }
  expect(rows).toEqual([1, 1, 2]);
});
