import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../web/index.ts';
import { fakeHouse, NOW_MS } from '../fake-house.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const NO_OPTIONS = {
  timeoutMs: null,
  lookbackMs: null,
  limit: 0,
  stats: 'none',
  warnings: [],
  client: {
    address: '127.0.0.1',
    userAgent: 'lightMyRequest',
    method: 'GET',
    path: '/api/v1/query',
  },
};

describe('an instant query', () => {
  test('is asked at the present time when none is given', async () => {
    const { app, calls } = fakeHouse();
    const { statusCode, headers } = await app.inject('/api/v1/query?query=up');
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(calls).toEqual([
      { name: 'instant', request: { query: 'up', timeMs: NOW_MS, ...NO_OPTIONS } },
    ]);
  });

  test('takes its parameters from form and URL, the form first', async () => {
    const { app, calls } = fakeHouse();
    await app.inject({
      method: 'POST',
      url: '/api/v1/query?query=url&time=7.5&lookback_delta=1m',
      headers: FORM,
      payload: 'query=sum(up)&timeout=1m30s&limit=3&stats=all',
    });
    expect(calls[0]!.request).toEqual({
      ...NO_OPTIONS,
      client: { ...NO_OPTIONS.client, method: 'POST' },
      query: 'sum(up)',
      timeMs: 7500,
      timeoutMs: 90_000,
      lookbackMs: 60_000,
      limit: 3,
      stats: 'all',
      warnings: [],
    });
  });

  test.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x'])(
    'ignores a body of type %s',
    async (type) => {
      const { app, calls } = fakeHouse();
      const headers = { 'content-type': type };
      const payload = 'query=body';
      await app.inject({ method: 'POST', url: '/api/v1/query?query=url', headers, payload });
      expect(calls[0]!.request).toMatchObject({ query: 'url' });
    },
  );

  test('sends the bytes of the worker as they are', async () => {
    const bytes = new TextEncoder().encode('{"status":"success","data":{"odd" :  "spacing"}}');
    const { app } = fakeHouse({ query: { instant: async () => bytes } });
    const { rawPayload, headers } = await app.inject('/api/v1/query?query=up');
    expect(new Uint8Array(rawPayload)).toEqual(bytes);
    expect(headers['content-length']).toBe(String(bytes.length));
  });

  test('warns of a value of stats that will be refused one day', async () => {
    const { app, calls } = fakeHouse();
    await app.inject('/api/v1/query?query=up&stats=foo');
    const warning =
      'value "foo" for parameter "stats" is deprecated and will be rejected in the next major ' +
      'release, use "true" or "all"';
    expect(calls[0]!.request).toMatchObject({ stats: 'basic', warnings: [warning] });
  });

  test('takes a lookback that is not positive for none', async () => {
    const { app, calls } = fakeHouse();
    await app.inject('/api/v1/query?query=up&lookback_delta=-1');
    expect(calls[0]!.request).toMatchObject({ lookbackMs: null });
  });

  // The order of checks shows where several things are wrong: it is that of 3.14.
  test.each([
    [
      'limit=z&time=x&timeout=y&lookback_delta=q',
      'invalid parameter "limit": strconv.Atoi: parsing "z": invalid syntax',
    ],
    [
      'time=x&timeout=y',
      'invalid parameter "time": invalid time value for \'time\': cannot parse "x" to a valid timestamp',
    ],
    [
      'timeout=y&lookback_delta=q',
      'invalid parameter "timeout": cannot parse "y" to a valid duration',
    ],
    [
      'lookback_delta=q',
      'error parsing lookback delta duration: cannot parse "q" to a valid duration',
    ],
  ])('with %s is refused', async (parameters, error) => {
    const { app, calls } = fakeHouse();
    const response = await app.inject(`/api/v1/query?query=up&${parameters}`);
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/json');
    expect(response.json()).toEqual({ status: 'error', errorType: 'bad_data', error });
    expect(calls).toEqual([]);
  });

  test('without time left does not start', async () => {
    const { app } = fakeHouse();
    const response = await app.inject('/api/v1/query?query=up&timeout=0');
    expect(response.statusCode).toBe(503);
    expect(response.json().errorType).toBe('timeout');
  });

  test.each([
    ['bad_data', 400, 'invalid parameter "query": 1:4: parse error'],
    ['execution', 422, '1:4: parse error'],
    ['timeout', 503, '1:4: parse error'],
    ['canceled', 499, '1:4: parse error'],
    ['internal', 500, '1:4: parse error'],
    ['unavailable', 500, '1:4: parse error'],
    ['not_found', 404, '1:4: parse error'],
    ['not_acceptable', 406, '1:4: parse error'],
  ] as const)('that fails with %s is answered with %s', async (errorType, status, error) => {
    const instant = async () => {
      throw new ApiError(errorType, '1:4: parse error');
    };
    const { app } = fakeHouse({ query: { instant } });
    const response = await app.inject('/api/v1/query?query=up');
    expect(response.statusCode).toBe(status);
    expect(response.json()).toEqual({ status: 'error', errorType, error });
  });

  test('that fails by a bug of ours is answered, and the bug is logged', async () => {
    const instant = async () => {
      throw new TypeError('x is not a function');
    };
    const { app, logs } = fakeHouse({ query: { instant } });
    const response = await app.inject('/api/v1/query?query=up');
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ errorType: 'internal', error: 'x is not a function' });
    expect(logs.map(({ level }) => level)).toEqual(['error']);
  });

  test('knows errors that crossed threads by their code', async () => {
    const instant = async () => {
      throw Object.assign(new Error('1:1: parse error: no'), { code: 'PROMQL_PARSE' });
    };
    const { app } = fakeHouse({ query: { instant } });
    const response = await app.inject('/api/v1/query?query=up');
    expect(response.json().error).toBe('invalid parameter "query": 1:1: parse error: no');
  });
});

