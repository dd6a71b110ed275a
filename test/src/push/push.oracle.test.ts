/** The same pushes to a Pushgateway and to us: the same series with the same values. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onPath } from '../../support/installed.ts';
import { freePort, TestServer, until } from '../support/server.ts';

const PUSHGATEWAY = onPath('prometheus-pushgateway');
if (PUSHGATEWAY === null) {
  const reason = 'no prometheus-pushgateway on the PATH';
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(reason);
  console.info(`skipped: ${reason}`);
}

const HISTOGRAM = (count: number) =>
  `# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} ${count}\nh_sum 3\nh_count ${count}\n`;
const PUSHES: readonly (readonly [method: string, path: string, body: string])[] = [
  ['PUT', '/metrics/job/a', 'm 1\nn{job="b",i="1"} 2\n'],
  ['PUT', '/metrics/job/a/i/2', 'm{i="1"} 3\n'],
  ['POST', '/metrics/job/a', 'm{x="1"} 4\n'],
  ['POST', '/metrics/job/a', HISTOGRAM(2)],
  ['POST', '/metrics/job/a', HISTOGRAM(5)],
  ['PUT', '/metrics/job@base64/Yi9j/p@base64/L3Zhci90bXA', 'm NaN\n'],
  ['POST', '/metrics/job/a', 'm 1 123\n'],
  ['POST', '/metrics/job/a', 'm 1\nm 2\n'],
  ['POST', '/metrics/job/a', 'm x\n'],
  ['POST', '/metrics/job/a/odd', 'm 1\n'],
  ['PUT', '/metrics/job/gone', 'm 1\n'],
  ['DELETE', '/metrics/job/gone', ''],
  ['PUT', '/metrics/job/replaced', 'm 1\no 2\n'],
  ['PUT', '/metrics/job/replaced', 'o 3\n'],
  ['PUT', '/metrics/job/empty', ''],
  ['PUT', '/metrics/job/e/f@base64/=', 'm{f="x"} 6\n'],
];

describe.skipIf(PUSHGATEWAY === null)('pushing', () => {
  let server: TestServer;
  let gateway: ChildProcess | undefined;
  let gatewayUrl: string;
  beforeAll(async () => {
    server = await TestServer.create('global: {scrape_interval: 1h}\n');
    await server.startReady('--web.enable-push-receiver');
    const port = await freePort();
    gatewayUrl = `http://127.0.0.1:${port}`;
    const args = [`--web.listen-address=127.0.0.1:${port}`, '--persistence.file='];
    gateway = spawn(PUSHGATEWAY!, args, { stdio: 'ignore' });
    await until('the Pushgateway answers', () =>
      fetch(`${gatewayUrl}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await server?.remove();
  });

  test('stores the same and refuses the same', async () => {
    for (const [method, path, body] of PUSHES) {
      const options = { method, ...(method === 'DELETE' ? {} : { body }) };
      const ours = await server.get(path, options);
      const theirs = await fetch(gatewayUrl + path, options);
      expect([method, path, body, ours.status]).toEqual([method, path, body, theirs.status]);
      // Its own clock does not tell pushes of one millisecond apart.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const exposed = await (await fetch(`${gatewayUrl}/metrics`)).text();
    const expected = new Map<string, number | string>();
    for (const line of exposed.split('\n')) {
      const match = /^(\w+)\{(.*)\} (\S+)$/.exec(line);
      if (match === null || !line.includes('job="')) continue;
      const [, name, labels, value] = match;
      const object: Record<string, string> = { __name__: name! };
      for (const [, label, text] of labels!.matchAll(/(\w+)="([^"]*)"/g)) {
        if (text !== '') object[label!] = text!;
      }
      expected.set(key(object), name!.startsWith('push_') ? isSet(Number(value)) : Number(value));
    }
    const found = new Map<string, number | string>();
    for (const [labels, value] of await server.query('{job=~".+"}')) {
      const object = JSON.parse(labels) as Record<string, string>;
      const isTime = object['__name__']!.startsWith('push_');
      found.set(key(object), isTime ? isSet(value) : value);
    }
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(found.size).toBeGreaterThan(15);
  });
});

const isSet = (seconds: number) => (seconds > 0 ? 'set' : 'never');

/** Bounds are brought into one form when they are stored. */
function key({ le, ...labels }: Readonly<Record<string, string>>): string {
  const bound = le === undefined ? {} : { le: String(Number(le.replace('Inf', 'Infinity'))) };
  return JSON.stringify(
    Object.entries({ ...labels, ...bound }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
