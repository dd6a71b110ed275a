import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';
import { CALLER, RULES, scenesOfTests, TRACE_ID } from './support/scene.ts';

const servers = serversOfTests();
const begin = scenesOfTests();
const LIFECYCLE = '--web.enable-lifecycle';

test('without the section nothing is traced and nothing said', async () => {
  const scene = await begin('http');
  const server = await servers.create(scene.config(''));
  server.writeFile('rules.yml', RULES);
  await server.startReady();
  await until('a scrape', () => scene.parents.has('/metrics'));
  await scene.ask(server);
  await server.kill('SIGTERM');
  expect(scene.parents.get('/metrics')!.every((parent) => parent === '')).toBe(true);
  expect(scene.collector.requests).toEqual([]);
  expect(server.log).not.toContain('tracer provider');
}, 60_000);

test.each(['http', 'grpc'] as const)(
  'what a server does is traced over %s, to its end',
  async (protocol) => {
    const scene = await begin(protocol);
    const { collector, parents } = scene;
    const server = await servers.create(scene.config(scene.tracing('sampling_fraction: 1')));
    server.writeFile('rules.yml', RULES);
    await server.startReady();
    await until('a remote write', () => (parents.get('/write')?.[0] ?? '') !== '');
    await until('an alert', () => parents.has('/api/v2/alerts'));
    await scene.ask(server);
    // Less than the delay of a batch: what the end does not send is lost.
    await server.kill('SIGTERM');
    expect(server.log).toContain('Successfully installed a new tracer provider.');
    expect(server.log).not.toContain('OpenTelemetry handler returned an error');

    const { spans } = collector;
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    expect(byId.size).toBe(spans.length);
    const lineOf = (id: string): string => {
      const span = byId.get(id);
      return span === undefined ? '' : `${lineOf(span.parentSpanId)}/${span.name}`;
    };
    const lines = new Set(spans.map(({ spanId }) => lineOf(spanId)));
    const query = (root: string) =>
      [
        '',
        '/promqlExecQueue',
        '/promqlEval',
        '/promqlEval/promqlPrepare',
        '/promqlEval/promqlInnerEval',
      ].map((below) => `/${root}/promqlExec${below}`);
    for (const line of [
      ...query('GET /api/v1/query'),
      ...query('GET /api/v1/query_range'),
      '/GET /api/v1/query_range/promqlExec/promqlEval/promqlSort',
      ...query('POST /api/v1/query'),
      ...query('rule'),
      '/GET /api/v1/labels',
      '/GET /api/v1/label/job/values',
      '/GET /api/v1/series',
      '/GET /api/v1/nothing',
      '/GET /-/healthy',
      '/GET /federate',
      '/Scrape/HTTP GET',
      '/Remote Send Batch/Remote Store/HTTP POST',
      '/Remote Read/HTTP POST',
    ]) {
      expect(lines).toContain(line);
    }
    expect(spans[0]!.resource).toMatchObject({
      'service.name': 'prometheus',
      'service.version': '3.14.0',
    });
    // Targets and receivers are told which span asks them; Alertmanagers are not.
    const clientSpans = spans.filter(({ name }) => name.startsWith('HTTP '));
    const told = new Set(clientSpans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
    const asked = [
      ...parents.get('/metrics')!,
      ...parents.get('/write')!,
      ...parents.get('/read')!,
    ].filter((p) => p !== '');
    expect(asked.length).toBeGreaterThan(2);
    // What was under way when the server was told to stop has no end.
    expect(asked.filter((parent) => !told.has(parent)).length).toBeLessThanOrEqual(1);
    expect(parents.get('/api/v2/alerts')!.every((parent) => parent === '')).toBe(true);

    const called = spans.filter(({ traceId }) => traceId === TRACE_ID);
    const root = called.find(({ kind }) => kind === 2);
    expect(root).toMatchObject({
      parentSpanId: CALLER,
      traceState: 'a=b',
      attributes: {
        query: 'EVAL sum(m)',
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/api/v1/query',
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        'server.port': server.port,
      },
    });
    // The other one was part of a trace that nobody keeps.
    expect(called.filter(({ kind }) => kind === 2)).toHaveLength(1);
    const rules = spans.filter(({ name }) => name === 'rule').map(({ attributes }) => attributes);
    expect(rules).toContainEqual({ name: 'r', query: 'EVAL m + 1' });
    expect(rules).toContainEqual({ name: 'A', query: 'EVAL m == 1' });
  },
  60_000,
);

test('a reload switches tracing on and off; what is logged of queries names the trace', async () => {
  const scene = await begin('http');
  const server = await servers.create(scene.config(''));
  server.writeFile('rules.yml', RULES);
  const log = path.join(server.folder, 'query.log');
  const reload = async (section: string) => {
    const text = scene.config(section).replace('global: {', `global: {query_log_file: ${log}, `);
    server.writeConfig(text);
    expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
  };
  const logged = () =>
    readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const traceOf = (query: string) => logged().find(({ params }) => params.query === query).traceID;
  await server.startReady(LIFECYCLE);
  await reload('');
  await server.get('/api/v1/query?query=before');
  expect(existsSync(log)).toBe(true);
  expect(traceOf('before')).toMatch(/^0+$/);

  await reload(scene.tracing('sampling_fraction: 1'));
  await server.get('/api/v1/query?query=during');
  const { traceID, spanID } = logged().find(({ params }) => params.query === 'during');
  // The same settings again change nothing; none end it, and what waits is sent.
  await reload(scene.tracing('sampling_fraction: 1'));
  expect(server.log.match(/Successfully installed a new tracer provider/g)).toHaveLength(1);
  await reload('');
  expect(server.log).toContain('Uninstalled the tracer provider.');
  await until('the spans', () => scene.collector.spans.some(({ spanId }) => spanId === spanID));
  expect(scene.collector.spans.find(({ spanId }) => spanId === spanID)).toMatchObject({
    traceId: traceID,
    name: 'promqlEval',
  });
  await server.get('/api/v1/query?query=after');
  expect(traceOf('after')).toMatch(/^0+$/);
  await server.kill('SIGTERM');
  const queries = scene.collector.spans.map(({ attributes }) => attributes['query']);
  expect(queries).toContain('EVAL during');
  expect(queries).not.toContain('EVAL after');
}, 60_000);

test('with a fraction of 0 only traces of others are kept, but ids travel', async () => {
  const scene = await begin('grpc');
  const { collector, parents } = scene;
  const server = await servers.create(scene.config(scene.tracing('sampling_fraction: 0')));
  server.writeFile('rules.yml', RULES);
  await server.startReady();
  await until('a scrape', () => parents.has('/metrics'));
  await scene.ask(server);
  await server.kill('SIGTERM');
  expect(parents.get('/metrics')![0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
}, 60_000);

test('a collector that is not there harms nothing but the traces', async () => {
  const scene = await begin('grpc');
  const server = await servers.create(scene.config(scene.tracing('sampling_fraction: 1')));
  await scene.collector.close();
  server.writeFile('rules.yml', RULES);
  await server.startReady();
  await scene.ask(server);
  expect((await server.get('/api/v1/query?query=1')).status).toBe(200);
  const startMs = performance.now();
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0 });
  expect(performance.now() - startMs).toBeLessThan(10_000);
  expect(server.log).toMatch(
    /OpenTelemetry handler returned an error.*ECONNREFUSED.*dropped_spans=\d+/,
  );
}, 60_000);
