import { describe, expect, test } from 'vitest';
import {
  AppendOutcome,
  type Appender,
  type Histogram,
  Labels,
  Matcher,
  NO_SERIES,
  SampleBuffer,
  type SeriesRef,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const HOUR_MS = 3_600_000;
const A = Labels.fromObject({ __name__: 'a' });
const B = Labels.fromObject({ __name__: 'b' });

function open(extra: Partial<Parameters<typeof openDb>[0]> = {}, files = new MemoryFiles()): Db {
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    usesLockFile: false,
    ...extra,
  });
}

/** Stages one float; returns its outcome. */
function append(appender: Appender, ref: number, timestampMs: number, value: number): number {
  const outcomes = new Uint8Array(1);
  appender.appendSamples(oneSample(ref, timestampMs, value), outcomes);
  return outcomes[0]!;
}

/** All samples by metric name, as "time:value". */
function contentOf(db: Db): Record<string, string> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const content: Record<string, string> = {};
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    const samples: string[] = [];
    for (let i = 0; i < out.count; i++) {
      const found = out.histograms?.[i];
      samples.push(`${out.timestampsMs[i]}:${found ? `h${found.count}` : out.values[i]}`);
    }
    content[labels.get('__name__')] = samples.join(' ');
  });
  querier.close();
  return content;
}

