import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import https from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { matchesBcrypt } from '../../src/security/bcrypt.ts';
import type { TlsSettings, WebOptions } from '../../web/index.ts';
import { fakeHouse, listenLocally } from './fake-house.ts';

const PIECE_SIZE_BYTES = 256 * 1024;
const POLL = { interval: 5, timeout: 10_000 };

/** Text that hardly gets smaller by compression. */
function pieceOf(index: number): Uint8Array {
  const bytes = new Uint8Array(PIECE_SIZE_BYTES);
  let state = index + 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = 32 + ((state >>> 24) % 90);
  }
  return bytes;
}

type Written = {
  readonly given: ArrayBuffer[];
  /** The reader is done with the answer. */
  isLeft: boolean;
  signal: AbortSignal | null;
};

type Script = {
  readonly count: number;
  readonly failAt?: number;
  /** Before each piece. */
  readonly pause?: () => Promise<unknown>;
};

async function* pieces({ count, failAt, pause }: Script, written: Written) {
  try {
    for (let i = 0; i < count; i++) {
      await pause?.();
      if (i === failAt) throw new Error('the writer has died');
      const piece = pieceOf(i);
      written.given.push(piece.buffer as ArrayBuffer);
      yield piece;
    }
  } finally {
    written.isLeft = true;
  }
}

async function answering(script: Script, options: Partial<WebOptions> = {}) {
  const written: Written = { given: [], isLeft: false, signal: null };
  const instant = async (_: unknown, signal: AbortSignal) => {
    written.signal = signal;
    return pieces(script, written);
  };
  const house = fakeHouse({ query: { instant } }, options);
  const { url, listener } = await listenLocally(house);
  return { written, house, listener, url: `${url}/api/v1/query?query=up` };
}

const expected = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => pieceOf(i)));

async function get(url: string, headers = {}): Promise<IncomingMessage> {
  const [response] = await once(http.get(url, { agent: false, headers }), 'response');
  return response as IncomingMessage;
}

/** Waits until no more is written. @returns how many pieces there are then */
async function standstill({ given }: Written): Promise<number> {
  let givenCount = -1;
  while (givenCount !== given.length) {
    givenCount = given.length;
    await setTimeout(100);
  }
  return givenCount;
}

async function bodyOf(response: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts);
}

const sizeOf = (house: Awaited<ReturnType<typeof answering>>['house']) =>
  house.registry
    .snapshot()
    .find(({ name }) => name === 'prometheus_http_response_size_bytes')!
    .samples.find(({ labels }) => JSON.stringify(labels).includes('/api/v1/query"'));

test('an answer in pieces arrives whole, in chunks, and its memory is free afterwards', async () => {
  const { url, written, listener, house } = await answering({ count: 20 });
  const response = await get(url);
  expect(response.headers['transfer-encoding']).toBe('chunked');
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.headers['vary']).toBe('Accept-Encoding, Origin');
  expect((await bodyOf(response)).equals(expected(20))).toBe(true);
  await expect.poll(() => written.given.every(({ detached }) => detached), POLL).toBe(true);
  expect(written.isLeft).toBe(true);
  expect(written.signal!.aborted).toBe(false);
  await expect
    .poll(() => JSON.stringify(sizeOf(house)), POLL)
    .toContain(String(20 * PIECE_SIZE_BYTES));
  expect(house.logs).toEqual([]);
  await listener.close();
});

test('a compressed one, too, made as it goes', async () => {
  const { url, written, listener } = await answering({ count: 20 });
  const response = await get(url, { 'accept-encoding': 'gzip' });
  expect(response.headers['content-encoding']).toBe('gzip');
  const body = await bodyOf(response);
  expect(gunzipSync(body).equals(expected(20))).toBe(true);
  expect(written.given.every(({ detached }) => detached)).toBe(true);
  await listener.close();
});

test.each([{}, { 'accept-encoding': 'gzip' }])(
  'the beginning leaves before the rest is written: %o',
  async (headers) => {
    const rest = Promise.withResolvers<void>();
    let askedCount = 0;
    const pause = async () => {
      if (askedCount++ > 0) await rest.promise;
    };
    const { url, listener } = await answering({ count: 8, pause });
    const response = await get(url, headers);
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.length).toBeGreaterThan(0);
    rest.resolve();
    await bodyOf(response);
    await listener.close();
  },
);

test.each([{}, { 'accept-encoding': 'gzip' }])(
  'who reads slowly is waited for: %o',
  async (headers) => {
    const count = 200;
    const { url, written, listener } = await answering({ count });
    const response = await get(url, headers);
    response.pause();
    const givenCount = await standstill(written);
    // What the system buffers, and a bit; not 50 MB.
    expect(givenCount).toBeLessThan(count / 2);
    expect(written.isLeft).toBe(false);
    const body = await bodyOf(response);
    const shown = 'accept-encoding' in headers ? gunzipSync(body) : body;
    expect(shown.equals(expected(count))).toBe(true);
    await listener.close();
  },
);

