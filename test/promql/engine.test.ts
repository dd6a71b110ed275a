import { beforeEach, describe, expect, test } from 'vitest';
import { floatHistogram, Labels, type Queryable } from '../../model/index.ts';
import {
  createEngine,
  type EngineOptions,
  queryErrorType,
  type QueryAnswer,
} from '../../promql/index.ts';
import { MemoryStorage } from '../../promql/script/memory-storage.ts';

const MINUTE_MS = 60_000;
const storage = new MemoryStorage();

beforeEach(() => {
  storage.clear();
  for (const instance of ['1', '2']) {
    const labels = Labels.fromObject({ __name__: 'up', instance });
    for (let i = 0; i <= 10; i++) storage.append(labels, i * MINUTE_MS, i * Number(instance));
  }
});

function instant(query: string, options: EngineOptions = {}, timeMs = 5 * MINUTE_MS): QueryAnswer {
  return createEngine(options).instant({ query, queryable: storage, timeMs });
}

function range(query: string, options: EngineOptions = {}): QueryAnswer {
  const [startMs, endMs] = [MINUTE_MS, 4 * MINUTE_MS];
  const request = { query, queryable: storage, startMs, endMs, stepMs: MINUTE_MS };
  return createEngine(options).range(request);
}

function errorOf(run: () => unknown): [type: string, message: string] {
  try {
    run();
  } catch (error) {
    return [queryErrorType(error), (error as Error).message];
  }
  throw new Error('no error');
}

describe('results', () => {
  test('have the type of the expression', () => {
    expect(instant('up').result.kind).toBe('vector');
    expect(instant('up[2m]').result.kind).toBe('matrix');
    expect(instant('1').result).toEqual({ kind: 'scalar', timestampMs: 5 * MINUTE_MS, value: 1 });
    expect(instant('"x"').result).toMatchObject({ kind: 'string', value: 'x' });
    expect(range('1').result).toMatchObject({ kind: 'matrix', series: [{ count: 4 }] });
  });

  test('of a range share their times where they are complete', () => {
    const { result } = range('up');
    if (result.kind !== 'matrix') throw new Error('no matrix');
    expect(result.series[0]!.timestampsMs).toBe(result.series[1]!.timestampsMs);
    expect([...result.series[1]!.values]).toEqual([2, 4, 6, 8]);
  });

  test('are the same whether a selector is read once for two uses or twice', () => {
    const { result } = range('up + up offset 1m - up');
    if (result.kind !== 'matrix') throw new Error('no matrix');
    expect([...result.series[0]!.values]).toEqual([0, 1, 2, 3]);
  });

  test('do not depend on how rows are cut into batches', () => {
    for (let i = 0; i < 3000; i++) {
      const labels = Labels.fromObject({ __name__: 'many', i: String(i), half: String(i % 2) });
      storage.append(labels, 0, i);
      storage.append(labels, MINUTE_MS, i + 1);
    }
    const { result } = range('sum by (half) (increase(many[2m]) * 0 + many)');
    if (result.kind !== 'matrix') throw new Error('no matrix');
    expect(result.series.map(({ values }) => values[0])).toEqual([2250000, 2251500 + 1500 - 1500]);
  });
});

