/**
 * Queries of ours over the samples of real servers: those of Prometheus, old and new, and our own;
 * floats, histograms and staleness markers, streamed and not.
 */
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactPrometheus, onPath, PROMETHEUS } from '../../../support/installed.ts';
import { sleep, type TestServer, until } from '../../support/server.ts';
import { serversOfTests } from '../../support/servers.ts';
import { ChangingTarget } from '../support/changing-target.ts';

/** null: ours. */
const servers = [...new Set([null, PROMETHEUS, onPath('prometheus')])].map(
  (server) => [server ?? 'narthex', server] as const,
);

type Answer = {
  data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  warnings?: string[];
  error?: string;
};

let target: ChangingTarget;
beforeAll(async () => {
  target = await ChangingTarget.start((scrape) => [
    '# TYPE seconds histogram',
    `seconds_bucket{le="1"} ${scrape}`,
    `seconds_bucket{le="+Inf"} ${scrape * 2}`,
    `seconds_sum ${scrape * 1.5}`,
    `seconds_count ${scrape * 2}`,
  ]);
});
afterAll(() => target.stop());

const { start } = serversOfTests();

async function ask(server: TestServer, query: string, timeSeconds: number): Promise<Answer> {
  const params = new URLSearchParams({ query, time: String(timeSeconds) });
  const { text } = await server.get(`/api/v1/query?${params}`);
  return JSON.parse(text) as Answer;
}

async function scraped(server: TestServer, count: number): Promise<void> {
  await until(`${count} scrapes`, async () => {
    const { data } = await ask(server, 'requests_total[1m]', Date.now() / 1000);
    return (data.result[0]?.values.length ?? 0) >= count;
  });
}

const reading = (port: number, more = '') =>
  `remote_read: [{url: "http://127.0.0.1:${port}/api/v1/read", name: other, read_recent: true, ${more}}]\n`;

describe.each(servers)('%s', (_name, program) => {
  const binary = program === null ? undefined : [program];

  test('gives what it has', { timeout: 60_000 }, async () => {
    target.scrapes = 0;
    const other = await start(target.scrapeConfig, binary);
    await scraped(other, 12);
    const timeSeconds = Math.floor(Date.now()) / 1000;
    await sleep(300);
    const ours = await start(reading(other.port));
    // Older ones compute a little differently.
    const isExact = program === null || program === exactPrometheus();
    const computed = isExact ? ['rate(requests_total[20s])', 'sum by (le) ({le!=""})'] : [];
    for (const query of ['{job="target"}[1m]', ...computed]) {
      const wanted = await ask(other, query, timeSeconds);
      expect(wanted.data.result.length).toBeGreaterThan(0);
      const found = await ask(ours, query, timeSeconds);
      expect(sorted(found)).toEqual(sorted(wanted));
      expect(found.warnings).toBeUndefined();
    }
    const series = await ours.json<unknown[]>('/api/v1/series?match[]=requests_total');
    expect(series).toHaveLength(2);
  });

  test('together with our own samples', { timeout: 60_000 }, async () => {
    target.scrapes = 0;
    // It has the first part, we get the second; the labels of both are the same.
    const external = 'global: {external_labels: {cluster: here}}\n';
    const other = await start(external + target.scrapeConfig, binary);
    await scraped(other, 5);
    const ours = await start(
      external + reading(other.port, 'required_matchers: {job: target}') + target.scrapeConfig,
    );
    await scraped(ours, 5);
    const timeSeconds = Math.floor(Date.now()) / 1000;
    await sleep(300);
    const own = await ask(ours, 'requests_total{path="/b"}[1m]', timeSeconds);
    const theirs = await ask(other, 'requests_total{path="/b"}[1m]', timeSeconds);
    const both = await ask(ours, 'requests_total{path="/b", job="target"}[1m]', timeSeconds);
    expect(both.data.result).toHaveLength(1);
    expect(both.data.result[0]!.metric).not.toHaveProperty('cluster');
    const times = ({ data }: Answer) => data.result[0]!.values.map(([seconds]) => seconds);
    const joined = [...new Set([...times(own), ...times(theirs)])].toSorted((a, b) => a - b);
    expect(times(own).length).toBeLessThan(joined.length);
    expect(times(both)).toEqual(joined);
  });
});

function sorted({ data }: Answer): unknown {
  return data.result
    .map(({ metric, ...rest }) => [
      JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      rest,
    ])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

describe('a server that fails', () => {
  let fake: Server;
  let status = 500;
  let answer: (string | Buffer)[] = ['it broke\n'];
  let port = 0;
  let asked = 0;
  beforeAll(async () => {
    fake = createServer((request, response) => {
      asked++;
      request.resume().on('end', () => {
        response.writeHead(status, { 'content-type': 'application/x-protobuf' });
        for (const part of answer) response.write(part);
        response.end();
      });
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const address = fake.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => {
    fake.close();
    fake.closeAllConnections();
  });

  test('is a warning, and the query is answered', { timeout: 60_000 }, async () => {
    const ours = await start(reading(port) + target.scrapeConfig);
    await scraped(ours, 2);
    const url = `http://127.0.0.1:${port}/api/v1/read`;
    const warningsOf = async (query: string) => {
      const found = await ask(ours, query, Date.now() / 1000);
      expect(found.data.result.length).toBeGreaterThan(0);
      return found.warnings;
    };
    expect(await warningsOf('requests_total[1m]')).toEqual([
      `remote_read: remote server ${url} returned http status 500 Internal Server Error: it broke`,
    ]);
    [status, answer] = [200, ['no snappy']];
    expect((await warningsOf('requests_total[1m]'))?.[0]).toMatch(/^remote_read: .*snappy/);
  });

  test('another configuration counts at once', { timeout: 60_000 }, async () => {
    status = 500;
    const ours = await start(
      `${reading(port)}${target.scrapeConfig}`,
      undefined,
      '--web.enable-lifecycle',
    );
    await scraped(ours, 2);
    asked = 0;
    await ask(ours, 'requests_total', Date.now() / 1000);
    expect(asked).toBe(1);
    ours.writeConfig(target.scrapeConfig);
    await ours.get('/-/reload', { method: 'POST' });
    const found = await ask(ours, 'requests_total', Date.now() / 1000);
    expect([asked, found.warnings]).toEqual([1, undefined]);
    const required = reading(port, 'required_matchers: {job: other}');
    ours.writeConfig(required + target.scrapeConfig);
    await ours.get('/-/reload', { method: 'POST' });
    await ask(ours, 'requests_total', Date.now() / 1000);
    expect(asked).toBe(1);
    await ask(ours, 'requests_total{job="other"}', Date.now() / 1000);
    expect(asked).toBe(2);
  });

  test('a query that is given up does not wait for it', { timeout: 60_000 }, async () => {
    const slow = createServer(() => {});
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = slow.address();
    try {
      const slowPort = typeof address === 'object' && address !== null ? address.port : 0;
      const ours = await start(reading(slowPort) + target.scrapeConfig);
      const params = new URLSearchParams({ query: 'requests_total', timeout: '1s' });
      const startMs = performance.now();
      const { status: code, text } = await ours.get(`/api/v1/query?${params}`);
      expect(performance.now() - startMs).toBeLessThan(10_000);
      expect([code, text]).toEqual([503, expect.stringContaining('timed out')]);
    } finally {
      slow.close();
      slow.closeAllConnections();
    }
  });
});