test.each([{}, { 'accept-encoding': 'gzip' }])(
  'who leaves ends the writing: %o',
  async (headers) => {
    const { url, written, listener, house } = await answering({ count: 200 });
    const response = await get(url, headers);
    response.on('error', () => {});
    await once(response, 'data');
    response.pause();
    await standstill(written);
    response.destroy();
    await expect.poll(() => written.isLeft, POLL).toBe(true);
    expect(written.given.length).toBeLessThan(200);
    await expect.poll(() => written.signal!.aborted, POLL).toBe(true);
    expect(house.logs).toEqual([]);
    // It counts as a request all the same.
    await expect.poll(() => sizeOf(house), POLL).toBeDefined();
    await listener.close();
  },
);

test.each([{}, { 'accept-encoding': 'gzip' }])(
  'what cannot be finished is cut off: %o',
  async (headers) => {
    const { url, listener, house } = await answering({ count: 20, failAt: 10 });
    const response = await get(url, headers);
    expect(response.statusCode).toBe(200);
    await expect(bodyOf(response)).rejects.toThrow('aborted');
    expect(response.complete).toBe(false);
    expect(house.logs).toHaveLength(1);
    expect(house.logs[0]).toMatchObject({ level: 'warn', message: 'an answer was cut off' });
    await listener.close();
  },
);

test('HTTP/1.0 gets it without chunks, up to the end of the connection', async () => {
  const { url, listener } = await answering({ count: 6 });
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write('GET /api/v1/query?query=up HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const answer = await bodyOf(socket);
  const bodyStart = answer.indexOf('\r\n\r\n') + 4;
  const head = answer.subarray(0, bodyStart).toString().toLowerCase();
  expect(head).not.toContain('chunked');
  expect(head).not.toContain('content-length');
  expect(answer.subarray(bodyStart).equals(expected(6))).toBe(true);
  await listener.close();
});

test('a connection is good for the next request', async () => {
  const { url, listener } = await answering({ count: 4 });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 3; i++) {
    const [response] = (await once(http.get(url, { agent }), 'response')) as [IncomingMessage];
    ports.add(response.socket.localPort);
    expect((await bodyOf(response)).equals(expected(4))).toBe(true);
  }
  expect(ports.size).toBe(1);
  agent.destroy();
  await listener.close();
});

const file = (name: string) => readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');

function overTls(): Partial<WebOptions> {
  const tls: TlsSettings = {
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
  const current = { tls, headers: { 'x-frame-options': 'deny' }, users: {}, http2: true };
  return { security: { current: () => current, matchesHash: matchesBcrypt } };
}

test('HTTP/1.1 over TLS gets it whole, and its memory is free afterwards', async () => {
  const { url, written, listener } = await answering({ count: 40 }, overTls());
  const options = { agent: false, rejectUnauthorized: false };
  const [response] = (await once(https.get(url, options), 'response')) as [IncomingMessage];
  expect(response.headers['x-frame-options']).toBe('deny');
  expect(response.httpVersion).toBe('1.1');
  expect((await bodyOf(response)).equals(expected(40))).toBe(true);
  await expect.poll(() => written.given.every(({ detached }) => detached), POLL).toBe(true);
  await listener.close();
});

test.each([undefined, 10])('HTTP/2 gets it whole or sees it cut off: %o', async (failAt) => {
  const script = { count: 40, ...(failAt === undefined ? {} : { failAt }) };
  const { url, written, listener } = await answering(script, overTls());
  const client = connectHttp2(new URL(url).origin, { rejectUnauthorized: false });
  const request = client.request({ ':path': '/api/v1/query?query=up' });
  const [headers] = (await once(request, 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  if (failAt === undefined) {
    await setTimeout(100);
    // Nobody has read yet.
    expect(written.given.length).toBeLessThan(20);
    expect((await bodyOf(request)).equals(expected(40))).toBe(true);
  } else {
    await expect(bodyOf(request)).rejects.toThrow('INTERNAL_ERROR');
  }
  expect(written.isLeft).toBe(true);
  client.destroy();
  await listener.close();
});

test('a federation in pieces has its own type, and one that is cut off is counted', async () => {
  const written: Written = { given: [], isLeft: false, signal: null };
  let failAt = Infinity;
  const federate = async () => pieces({ count: 4, failAt }, written);
  const house = fakeHouse({ federation: { federate } });
  const { url, listener } = await listenLocally(house);
  const errorCount = () =>
    house.registry.snapshot().find(({ name }) => name === 'prometheus_web_federation_errors_total')!
      .samples;
  const whole = await get(`${url}/federate?match[]=up`);
  expect(whole.headers['content-type']).toContain('text/plain; version=0.0.4');
  expect((await bodyOf(whole)).equals(expected(4))).toBe(true);
  expect(errorCount()).toMatchObject([{ value: 0 }]);
  failAt = 2;
  const cut = await get(`${url}/federate?match[]=up`);
  await expect(bodyOf(cut)).rejects.toThrow('aborted');
  expect(errorCount()).toMatchObject([{ value: 1 }]);
  expect(JSON.stringify(house.logs)).toContain('an answer was cut off');
  await listener.close();
});
