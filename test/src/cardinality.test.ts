/** A target that explodes: new series are refused with a reason, and what was there goes on. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { TestServer, until } from './support/server.ts';

const LOUD_COUNT = 20_000;

type Status = {
  readonly cardinality: {
    readonly headMemoryBytes: number;
    readonly headMemoryLimitBytes: number;
    readonly refusedSeries: Readonly<Record<string, number>>;
    readonly loudestMetric: { readonly name: string; readonly value: number };
    readonly loudestLabel: { readonly name: string; readonly value: number };
  };
};

test('log, metrics and status say what is refused and why', { timeout: 60_000 }, async () => {
  let explodes = false;
  let scrapes = 0;
  const target = createServer((_, response) => {
    scrapes++;
    let body = `quiet ${scrapes}\n`;
    for (let i = 0; explodes && i < LOUD_COUNT; i++) body += `loud{user="u${i}"} 1\n`;
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(body);
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  const server = await TestServer.create(`scrape_configs:
- job_name: bomb
  scrape_interval: 1s
  static_configs: [ { targets: ["127.0.0.1:${port}"] } ]
`);
  try {
    await server.startReady('--storage.tsdb.head-memory-limit=3MB');
    await until('the target is scraped', async () => (await server.query('quiet')).size === 1);
    const calm = await server.json<Status>('/api/v1/status/tsdb');
    expect(calm.cardinality).toMatchObject({
      headMemoryLimitBytes: 3 * 1024 * 1024,
      refusedSeries: { memory_limit: 0, reference_limit: 0 },
    });

    explodes = true;
    await until('it is in the log', () => server.log.includes('New series are refused'));
    expect(server.log).toMatch(/reason=memory_limit .*metric=loud .*label=user /);
    const { cardinality } = await server.json<Status>('/api/v1/status/tsdb?limit=1');
    expect(cardinality.refusedSeries['memory_limit']).toBeGreaterThan(1000);
    expect(cardinality.loudestMetric.name).toBe('loud');
    expect(cardinality.loudestLabel.name).toBe('user');
    expect(cardinality.loudestLabel.value).toBe(cardinality.loudestMetric.value);
    const { text } = await server.get('/metrics');
    expect(text).toMatch(
      /^narthex_tsdb_head_series_refused_total\{reason="memory_limit"\} \d{4,}/m,
    );
    expect(text).toMatch(/^narthex_tsdb_head_loudest_metric_series\{metric="loud"\} \d{3,}/m);
    expect(text).toMatch(/^narthex_tsdb_head_loudest_label_values\{label="user"\} \d{3,}/m);

    // The series that was there before goes on.
    const value = async () => [...(await server.query('quiet')).values()][0] ?? 0;
    const before = await value();
    await until('it goes on', async () => (await value()) > before + 1);
    // Whether the server is well, too.
    expect((await server.query('up{job="bomb"}')).size).toBe(1);
  } finally {
    await server.remove();
    target.closeAllConnections();
    target.close();
  }
});
