import { describe, expect, test } from 'vitest';
import { fakeHouse } from './fake-house.ts';

const TEXT = 'text/plain; charset=utf-8';
const POST = 'POST' as const;

describe('health', () => {
  test.each([
    ['/-/healthy', 'Prometheus Server is Healthy.\n'],
    ['/-/ready', 'Prometheus Server is Ready.\n'],
  ])('%s', async (url, text) => {
    const { app } = fakeHouse();
    const response = await app.inject(url);
    expect([response.statusCode, response.payload]).toEqual([200, text]);
    expect(response.headers['content-type']).toBe(TEXT);
    const head = await app.inject({ method: 'HEAD', url });
    expect([head.statusCode, head.payload]).toEqual([200, '']);
  });
});

describe.each([
  { state: 'starting', stopping: 'false' },
  { state: 'stopping', stopping: 'true' },
] as const)('while $state', ({ state, stopping }) => {
  const house = () => fakeHouse({ ready: { readiness: () => state, servesBlocks: () => false } });

  test.each(['/-/ready', '/api/v1/query?query=1', '/api/v1/status/config', '/federate?match[]=up'])(
    '%s is refused',
    async (url) => {
      const { app, calls } = house();
      const { statusCode, headers, payload } = await app.inject(url);
      expect([statusCode, payload]).toEqual([503, 'Service Unavailable']);
      expect(headers['content-type']).toBe(TEXT);
      expect(headers['x-prometheus-stopping']).toBe(stopping);
      expect(calls).toEqual([]);
    },
  );

  test.each([
    '/-/healthy',
    '/version',
    '/metrics',
    '/api/v1/status/walreplay',
    '/api/v1/notifications',
    '/query',
  ])('%s is answered', async (url) => {
    expect((await house().app.inject(url)).statusCode).toBe(200);
  });
});

describe('while starting, when there are blocks to ask', () => {
  const house = () =>
    fakeHouse({ ready: { readiness: () => 'starting', servesBlocks: () => true } });

  test.each([
    '/api/v1/query_range?query=up&start=1&end=2&step=1',
    '/api/v1/labels',
    '/api/v1/label/job/values',
    '/api/v1/series?match[]=up',
  ])('%s is answered', async (url) => {
    expect((await house().app.inject(url)).statusCode).toBe(200);
  });

  // What alerting asks for is about now, which no block knows.
  test.each(['/-/ready', '/api/v1/query?query=up', '/federate?match[]=up'])(
    '%s is refused',
    async (url) => {
      expect((await house().app.inject(url)).statusCode).toBe(503);
    },
  );
});

