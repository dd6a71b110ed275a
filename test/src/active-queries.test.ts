import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger, type LogRecord, SimulatedClock } from '../../model/index.ts';
import { ActiveQueries, type Activity } from '../../src/active-queries.ts';
import {
  ActiveQueryFile,
  openActiveQueryFile,
  SLOT_SIZE_BYTES,
} from '../../src/active-query-file.ts';

const START_MS = 1_700_000_000_000;
const directory = mkdtempSync(path.join(tmpdir(), 'narthex-active-'));
const file = path.join(directory, 'queries.active');
afterAll(() => rmSync(directory, { recursive: true }));

const textOf = () => readFileSync(file, 'utf8').replaceAll('\0', '');

describe('the file of active queries', () => {
  test('has a slot of 1000 bytes for each query, as Prometheus has', () => {
    const { opened, unfinished } = ActiveQueryFile.open(file, 20);
    expect(unfinished).toBe('');
    expect(statSync(file).size).toBe(20_001);
    expect(opened.add('up', START_MS)).toBe(0);
    expect(opened.add('sum(up)', START_MS + 1500)).toBe(1);
    expect(textOf()).toBe(
      '[{"query":"up","timestamp_sec":1700000000},{"query":"sum(up)","timestamp_sec":1700000001},',
    );
    opened.remove(0);
    expect(textOf()).toBe('[{"query":"sum(up)","timestamp_sec":1700000001},');
    expect(opened.add('down', START_MS)).toBe(0);
    opened.close();
  });

  test('cuts what is too long and takes no more than it has slots for', () => {
    const { opened } = ActiveQueryFile.open(file, 1);
    expect(opened.add(`"${'\u{1f600}"'.repeat(500)}`, START_MS)).toBe(0);
    expect(textOf().length).toBeLessThanOrEqual(SLOT_SIZE_BYTES);
    expect(() => JSON.parse(`${textOf().replace(/,$/, '')}]`)).not.toThrow();
    expect(opened.add('up', START_MS)).toBe(-1);
    opened.close();
  });

  test('tells the next process what was not finished', () => {
    const left =
      '[{"query":"up","timestamp_sec":1700000000},\0\0{"query":"b","timestamp_sec":2},\0';
    writeFileSync(file, left);
    const records: LogRecord[] = [];
    const logger = createLogger((record) => records.push(record), {
      level: 'debug',
      nowMs: () => START_MS,
    });
    openActiveQueryFile(directory, 3, logger)!.close();
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records[0])).toContain("These queries didn't finish in the last run:");
    expect(JSON.stringify(records[0])).toContain('timestamp_sec');
    expect(ActiveQueryFile.open(file, 3).unfinished).toBe('');
  });

  test('is done without where it cannot be written', () => {
    const records: LogRecord[] = [];
    const logger = createLogger((record) => records.push(record), {
      level: 'debug',
      nowMs: () => START_MS,
    });
    expect(openActiveQueryFile(path.join(directory, 'nowhere'), 3, logger)).toBeNull();
    expect(records[0]!.level).toBe('warn');
  });
});

describe('active queries', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const activity: Activity = {
    kind: 'range',
    query: 'rate(x[5m])',
    startMs: 0,
    endMs: 60_000,
    stepMs: 15_000,
    client: { address: '10.0.0.7', userAgent: 'Grafana/11', method: 'GET', path: '/' },
  };
  const never = () => new AbortController().signal;
  const noProgress = () => ({ sampleCount: 0, seriesCount: 0, heldSizeBytes: 0 });

  test('are listed from their beginning to their end', () => {
    const clock = new SimulatedClock(START_MS);
    const active = new ActiveQueries(clock, () => null);
    const first = active.add(activity, never());
    active.add({ ...activity, kind: 'rule', client: null }, never());
    let sampleCount = 0;
    first.begun(() => ({ sampleCount, seriesCount: 2, heldSizeBytes: 320 }));
    sampleCount = 20;
    const nothing = { sampleCount: 0, seriesCount: 0, heldSizeBytes: 0 };
    expect(active.list()).toEqual([
      {
        id: 1,
        ...activity,
        state: 'running',
        startedMs: START_MS,
        durationSeconds: 0,
        sampleCount: 20,
        seriesCount: 2,
        heldSizeBytes: 320,
      },
      expect.objectContaining({ id: 2, kind: 'rule', state: 'waiting', client: null, ...nothing }),
    ]);
    first.ended();
    expect(active.list().map(({ id }) => id)).toEqual([2]);
  });

  test('stop when the asker leaves and when they are canceled', () => {
    const active = new ActiveQueries(new SimulatedClock(START_MS), () => null);
    const asker = new AbortController();
    const left = active.add(activity, asker.signal);
    const canceled = active.add(activity, never());
    asker.abort();
    expect(left.signal.aborted).toBe(true);
    expect(canceled.signal.aborted).toBe(false);
    expect(active.cancel(2)).toBe(true);
    expect(canceled.signal.aborted).toBe(true);
    canceled.ended();
    expect(active.cancel(2)).toBe(false);
  });

  test('are written to the file when they take long', () => {
    const clock = new SimulatedClock(START_MS);
    const { opened } = ActiveQueryFile.open(file, 2);
    const active = new ActiveQueries(clock, () => opened);
    const pass = (ms: number) => {
      void clock.advance(ms);
      vi.advanceTimersByTime(ms);
    };
    const quick = active.add(activity, never());
    quick.begun(noProgress);
    quick.ended();
    pass(20);
    expect(textOf()).toBe('[');
    const slow = active.add(activity, never());
    pass(20);
    expect(textOf()).toBe('[');
    slow.begun(noProgress);
    pass(20);
    expect(textOf()).toBe('[{"query":"rate(x[5m])","timestamp_sec":1700000000},');
    slow.ended();
    expect(textOf()).toBe('[');
    opened.close();
  });
});
