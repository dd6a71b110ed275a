/**
 * The same pages, requests and questions to a real Prometheus and to ours: what start timestamps
 * make of them is the same in both. Samples have times of their own, so every digit is compared.
 */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { writeFamilies, type WrittenFamily } from '../scrape/support/family-writer.ts';
import { JUDGE_BINARY } from '../support/judge.ts';
import { sleep } from './support/server.ts';
import { serversOfTests } from './support/servers.ts';

const SCRAPES = 6;
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const STORED =
  'st-storage,xor2-encoding,histograms-st-encoding,use-start-timestamps,promql-experimental-functions';

type Page = { readonly type: string; readonly body: string | Uint8Array };
/** What a target answers to the n-th scrape. */
type Pages = (scrape: number, baseMs: number) => Page;

const { start } = serversOfTests();
const targets: Server[] = [];
afterEach(() => {
  for (const target of targets.splice(0)) {
    target.close();
    target.closeAllConnections();
  }
});

const openMetrics: Pages = (scrape, baseMs) => {
  const seconds = (ms: number) => (ms / 1000).toFixed(3);
  const timeMs = baseMs + scrape * 1000;
  const at = seconds(timeMs);
  // The counter begins anew between two scrapes.
  const restarted = scrape > 3;
  const beganMs = restarted ? baseMs + 3500 : baseMs - 30_000;
  const began = seconds(beganMs);
  const value = restarted ? scrape - 3 : scrape * 10;
  const lines = [
    '# TYPE a counter',
    `a_total{l="x"} ${value} ${at}`,
    `a_created{l="x"} ${began}`,
    `a_total{l="future"} ${value} ${at}`,
    `a_created{l="future"} ${seconds(baseMs + 3_600_000)}`,
    `a_total{l="old"} ${value} ${at}`,
    `a_created{l="old"} ${seconds(baseMs - 7_200_000)}`,
    `a_total{l="none"} ${value} ${at}`,
    '# TYPE before counter',
    `before_created ${began}`,
    `before_total ${value} ${at}`,
    '# TYPE split counter',
    `split_total{a="1"} ${value} ${at}`,
    `split_total{a="2"} ${value} ${at}`,
    `split_created{a="1"} ${began}`,
    `split_created{a="2"} ${began}`,
    `split_total{a="3",b="4"} ${value} ${at}`,
    `split_created{b="4",a="3"} ${began}`,
    '# TYPE h histogram',
    `h_bucket{le="1"} ${value} ${at}`,
    `h_bucket{le="+Inf"} ${value + 1} ${at}`,
    `h_created ${began}`,
    `h_count ${value + 1} ${at}`,
    `h_sum ${value * 2} ${at}`,
    '# TYPE s summary',
    `s{quantile="0.5"} 1 ${at}`,
    `s_count ${value} ${at}`,
    `s_sum ${value} ${at}`,
    `s_created ${began}`,
    '# TYPE g gauge',
    `g ${value} ${at}`,
    `g_created 5 ${at}`,
    '# TYPE zero counter',
    `zero_total ${value} ${at}`,
    'zero_created 0',
    '# EOF',
  ];
  return { type: OPEN_METRICS, body: `${lines.join('\n')}\n` };
};

const protobuf: Pages = (scrape, baseMs) =>
  protobufWith(scrape, baseMs, scrape > 3 ? baseMs + 3500 : baseMs - 30_000);

/** Of a target that does not tell when it began. */
const silent: Pages = (scrape, baseMs) => protobufWith(scrape, baseMs, undefined);

function protobufWith(scrape: number, baseMs: number, createdMs: number | undefined): Page {
  const timeMs = baseMs + scrape * 1000;
  const restarted = scrape > 3;
  const value = restarted ? scrape - 3 : scrape * 10;
  const native = {
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: 0,
    spans: [[1, 2]] as [number, number][],
  };
  const created = createdMs === undefined ? {} : { createdMs };
  const families: WrittenFamily[] = [
    {
      name: 'a_total',
      type: 'counter',
      metrics: [
        { labels: { l: 'x' }, counter: value, ...created, timeMs },
        { labels: { l: 'none' }, counter: value, timeMs },
      ],
    },
    {
      name: 's',
      type: 'summary',
      metrics: [{ summary: { count: value, sum: 2, quantiles: [[0.5, 3]] }, ...created, timeMs }],
    },
    {
      name: 'h',
      type: 'histogram',
      metrics: [
        {
          histogram: { count: value, sum: value, buckets: [{ upTo: 1, count: value }] },
          ...created,
          timeMs,
        },
      ],
    },
    {
      name: 'integer',
      type: 'histogram',
      metrics: [
        {
          histogram: { ...native, count: 3 * value, sum: value, deltas: [value, value] },
          ...created,
          timeMs,
        },
      ],
    },
    {
      name: 'float',
      type: 'histogram',
      metrics: [
        {
          histogram: { ...native, countFloat: 3 * value, sum: value, counts: [value, 2 * value] },
          ...created,
          timeMs,
        },
      ],
    },
  ];
  return { type: PROTOBUF, body: writeFamilies(...families) };
}

