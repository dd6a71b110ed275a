/** What is no request is answered in a sentence; texts as observed on Prometheus 3.14. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener, TlsSettings } from '../../web/index.ts';
import { fakeHouse, listenLocally } from './fake-house.ts';

const PATIENCE_MS = 700;
const file = (name: string) => readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');
const TLS: TlsSettings = {
  certificatePem: file('localhost.cert.pem'),
  keyPem: file('localhost.key.pem'),
  clientAuthType: 'NoClientCert',
  clientCaPem: null,
  clientAllowedSans: [],
  minVersion: 'TLS12',
  maxVersion: 'TLS13',
  cipherSuites: [],
  curvePreferences: [],
  prefersServerCiphers: true,
};

/** All that comes back for these pieces until the server closes. */
async function say(port: number, ...pieces: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let given = '';
  socket.setEncoding('latin1').on('data', (chunk) => (given += String(chunk)));
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve()).on('error', () => resolve());
  for (const piece of pieces) {
    if (pieces.length > 1) await new Promise((wait) => setTimeout(wait, 20));
    socket.write(piece, 'latin1');
  }
  await closed;
  return given;
}

const answer = (status: string, text: string) =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`;

describe('at a plain port', () => {
  let port: number;
  let listener: Listener;
  beforeAll(async () => {
    let url: string;
    ({ url, listener } = await listenLocally(fakeHouse({}, { readTimeoutMs: PATIENCE_MS })));
    port = Number(new URL(url).port);
  });
  afterAll(() => listener.close());

  test.each([
    ['hello\r\n\r\n', '400 Bad Request', '400 Bad Request'],
    ['GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', '400 Bad Request', '400 Bad Request'],
    ['GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', '400 Bad Request', '400 Bad Request'],
    [
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: a\r\n\r\n',
      '400 Bad Request',
      '400 Bad Request',
    ],
    [
      'GET / HTTP/9.1\r\nHost: x\r\n\r\n',
      '505 HTTP Version Not Supported',
      '505 HTTP Version Not Supported: unsupported protocol version',
    ],
    [
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(1_100_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      '431 Request Header Fields Too Large',
    ],
  ])('%.40j is answered with %s', async (bytes, status, text) => {
    expect(await say(port, bytes)).toBe(answer(status, text));
  });

  test('a method that nobody has heard of is told those that there are', async () => {
    const ask = (address: string) => say(port, `FOO ${address} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const given = await ask('/api/v1/labels?limit=1');
    expect(given).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\nAllow: GET, OPTIONS, POST\r\n/);
    expect(given).toContain('X-Content-Type-Options: nosniff\r\n');
    expect(given).toMatch(/\r\n\r\nMethod Not Allowed\n$/);
    expect(await ask('/nope')).toMatch(/^HTTP\/1\.1 404 Not Found\r\n.*404 page not found\n$/s);
  });

  test('a request must name its host, unless it is as old as HTTP/1.0', async () => {
    const given = await say(port, 'GET /-/healthy HTTP/1.1\r\n\r\n');
    expect(given).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(given).toContain('400 Bad Request: missing required Host header');
    expect(await say(port, 'GET /-/healthy HTTP/1.0\r\n\r\n')).toContain('Server is Healthy.');
  });

  test('who takes forever to send a request is sent away', async () => {
    const given = await say(port, 'GET /-/healthy HTTP/1.1\r\nHost: x\r\nA: ');
    expect(given).toBe(answer('408 Request Timeout', '408 Request Timeout'));
  });
});

describe.each([true, false])('at a TLS port with HTTP/2: %s', (http2) => {
  let port: number;
  let listener: Listener;
  beforeAll(async () => {
    const settings = { tls: TLS, headers: {}, users: {}, http2 };
    const security = { current: () => settings, matchesHash: async () => false };
    const house = fakeHouse({}, { security, readTimeoutMs: PATIENCE_MS });
    let url: string;
    ({ url, listener } = await listenLocally(house));
    port = Number(new URL(url).port);
  });
  afterAll(() => listener.close());

  const REFUSAL =
    'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])('a plain %s is told so', async (method) => {
    expect(await say(port, `${method} /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe(REFUSAL);
  });

  test('however slowly it comes', async () => {
    expect(await say(port, 'G', 'E', 'T', ' /', '-')).toBe(REFUSAL);
  });

  test('nonsense and silence are closed upon', async () => {
    expect(await say(port, 'hello world\r\n')).not.toContain('HTTP');
    expect(await say(port, 'GET')).toBe('');
    expect(await say(port)).toBe('');
  });

  test('who takes forever to send a request is sent away', async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\nA: ');
    let given = '';
    socket.on('data', (chunk) => (given += String(chunk)));
    await once(socket, 'close');
    expect(given).toBe(answer('408 Request Timeout', '408 Request Timeout'));
  });

  test('TLS goes on working', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '/-/healthy', rejectUnauthorized: false };
      request({ ...options, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

test.each([null, TLS])('who says nothing does not keep a listener from closing', async (tls) => {
  const settings = { tls, headers: {}, users: {}, http2: true };
  const security = { current: () => settings, matchesHash: async () => false };
  const { url, listener } = await listenLocally(fakeHouse({}, { security }));
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await listener.close();
  await closed;
});
