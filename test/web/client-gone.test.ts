import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { fakeHouse, listenLocally } from './fake-house.ts';

/** A query that waits for its signal, and tells what became of it. */
function waitingQuery() {
  const asked = Promise.withResolvers<AbortSignal>();
  const instant = (_: unknown, signal: AbortSignal) => {
    asked.resolve(signal);
    return new Promise<Uint8Array>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });
  };
  return { instant, asked: asked.promise };
}

describe.each(['GET', 'POST'])('when the client of a %s request goes away', (method) => {
  test('the work for it is told to stop', async () => {
    const { instant, asked } = waitingQuery();
    const { url: base, listener } = await listenLocally(fakeHouse({ query: { instant } }));
    const url = `${base}/api/v1/query?query=up`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const request = http.request(url, { method, headers, agent: false });
    request.on('error', () => {});
    request.end(method === 'POST' ? 'query=up' : undefined);
    const signal = await asked;
    // The body was read long ago; that alone is no reason to stop.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(signal.aborted).toBe(false);
    request.destroy();
    if (!signal.aborted) await once(signal, 'abort');
    expect(signal.aborted).toBe(true);
    await listener.close();
  });
});

test.each([
  ['query_range?query=up&start=1&end=2&step=1', 'query', 'range'],
  ['query_exemplars?query=up&start=1&end=2', 'query', 'exemplars'],
  ['labels', 'labels', 'names'],
  ['label/job/values', 'labels', 'values'],
  ['series?match[]=up', 'series', 'series'],
  ['search/metric_names', 'search', 'search'],
  ['metadata', 'metadata', 'metrics'],
  ['format_query?query=up', 'language', 'format'],
  ['status/tsdb', 'status', 'tsdb'],
  ['../../federate?match[]=up', 'federation', 'federate'],
] as const)('%s is told to stop, too', async (path, port, method) => {
  const { instant, asked } = waitingQuery();
  const house = fakeHouse({ [port]: { [method]: instant } });
  const { url: base, listener } = await listenLocally(house);
  const request = http.get(new URL(`${base}/api/v1/${path}`), { agent: false });
  request.on('error', () => {});
  const signal = await asked;
  request.destroy();
  if (!signal.aborted) await once(signal, 'abort');
  await listener.close();
});

test('an answer that was sent stops nothing', async () => {
  let seen: AbortSignal | undefined;
  const instant = async (_: unknown, signal: AbortSignal) => {
    seen = signal;
    return new TextEncoder().encode('{}');
  };
  const { url, listener } = await listenLocally(fakeHouse({ query: { instant } }));
  const response = await fetch(`${url}/api/v1/query?query=up`);
  await response.text();
  await listener.close();
  expect(seen!.aborted).toBe(false);
});

describe('live notifications', () => {
  const next = async (stream: IncomingMessage) => {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    return chunk.toString();
  };
  const follow = async (base: string) => {
    const request = http.get(`${base}/api/v1/notifications/live`, { agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { request, response };
  };
  const event = (text: string, active: boolean) =>
    `data: {"text":"${text}","date":"2026-01-02T03:04:05.678Z","active":${active}}\n\n`;

  test('begin with what holds, and go on with what changes', async () => {
    const house = fakeHouse();
    const { notifications } = house;
    notifications.add('first');
    const { url: base, listener } = await listenLocally(house);
    const { request, response } = await follow(base);
    expect(response.headers['content-type']).toBe('text/event-stream');
    expect(response.headers['cache-control']).toBe('no-cache');
    expect(await next(response)).toBe(event('first', true));
    notifications.add('first');
    notifications.add('second');
    expect(await next(response)).toBe(event('second', true));
    notifications.remove('first');
    expect(await next(response)).toBe(event('first', false));
    const listed = await fetch(`${base}/api/v1/notifications`);
    const second = { text: 'second', date: '2026-01-02T03:04:05.678Z', active: true };
    expect(await listed.json()).toEqual({ status: 'success', data: [second] });
    request.destroy();
    await listener.close();
  });

  test('have room for so many listeners, and again for those who come when others leave', async () => {
    const house = fakeHouse();
    const { registry } = house;
    const { url: base, listener } = await listenLocally(house);
    const subscribers = () =>
      registry
        .snapshot()
        .find(({ name }) => name === 'prometheus_api_notification_active_subscribers')!.samples[0]!
        .value;
    const [first, second] = [await follow(base), await follow(base)];
    expect(subscribers()).toBe(2);
    const third = await follow(base);
    expect(third.response.statusCode).toBe(204);
    first.request.destroy();
    while (subscribers() > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const fourth = await follow(base);
    expect(fourth.response.statusCode).toBe(200);
    for (const { request } of [second, third, fourth]) request.destroy();
    await listener.close();
  });

  test('do not keep a server from closing', async () => {
    const { url, listener } = await listenLocally(fakeHouse());
    const { response } = await follow(url);
    const ended = once(response, 'close');
    response.resume();
    await Promise.all([listener.close(), ended]);
  });
});