describe('a range query', () => {
  test('carries range and step', async () => {
    const { app, calls } = fakeHouse();
    const url = '/api/v1/query_range?query=up&start=10&end=2025-11-01T00:00:00Z&step=30d';
    await app.inject(url);
    expect(calls).toEqual([
      {
        name: 'range',
        request: {
          query: 'up',
          startMs: 10_000,
          endMs: 1761955200_000,
          stepMs: 2_592_000_000,
          ...NO_OPTIONS,
          client: { ...NO_OPTIONS.client, path: '/api/v1/query_range' },
        },
      },
    ]);
  });

  test.each([
    ['0.0019', 1],
    ['0.0001', 0],
    ['0.5', 500],
  ])('of step %s goes in steps of %s ms', async (step, stepMs) => {
    const { app, calls } = fakeHouse();
    await app.inject(`/api/v1/query_range?query=up&start=0&end=1&step=${step}`);
    expect(calls[0]!.request).toMatchObject({ stepMs });
  });

  const refusals: readonly (readonly [string, string])[] = [
    ['', 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    ['start=1', 'invalid parameter "end": cannot parse "" to a valid timestamp'],
    ['start=1&end=b&step=1', 'invalid parameter "end": cannot parse "b" to a valid timestamp'],
    ['start=1&end=1', 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      'start=5&end=3&step=z',
      'invalid parameter "end": end timestamp must not be before start time',
    ],
    [
      'start=1&end=1&step=0',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'start=1&end=1&step=NaN',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [
      'start=0&end=11001&step=1&timeout=q',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    ],
    [
      'start=0&end=11000&step=1&timeout=q',
      'invalid parameter "timeout": cannot parse "q" to a valid duration',
    ],
  ];
  test.each(refusals)('with "%s" is refused', async (parameters, error) => {
    const { app } = fakeHouse();
    const response = await app.inject(`/api/v1/query_range?query=up&${parameters}`);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ status: 'error', errorType: 'bad_data', error });
  });
});

describe('exemplars', () => {
  test('are asked for over all time by default', async () => {
    const { app, calls } = fakeHouse();
    await app.inject('/api/v1/query_exemplars?query=up');
    const range = { minMs: Number.MIN_SAFE_INTEGER, maxMs: Number.MAX_SAFE_INTEGER };
    expect(calls).toEqual([{ name: 'exemplars', request: { query: 'up', ...range } }]);
  });

  test('of an expression without selectors are none, with status 204', async () => {
    const { app } = fakeHouse();
    const { statusCode, payload } = await app.inject('/api/v1/query_exemplars?query=1');
    expect([statusCode, payload]).toEqual([204, '']);
  });

  test('of a range that ends before it starts are refused, without naming a parameter', async () => {
    const { app } = fakeHouse();
    const response = await app.inject('/api/v1/query_exemplars?query=up&start=5&end=3');
    expect(response.json().error).toBe('end timestamp must not be before start timestamp');
  });
});

describe('the language', () => {
  test('formats and parses', async () => {
    const { app } = fakeHouse();
    const formatted = await app.inject('/api/v1/format_query?query=foo/bar');
    expect(formatted.json()).toEqual({ status: 'success', data: 'foo / bar' });
    const parsed = await app.inject('/api/v1/parse_query?query=x');
    expect(parsed.json().data).toEqual({ type: 'stringLiteral', val: 'x' });
  });

  test('names the parameter when it cannot', async () => {
    const format = async () => {
      throw new ApiError('bad_data', '1:2: parse error: no');
    };
    const { app } = fakeHouse({ language: { format } });
    const response = await app.inject('/api/v1/format_query?query=(');
    expect(response.json().error).toBe('invalid parameter "query": 1:2: parse error: no');
  });
});