/** All that was stored and what functions make of it, as text; then what promtool finds on disk. */
async function answersOf(
  program: readonly string[] | undefined,
  pages: Pages,
  features: string,
  baseMs: number,
  job: string,
): Promise<string[]> {
  let scrapes = 0;
  const target = createServer((_, response) => {
    scrapes++;
    const { type, body } = pages(Math.min(scrapes, SCRAPES), baseMs);
    response.setHeader('content-type', type).end(body);
  });
  targets.push(target);
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const address = target.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server = await start(
    `
scrape_configs:
- {job_name: t, scrape_interval: 300ms, scrape_timeout: 300ms, ${job}
   static_configs: [{targets: ["127.0.0.1:${port}"], labels: {instance: i}}]}
`,
    program,
    `--enable-feature=${features}`,
  );
  const deadlineMs = performance.now() + 20_000;
  while (scrapes < SCRAPES + 2 && performance.now() < deadlineMs) await sleep(50);
  await sleep(200);

  const selector = '{job="t",__name__!~"up|scrape_.*|.*_created"}';
  const end = baseMs / 1000 + SCRAPES;
  const ask = async (query: string, from: number | null) => {
    const at =
      from === null ? `query?time=${end}` : `query_range?start=${from}&end=${end}&step=0.5`;
    const { result } = await server.json<{ result: { metric: Record<string, string> }[] }>(
      `/api/v1/${at}&query=${encodeURIComponent(query)}`,
    );
    return result.map((series) => `${query} ${JSON.stringify(series)}`).toSorted();
  };
  const answers = await ask(`${selector}[3h]`, null);
  const names = await server.json<string[]>('/api/v1/label/__name__/values');
  for (const name of names.filter((one) => !/^(up|scrape_)|_created$/.test(one))) {
    for (const call of ['rate(X[3s])', 'increase(X[40s])', 'irate(X[3s])', 'resets(X[8s])']) {
      answers.push(...(await ask(call.replace('X', name), end - SCRAPES)));
    }
    if (features.includes('use-start-timestamps')) {
      answers.push(...(await ask(`start_timestamp(${name})`, end - SCRAPES)));
    }
  }
  await server.kill('SIGTERM');
  const promtool = path.join(path.dirname(JUDGE_BINARY!), 'promtool');
  const match = `--match=${selector}`;
  const dump = spawnSync(promtool, ['tsdb', 'dump', match, server.dataFolder], {
    encoding: 'utf8',
  });
  expect(dump.stderr).not.toMatch(/error/i);
  return [...answers, ...dump.stdout.split('\n').toSorted()];
}

const native = 'scrape_native_histograms: true,';
const cases: readonly (readonly [name: string, Pages, features: string, job: string])[] = [
  ['zeros of OpenMetrics', openMetrics, 'created-timestamp-zero-ingestion', ''],
  ['zeros of protobuf', protobuf, 'created-timestamp-zero-ingestion', native],
  ['stored, of OpenMetrics', openMetrics, STORED, ''],
  ['stored, of protobuf', protobuf, STORED, native],
  ['both', protobuf, `created-timestamp-zero-ingestion,${STORED}`, native],
  [
    'converted histograms',
    openMetrics,
    'created-timestamp-zero-ingestion',
    'convert_classic_histograms_to_nhcb: true,',
  ],
  ['made up', openMetrics, 'st-synthesis', ''],
  ['made up and stored', openMetrics, `st-synthesis,${STORED}`, ''],
  ['made up and stored, of protobuf', silent, `st-synthesis,${STORED}`, native],
  [
    'made up, as zeros, of converted histograms',
    silent,
    'st-synthesis,created-timestamp-zero-ingestion',
    'convert_classic_histograms_to_nhcb: true,',
  ],
];

test.skipIf(JUDGE_BINARY === null).each(cases)(
  '%s',
  async (_, pages, features, job) => {
    const baseMs = Math.floor(Date.now() / 1000) * 1000 - 60_000;
    const theirs = await answersOf([JUDGE_BINARY!], pages, features, baseMs, job);
    const ours = await answersOf(undefined, pages, features, baseMs, job);
    expect(theirs.length).toBeGreaterThan(30);
    expect(ours).toEqual(theirs);
  },
  60_000,
);
