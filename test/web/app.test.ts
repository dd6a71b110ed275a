import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { answer, fakeHouse, listenLocally, requestRaw } from './fake-house.ts';

describe('a wrong method', () => {
  test.each([
    ['PUT', '/api/v1/query', 'GET, OPTIONS, POST'],
    ['HEAD', '/api/v1/query', 'GET, OPTIONS, POST'],
    ['POST', '/api/v1/label/job/values', 'GET, OPTIONS'],
    ['GET', '/api/v1/write', 'OPTIONS, POST'],
    ['GET', '/api/v1/admin/tsdb/snapshot', 'OPTIONS, POST, PUT'],
    ['POST', '/-/healthy', 'GET, HEAD, OPTIONS'],
    ['POST', '/metrics', 'GET, OPTIONS'],
  ] as const)('%s %s is told which are allowed', async (method, url, allow) => {
    const { app } = fakeHouse();
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe(allow);
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
    if (method !== 'HEAD') expect(response.payload).toBe('Method Not Allowed\n');
  });

  test('OPTIONS outside of the API tells them, too', async () => {
    const { app } = fakeHouse();
    const response = await app.inject({ method: 'OPTIONS', url: '/-/healthy' });
    expect([response.statusCode, response.headers.allow]).toEqual([200, 'GET, HEAD, OPTIONS']);
  });
});

describe('an unknown address', () => {
  test.each(['/nope', '/api/v1/nope', '/api/v1/', '/api/v2/query', '/api/v1/label/job'])(
    '%s is not found',
    async (url) => {
      const { app } = fakeHouse();
      const response = await app.inject(url);
      expect([response.statusCode, response.payload]).toEqual([404, '404 page not found\n']);
      expect(response.headers['x-content-type-options']).toBe('nosniff');
    },
  );

  test('an escaped slash is no part of a label name', async () => {
    const { app } = fakeHouse();
    expect((await app.inject('/api/v1/label/a%2Fb/values')).statusCode).toBe(404);
  });

  test.each([
    ['/query/', 301, '/query'],
    ['/METRICS', 301, '/metrics'],
    ['/api/v1/query/?query=1', 301, '/api/v1/query?query=1'],
    ['//metrics', 307, '/metrics'],
    ['/api/../metrics', 307, '/metrics'],
    ['/api/v1//query?query=1', 307, '/api/v1/query?query=1'],
    ['/api/v1/label//values', 307, '/api/v1/label/values'],
    ['//evil.example/', 307, '/evil.example/'],
  ])('%s is sent on', async (path, code, location) => {
    const { url, listener } = await listenLocally(fakeHouse());
    const { response, body } = await requestRaw(url, path);
    await listener.close();
    expect([response.statusCode, response.headers.location]).toEqual([code, location]);
    expect(body).toMatch(new RegExp(`^<a href="${location.replace(/[?]/g, '\\?')}">`));
  });

  test('a form that is sent on keeps its method', async () => {
    const { app } = fakeHouse();
    const response = await app.inject({ method: 'POST', url: '/api/v1/query/' });
    expect([response.statusCode, response.headers.location]).toEqual([307, '/api/v1/query']);
    // The small page is for readers only.
    expect([response.payload, response.headers['content-type']]).toEqual(['', undefined]);
  });

  test.each([
    ['GET', '/%', 400, '400 Bad Request'],
    ['POST', '/api/v1/%4', 400, '400 Bad Request'],
    ['GET', '/api/v1/label/%zz/values', 400, '400 Bad Request'],
    [
      'GET',
      '/api/v1/label/a%22%20%FF%c3/values?limit=%ff',
      400,
      String.raw`{"status":"error","errorType":"bad_data","error":"invalid label name: \"a\\\" \\xff\\xc3\""}`,
    ],
    ['POST', '/api/v1/label/%ff/values', 405, 'Method Not Allowed\n'],
    ['GET', '/user/%ff', 404, '404 page not found\n'],
  ])('%s %s, which is no text, is answered with %s', async (method, path, status, text) => {
    const { url, listener } = await listenLocally(fakeHouse());
    const { response, body } = await requestRaw(url, path, { method });
    await listener.close();
    expect([response.statusCode, body]).toEqual([status, text]);
  });
});

describe('cross-origin access', () => {
  const url = '/api/v1/query?query=1';
  const PERMISSIONS = {
    'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
    'access-control-allow-methods': 'GET, POST, OPTIONS',
    'access-control-expose-headers': 'Date',
  };
  const corsHeaders = (headers: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => name.startsWith('access-control-')),
    );

  test('is not mentioned to who has no origin', async () => {
    const { app } = fakeHouse();
    const { headers } = await app.inject(url);
    expect(corsHeaders(headers)).toEqual({});
    expect(headers.vary).toBe('Accept-Encoding, Origin');
  });

  test.each([
    ['https://b.example', true],
    ['http://a.example', true],
    ['http://xa.example.com', false],
    ['http://a.example.evil', false],
  ])('from %s is allowed: %s', async (origin, isAllowed) => {
    const { app } = fakeHouse({}, { corsOrigin: 'https?://(a|b)\\.example' });
    const expected = isAllowed
      ? { ...PERMISSIONS, 'access-control-allow-origin': origin }
      : PERMISSIONS;
    for (const method of ['GET', 'OPTIONS'] as const) {
      const { headers } = await app.inject({ method, url, headers: { origin } });
      expect(corsHeaders(headers)).toEqual(expected);
    }
  });

  test('is asked about with OPTIONS at any address of the API', async () => {
    const { app } = fakeHouse();
    const response = await app.inject({ method: 'OPTIONS', url: '/api/v1/nope' });
    expect([response.statusCode, response.payload]).toEqual([204, '']);
  });
});

