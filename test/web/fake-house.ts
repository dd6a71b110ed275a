/**
 * A house for the web part to stand in: every port answers something small and fixed, or what a
 * test puts in its place. `calls` tells what the ports were asked.
 */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type LogRecord, createLogger, Registry, SimulatedClock } from '../../model/index.ts';
import {
  buildApp,
  FORM_SIZE_BYTES_MAX,
  listen,
  type Listener,
  NotificationBoard,
  type Ports,
  type WebOptions,
  WRITE_SIZE_BYTES_MAX,
} from '../../web/index.ts';

export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const encoder = new TextEncoder();

export const answer = (data: unknown): Uint8Array =>
  encoder.encode(JSON.stringify({ status: 'success', data }));

type Overrides = { readonly [Port in keyof Ports]?: Partial<Ports[Port]> };

export type FakeHouse = {
  readonly app: FastifyInstance;
  readonly options: WebOptions;
  readonly calls: { readonly name: string; readonly request: unknown }[];
  readonly registry: Registry;
  readonly notifications: NotificationBoard;
  readonly logs: LogRecord[];
};

/** Ports given in `overrides` replace those of the same name, method by method. */
export function fakeHouse(
  overrides: Overrides = {},
  webOptions: Partial<WebOptions> = {},
): FakeHouse {
  const calls: FakeHouse['calls'] = [];
  const logs: LogRecord[] = [];
  const registry = new Registry();
  const clock = new SimulatedClock(NOW_MS);
  const notifications = new NotificationBoard({
    subscriberCountMax: 2,
    nowMs: () => clock.nowMs(),
    registry,
  });
  const logger = createLogger((record) => logs.push(record), {
    level: 'info',
    nowMs: () => clock.nowMs(),
  });
  const ports = withOverrides(defaultPorts(calls, registry, notifications), overrides);
  const options: WebOptions = {
    externalUrl: new URL('http://127.0.0.1:9090/'),
    routePrefix: '',
    corsOrigin: '.*',
    enableLifecycle: false,
    enableAdminApi: false,
    enableRemoteWriteReceiver: false,
    enableOtlpReceiver: false,
    enablePushReceiver: false,
    searchLimitMax: 10_000,
    agentMode: false,
    pageTitle: 'Narthex',
    uiDirectory: '/nonexistent',
    formSizeBytesMax: FORM_SIZE_BYTES_MAX,
    writeSizeBytesMax: WRITE_SIZE_BYTES_MAX,
    readTimeoutMs: 300_000,
    connectionCountMax: 512,
    clock,
    logger,
    registry,
    ...webOptions,
  };
  const app = buildApp(ports, options);
  return { app, options, calls, registry, notifications, logs };
}

function withOverrides(ports: Ports, overrides: Overrides): Ports {
  const merged: Record<string, unknown> = { ...ports };
  for (const [name, methods] of Object.entries(overrides)) {
    const port = ports[name as keyof Ports];
    // A class instance keeps its methods on the prototype; those that replace it are plain.
    merged[name] = port === undefined ? methods : Object.assign(Object.create(port), methods);
  }
  return merged as Ports;
}

