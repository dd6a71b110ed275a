/** Real servers federate from ours, and have the same samples afterwards. */
import { describe, expect, test } from 'vitest';
import { onPath, PROMETHEUS } from '../support/installed.ts';
import { sleep, type TestServer, until } from '../src/support/server.ts';
import { serversOfTests } from '../src/support/servers.ts';

const SERVERS = [...new Set([PROMETHEUS, onPath('prometheus')])].filter((path) => path !== null);
if (SERVERS.length === 0) console.info('skipped: no prometheus');

const { start } = serversOfTests();

type Matrix = readonly { metric: Record<string, string>; values: [number, string][] }[];

describe.skipIf(SERVERS.length === 0)('federation', () => {
  test.each(SERVERS)('by %s', { timeout: 60_000 }, async (program) => {
    const ours = await start(`global: {scrape_interval: 500ms, external_labels: {site: "a b"}}
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
`);
    await until('something is scraped', async () => (await ours.query('up')).size > 0);
    const theirs = await start(
      `scrape_configs:
- job_name: federate
  scrape_interval: 1s
  honor_labels: true
  metrics_path: /federate
  params: {'match[]': ['{job="self"}']}
  static_configs: [{targets: ["127.0.0.1:${ours.port}"]}]
`,
      [program],
    );
    await until('it is federated', async () => (await theirs.query('up{job="self"}')).size > 0);
    await sleep(3000);
    const ask = async (server: TestServer, timeSeconds: number) => {
      const query = encodeURIComponent('{job="self"}[4s]');
      const { result } = await server.json<{ result: Matrix }>(
        `/api/v1/query?query=${query}&time=${timeSeconds}`,
      );
      return new Map(
        result.map(({ metric: { site, ...metric }, values }) => {
          expect(site).toBe(server === theirs ? 'a b' : undefined);
          return [
            JSON.stringify(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1))),
            values,
          ] as const;
        }),
      );
    };
    const nowSeconds = Date.now() / 1000;
    const original = await ask(ours, nowSeconds);
    const copied = await ask(theirs, nowSeconds);
    expect(copied.size).toBeGreaterThan(100);
    for (const [series, values] of copied) {
      // Which ones were copied depends on when it asked; each of them has to be one of ours.
      const known = new Map(original.get(series) ?? []);
      for (const [timeSeconds, value] of values) {
        if (timeSeconds > nowSeconds - 3.5) expect(known.get(timeSeconds), series).toBe(value);
      }
    }
    expect([...(await theirs.query('up{job="federate"}')).values()]).toEqual([1]);
  });
});
