import { describe, expect, test } from 'vitest';
import { fakeHouse } from '../fake-house.ts';

const ADMIN = '/api/v1/admin/tsdb';
const POST = 'POST' as const;

describe('the admin API', () => {
  test.each(['snapshot', 'delete_series?match[]=up', 'clean_tombstones'])(
    'refuses %s unless it is enabled',
    async (call) => {
      const { app, calls } = fakeHouse();
      const response = await app.inject({ method: POST, url: `${ADMIN}/${call}` });
      // 500, not 503: so answers 3.14.
      expect(response.statusCode).toBe(500);
      const error = { errorType: 'unavailable', error: 'admin APIs disabled' };
      expect(response.json()).toEqual({ status: 'error', ...error });
      expect(calls).toEqual([]);
    },
  );

  test.each(['POST', 'PUT'] as const)('makes a snapshot by %s', async (method) => {
    const { app, calls } = fakeHouse({}, { enableAdminApi: true });
    const response = await app.inject({ method, url: `${ADMIN}/snapshot?skip_head=true` });
    expect(response.json()).toEqual({
      status: 'success',
      data: { name: '20260102T030405Z-0123456789abcdef' },
    });
    expect(calls).toEqual([{ name: 'snapshot', request: { skipHead: true } }]);
  });

  test('streams a snapshot as an archive', async () => {
    const { app, calls } = fakeHouse({}, { enableAdminApi: true });
    const response = await app.inject({ method: POST, url: `${ADMIN}/snapshot?archive=lz4` });
    expect(response.headers).toMatchObject({
      'content-type': 'application/x-lz4',
      'content-disposition': 'attachment; filename="s.tar.lz4"',
    });
    expect([...response.rawPayload]).toEqual([1, 2, 3]);
    expect(calls).toEqual([{ name: 'archive', request: { skipHead: false } }]);
  });

  test('deletes series and cleans up with status 204', async () => {
    const { app, calls } = fakeHouse({}, { enableAdminApi: true });
    const url = `${ADMIN}/delete_series?match[]=up&start=1&end=2`;
    expect((await app.inject({ method: POST, url })).statusCode).toBe(204);
    const cleaned = await app.inject({ method: POST, url: `${ADMIN}/clean_tombstones` });
    expect([cleaned.statusCode, cleaned.payload]).toEqual([204, '']);
    expect(calls).toEqual([
      { name: 'deleteSeries', request: { selectors: ['up'], minMs: 1000, maxMs: 2000 } },
      { name: 'cleanTombstones', request: null },
    ]);
  });

  test.each([
    [
      'snapshot?skip_head=x',
      'invalid parameter "skip_head": unable to parse boolean: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ['snapshot?archive=zip', 'invalid parameter "archive": the only kind of archive is lz4'],
    ['delete_series', 'no match[] parameter provided'],
    [
      'delete_series?match[]=x&start=q',
      'invalid parameter "start": invalid time value for \'start\': cannot parse "q" to a valid timestamp',
    ],
  ])('refuses %s', async (call, error) => {
    const { app } = fakeHouse({}, { enableAdminApi: true });
    const response = await app.inject({ method: POST, url: `${ADMIN}/${call}` });
    expect([response.statusCode, response.json().error]).toEqual([400, error]);
  });
});
