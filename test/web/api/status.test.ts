import { describe, expect, test } from 'vitest';
import { Registry } from '../../../model/index.ts';
import { fakeHouse, NOW_MS } from '../fake-house.ts';

async function payload(url: string) {
  const response = await fakeHouse().app.inject(`/api/v1/${url}`);
  return response.payload;
}

describe('status', () => {
  test.each([
    ['status/config', '{"yaml":"global: {}\\n"}'],
    ['status/flags', '{"web.page-title":"Narthex"}'],
    ['status/walreplay', '{"min":1,"max":5,"current":2}'],
    ['status/tsdb/blocks', '{"blocks":[]}'],
    ['features', '{"api":{"admin":false},"promql":{"a":false,"b":true}}'],
    [
      'status/buildinfo',
      '{"version":"3.14.0","revision":"r","branch":"b","buildUser":"u","buildDate":"d",' +
        '"goVersion":"node26"}',
    ],
    [
      'status/runtimeinfo',
      '{"startTime":"2026-01-02T03:04:05.678Z","CWD":"/srv","hostname":"h",' +
        '"serverTime":"2026-01-02T03:04:05.678Z","reloadConfigSuccess":true,' +
        '"lastConfigTime":"2026-01-02T03:04:05Z","corruptionCount":0,"goroutineCount":3,' +
        '"GOMAXPROCS":2,"GOMEMLIMIT":1000,"GOGC":"","GODEBUG":"","storageRetention":"15d"}',
    ],
    [
      'status/tsdb',
      '{"headStats":{"numSeries":1,"numLabelPairs":2,"chunkCount":3,"minTime":4,"maxTime":5},' +
        '"seriesCountByMetricName":[{"name":"up","value":1}],"labelValueCountByLabelName":[],' +
        '"memoryInBytesByLabelName":[],' +
        '"seriesCountByLabelValuePair":[{"name":"job=api","value":1}],' +
        '"cardinality":{"headMemoryBytes":6,"headMemoryLimitBytes":7,' +
        '"refusedSeries":{"memory_limit":8,"reference_limit":0},' +
        '"loudestMetric":{"name":"up","value":1},"loudestLabel":{"name":"job","value":2}}}',
    ],
  ])('%s', async (url, data) => {
    expect(await payload(url)).toBe(`{"status":"success","data":${data}}`);
  });

  test.each([
    ['0', 'limit must be a positive number'],
    ['x', 'limit must be a positive number'],
    ['10001', 'limit must not exceed 10000'],
  ])('of the storage with the limit %s is refused', async (limit, error) => {
    const { app } = fakeHouse();
    const response = await app.inject(`/api/v1/status/tsdb?limit=${limit}`);
    expect([response.statusCode, response.json().error]).toEqual([400, error]);
  });
});

describe('self metrics', () => {
  const registry = new Registry();
  registry.gauges('b_info', 'B.', ['z', 'a']).labels('1', '2').set(1);
  registry.histograms('c_seconds', 'C.', [], [0.1, 1]).labels().observe(0.5);
  registry.summaries('d_seconds', 'D.', [], [0.5]).labels();
  registry.counters('e_total', 'E.', ['never']);
  const ownMetrics = { families: async () => registry.snapshot() };

  test('have the form of protobuf written as JSON', async () => {
    const { app } = fakeHouse({ ownMetrics });
    const { data } = (await app.inject('/api/v1/status/self_metrics')).json();
    expect(data).toEqual([
      {
        name: 'b_info',
        help: 'B.',
        type: 'GAUGE',
        metric: [
          {
            label: [
              { name: 'a', value: '2' },
              { name: 'z', value: '1' },
            ],
            gauge: { value: 1 },
          },
        ],
      },
      {
        name: 'c_seconds',
        help: 'C.',
        type: 'HISTOGRAM',
        metric: [
          {
            histogram: {
              sampleCount: '1',
              sampleSum: 0.5,
              bucket: [
                { cumulativeCount: '0', upperBound: 0.1 },
                { cumulativeCount: '1', upperBound: 1 },
              ],
            },
          },
        ],
      },
      {
        name: 'd_seconds',
        help: 'D.',
        type: 'SUMMARY',
        metric: [
          {
            summary: {
              sampleCount: '0',
              sampleSum: 0,
              quantile: [{ quantile: 0.5, value: 'NaN' }],
            },
          },
        ],
      },
    ]);
  });

  test('are chosen by a pattern that covers the whole name', async () => {
    const { app } = fakeHouse({ ownMetrics });
    const chosen = await app.inject('/api/v1/status/self_metrics?metric_name_pattern=b_.*');
    expect(chosen.json().data).toHaveLength(1);
    const part = await app.inject('/api/v1/status/self_metrics?metric_name_pattern=b_');
    expect(part.json().data).toEqual([]);
    const malformed = await app.inject('/api/v1/status/self_metrics?metric_name_pattern=(');
    expect(malformed.statusCode).toBe(400);
    expect(malformed.json().error).toBe(
      'invalid metric_name_pattern: error parsing regexp: missing closing ): `^(?:()$`',
    );
  });
});