describe('reload and quit', () => {
  test.each(['/-/reload', '/-/quit'])('%s by GET is refused', async (url) => {
    for (const enableLifecycle of [false, true]) {
      const { app } = fakeHouse({}, { enableLifecycle });
      const { statusCode, payload } = await app.inject(url);
      expect([statusCode, payload]).toEqual([405, 'Only POST or PUT requests allowed']);
    }
  });

  test.each(['/-/reload', '/-/quit'])('%s is refused unless enabled', async (url) => {
    const { app, calls } = fakeHouse();
    const { statusCode, payload } = await app.inject({ method: POST, url });
    expect([statusCode, payload]).toEqual([403, 'Lifecycle API is not enabled.']);
    expect(calls).toEqual([]);
  });

  test('reload answers with nothing, or with what is wrong', async () => {
    const enabled = { enableLifecycle: true };
    const { app, calls } = fakeHouse({}, enabled);
    const good = await app.inject({ method: 'PUT', url: '/-/reload' });
    expect([good.statusCode, good.payload]).toEqual([200, '']);
    expect(calls).toEqual([{ name: 'reload', request: null }]);

    const reload = async () => {
      throw new Error('x.yml:1:1: no');
    };
    const bad = await fakeHouse({ lifecycle: { reload } }, enabled).app.inject({
      method: POST,
      url: '/-/reload',
    });
    expect([bad.statusCode, bad.payload]).toEqual([
      500,
      'failed to reload config: x.yml:1:1: no\n',
    ]);
  });

  test('quit says goodbye before it begins', async () => {
    const { app, calls } = fakeHouse({}, { enableLifecycle: true });
    const { statusCode, payload } = await app.inject({ method: POST, url: '/-/quit' });
    expect([statusCode, payload]).toEqual([200, 'Requesting termination... Goodbye!']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([{ name: 'quit', request: null }]);
  });
});

test('the version is JSON on a line of its own, called plain text', async () => {
  const { app } = fakeHouse();
  const { payload, headers } = await app.inject('/version');
  expect(headers['content-type']).toBe(TEXT);
  expect(payload).toBe(
    '{"version":"3.14.0","revision":"r","branch":"b","buildUser":"u","buildDate":"d",' +
      '"goVersion":"node26"}\n',
  );
});

describe('own metrics', () => {
  test('count requests by handler and code', async () => {
    const { app } = fakeHouse({}, { routePrefix: '/pfx' });
    await app.inject('/pfx/api/v1/query?query=1');
    await app.inject('/pfx/api/v1/query?query=1&limit=x');
    await app.inject('/pfx/api/v1/label/job/values');
    await app.inject({ method: 'OPTIONS', url: '/pfx/api/v1/anything' });
    await app.inject('/pfx/nothing/here');
    const { payload } = await app.inject('/pfx/metrics');
    expect(payload).toContain('# TYPE prometheus_http_requests_total counter\n');
    const line = (code: string, handler: string, count: number) =>
      `prometheus_http_requests_total{code="${code}",handler="${handler}"} ${count}\n`;
    expect(payload).toContain(line('200', '/api/v1/query', 1));
    expect(payload).toContain(line('400', '/api/v1/query', 1));
    expect(payload).toContain(line('200', '/api/v1/label/:name/values', 1));
    expect(payload).toContain(line('204', '/api/v1/*path', 1));
    // Handlers that were never asked are there with zero.
    expect(payload).toContain(line('200', '/api/v1/rules', 0));
    expect(payload).not.toContain('nothing');
    expect(payload).toContain(
      'prometheus_http_response_size_bytes_bucket{handler="/api/v1/query",le="1000"} 2\n',
    );
    expect(payload).toContain(
      'prometheus_http_request_duration_seconds_bucket{handler="/api/v1/query",le="120"} 2\n',
    );
    expect(payload).toContain('promhttp_metric_handler_requests_in_flight 1\n');
  });

  test('are text for everybody who takes text', async () => {
    const { app } = fakeHouse();
    const accept =
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;' +
      'q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    const { headers } = await app.inject({ url: '/metrics', headers: { accept } });
    expect(headers['content-type']).toBe(
      'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
    );
  });

  test('are protobuf for who prefers it', async () => {
    const { app } = fakeHouse();
    const type = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily';
    const accept = `${type};encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3`;
    const { headers, rawPayload } = await app.inject({ url: '/metrics', headers: { accept } });
    expect(headers['content-type']).toBe(
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; ' +
        'encoding=delimited; escaping=underscores',
    );
    expect(rawPayload.includes('promhttp_metric_handler_requests_in_flight')).toBe(true);
    expect(rawPayload.includes('# HELP')).toBe(false);
  });

  test('can be cut down to some names', async () => {
    const { app } = fakeHouse();
    const name = 'promhttp_metric_handler_requests_in_flight';
    const { payload } = await app.inject(`/metrics?name[]=${name}`);
    expect(payload.match(/^# TYPE/gm)).toHaveLength(1);
  });
});

describe('federation', () => {
  test('asks for selectors in the negotiated format', async () => {
    const { app, calls } = fakeHouse();
    const response = await app.inject('/federate?match[]=up&match[]=down');
    expect(response.headers['content-type']).toBe(
      'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
    );
    expect(response.headers.vary).toBe('Accept-Encoding');
    const format = { kind: 'text', escaping: 'underscores' };
    expect(calls).toEqual([{ name: 'federate', request: { selectors: ['up', 'down'], format } }]);
  });

  test('without selectors is empty', async () => {
    const { app, calls } = fakeHouse();
    const { statusCode, payload } = await app.inject('/federate');
    expect([statusCode, payload]).toEqual([200, '']);
    expect(calls).toEqual([]);
  });

  test('that fails is answered in plain text', async () => {
    const federate = async () => {
      throw Object.assign(new Error('1:2: parse error: no'), { code: 'PROMQL_PARSE' });
    };
    const { app } = fakeHouse({ federation: { federate } });
    const response = await app.inject('/federate?match[]={');
    expect([response.statusCode, response.payload]).toEqual([400, '1:2: parse error: no\n']);
    expect(response.headers['x-content-type-options']).toBe('nosniff');
  });
});
