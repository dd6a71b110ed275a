/**
 * Bodies, right and wrong in many ways, to a real Prometheus and to our scraper: the same verdict,
 * the same error, the same series.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFloat, Labels } from '../../../model/index.ts';
import { FakeTargets, scrapeConfig } from '../support/fake-targets.ts';
import { type Body, JUDGE_BINARY, JudgeServer, serveBodies } from '../support/judge-server.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const BODY_COUNT = 300;

const goodLine = fc.constantFrom(
  'a 1\n',
  'a{b="c"} 2\n',
  'b{b="c",d="e"} 2.5\n',
  '{"a.b",c="d"} 1\n',
  '# HELP a text here\n',
  '# TYPE a gauge\n',
  '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n',
  '# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="1"} 1e300\n',
  'a_total{b="c"} 1 # {x="y"} 0.5 1.5\n',
  '# UNIT a_s s\n',
  'a{"b"="c"} 1\n',
  'a{b="x\\n\\"\\\\"} NaN\n',
  'a:b 1.2345678901234567e-7\n',
);
const piece = fc.constantFrom(
  'a',
  'b_c',
  'a:b',
  '{',
  '}',
  '"',
  '"x"',
  '"b.c"',
  '"q\\"r"',
  '=',
  '="v"',
  ',',
  ' ',
  '  ',
  '\t',
  '1',
  '2.5',
  '-3',
  '1e5',
  'NaN',
  '+Inf',
  '123456',
  '#',
  '# ',
  ' # ',
  ' # {a="b"} 1',
  '# HELP ',
  '# TYPE ',
  '# UNIT ',
  '# EOF',
  '\n',
  'gauge',
  'histogram',
  'counter',
  '\\',
  'é',
  '.',
  '0x1p3',
  '_',
  'x y',
  '{a="b"}',
  '{"m",a="b"}',
  '1e400',
  '1_0',
  '\r',
);
const change = fc.record({ at: fc.nat(), remove: fc.nat(2), insert: fc.option(piece) });
const body: fc.Arbitrary<Body> = fc
  .record({
    lines: fc.array(goodLine, { minLength: 1, maxLength: 4 }),
    changes: fc.array(change, { maxLength: 3 }),
    openMetrics: fc.boolean(),
    hasEnd: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
  })
  .map(({ lines, changes, openMetrics, hasEnd }) => {
    let text = lines.join('');
    for (const { at, remove, insert } of changes) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + (insert ?? '') + text.slice(place + remove);
    }
    if (openMetrics && hasEnd) text += '# EOF\n';
    return { contentType: openMetrics ? OPEN_METRICS : TEXT, body: text };
  })
  // Prometheus makes blanks before a metric part of its name; here they are left out.
  .filter(({ body: text }) => !/^[ \t]/m.test(text));

describe.skipIf(JUDGE_BINARY === null)('beside a real Prometheus', () => {
  test('the same bodies have the same fate', async () => {
    // Always the same bodies, unless somebody wants to look further.
    const seed = Number(process.env.NARTHEX_SEED ?? 1);
    const bodies = fc.sample(body, { numRuns: BODY_COUNT, seed });
    const { address, close } = await serveBodies(bodies);
    const target = (index: number) => `
      - targets: ['${address}']
        labels: {case: '${index}', __metrics_path__: '/body/${index}'}`;
    const judge = await JudgeServer.start(`
global: {scrape_interval: 3s, scrape_timeout: 2s}
scrape_configs:
  - job_name: job
    static_configs:${bodies.map((_, index) => target(index)).join('')}
`);
    try {
      const judged = new Map<string, { error: string; series: string[] }>();
      for (const { labels, lastError } of await judge.scrapedTargets(bodies.length)) {
        judged.set(labels.case!, { error: lastError, series: [] });
      }
      for (const { metric, value } of await judge.series('{case=~".+"}')) {
        if (/^(?:up|scrape_.*)$/.test(metric.__name__!)) continue;
        const line = `${Labels.fromObject(metric).toString()} ${value![1]}`;
        judged.get(metric.case!)!.series.push(line);
      }
      const ours = await scrapeAll(bodies, address);
      for (const [index, { body: text, contentType }] of bodies.entries()) {
        const name = { contentType, text, ...ours[index]! };
        const verdict = judged.get(String(index))!;
        expect(name).toEqual({
          contentType,
          text,
          error: verdict.error,
          series: verdict.series.sort(),
        });
      }
    } finally {
      judge.stop();
      close();
    }
  });
});

/** The same bodies through our own scrape manager, at the same addresses. */
async function scrapeAll(
  bodies: readonly Body[],
  address: string,
): Promise<{ error: string; series: string[] }[]> {
  const results: { error: string; series: string[] }[] = [];
  for (const [index, { body: text, contentType }] of bodies.entries()) {
    const fake = new FakeTargets();
    fake.contentType = contentType;
    // Times in the bodies are small numbers, which are long ago there, too.
    fake.storage.minTimestampMs = 990_000_000;
    fake.answer = () => text as string;
    fake.manager.applyConfig([scrapeConfig()], 'seed');
    const labels = { case: String(index), __metrics_path__: `/body/${index}` };
    fake.manager.setTargets('job', [{ source: '0', targets: [{ __address__: address }], labels }]);
    await fake.clock.advance(10_000);
    const request = { scrapePool: '', withActive: true, withDropped: false };
    const error = fake.manager.targets(request).active[0]!.lastError;
    const series = fake.storage
      .all()
      .filter(({ labels: stored }) => !/^(?:up|scrape_.*)$/.test(stored.get('__name__')))
      .filter(({ samples }) => samples.length > 0)
      .map(({ labels: stored, samples }) => {
        const { value } = samples.at(-1)!;
        return `${stored.toString()} ${formatFloat(value as number)}`;
      });
    fake.manager.stop();
    results.push({ error, series: series.sort() });
  }
  return results;
}