function histogram(count: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 0,
    zeroThreshold: 0,
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

describe('an appender', () => {
  test('shows nothing before commit and nothing after rollback', () => {
    const db = open();
    const first = db.appender();
    append(first, first.series(A), 1000, 1);
    expect(contentOf(db)).toEqual({});
    first.commit();
    expect(contentOf(db)).toEqual({ a: '1000:1' });
    const second = db.appender();
    append(second, second.series(A), 2000, 2);
    second.rollback();
    expect(contentOf(db)).toEqual({ a: '1000:1' });
    // The time was not used up.
    const third = db.appender();
    expect(append(third, third.series(A), 1500, 3)).toBe(AppendOutcome.Ok);
    third.commit();
    expect(contentOf(db)).toEqual({ a: '1000:1 1500:3' });
  });

  test('judges a sample against what it staged itself', () => {
    const db = open();
    const appender = db.appender();
    const ref = appender.series(A);
    expect(append(appender, ref, 1000, 1)).toBe(AppendOutcome.Ok);
    expect(append(appender, ref, 1000, 1)).toBe(AppendOutcome.Ok);
    expect(append(appender, ref, 1000, 2)).toBe(AppendOutcome.DuplicateTimestamp);
    expect(append(appender, ref, 999, 1)).toBe(AppendOutcome.OutOfOrder);
    expect(append(appender, ref, 2000, 5)).toBe(AppendOutcome.Ok);
    appender.commit();
    expect(contentOf(db)).toEqual({ a: '1000:1 2000:5' });
  });

  test('of two that overlap, the later one to commit loses what came too late', () => {
    const db = open();
    const first = db.appender();
    const second = db.appender();
    const ref = first.series(A);
    append(first, ref, 1000, 1);
    append(second, ref, 2000, 2);
    append(first, first.series(B), 1000, 1);
    second.commit();
    first.commit();
    expect(contentOf(db)).toEqual({ a: '2000:2', b: '1000:1' });
  });

  test('keeps NaN payloads apart, so a repeated stale marker is no duplicate', () => {
    const db = open();
    const appender = db.appender();
    const ref = appender.series(A);
    const values = new Float64Array(3);
    const halves = new Uint32Array(values.buffer);
    halves.set([2, 0x7ff00000, 2, 0x7ff00000, 1, 0x7ff80000]);
    const outcomes = new Uint8Array(3);
    const columns = {
      count: 3,
      refs: new Float64Array(3).fill(ref),
      timestampsMs: new Float64Array(3).fill(1000),
      values,
    };
    appender.appendSamples(columns, outcomes);
    expect([...outcomes]).toEqual([0, 0, AppendOutcome.DuplicateTimestamp]);
  });

  test('says when it does not know a series', () => {
    const db = open();
    const appender = db.appender();
    expect(append(appender, 1, 1000, 1)).toBe(AppendOutcome.UnknownSeries);
    expect(append(appender, 2 ** 40, 1000, 1)).toBe(AppendOutcome.UnknownSeries);
    expect(append(appender, 0, 1000, 1)).toBe(AppendOutcome.UnknownSeries);
    expect(appender.appendHistogram(7 as SeriesRef, 1000, histogram(1))).toBe(
      AppendOutcome.UnknownSeries,
    );
    appender.commit();
  });

  test('keeps the order of a series that changes between floats and histograms', () => {
    const files = new MemoryFiles();
    const db = open({}, files);
    const appender = db.appender();
    const ref = appender.series(A);
    append(appender, ref, 1000, 1);
    appender.appendHistogram(ref, 2000, histogram(2));
    append(appender, ref, 3000, 3);
    appender.appendHistogram(ref, 4000, histogram(4));
    expect(appender.appendHistogram(ref, 4000, histogram(4))).toBe(AppendOutcome.Ok);
    expect(appender.appendHistogram(ref, 4000, histogram(5))).toBe(
      AppendOutcome.DuplicateTimestamp,
    );
    appender.commit();
    const expected = { a: '1000:1 2000:h2 3000:3 4000:h4' };
    expect(contentOf(db)).toEqual(expected);
    expect(contentOf(open({}, files.crash('everything')))).toEqual(expected);
  });

  test('can be used for one batch only', () => {
    const db = open();
    const appender = db.appender();
    appender.commit();
    expect(() => append(appender, 1, 1000, 1)).toThrow('one batch');
  });
});

describe('the head', () => {
  test('refuses new series at its memory limit, while known ones go on', () => {
    const db = open({ headMemoryLimitBytes: 100_000 });
    const appender = db.appender();
    const known = appender.series(A);
    let refusedAt = 0;
    for (let i = 0; refusedAt === 0; i++) {
      const ref = appender.series(Labels.fromObject({ __name__: 'many', i: `${i}` }));
      if (ref === NO_SERIES) refusedAt = i;
    }
    expect(refusedAt).toBeGreaterThan(50);
    expect(append(appender, known, 1000, 1)).toBe(AppendOutcome.Ok);
    expect(appender.series(A)).toBe(known);
    appender.commit();
    expect(contentOf(db)['a']).toBe('1000:1');
    expect(db.head.counters.refusedSeries).toBe(1);
  });

  test('never gives a ref twice, also after a restart', async () => {
    const files = new MemoryFiles();
    const db = open({}, files);
    const appender = db.appender();
    const refs = [appender.series(A), appender.series(B)];
    append(appender, refs[0]!, 1000, 1);
    append(appender, refs[1]!, 1000, 1);
    appender.commit();
    await db.close();
    const again = open({}, files);
    const next = again.appender();
    expect([next.series(A), next.series(B)]).toEqual(refs);
    expect(next.series(Labels.fromObject({ __name__: 'c' }))).toBeGreaterThan(Math.max(...refs));
  });

  test('counts series that ended, and those of histograms', () => {
    const db = open();
    const appender = db.appender();
    const a = appender.series(A);
    const b = appender.series(B);
    const values = new Float64Array(1);
    new Uint32Array(values.buffer).set([2, 0x7ff00000]);
    const one = { count: 1, refs: Float64Array.of(a), timestampsMs: Float64Array.of(1000) };
    appender.appendSamples({ ...one, values }, new Uint8Array(1));
    appender.appendHistogram(b, 1000, histogram(1));
    appender.commit();
    expect(db.head.writer.staleCount).toBe(1);
    expect(db.head.writer.histogramSeriesCount).toBe(1);
    const next = db.appender();
    append(next, a, 2000, 1);
    append(next, b, 2000, 1);
    next.commit();
    expect(db.head.writer.staleCount).toBe(0);
    expect(db.head.writer.histogramSeriesCount).toBe(0);
  });

  test('takes late samples inside its window only, and merges them when read', () => {
    const files = new MemoryFiles();
    const db = open({ outOfOrderWindowMs: HOUR_MS }, files);
    const first = db.appender();
    append(first, first.series(A), 3 * HOUR_MS, 3);
    first.commit();
    const second = db.appender();
    const ref = second.series(A);
    expect(append(second, ref, 2.5 * HOUR_MS, 2.5)).toBe(AppendOutcome.Ok);
    expect(append(second, ref, 2.4 * HOUR_MS, 2.4)).toBe(AppendOutcome.Ok);
    expect(append(second, ref, 1.9 * HOUR_MS, 0)).toBe(AppendOutcome.TooOld);
    expect(second.appendHistogram(ref, 2.45 * HOUR_MS, histogram(7))).toBe(AppendOutcome.Ok);
    second.commit();
    const expected = {
      a: [
        `${2.4 * HOUR_MS}:2.4`,
        `${2.45 * HOUR_MS}:h7`,
        `${2.5 * HOUR_MS}:2.5`,
        `${3 * HOUR_MS}:3`,
      ].join(' '),
    };
    expect(contentOf(db)).toEqual(expected);
    expect(contentOf(open({}, files.crash('everything')))).toEqual(expected);
    expect(db.head.late.counters.stored).toEqual({ float: 2, histogram: 1 });
  });

  test('keeps metadata of series over a restart when it is told to log it', () => {
    const files = new MemoryFiles();
    const db = open({ logsMetadata: true }, files);
    const appender = db.appender();
    const ref = appender.series(A);
    append(appender, ref, 1000, 1);
    appender.updateMetadata(ref, { type: 'counter', unit: 's', help: 'How long.' });
    appender.commit();
    const again = open({}, files.crash('everything'));
    expect(again.head.metadata.get(1)).toEqual({ type: 'counter', unit: 's', help: 'How long.' });
  });

  test('answers label questions, with and without matchers', () => {
    const db = open();
    const appender = db.appender();
    for (let i = 0; i < 20; i++) {
      const labels = Labels.fromObject({
        __name__: `m${i % 2}`,
        odd: i % 2 ? 'yes' : '',
        i: `${i}`,
      });
      append(appender, appender.series(labels), 1000, i);
    }
    appender.commit();
    const querier = db.querier(0, 2000);
    expect(querier.labelNames([]).texts).toEqual(['__name__', 'i', 'odd']);
    expect(querier.labelNames([new Matcher('__name__', '=', 'm0')]).texts).toEqual([
      '__name__',
      'i',
    ]);
    expect(querier.labelValues('i', [new Matcher('odd', '=', 'yes')]).texts).toEqual([
      '1',
      '11',
      '13',
      '15',
      '17',
      '19',
      '3',
      '5',
      '7',
      '9',
    ]);
    expect(querier.labelValues('i', [], 2).texts).toEqual(['0', '1']);
    const limited = querier.select([], { minMs: 0, maxMs: 2000, limit: 3 });
    expect(limited.labels.length).toBe(3);
    querier.close();
  });

  test('takes an exemplar once, refuses an older one, and minds none when there is no room', () => {
    const exemplar = (timestampMs: number) => ({
      labels: Labels.fromObject({ trace_id: `t${timestampMs}` }),
      value: 1,
      timestampMs,
    });
    for (const exemplarCountMax of [10, 0]) {
      const db = open({ exemplarCountMax });
      const appender = db.appender();
      const ref = appender.series(A);
      append(appender, ref, 1000, 1);
      expect(appender.appendExemplar(ref, exemplar(1000))).toBe(true);
      appender.commit();
      const next = db.appender();
      append(next, ref, 2000, 1);
      expect(next.appendExemplar(ref, exemplar(1000))).toBe(true);
      expect(next.appendExemplar(ref, exemplar(900))).toBe(exemplarCountMax === 0);
      next.commit();
      const found = db.exemplars(0, 3000, [[new Matcher('__name__', '=', 'a')]]);
      expect(found.map(({ exemplars }) => exemplars.length)).toEqual(
        exemplarCountMax === 0 ? [] : [1],
      );
    }
  });
});