describe('compression', () => {
  const large = answer(Array.from({ length: 500 }, (_, i) => `value-${i}`));
  const house = () => fakeHouse({ labels: { names: async () => large } });
  const get = (encoding: string, url = '/api/v1/labels') =>
    house().app.inject({ url, headers: { 'accept-encoding': encoding } });

  test.each(['gzip', 'gzip, deflate, br', 'deflate, gzip;q=0.5', 'zstd, gzip'])(
    'is gzip for who accepts %s',
    async (encoding) => {
      const response = await get(encoding);
      expect(response.headers['content-encoding']).toBe('gzip');
      expect(new Uint8Array(gunzipSync(response.rawPayload))).toEqual(large);
      expect(response.headers['content-length']).toBe(String(response.rawPayload.length));
    },
  );

  test.each(['', 'deflate', 'br', 'zstd', 'gzip;q=0', 'identity', '*'])(
    'is none for who accepts only "%s"',
    async (encoding) => {
      const response = await get(encoding);
      expect(response.headers['content-encoding']).toBeUndefined();
      expect(new Uint8Array(response.rawPayload)).toEqual(large);
    },
  );

  test('spares small answers', async () => {
    const response = await get('gzip', '/api/v1/query?query=1');
    expect(response.headers['content-encoding']).toBeUndefined();
  });
});

describe('behind a route prefix', () => {
  const house = () =>
    fakeHouse({}, { routePrefix: '/pfx', externalUrl: new URL('http://ext.example:8080/pfx/') });

  test.each([
    ['/', 302, '/pfx'],
    ['/pfx', 302, '/pfx/query'],
    ['/pfx/', 302, '/pfx/query'],
    ['/pfx/graph?a=b', 302, '/pfx/query?a=b'],
  ])('%s leads on', async (url, code, location) => {
    const { statusCode, headers } = await house().app.inject(url);
    expect([statusCode, headers.location]).toEqual([code, location]);
  });

  test('everything lives below it, and nothing beside it', async () => {
    const { app } = house();
    for (const path of ['/-/healthy', '/metrics', '/api/v1/query?query=1', '/version']) {
      expect((await app.inject(`/pfx${path}`)).statusCode).toBe(200);
      expect((await app.inject(path)).statusCode).toBe(404);
    }
  });

  test('redirects go by the external address when a proxy cuts the prefix off', async () => {
    const externalUrl = new URL('http://ext.example/prom/');
    const { app } = fakeHouse({}, { externalUrl });
    expect((await app.inject('/')).headers.location).toBe('/prom/query');
  });
});

describe('in agent mode', () => {
  const house = () => fakeHouse({}, { agentMode: true });

  test.each(['query?query=1', 'format_query?query=1', 'series?match[]=up', 'rules', 'status/tsdb'])(
    '%s is unavailable',
    async (url) => {
      const response = await house().app.inject(`/api/v1/${url}`);
      expect(response.statusCode).toBe(422);
      const error = { errorType: 'execution', error: 'unavailable with Prometheus Agent' };
      expect(response.json()).toEqual({ status: 'error', ...error });
    },
  );

  test.each(['targets', 'metadata', 'status/config', 'status/flags', 'features', 'openapi.yaml'])(
    '%s is answered',
    async (url) => {
      expect((await house().app.inject(`/api/v1/${url}`)).statusCode).toBe(200);
    },
  );

  test('the first page is that of the agent', async () => {
    const { app } = house();
    expect((await app.inject('/')).headers.location).toBe('/agent');
    expect((await app.inject('/query')).statusCode).toBe(404);
  });
});

test('a form that is too large is refused', async () => {
  const { app } = fakeHouse({}, { formSizeBytesMax: 100 });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const payload = `query=${'x'.repeat(100)}`;
  const response = await app.inject({ method: 'POST', url: '/api/v1/query', headers, payload });
  expect(response.statusCode).toBe(413);
});

test('selectors in the URL may be long', async () => {
  const house = fakeHouse();
  const selector = `{job=~"${'x|'.repeat(50_000)}y"}`;
  const { url, listener } = await listenLocally(house);
  const path = `/api/v1/series?match[]=${encodeURIComponent(selector)}`;
  const { response } = await requestRaw(url, path);
  await listener.close();
  expect(response.statusCode).toBe(200);
  expect(house.calls[0]!.request).toMatchObject({ selectors: [selector] });
});
