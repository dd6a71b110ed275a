import { describe, expect, test } from 'vitest';
import type { PushRequest } from '../../web/index.ts';
import { parseGroupPath } from '../../web/push.ts';
import { fakeHouse } from './fake-house.ts';

describe('the path of a group', () => {
  test.each([
    ['/job/x', { job: 'x' }],
    ['/job/x/a/b/c/d%2Fe', { job: 'x', a: 'b', c: 'd/e' }],
    ['/job@base64/eA', { job: 'x' }],
    ['/job@base64/eA==/path@base64/L3Zhci90bXA', { job: 'x', path: '/var/tmp' }],
    ['/job/x/empty@base64/=', { job: 'x', empty: '' }],
    ['/job/x/job/y', { job: 'x' }],
  ])('%s', (path, labels) => {
    expect(parseGroupPath(path)).toEqual(labels);
  });

  // Texts of Pushgateway 1.5.
  test.each([
    ['/job/x/a', 'odd number of components in label string "/a"'],
    ['/job/x/a-b/c', 'improper label name "a-b"'],
    ['/job/x/__a/c', 'improper label name "__a"'],
    ['/job/', 'job name is required'],
    ['/job@base64/!!!', 'invalid base64 encoding in job name'],
    ['/job/%ff', 'the path is not well encoded'],
    ['/x/y', 'the path has to begin with /metrics/job/'],
  ])('%s is refused', (path, message) => {
    expect(() => parseGroupPath(path)).toThrow(message);
  });
});

describe('pushing', () => {
  const house = (problem: string | null = null) => {
    const requests: PushRequest[] = [];
    const push = {
      async push(request: PushRequest) {
        requests.push(request);
        return problem;
      },
      list: async () => [],
    };
    const { app } = fakeHouse({ push }, { enablePushReceiver: true });
    return { app, requests };
  };

  test('hands over method, labels, body and time to live', async () => {
    const { app, requests } = house();
    const headers = { 'content-type': 'text/plain' };
    const put = await app.inject({
      method: 'PUT',
      url: '/metrics/job/x/a/b?ttl=1h',
      headers,
      payload: 'm 1\n',
    });
    expect([put.statusCode, put.payload]).toEqual([200, '']);
    const deleted = await app.inject({ method: 'DELETE', url: '/metrics/job/x' });
    expect(deleted.statusCode).toBe(202);
    expect(requests).toMatchObject([
      {
        method: 'PUT',
        labels: { job: 'x', a: 'b' },
        ttlMs: 3_600_000,
        contentType: 'text/plain',
        body: Buffer.from('m 1\n'),
      },
      { method: 'DELETE', labels: { job: 'x' }, ttlMs: null },
    ]);
  });

  test.each([
    ['/metrics/job/x?ttl=x', 400],
    ['/metrics/job/x?ttl=0s', 400],
    ['/metrics/job', 400],
  ])('%s is refused', async (url, code) => {
    const { app, requests } = house();
    expect((await app.inject({ method: 'POST', url, payload: '' })).statusCode).toBe(code);
    expect(requests).toEqual([]);
  });

  test('says what is wrong with a body, in the words of the Pushgateway', async () => {
    const { app } = house('pushed metrics must not have timestamps');
    const { statusCode, payload } = await app.inject({ method: 'POST', url: '/metrics/job/x' });
    expect(statusCode).toBe(400);
    expect(payload).toBe(
      'pushed metrics are invalid or inconsistent with existing metrics: ' +
        'pushed metrics must not have timestamps\n',
    );
  });

  test('has to be allowed', async () => {
    const { app } = fakeHouse();
    const answer = await app.inject({ method: 'POST', url: '/metrics/job/x' });
    expect(answer.statusCode).toBe(404);
    expect(answer.payload).toContain('--web.enable-push-receiver');
    expect((await app.inject('/metrics/job/x')).statusCode).toBe(405);
  });
});
