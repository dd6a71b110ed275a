import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_RELABEL_CONFIG, Registry } from '../../model/index.ts';
import { FetchError } from '../../scrape/index.ts';
import { FakeTargets, groupOf, scrapeConfig } from './support/fake-targets.ts';

const EVERYTHING = { scrapePool: '', withActive: true, withDropped: true };

let fake: FakeTargets;
afterEach(() => fake.manager.stop());

describe('a scrape loop', () => {
  test('scrapes at slots that are one interval apart, and stamps samples with the slot', async () => {
    fake = new FakeTargets();
    fake.run();
    await fake.clock.advance(35_000);
    const times = fake.requests.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThanOrEqual(3);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(10_000);
    const stamps = fake.storage.find('a')!.samples.map(({ timestampMs }) => timestampMs);
    expect(stamps).toEqual(times);
  });

  test('keeps the offset of a target across restarts, and gives another one to another server', () => {
    const slotOf = async (seed: string, startMs: number) => {
      const server = new FakeTargets({}, startMs);
      server.manager.applyConfig([scrapeConfig()], seed);
      server.manager.setTargets('job', [groupOf(['target:1'])]);
      await server.clock.advance(11_000);
      server.manager.stop();
      return server.requests[0]!.atMs % 10_000;
    };
    fake = new FakeTargets();
    return Promise.all([
      slotOf('a', 1_000_003),
      slotOf('a', 1_007_777),
      slotOf('b', 1_000_003),
    ]).then(([first, again, other]) => {
      expect(again).toBe(first);
      expect(other).not.toBe(first);
    });
  });

  test('spreads many targets over the interval', async () => {
    fake = new FakeTargets();
    fake.run(
      {},
      Array.from({ length: 200 }, (_, i) => `host-${i}:9100`),
    );
    await fake.clock.advance(10_000);
    const perSecond = Array.from({ length: 10 }, () => 0);
    for (const { atMs } of fake.requests) perSecond[Math.floor((atMs % 10_000) / 1000)]! += 1;
    expect(fake.requests.length).toBe(200);
    // 20 on average; a fair spread stays far from all and from none.
    expect(Math.max(...perSecond)).toBeLessThan(45);
    expect(Math.min(...perSecond)).toBeGreaterThan(5);
  });

  test('reports itself beside what it scraped', async () => {
    fake = new FakeTargets();
    fake.answer = () => 'a 1\nb{x="1"} 2\n';
    fake.run({ extraScrapeMetrics: true, sampleLimit: 7 });
    await fake.clock.advance(10_000);
    const labels = { job: 'job', instance: 'target:1' };
    const value = (name: string) => fake.storage.find(name, labels)?.samples.at(-1)?.value;
    expect(value('up')).toBe(1);
    expect(value('scrape_samples_scraped')).toBe(2);
    expect(value('scrape_samples_post_metric_relabeling')).toBe(2);
    expect(value('scrape_series_added')).toBe(2);
    expect(value('scrape_duration_seconds')).toBe(0);
    expect(value('scrape_timeout_seconds')).toBe(5);
    expect(value('scrape_sample_limit')).toBe(7);
    expect(value('scrape_body_size_bytes')).toBe(15);
    expect(fake.storage.commits).toBe(1);
    expect(fake.storage.appendCalls).toBe(1);
  });

  test('uses its own time when it begins too late for the slot, and makes up one missed slot', async () => {
    fake = new FakeTargets();
    let delayMs = 0;
    fake.answer = async () => {
      await fake.clock.sleep(delayMs);
      return 'a 1\n';
    };
    fake.run();
    await fake.clock.advance(10_000);
    const slotMs = fake.requests[0]!.atMs;
    // The next scrape takes three and a half intervals: two slots are lost, the third is made up.
    delayMs = 35_000;
    await fake.clock.advance(10_000);
    delayMs = 0;
    await fake.clock.advance(60_000);
    const slots = fake.requests.map(({ atMs }) => (atMs - slotMs) / 10_000);
    expect(slots.slice(0, 5)).toEqual([0, 1, 4.5, 5, 6]);
  });

  test('takes interval, timeout and parameters from labels', async () => {
    fake = new FakeTargets();
    const set = (targetLabel: string, replacement: string) => ({
      ...DEFAULT_RELABEL_CONFIG,
      targetLabel,
      replacement,
    });
    fake.run({
      params: { module: ['http'] },
      relabelConfigs: [
        set('__scrape_interval__', '2s'),
        set('__scrape_timeout__', '1s'),
        set('__param_module', 'icmp'),
        set('__metrics_path__', '/probe'),
      ],
    });
    await fake.clock.advance(10_000);
    expect(fake.requests.length).toBe(5);
    const { request } = fake.requests[0]!;
    expect(request.url).toBe('http://target:1/probe?module=icmp');
    expect(request.timeoutMs).toBe(1000);
    expect(request.headers!['X-Prometheus-Scrape-Timeout-Seconds']).toBe('1');
  });

  test('fails as Prometheus fails, with a hint, and ends the series that were open', async () => {
    fake = new FakeTargets();
    fake.run();
    await fake.clock.advance(10_000);
    fake.answer = () => new FetchError('Get "http://target:1/metrics": EOF', 'closed');
    await fake.clock.advance(10_000);
    const [target] = fake.manager.targets(EVERYTHING).active;
    expect(target).toMatchObject({
      health: 'down',
      lastError: 'Get "http://target:1/metrics": EOF',
    });
    expect(target!.hint).toContain('log');
    expect(fake.storage.find('a')!.values).toEqual([1, 'stale']);
    expect(fake.storage.find('up')!.values).toEqual([1, 0]);
    expect(fake.storage.find('scrape_samples_scraped')!.values).toEqual([1, 0]);

    fake.answer = () => 'a 2\n';
    await fake.clock.advance(10_000);
    expect(fake.storage.find('a')!.values).toEqual([1, 'stale', 2]);
    expect(fake.manager.targets(EVERYTHING).active[0]).toMatchObject({
      health: 'up',
      lastError: '',
      hint: '',
    });
  });

  test.each([
    {
      body: 'a 1\nb\n',
      error: 'expected value after metric, got "\\n" ("INVALID") while parsing: "b\\n"',
    },
    {
      body: 'a 1\nb 2\nc 3\n',
      config: { sampleLimit: 2 },
      error: 'sample limit exceeded',
      hint: 'Here sample_limit is 2.',
    },
    {
      body: 'a{b="c"} 1\n',
      config: { labelLimit: 3 },
      error: 'label_limit exceeded (metric: a, number of labels: 4, limit: 3)',
    },
    {
      body: 'a 1\n',
      type: '',
      error:
        'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol ' +
        'specified for target',
    },
    {
      body: 'a{bcdefghij="c"} 1\n',
      config: { labelNameLengthLimit: 8 },
      error:
        'label_name_length_limit exceeded (metric: a, label name: bcdefghij, length: 9, limit: 8)',
      hint: 'Here label_name_length_limit is 8.',
    },
    {
      body: 'a{b="a rather long value"} 1\n',
      config: { labelValueLengthLimit: 10 },
      error:
        'label_value_length_limit exceeded (metric: a, label name: b, value: "a rather long value", ' +
        'length: 19, limit: 10)',
      hint: 'Here label_value_length_limit is 10.',
    },
    {
      body: '<!DOCTYPE html>\n<title>Shop</title>',
      type: 'text/html; charset=utf-8',
      error:
        'received unsupported Content-Type "text/html; charset=utf-8" and no ' +
        'fallback_scrape_protocol specified for target',
      hint: 'It begins with <!DOCTYPE html> <title>Shop</title>',
    },
    { body: 'a 1\n', status: 404, error: 'server returned HTTP status 404 Status' },
  ])('fails with $error', async ({ body, config = {}, type, status, error, hint = '' }) => {
    fake = new FakeTargets();
    fake.answer = () => body;
    if (type !== undefined) fake.contentType = type;
    if (status !== undefined) fake.status = status;
    fake.run(config);
    await fake.clock.advance(10_000);
    const [target] = fake.manager.targets(EVERYTHING).active;
    expect(target!.lastError).toBe(error);
    expect(target!.hint).not.toBe('');
    expect(target!.hint).toContain(hint);
    expect(fake.storage.find('a')?.samples ?? []).toEqual([]);
    expect(fake.storage.find('up')!.values).toEqual([0]);
  });

  test('drops a scrape whose target is removed while it is under way', async () => {
    fake = new FakeTargets();
    fake.answer = async () => {
      await fake.clock.sleep(3000);
      return 'a 1\n';
    };
    fake.run();
    while (fake.requests.length === 0) await fake.clock.advance(100);
    fake.manager.setTargets('job', []);
    await fake.clock.advance(20_000);
    expect(fake.storage.find('a')).toBeUndefined();
  });
});

