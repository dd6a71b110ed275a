/** Changes over OTLP, added up by a real Prometheus and by ours. */
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { serversOfTests } from '../support/servers.ts';
import { point, request, sum } from './support/otlp-requests.ts';

const { start } = serversOfTests();

const DELTA = { aggregationTemporality: 1 };

function requests(startMs: number) {
  return Array.from({ length: 6 }, (_, i) => {
    const timeMs = startMs + i * 5000;
    // The fourth comes too late.
    const lateMs = i === 3 ? startMs : timeMs;
    const common = {
      startTimeUnixNano: `${startMs - 1000}000000`,
      timeUnixNano: `${lateMs}000000`,
    };
    const histogram = {
      ...common,
      count: String(3 + i),
      sum: 1.5 * i,
      bucketCounts: ['1', String(1 + i), '1'],
      // Other buckets in the last request.
      explicitBounds: i === 5 ? [2, 3] : [1, 2],
    };
    const exponential = {
      ...common,
      count: String(6 + i),
      sum: 10 + i,
      scale: 3 - (i % 3),
      zeroCount: '1',
      positive: { offset: 2 * i, bucketCounts: ['1', '2', String(i)] },
      negative: { offset: -1, bucketCounts: ['2'] },
    };
    return request({ 'service.name': 's', 'service.instance.id': 'i' }, [
      sum(
        'a.total',
        '1',
        [
          point(lateMs, i + 1, { k: 'v' }, { startTimeUnixNano: common.startTimeUnixNano }),
          point(lateMs, 0.5, { k: 'w' }, { startTimeUnixNano: common.startTimeUnixNano }),
        ],
        DELTA,
      ),
      { name: 'h', unit: 's', histogram: { ...DELTA, dataPoints: [histogram] } },
      { name: 'e', unit: 's', exponentialHistogram: { ...DELTA, dataPoints: [exponential] } },
    ]);
  });
}

async function answersOf(program: readonly string[] | undefined, startMs: number) {
  const feature = '--enable-feature=otlp-deltatocumulative';
  const flags = ['--web.enable-otlp-receiver', feature];
  const server = await start('scrape_configs: []\n', program, ...flags);
  for (const body of requests(startMs)) {
    const { status, text } = await server.get('/api/v1/otlp/v1/metrics', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect([status, text.replace('{}', '')]).toEqual([200, '']);
  }
  const range = encodeURIComponent('{__name__=~".+"}[1h]');
  const { result } = await server.json<{ result: unknown[] }>(
    `/api/v1/query?query=${range}&time=${startMs / 1000 + 100}`,
  );
  return result.map((series) => JSON.stringify(series)).toSorted();
}

test.skipIf(JUDGE_BINARY === null)('totals are equal', { timeout: 60_000 }, async () => {
  const startMs = Date.now() - 60_000;
  const expected = await answersOf([JUDGE_BINARY!], startMs);
  expect(expected.length).toBeGreaterThan(7);
  expect(await answersOf(undefined, startMs)).toEqual(expected);
});
