import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../web/index.ts';
import { fakeHouse } from '../fake-house.ts';

const OPEN = { minMs: Number.MIN_SAFE_INTEGER, maxMs: Number.MAX_SAFE_INTEGER };

describe('labels and series', () => {
  test('carry range, selectors and limit', async () => {
    const { app, calls } = fakeHouse();
    await app.inject('/api/v1/labels?match[]=up&match[]=down&start=1&end=2&limit=5');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    await app.inject({ method: 'POST', url: '/api/v1/labels', headers, payload: 'match%5B%5D=up' });
    await app.inject('/api/v1/series?match[]=up');
    const asked = { selectors: ['up', 'down'], minMs: 1000, maxMs: 2000, limit: 5 };
    expect(calls).toEqual([
      { name: 'names', request: asked },
      { name: 'names', request: { ...OPEN, selectors: ['up'], limit: 0 } },
      { name: 'series', request: { ...OPEN, selectors: ['up'], limit: 0 } },
    ]);
  });

  test.each([
    ['job', 'job'],
    ['__name__', '__name__'],
    ['U__http_2e_status__code', 'http.status_code'],
    ['U__ort_2f_stra_df_e', 'ort/straße'],
    ['U__http_2_x', 'http\u0002x'],
    ['U__zz_xyz_', 'U__zz_xyz_'],
    ['U__a_110000_b', 'U__a_110000_b'],
    ['%E6%B8%A9', '温'],
    ['a.b', 'a.b'],
  ])('values of the label %s are asked for by the name %s', async (shown, name) => {
    const { app, calls } = fakeHouse();
    await app.inject(`/api/v1/label/${shown}/values`);
    expect(calls[0]).toEqual({
      name: 'values',
      request: { ...OPEN, selectors: [], limit: 0, name },
    });
  });

  test('values of a label without a name are refused', async () => {
    const { app } = fakeHouse();
    const response = await app.inject('/api/v1/label/U__/values');
    expect([response.statusCode, response.json().error]).toEqual([400, 'invalid label name: ""']);
  });

  test('series want a selector, and say which parameter is wrong', async () => {
    const series = async () => {
      throw new ApiError('bad_data', '1:2: parse error: no');
    };
    const { app } = fakeHouse({ series: { series }, labels: { names: series } });
    const without = await app.inject('/api/v1/series?limit=x');
    expect(without.json().error).toBe('no match[] parameter provided');
    const malformed = await app.inject('/api/v1/series?match[]={');
    expect(malformed.json().error).toBe('invalid parameter "match[]": 1:2: parse error: no');
    // Labels do not name it; nobody knows why.
    const labels = await app.inject('/api/v1/labels?match[]={');
    expect(labels.json().error).toBe('1:2: parse error: no');
  });
});

describe('metadata', () => {
  test('of metrics', async () => {
    const { app, calls } = fakeHouse();
    const response = await app.inject('/api/v1/metadata?metric=up&limit=2&limit_per_metric=0');
    expect(response.payload).toBe(
      '{"status":"success","data":{"up":[{"type":"gauge","unit":"","help":"Is it up?"}]}}',
    );
    expect(calls[0]!.request).toEqual({ metric: 'up', limit: 2, limitPerMetric: -1 });
  });

  test.each([
    ['metadata?limit=x', 'limit must be a number'],
    ['metadata?limit_per_metric=x', 'limit_per_metric must be a number'],
    ['targets/metadata?limit=x', 'limit must be a number'],
  ])('%s is refused', async (url, error) => {
    const { app } = fakeHouse();
    const response = await app.inject(`/api/v1/${url}`);
    expect([response.statusCode, response.json().error]).toEqual([400, error]);
  });

  test('of targets names the metric unless it was asked for', async () => {
    const { app, calls } = fakeHouse();
    const all = await app.inject('/api/v1/targets/metadata?match_target={job="api"}&limit=3');
    expect(all.payload).toBe(
      '{"status":"success","data":[{"target":{"job":"api"},"metric":"up","type":"gauge",' +
        '"help":"Is it up?","unit":""}]}',
    );
    const one = await app.inject('/api/v1/targets/metadata?metric=up');
    expect(one.json().data[0]).not.toHaveProperty('metric');
    const matchers = [{ name: 'job', operator: '=', value: 'api' }];
    expect(calls.filter(({ name }) => name === 'targetMetadata')).toEqual([
      { name: 'targetMetadata', request: { matchers, metric: '', limit: 3 } },
      { name: 'targetMetadata', request: { matchers: [], metric: 'up', limit: -1 } },
    ]);
  });
});
