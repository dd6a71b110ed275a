import { describe, expect, test } from 'vitest';
import { DEFAULT_RELABEL_CONFIG } from '../../../model/index.ts';
import type { ActiveTarget, RelabelStepAnswer } from '../../../web/index.ts';
import { fakeHouse, NOW_MS } from '../fake-house.ts';

const TARGET: ActiveTarget = {
  discoveredLabels: { __address__: 'a:1' },
  labels: { instance: 'a:1', job: 'api' },
  scrapePool: 'api',
  scrapeUrl: 'http://a:1/metrics',
  globalUrl: 'http://a:1/metrics',
  lastError: '',
  lastScrapeMs: NOW_MS,
  lastScrapeDurationSeconds: 0.25,
  health: 'up',
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
};
const DROPPED = { discoveredLabels: { __address__: 'b:1' }, scrapePool: 'api' };
const targets = {
  targets: async () => ({ active: [TARGET], dropped: [DROPPED], droppedCounts: { api: 1 } }),
};

describe('targets', () => {
  test('are shown as Prometheus shows them', async () => {
    const { app } = fakeHouse({ targets });
    const { data } = (await app.inject('/api/v1/targets')).json();
    const { lastScrapeMs: _, lastScrapeDurationSeconds: __, ...same } = TARGET;
    expect(data).toEqual({
      activeTargets: [
        { ...same, lastScrape: '2026-01-02T03:04:05.678Z', lastScrapeDuration: 0.25 },
      ],
      droppedTargets: [DROPPED],
      droppedTargetCounts: { api: 1 },
    });
  });

  test('that were never scraped have the time zero', async () => {
    const active = [{ ...TARGET, lastScrapeMs: null, health: 'unknown' as const }];
    const never = async () => ({ active, dropped: [], droppedCounts: {} });
    const { app } = fakeHouse({ targets: { targets: never } });
    const { data } = (await app.inject('/api/v1/targets')).json();
    expect(data.activeTargets[0].lastScrape).toBe('0001-01-01T00:00:00Z');
  });

  test.each([
    ['active', 1, 0, null],
    ['ACTIVE', 1, 0, null],
    ['dropped', 0, 1, { api: 1 }],
    ['any', 1, 1, { api: 1 }],
    ['', 1, 1, { api: 1 }],
    ['other', 0, 0, null],
  ])('of state "%s"', async (state, activeCount, droppedCount, counts) => {
    const { app } = fakeHouse({ targets });
    const { data } = (await app.inject(`/api/v1/targets?state=${state}`)).json();
    expect(data.activeTargets).toHaveLength(activeCount);
    expect(data.droppedTargets).toHaveLength(droppedCount);
    expect(data.droppedTargetCounts).toEqual(counts);
  });

  test('of one pool are asked for by its name', async () => {
    const { app, calls } = fakeHouse();
    await app.inject('/api/v1/targets?scrapePool=api&state=active');
    expect(calls[0]!.request).toEqual({ scrapePool: 'api', withActive: true, withDropped: false });
  });
});

describe('scrape pools', () => {
  test('are listed by name', async () => {
    const { app } = fakeHouse();
    const response = await app.inject('/api/v1/scrape_pools');
    expect(response.json().data).toEqual({ scrapePools: ['api', 'db'] });
  });

  test('show their configuration', async () => {
    const { app } = fakeHouse();
    const response = await app.inject('/api/v1/scrape_pools/config?scrapePool=api');
    expect(response.json().data).toEqual({ yaml: 'job_name: api\n' });
    const unknown = await app.inject('/api/v1/scrape_pools/config?scrapePool=x');
    expect(unknown.json().error).toBe('error retrieving scrape config: scrape pool "x" not found');
  });
});

describe('relabel steps', () => {
  const url = (scrapePool: string, labels: string) =>
    `/api/v1/targets/relabel_steps?${new URLSearchParams({ scrapePool, labels })}`;

  test('show each rule under the names of the configuration', async () => {
    const steps: RelabelStepAnswer[] = [
      {
        rule: { ...DEFAULT_RELABEL_CONFIG, targetLabel: 'env', replacement: 'dev' },
        output: { env: 'dev' },
        keep: true,
      },
      {
        rule: {
          ...DEFAULT_RELABEL_CONFIG,
          sourceLabels: ['a'],
          regex: '.*',
          action: 'drop',
        },
        output: {},
        keep: false,
      },
    ];
    const { app } = fakeHouse({ targets: { relabelSteps: async () => steps } });
    const response = await app.inject(url('api', '{"a":"b"}'));
    expect(response.payload).toBe(
      '{"status":"success","data":{"steps":[{"rule":{"separator":";","regex":"(.*)",' +
        '"target_label":"env","replacement":"dev","action":"replace"},"output":{"env":"dev"},' +
        '"keep":true},{"rule":{"source_labels":["a"],"separator":";","regex":".*",' +
        '"replacement":"$1","action":"drop"},"output":{},"keep":false}]}}',
    );
  });

  test.each([
    ['', '{}', 'no scrapePool parameter provided'],
    ['api', '', 'no labels parameter provided'],
    ['x', '{}', 'error retrieving scrape config: scrape pool "x" not found'],
    ['api', '[]', 'error parsing labels: an object of strings is expected'],
    ['api', '{"a":1}', 'error parsing labels: the value of "a" must be a string, not a number'],
  ])('of the pool "%s" and the labels %s are refused', async (pool, labels, error) => {
    const { app } = fakeHouse();
    const response = await app.inject(url(pool, labels));
    expect([response.statusCode, response.json().error]).toEqual([400, error]);
  });
});
