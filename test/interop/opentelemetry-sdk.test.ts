/** A program that measures itself with the OpenTelemetry SDK, as npm has it, writes to us. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../src/support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.create('scrape_configs: []\n');
  const feature = '--enable-feature=otlp-deltatocumulative';
  await server.startReady('--web.enable-otlp-receiver', feature);
});
afterAll(() => server?.remove());

test.each([
  ['cumulative', AggregationTemporality.CUMULATIVE],
  ['delta', AggregationTemporality.DELTA],
])('with %s temporality', async (service, temporalityPreference) => {
  const exporter = new OTLPMetricExporter({
    url: `http://127.0.0.1:${server.port}/api/v1/otlp/v1/metrics`,
    temporalityPreference,
  });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.name': 'h' }),
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    views: [
      {
        instrumentName: 'exponential',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
      },
    ],
  });
  const meter = provider.getMeter('test');
  const requests = meter.createCounter('requests', { unit: '1' });
  const level = meter.createGauge('level', { unit: 'By' });
  const duration = meter.createHistogram('duration', { unit: 's' });
  const exponential = meter.createHistogram('exponential');
  for (const round of [1, 2]) {
    requests.add(round, { path: '/a b' });
    level.record(round * 10);
    for (const seconds of [0.5, 3, 30_000]) duration.record(seconds);
    for (const value of [1, 2, 4]) exponential.record(value);
    await provider.forceFlush();
    // Samples of one series have different times.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await provider.shutdown();

  const value = async (query: string) => [...(await server.query(query)).values()];
  expect(await value(`requests_total{job="${service}",path="/a b"}`)).toEqual([3]);
  expect(await value(`level_bytes{job="${service}"}`)).toEqual([20]);
  expect(await value(`duration_seconds_count{job="${service}"}`)).toEqual([6]);
  expect(await value(`duration_seconds_bucket{job="${service}",le="5"}`)).toEqual([4]);
  expect(await value(`histogram_count(exponential{job="${service}"})`)).toEqual([6]);
  expect(await value(`target_info{job="${service}",host_name="h"}`)).toEqual([1]);
});
