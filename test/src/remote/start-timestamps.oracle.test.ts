/**
 * Start timestamps that are pushed, by remote write 2.0 and OTLP, to a real Prometheus and to ours;
 * and those that an agent of ours, or a real one, sends on.
 */
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type Histogram } from '../../../model/index.ts';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { sleep, type TestServer, until } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';
import { encodeV2, packed, type SentSeries } from './support/messages.ts';
import { type Json, otlpProtobuf } from './support/otlp-messages.ts';

const STORED =
  'st-storage,xor2-encoding,histograms-st-encoding,use-start-timestamps,promql-experimental-functions';

const { start } = serversOfTests();
const targets: Server[] = [];
afterEach(() => {
  for (const target of targets.splice(0)) {
    target.close();
    target.closeAllConnections();
  }
});

function histogramOf(count: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 2,
    zeroThreshold: 0.001,
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

function seriesOf(baseMs: number): readonly SentSeries[] {
  const at = (seconds: number) => baseMs + seconds * 1000;
  const labels = (name: string) => [['__name__', name]] as const;
  const one = (name: string, startMs: number): SentSeries => ({
    labels: labels(name),
    samples: [{ t: at(-10), v: 5, startMs }],
  });
  return [
    {
      labels: labels('restarted_total'),
      samples: [
        { t: at(-10), v: 5, startMs: at(-30) },
        { t: at(-9), v: 6, startMs: at(-30) },
        { t: at(-8), v: 1, startMs: at(-8.5) },
      ],
    },
    one('future_total', at(30)),
    one('same_total', at(-10)),
    one('old_total', at(-7200)),
    { labels: labels('without_total'), samples: [{ t: at(-10), v: 5 }] },
    {
      labels: labels('native'),
      histograms: [
        { t: at(-10), h: histogramOf(4), startMs: at(-30) },
        { t: at(-9), h: histogramOf(5), startMs: at(-30) },
        { t: at(-8), h: histogramOf(1), startMs: at(-8.5) },
      ],
    },
  ];
}

function otlpOf(timeMs: number, startMs: number): Json {
  const times = { timeUnixNano: `${timeMs}000000`, startTimeUnixNano: `${startMs}000000` };
  const sum = (name: string, isMonotonic: boolean, more: Json = {}) => ({
    name,
    sum: {
      aggregationTemporality: 2,
      isMonotonic,
      dataPoints: [{ ...times, asDouble: 5, ...more }],
    },
  });
  const metrics = [
    sum('mono', true),
    sum('updown', false),
    sum('unknown_start', true, { startTimeUnixNano: '0' }),
    { name: 'level', gauge: { dataPoints: [{ ...times, asDouble: 3 }] } },
    {
      name: 'classic',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          { ...times, count: '3', sum: 4, bucketCounts: ['1', '2'], explicitBounds: [1] },
        ],
      },
    },
    {
      name: 'exponential',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...times,
            count: '3',
            sum: 4,
            scale: 2,
            zeroCount: '0',
            positive: { offset: 0, bucketCounts: ['1', '2'] },
          },
        ],
      },
    },
  ];
  const attributes = [{ key: 'service.name', value: { stringValue: 'svc' } }];
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] };
}

async function push(server: TestServer, body: Uint8Array, route: string, type: string) {
  const isWrite = route === '/api/v1/write';
  const { status, text } = await server.get(route, {
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    headers: {
      'content-type': type,
      ...(isWrite
        ? { 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '2.0.0' }
        : {}),
    },
  });
  expect(status, text).toBeLessThan(300);
}

async function answers(server: TestServer, queries: readonly string[], route: string) {
  const found: string[] = [];
  for (const query of queries) {
    const { result } = await server.json<{ result: object[] }>(
      `/api/v1/${route}&query=${encodeURIComponent(query)}`,
    );
    found.push(...result.map((series) => `${query} ${JSON.stringify(series)}`).toSorted());
  }
  return found;
}

/** What a server has stored of everything that was pushed, and makes of what OTLP pushed. */
async function answersOf(
  program: readonly string[] | undefined,
  features: string,
  baseMs: number,
): Promise<string[]> {
  const server = await start(
    '',
    program,
    '--web.enable-remote-write-receiver',
    '--web.enable-otlp-receiver',
    `--enable-feature=${features}`,
  );
  const writeType = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
  await push(server, packed(encodeV2(seriesOf(baseMs))), '/api/v1/write', writeType);
  for (const [timeMs, startMs] of [
    [baseMs - 6000, baseMs - 20_000],
    [baseMs - 5000, baseMs - 5300],
  ] as const) {
    const body = otlpProtobuf(otlpOf(timeMs, startMs));
    await push(server, body, '/api/v1/otlp/v1/metrics', 'application/x-protobuf');
  }
  const end = baseMs / 1000;
  const stored = await answers(server, ['{__name__!=""}[3h]'], `query?time=${end}`);
  if (!features.includes('use-start-timestamps')) return stored;
  const names = ['mono_total', 'updown', 'unknown_start_total', 'level', 'exponential'];
  const calls = ['start_timestamp(X)', 'rate(X[4s])', 'increase(X[20s])', 'resets(X[20s])'];
  const queries = names.flatMap((name) => calls.map((call) => call.replace('X', name)));
  const range = `query_range?start=${end - 8}&end=${end - 3}&step=0.5`;
  return [...stored, ...(await answers(server, queries, range))];
}

test.skipIf(JUDGE_BINARY === null).each([
  ['zeros', 'created-timestamp-zero-ingestion'],
  ['stored', STORED],
  ['both', `created-timestamp-zero-ingestion,${STORED}`],
])(
  'what is pushed: %s',
  async (_, features) => {
    const baseMs = Math.floor(Date.now() / 1000) * 1000;
    const theirs = await answersOf([JUDGE_BINARY!], features, baseMs);
    const ours = await answersOf(undefined, features, baseMs);
    expect(theirs.length).toBeGreaterThan(10);
    expect(ours).toEqual(theirs);
  },
  60_000,
);

const agents = [['ours', undefined] as const].concat(
  JUDGE_BINARY === null ? [] : [['Prometheus', [JUDGE_BINARY]] as never],
);
test.each(agents)(
  'what an agent sends on: %s',
  async (_, program: readonly string[] | undefined) => {
    const startSeconds = Math.floor(Date.now() / 1000) - 30;
    const target = createServer((_request, response) => {
      const lines = ['# TYPE a counter', 'a_total 5', `a_created ${startSeconds}`, '# EOF'];
      const type = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
      response.setHeader('content-type', type).end(`${lines.join('\n')}\n`);
    });
    targets.push(target);
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const address = target.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const receiver = await start(
      '',
      undefined,
      '--web.enable-remote-write-receiver',
      `--enable-feature=${STORED}`,
    );
    await start(
      `
scrape_configs:
- {job_name: t, scrape_interval: 300ms, scrape_timeout: 300ms,
   static_configs: [{targets: ["127.0.0.1:${port}"]}]}
remote_write:
- {url: "http://127.0.0.1:${receiver.port}/api/v1/write",
   protobuf_message: io.prometheus.write.v2.Request,
   queue_config: {batch_send_deadline: 200ms}}
`,
      program,
      '--agent',
      '--enable-feature=st-storage',
    );
    const read = async () => [...(await receiver.query('start_timestamp(a_total)')).values()];
    await until('the sample has come', async () => (await read()).length > 0);
    expect(await read()).toEqual([startSeconds]);
    await sleep(1000);
    expect(await read()).toEqual([startSeconds]);
  },
  60_000,
);
