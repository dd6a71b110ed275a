/** Whatever is sent, the answer is one that the API documents, and nothing is reported as our own bug. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { API_ROUTES } from '../../web/api/index.ts';
import { fakeHouse } from './fake-house.ts';

const STATUSES = new Set([
  200, 202, 204, 301, 307, 400, 404, 405, 406, 413, 415, 422, 499, 500, 501, 503,
]);
const TYPES = [
  'application/x-www-form-urlencoded',
  'application/json',
  'application/x-protobuf',
  'text/plain',
  '',
  'a/b; =',
];
const text = fc.oneof(
  fc.constantFrom('', '0', '-1', '1e400', 'NaN', 'true', '{', '{}', 'up', 'a b', '[]', '\0', '日'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
// What is read for ever is asked elsewhere.
const routes = API_ROUTES.filter(({ doc }) => doc.isEventStream !== true);
const request = fc.constantFrom(...routes).chain((route) => {
  const names = ['other', ...(route.doc.parameters ?? []).map(({ name }) => name)];
  const parameters = fc.array(fc.tuple(fc.constantFrom(...names), text), { maxLength: 5 });
  return fc.record({
    route: fc.constant(route),
    // Mostly one that it takes.
    method: fc.constantFrom(...route.methods, ...route.methods, 'GET', 'POST', 'PUT', 'DELETE'),
    part: text,
    parameters,
    type: fc.constantFrom(...TYPES),
    encoding: fc.constantFrom(undefined, 'gzip', 'snappy', 'zstd', 'x'),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      parameters.map((pairs) => Buffer.from(new URLSearchParams(pairs).toString())),
    ),
  });
});

test('any request', async () => {
  const { app, logs } = fakeHouse(
    {},
    {
      enableAdminApi: true,
      enableRemoteWriteReceiver: true,
      enableOtlpReceiver: true,
      enablePushReceiver: true,
    },
  );
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const path = sent.route.path.replace(/:\w+/, () =>
        encodeURIComponent(sent.part.toWellFormed()).replaceAll('.', '%2E'),
      );
      const query = new URLSearchParams(sent.parameters).toString();
      const response = await app.inject({
        method: sent.method,
        url: `/api/v1${path}?${query}`,
        headers: {
          'content-type': sent.type,
          ...(sent.encoding === undefined ? {} : { 'content-encoding': sent.encoding }),
        },
        ...(sent.method === 'GET' ? {} : { payload: sent.body }),
      });
      expect(STATUSES).toContain(response.statusCode);
      if (response.headers['content-type'] === 'application/json') {
        const { status, errorType } = JSON.parse(response.payload) as Record<string, string>;
        expect(status).toBe(response.statusCode < 300 ? 'success' : 'error');
        // Only what is switched off, or not part of this server, is said to be so with a 500.
        if (response.statusCode === 500) expect(errorType).toBe('unavailable');
      }
      expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
    }),
    { numRuns: 1500 },
  );
});