describe('a scrape manager', () => {
  test('ends the series of a removed target two intervals later, at its next slot', async () => {
    fake = new FakeTargets();
    fake.run();
    await fake.clock.advance(10_000);
    const slotMs = fake.requests[0]!.atMs;
    fake.manager.setTargets('job', []);
    await fake.clock.advance(19_000);
    expect(fake.storage.find('a')!.values).toEqual([1]);
    await fake.clock.advance(10_000);
    expect(fake.storage.find('a')!.values).toEqual([1, 'stale']);
    expect(fake.storage.find('up')!.values).toEqual([1, 'stale']);
    expect(fake.storage.find('a')!.samples.at(-1)!.timestampMs).toBe(slotMs + 10_000);
    expect(fake.manager.targets(EVERYTHING).active).toEqual([]);
  });

  test('leaves series open when it stops', async () => {
    fake = new FakeTargets();
    fake.run();
    await fake.clock.advance(10_000);
    fake.manager.stop();
    await fake.clock.advance(60_000);
    expect(fake.storage.find('a')!.values).toEqual([1]);
  });

  test('goes on without a gap or a marker when a job is reloaded, and ends what relabelling drops', async () => {
    fake = new FakeTargets();
    fake.answer = () => 'a 1\nb 1\n';
    fake.run();
    await fake.clock.advance(10_000);
    const drop = {
      ...DEFAULT_RELABEL_CONFIG,
      sourceLabels: ['__name__'],
      regex: 'b',
      action: 'drop',
    } as const;
    fake.manager.applyConfig([scrapeConfig({ metricRelabelConfigs: [drop] })], 'seed');
    await fake.clock.advance(20_000);
    const times = fake.requests.map(({ atMs }) => atMs);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(10_000);
    expect(fake.storage.find('a')!.values).toEqual([1, 1, 1]);
    expect(fake.storage.find('b')!.values).toEqual([1, 'stale']);
  });

  test('does not disturb a job whose configuration is the same', async () => {
    fake = new FakeTargets();
    fake.run();
    await fake.clock.advance(10_000);
    fake.manager.applyConfig([scrapeConfig()], 'seed');
    await fake.clock.advance(10_000);
    // A new loop would have asked storage for its series again.
    expect(fake.storage.lookups).toBe(6);
  });

  test('keeps everything as it was when a configuration cannot be used', async () => {
    fake = new FakeTargets();
    fake.run();
    const bad = { ...DEFAULT_RELABEL_CONFIG, targetLabel: 'x', regex: '(' };
    expect(() =>
      fake.manager.applyConfig([scrapeConfig({ relabelConfigs: [bad] })], 'seed'),
    ).toThrow('missing closing )');
    await fake.clock.advance(10_000);
    expect(fake.storage.find('up')!.values).toEqual([1]);
  });

  test('takes targets that come before their job', async () => {
    fake = new FakeTargets();
    fake.manager.setTargets('job', [groupOf(['early:1'])]);
    fake.manager.applyConfig([scrapeConfig()], 'seed');
    await fake.clock.advance(10_000);
    expect(fake.storage.find('up', { instance: 'early:1' })!.values).toEqual([1]);
  });

  test('scrapes a target once however often it is listed', async () => {
    fake = new FakeTargets();
    fake.run({}, ['a:1', 'a:1', 'b:1']);
    await fake.clock.advance(10_000);
    expect(fake.requests.length).toBe(2);
  });

  test('scrapes none of too many targets and says why', async () => {
    fake = new FakeTargets();
    fake.run({ targetLimit: 1 }, ['a:1', 'b:1']);
    await fake.clock.advance(10_000);
    expect(fake.requests).toEqual([]);
    const errors = fake.manager.targets(EVERYTHING).active.map(({ lastError }) => lastError);
    const error = 'target_limit exceeded (number of targets: 2, limit: 1)';
    expect(errors).toEqual([error, error]);
    expect(fake.storage.find('up')!.values).toEqual([0]);
  });

  test('lists dropped targets, as many as are kept, and counts all', () => {
    fake = new FakeTargets();
    const keep = {
      ...DEFAULT_RELABEL_CONFIG,
      sourceLabels: ['__address__'],
      regex: 'c:1',
      action: 'keep',
    } as const;
    fake.run({ relabelConfigs: [keep], keepDroppedTargets: 1 }, ['a:1', 'b:1', 'c:1']);
    const { active, dropped, droppedCounts } = fake.manager.targets(EVERYTHING);
    expect(active.map(({ scrapeUrl }) => scrapeUrl)).toEqual(['http://c:1/metrics']);
    expect(dropped).toHaveLength(1);
    expect(dropped[0]!.discoveredLabels).toMatchObject({ __address__: 'a:1', job: 'job' });
    expect(droppedCounts).toEqual({ job: 2 });
  });

  test('shows everything about a target as plain data', async () => {
    fake = new FakeTargets({ externalHost: 'prom.example.org:80', listenPort: '9090' });
    fake.run({ params: { q: ['1'] } }, ['localhost:9100']);
    await fake.clock.advance(10_000);
    const answer = structuredClone(fake.manager.targets(EVERYTHING));
    expect(answer.active).toEqual([
      {
        discoveredLabels: {
          __address__: 'localhost:9100',
          __always_scrape_classic_histograms__: 'false',
          __convert_classic_histograms_to_nhcb__: 'false',
          __metrics_path__: '/metrics',
          __param_q: '1',
          __scheme__: 'http',
          __scrape_interval__: '10s',
          __scrape_native_histograms__: 'false',
          __scrape_timeout__: '5s',
          job: 'job',
        },
        labels: { instance: 'localhost:9100', job: 'job' },
        scrapePool: 'job',
        scrapeUrl: 'http://localhost:9100/metrics?q=1',
        globalUrl: 'http://prom.example.org:9100/metrics?q=1',
        lastError: '',
        hint: '',
        lastScrapeMs: fake.requests[0]!.atMs,
        lastScrapeDurationSeconds: 0,
        health: 'up',
        scrapeInterval: '10s',
        scrapeTimeout: '5s',
      },
    ]);
  });

  test('tells metadata per target and per metric', async () => {
    fake = new FakeTargets();
    fake.answer = ({ url }) =>
      `# HELP a What\\n${url.includes('b:') ? 'b' : 'a'} says.\n# TYPE a counter\na 1\n`;
    fake.run({}, ['a:1', 'b:1']);
    await fake.clock.advance(10_000);
    expect(
      fake.manager.targetMetadata({
        matchers: [{ name: 'instance', operator: '=', value: 'a:1' }],
        metric: '',
        limit: -1,
      }),
    ).toEqual([
      {
        target: { instance: 'a:1', job: 'job' },
        metric: 'a',
        metadata: { type: 'counter', unit: '', help: 'What\na says.' },
      },
    ]);
    const [entry] = fake.manager.metadata({ metric: 'a', limit: -1, limitPerMetric: -1 });
    expect(entry!.entries).toHaveLength(2);
  });

  test.each([
    ['# HELP a A.\n# TYPE a counter\na 1\n# TYPE b gauge\n# HELP b B.\nb 1\n# HELP c C.\n', 3],
    ['#  TYPE\ta counter\na 1\n# no metadata\n# TYPE "b c" gauge\n', 2],
    ['a 1\n', 0],
  ])('counts the metrics of which it has metadata', async (text, count) => {
    const registry = new Registry();
    fake = new FakeTargets({ registry });
    fake.answer = () => text;
    fake.run({});
    await fake.clock.advance(20_000);
    const entries = registry
      .snapshot()
      .find(({ name }) => name === 'prometheus_target_metadata_cache_entries')!;
    expect(entries.samples.map(({ value }) => value)).toEqual([count]);
  });

  test('counts under the names of Prometheus', async () => {
    const registry = new Registry();
    fake = new FakeTargets({ registry });
    fake.answer = () => 'a 1\nb 1\n';
    fake.run({ sampleLimit: 1 });
    await fake.clock.advance(20_000);
    const value = (name: string) =>
      registry.snapshot().find((family) => family.name === name)!.samples[0]!.value;
    expect(value('prometheus_target_scrapes_exceeded_sample_limit_total')).toBe(2);
    expect(value('prometheus_target_scrape_pools_total')).toBe(1);
    expect(value('prometheus_target_scrape_pool_targets')).toBe(1);
    expect(value('prometheus_target_interval_length_seconds')).toBe(10);
  });
});