function defaultPorts(
  calls: FakeHouse['calls'],
  registry: Registry,
  notifications: NotificationBoard,
): Ports {
  const note = (name: string, request: unknown = null): void => {
    calls.push({ name, request });
  };
  return {
    query: {
      async instant(request) {
        note('instant', request);
        return answer({ resultType: 'scalar', result: [request.timeMs / 1000, '1'] });
      },
      async range(request) {
        note('range', request);
        return answer({ resultType: 'matrix', result: [] });
      },
      async exemplars(request) {
        note('exemplars', request);
        return request.query === '1' ? null : answer([]);
      },
    },
    language: {
      async format(query) {
        note('format', query);
        return query.replace('/', ' / ');
      },
      async parse(query) {
        note('parse', query);
        return encoder.encode(JSON.stringify({ type: 'stringLiteral', val: query }));
      },
      async selectors(texts) {
        note('selectors', texts);
        return texts.map(() => [{ name: 'job', operator: '=', value: 'api' }]);
      },
    },
    labels: {
      async names(request) {
        note('names', request);
        return answer(['__name__', 'job']);
      },
      async values(request) {
        note('values', request);
        return answer(['api']);
      },
    },
    series: {
      async series(request) {
        note('series', request);
        return answer([]);
      },
    },
    federation: {
      async federate(request) {
        note('federate', request);
        return encoder.encode('# TYPE up untyped\n');
      },
    },
    metadata: {
      async metrics(request) {
        note('metrics', request);
        return [{ metric: 'up', entries: [{ type: 'gauge', unit: '', help: 'Is it up?' }] }];
      },
    },
    targets: {
      async targets(request) {
        note('targets', request);
        return { active: [], dropped: [], droppedCounts: { api: 2 } };
      },
      async poolNames() {
        return ['api', 'db'];
      },
      async poolConfig(name) {
        return name === 'api' ? 'job_name: api\n' : null;
      },
      async relabelSteps(name, labels) {
        note('relabelSteps', labels);
        return name === 'api' ? [] : null;
      },
      async metadata(request) {
        note('targetMetadata', request);
        const metadata = { type: 'gauge', unit: '', help: 'Is it up?' } as const;
        return [{ target: { job: 'api' }, metric: 'up', metadata }];
      },
    },
    status: {
      configYaml: async () => 'global: {}\n',
      flags: () => ({ 'web.page-title': 'Narthex' }),
      buildInfo: () => ({
        version: '3.14.0',
        revision: 'r',
        branch: 'b',
        buildUser: 'u',
        buildDate: 'd',
        goVersion: 'node26',
      }),
      features: async () => ({ promql: { b: true, a: false }, api: { admin: false } }),
      walReplay: () => ({ min: 1, max: 5, current: 2 }),
      runtimeInfo: async () => ({
        startTimeMs: NOW_MS,
        workingDirectory: '/srv',
        hostname: 'h',
        serverTimeMs: NOW_MS,
        reloadConfigSuccess: true,
        lastConfigTimeMs: NOW_MS,
        corruptionCount: 0,
        goroutineCount: 3,
        gomaxprocs: 2,
        gomemlimit: 1000,
        storageRetention: '15d',
      }),
      async tsdb(limit) {
        note('tsdb', limit);
        return {
          headStats: { seriesCount: 1, labelPairCount: 2, chunkCount: 3, minMs: 4, maxMs: 5 },
          seriesCountByMetricName: [{ name: 'up', value: 1 }],
          labelValueCountByLabelName: [],
          memoryBytesByLabelName: [],
          seriesCountByLabelPair: [{ name: 'job=api', value: 1 }],
          cardinality: {
            headMemoryBytes: 6,
            headMemoryLimitBytes: 7,
            refusedSeriesCount: { memory_limit: 8, reference_limit: 0 },
            loudest: { metric: { name: 'up', value: 1 }, label: { name: 'job', value: 2 } },
          },
        };
      },
      blocks: async () => [],
    },
    ready: { readiness: () => 'ready', servesBlocks: () => false },
    ownMetrics: { families: async () => registry.snapshot() },
    notifications,
    admin: {
      async snapshot(request) {
        note('snapshot', request);
        return '20260102T030405Z-0123456789abcdef';
      },
      async archive(request) {
        note('archive', request);
        const pieces = [Uint8Array.of(1, 2), Uint8Array.of(3)];
        return { fileName: 's.tar.lz4', chunks: Readable.from(pieces) };
      },
      async deleteSeries(request) {
        note('deleteSeries', request);
      },
      async cleanTombstones() {
        note('cleanTombstones');
      },
    },
    lifecycle: {
      async reload() {
        note('reload');
      },
      quit() {
        note('quit');
      },
    },
  };
}

/** Listens on a free port of this machine; for what `inject` cannot show. */
export async function listenLocally({
  app,
  options,
}: FakeHouse): Promise<{ readonly url: string; readonly listener: Listener }> {
  const listener = await listen(app, [{ host: '127.0.0.1', port: 0 }], options);
  const scheme = options.security?.current().tls == null ? 'http' : 'https';
  return { url: `${scheme}://127.0.0.1:${listener.addresses[0]!.port}`, listener };
}

/** A request whose path goes over the wire exactly as it is written. */
export async function requestRaw(
  url: string,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly response: IncomingMessage; readonly body: string }> {
  const { hostname, port } = new URL(url);
  const request = http.request({ hostname, port, path, agent: false, ...options });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { response, body };
}