test('top queries are sorted and limited by the house', async () => {
  const asked: unknown[] = [];
  const top = async (request: unknown) => {
    asked.push(request);
    return [
      {
        query: 'up',
        kind: 'instant' as const,
        count: 2,
        durationSecondsSum: 0.5,
        durationSecondsMax: 0.25,
        samplesSum: 10,
        lastMs: 1000,
      },
    ];
  };
  const { app } = fakeHouse({ queryLog: { top } });
  const response = await app.inject('/api/v1/status/top_queries?sort_by=count&start=5&limit=3');
  expect(asked).toEqual([{ sortBy: 'count', sinceMs: 5000, limit: 3 }]);
  expect(response.json().data.queries).toEqual([
    {
      query: 'up',
      kind: 'instant',
      count: 2,
      durationSecondsSum: 0.5,
      durationSecondsMax: 0.25,
      samplesSum: 10,
      last: '1970-01-01T00:00:01Z',
    },
  ]);
  const malformed = await app.inject('/api/v1/status/top_queries?sort_by=x');
  expect(malformed.json().error).toContain('must be one of count, duration, samples, recent');
});

test('active queries can be seen and canceled', async () => {
  const canceled: number[] = [];
  const { app } = fakeHouse({
    activeQueries: {
      list: () => [
        {
          id: 7,
          kind: 'range',
          query: 'up',
          state: 'running',
          startedMs: NOW_MS,
          durationSeconds: 1.5,
          startMs: 0,
          endMs: 60_000,
          stepMs: 15_000,
          client: { address: '10.0.0.7', userAgent: 'Grafana/11', method: 'GET', path: '/' },
          sampleCount: 4000,
          seriesCount: 50,
          heldSizeBytes: 64_000,
        },
      ],
      cancel: (id) => {
        if (id !== 7) return false;
        canceled.push(id);
        return true;
      },
    },
  });
  const { data } = (await app.inject('/api/v1/status/active_queries')).json();
  expect(data.queries).toEqual([
    {
      id: 7,
      query: 'up',
      kind: 'range',
      state: 'running',
      started: '2026-01-02T03:04:05.678Z',
      durationSeconds: 1.5,
      start: '1970-01-01T00:00:00Z',
      end: '1970-01-01T00:01:00Z',
      stepSeconds: 15,
      client: '10.0.0.7',
      userAgent: 'Grafana/11',
      samples: 4000,
      series: 50,
      bytes: 64_000,
    },
  ]);
  const cancel = async (id: string) => {
    const url = `/api/v1/status/active_queries/cancel?id=${id}`;
    return (await app.inject({ method: 'POST', url })).statusCode;
  };
  expect(await cancel('7')).toBe(204);
  expect(canceled).toEqual([7]);
  expect(await cancel('8')).toBe(404);
  expect(await cancel('x')).toBe(400);
  expect(await cancel('')).toBe(400);
});