describe('errors', () => {
  test('of the text are bad data', () => {
    expect(errorOf(() => instant('up{'))[0]).toBe('bad_data');
    expect(errorOf(() => range('up[1m]'))).toEqual([
      'bad_data',
      'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    ]);
  });

  test('of durations come before all others', () => {
    const [type, message] = errorOf(() =>
      instant('deriv(up[step()] smoothed)', {
        language: { extendedRangeSelectors: true },
      }),
    );
    expect([type, message]).toEqual(['bad_data', '9:15: duration must be greater than 0']);
  });

  test('of the data are execution errors', () => {
    expect(errorOf(() => instant('up / on() up'))).toEqual([
      'execution',
      expect.stringContaining('found duplicate series for the match group {} on the right'),
    ]);
  });

  test('a step that stands still', () => {
    const request = { queryable: storage, startMs: 0, endMs: 0 };
    const still = () => createEngine().range({ ...request, query: 'up', stepMs: 0 });
    const message = 'the step of a query must be at least 1ms, the unit of timestamps';
    expect(errorOf(still)).toEqual(['execution', message]);
    expect(errorOf(() => instant('max_over_time(up[1m:0.0004])'))).toEqual([
      'execution',
      'the step of a subquery must be at least 1ms, the unit of timestamps',
    ]);
  });

  test('nothing within a subquery is looked at when none of its steps lies in the window', () => {
    const clash = '(up + on() up)';
    const at = (query: string) => () =>
      createEngine().instant({ query, queryable: storage, timeMs: 50_000 });
    expect(errorOf(at(clash))[0]).toBe('execution');
    expect(at(`max_over_time(${clash}[20s:1m])`)).not.toThrow();
    expect(at(`max_over_time((sum(max_over_time(${clash}[20s:10s] @ 0)))[20s:1m])`)).not.toThrow();
  });

  test('bugs are internal', () => {
    expect(queryErrorType(new TypeError('x'))).toBe('internal');
  });
});

describe('limits', () => {
  test('samples held', () => {
    const limited = (samplesMax: number) => () => range('up', { samplesMax });
    expect(limited(8)).not.toThrow();
    expect(errorOf(limited(7))).toEqual([
      'execution',
      'query processing would load too many samples into memory in query execution ' +
        '(limit of 7, --query.max-samples)',
    ]);
  });

  test('memory for results that would mostly be empty', () => {
    for (let i = 0; i < 2000; i++) {
      storage.append(Labels.fromObject({ __name__: 'sparse', i: String(i) }), i * MINUTE_MS, 1);
    }
    const query = 'sparse + sparse';
    const request = { query, queryable: storage, startMs: 0, endMs: 1e9, stepMs: 100 };
    const run = () => createEngine({ samplesMax: 1_000_000 }).range(request);
    expect(errorOf(run)[1]).toBe(
      'query processing would load too many samples into memory in query execution ' +
        '(limit of 4000000 results, filled or not, --query.max-samples)',
    );
  });

  test('series of a selector', () => {
    expect(errorOf(() => instant('up', { seriesMax: 1 }))).toEqual([
      'execution',
      'query selects 2 series, more than the 1 allowed (--query.max-series)',
    ]);
  });

  test('bytes held, whether samples or cells of a table', () => {
    const limited = (query: string, bytesMax: number) => () => range(query, { bytesMax });
    expect(limited('up', 8 * 16)).not.toThrow();
    expect(errorOf(limited('up', 8 * 16 - 1))).toEqual([
      'execution',
      'query takes 128 bytes of memory, more than the 127 allowed (--query.max-bytes)',
    ]);
    expect(errorOf(limited('up + up', 40))[1]).toContain('(--query.max-bytes)');
  });

  test('time', () => {
    expect(errorOf(() => instant('up', { timeoutMs: -1 }))).toEqual([
      'timeout',
      'query timed out in expression evaluation',
    ]);
  });

  test('interest: a canceled query stops', () => {
    const run = () =>
      createEngine().instant({
        query: 'up',
        queryable: storage,
        timeMs: 0,
        isCanceled: () => true,
      });
    expect(errorOf(run)).toEqual(['canceled', 'query was canceled in expression evaluation']);
  });

  test('cancellation is noticed within 50 ms, even inside one large row', () => {
    const labels = Labels.fromObject({ __name__: 'long' });
    for (let i = 0; i < 200_000; i++) storage.append(labels, i * 1000, i % 7);
    const longestSilenceMs = (): number => {
      let asked = performance.now();
      let longestMs = 0;
      createEngine().range({
        query: 'avg_over_time(long[100000s])',
        queryable: storage,
        startMs: 100_000_000,
        endMs: 150_000_000,
        stepMs: 1_000_000,
        isCanceled: () => {
          const now = performance.now();
          longestMs = Math.max(longestMs, now - asked);
          asked = now;
          return false;
        },
      });
      return longestMs;
    };
    // A busy machine may keep the test from running for longer than that, but not each time.
    const shortestMs = Math.min(...Array.from({ length: 5 }, longestSilenceMs));
    expect(shortestMs).toBeLessThan(100);
  });
});

describe('progress', () => {
  test('tells samples read, series found and memory held, never less than before', () => {
    for (let i = 0; i < 200; i++) {
      const labels = Labels.fromObject({ __name__: 'many', i: String(i) });
      for (let at = 0; at < 10; at++) storage.append(labels, at * MINUTE_MS, at);
    }
    const told: [samples: number, series: number, bytes: number][] = [];
    createEngine().range({
      query: 'sum(rate(many[3m]))',
      queryable: storage,
      startMs: 0,
      endMs: 9 * MINUTE_MS,
      stepMs: MINUTE_MS,
      onProgress: (...numbers) => told.push(numbers),
    });
    expect(told.length).toBeGreaterThan(3);
    const samples = told.map(([sampleCount]) => sampleCount);
    expect(samples).toEqual(samples.toSorted((a, b) => a - b));
    const last = told.at(-1)!;
    expect(last[0]).toBe(2000);
    expect(last[1]).toBe(200);
    expect(Math.max(...told.map(([, , bytes]) => bytes))).toBeGreaterThan(0);
  });
});

describe('reading', () => {
  test('asks storage for no more than is needed, and closes it', () => {
    const asked: unknown[] = [];
    let closed = 0;
    const spy: Queryable = {
      querier(minMs, maxMs) {
        asked.push([minMs, maxMs]);
        const inner = storage.querier();
        return {
          ...inner,
          select: (matchers, hints) => {
            asked.push(hints);
            return inner.select(matchers, hints);
          },
          close: () => closed++,
        };
      },
    };
    createEngine().range({
      query: 'sum(rate(up[2m] offset 1m))',
      queryable: spy,
      startMs: 300_000,
      endMs: 600_000,
      stepMs: 60_000,
    });
    expect(asked).toEqual([
      [120_001, 540_000],
      {
        minMs: 120_001,
        maxMs: 540_000,
        stepMs: 60_000,
        rangeMs: 120_000,
        function: 'rate',
        labelNames: ['__name__', '__type__', '__unit__'],
      },
    ]);
    expect(closed).toBe(1);
  });

  describe('asks for the labels that are looked at', () => {
    /** Of each selection; name, type and unit come with all that are not whole. */
    const namesAsked = (query: string) => {
      const asked: (readonly string[] | null)[] = [];
      const spy: Queryable = {
        querier() {
          const inner = storage.querier();
          return {
            ...inner,
            select: (matchers, hints) => {
              asked.push(hints.labelNames?.filter((name) => !name.startsWith('__')) ?? null);
              return inner.select(matchers, hints);
            },
          };
        },
      };
      createEngine().instant({ query, queryable: spy, timeMs: 0 });
      return asked;
    };

    test.each([
      ['up', [null]],
      ['sum(up)', [[]]],
      ['count by (job) (up)', [['job']]],
      ['count without (job) (up)', [null]],
      ['histogram_quantile(0.9, sum by (le) (rate(up[5m])))', [['le']]],
      ['histogram_quantile(0.9, rate(up[5m]))', [null]],
      ['sum by (job) (-abs(up) * 2 > 0)', [['job']]],
      ['topk(1, up)', [null]],
      ['sum(topk(1, up))', [null]],
      ['scalar(up)', [[]]],
      ['absent(up)', [[]]],
      ['up and on (job) up', [null]],
      ['up and on (job) (up offset 1m)', [null, ['job']]],
      ['up unless ignoring (job) (up offset 1m)', [null, null]],
      ['sum(up) + max by (job) (up)', [['job']]],
      ['sum by (job) (max_over_time(rate(up[1m])[5m:1m]))', [['job']]],
      ['sum by (job) (label_replace(up, "job", "$1", "instance", "(.*)"))', [null]],
      // Nothing is taken off, so nothing can become equal.
      ['sum by (job) ({__name__=~"up|down"})', [['job']]],
      // up{…} and down{…} may be the same without their names.
      ['sum by (job) (rate({__name__=~"up|down"}[5m]))', [null]],
    ])('%s', (query, names) => expect(namesAsked(query)).toEqual(names));

    test('series that are equal but for their type are found out', () => {
      const typed = new MemoryStorage();
      for (const type of ['counter', 'gauge']) {
        const labels = { __name__: 'x', __type__: type, job: 'a' };
        typed.append(Labels.fromObject(labels), 0, 1);
      }
      const at = (query: string) => () =>
        createEngine().instant({ query, queryable: typed, timeMs: 0 });
      expect(errorOf(at('sum(x * 2)'))[1]).toBe(
        'vector cannot contain metrics with the same labelset',
      );
      expect(at('sum(x)')().result).toMatchObject({ entries: [{ value: 2 }] });
    });
  });

  test('passes on what storage warns of', () => {
    const inner = storage.querier();
    const warning: Queryable = {
      querier: () => ({
        ...inner,
        select: (matchers, hints) => ({ ...inner.select(matchers, hints), warnings: ['broken'] }),
      }),
    };
    const answer = createEngine().instant({ query: 'up + up', queryable: warning, timeMs: 0 });
    expect(answer.warnings).toEqual(['broken']);
  });

  test('needs no storage for a query without selectors', () => {
    const none: Queryable = {
      querier() {
        throw new Error('not to be asked');
      },
    };
    const answer = createEngine().instant({ query: 'vector(1) + 1', queryable: none, timeMs: 0 });
    expect(answer.result).toMatchObject({ entries: [{ value: 2 }] });
  });
});

describe('statistics', () => {
  const samplesOf = (answer: QueryAnswer) => {
    const { totalQueryableSamples, samplesRead, perStep } = answer.stats.samples;
    return { totalQueryableSamples, samplesRead, read: perStep && [...perStep.samplesRead] };
  };
  const options: EngineOptions = { perStepStats: true };
  const asked = {
    queryable: storage,
    startMs: MINUTE_MS,
    endMs: 4 * MINUTE_MS,
    perStepStats: true,
  };

  // Numbers as Prometheus 3.14 gives them for queries of these forms.
  test.each([
    ['up', 8, 8, [2, 2, 2, 2]],
    ['rate(up[2m])', 16, 10, [4, 2, 2, 2]],
    ['sum(up) + sum(up)', 16, 16, [4, 4, 4, 4]],
    ['up @ 60', 8, 2, [2, 0, 0, 0]],
    ['max_over_time(up[2m:1m])', 16, 10, [4, 2, 2, 2]],
    ['time()', 0, 0, [0, 0, 0, 0]],
  ])('of %s', (query, totalQueryableSamples, samplesRead, read) => {
    const answer = createEngine(options).range({ ...asked, query, stepMs: MINUTE_MS });
    expect(samplesOf(answer)).toEqual({ totalQueryableSamples, samplesRead, read });
  });

  test('count a histogram by its size, and less of it where only its count is asked for', () => {
    const histogram = floatHistogram({
      count: 4,
      positiveSpans: [{ offset: 0, length: 4 }],
      positiveCounts: [1, 1, 1, 1],
    });
    storage.append(Labels.fromObject({ __name__: 'hist' }), 0, histogram);
    expect(instant('hist', {}, 0).stats.samples.totalQueryableSamples).toBe(13);
    expect(instant('histogram_count(hist)', {}, 0).stats.samples.totalQueryableSamples).toBe(11);
  });
});

describe('explaining', () => {
  test('shows what is read when, and what is shared', () => {
    const grid = { startMs: 0, endMs: 600_000, stepMs: 60_000, stepCount: 11 };
    const text = createEngine().explain('sum(rate(up[5m])) / sum(up @ 60) + 2 * 3', grid, false);
    expect(text).toBe(
      [
        'vector + scalar',
        '  / ignoring (), one-to-one',
        '    sum by ()',
        '      rate',
        '        windows of 5m of {__name__="up"} ending at ' +
          '1970-01-01T00:00:00.000Z … 1970-01-01T00:10:00.000Z every 1m, labels none',
        '    the same for every step',
        '      sum by ()',
        '        select {__name__="up"} at 1970-01-01T00:01:00.000Z, looking back 5m, labels none',
        '  number 6',
      ].join('\n'),
    );
  });
});
