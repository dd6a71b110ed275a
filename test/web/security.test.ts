import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ClientAuthType, TlsSettings, WebOptions, WebSecurity } from '../../web/index.ts';
import { matchesBcrypt } from '../../src/security/bcrypt.ts';
import { fakeHouse, listenLocally } from './fake-house.ts';

const SECRET_HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const file = (name: string) => readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');

const basic = (credentials: string) => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});
function secured(settings: Partial<WebSecurity>, options: Partial<WebOptions> = {}) {
  let current: WebSecurity = { tls: null, headers: {}, users: {}, http2: true, ...settings };
  const house = fakeHouse(
    {},
    { ...options, security: { current: () => current, matchesHash: matchesBcrypt } },
  );
  const change = (changed: Partial<WebSecurity>) => {
    current = { ...current, ...changed };
  };
  return { house, change, app: house.app };
}

describe('with users', () => {
  const users = { alice: SECRET_HASH };

  test.each(['/-/healthy', '/metrics', '/api/v1/query?query=1', '/query', '/nope'])(
    '%s needs a password',
    async (url) => {
      const { app } = secured({ users });
      const { statusCode, headers, payload } = await app.inject(url);
      expect([statusCode, payload]).toEqual([401, 'Unauthorized\n']);
      expect(headers['www-authenticate']).toBe('Basic');
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  test.each([
    ['alice:secret', 200],
    ['alice:wrong', 401],
    ['alice:', 401],
    ['bob:secret', 401],
    ['constructor:secret', 401],
    ['alice', 401],
  ])('%s is answered with %s', async (credentials, status) => {
    const { app } = secured({ users });
    const headers = basic(credentials);
    for (let i = 0; i < 2; i++) {
      const response = await app.inject({ url: '/-/healthy', headers });
      expect(response.statusCode).toBe(status);
    }
  });

  test('a password is checked once, and again when its hash changes', async () => {
    const { app, change } = secured({ users });
    const headers = basic('alice:secret');
    const timed = async () => {
      const startMs = performance.now();
      const { statusCode } = await app.inject({ url: '/-/healthy', headers });
      return { statusCode, durationMs: performance.now() - startMs };
    };
    await timed();
    const again = await Promise.all(Array.from({ length: 50 }, timed));
    expect(again.every(({ statusCode }) => statusCode === 200)).toBe(true);
    change({ users: { alice: '$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq' } });
    expect((await timed()).statusCode).toBe(401);
    change({ users: {} });
    expect((await app.inject('/-/healthy')).statusCode).toBe(200);
  });
});

test('who guesses again and again has to wait, who is known does not', async () => {
  const { app } = secured({ users: { alice: SECRET_HASH } });
  const ask = async (credentials: string) =>
    (await app.inject({ url: '/-/healthy', headers: basic(credentials) })).statusCode;
  expect(await ask('alice:secret')).toBe(200);
  const statuses = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(`alice:guess${i}`)));
  expect(statuses.filter((status) => status === 401)).toHaveLength(20);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  expect(await ask('alice:secret')).toBe(200);
});

test('headers of the file go with every answer', async () => {
  const { app } = secured({ headers: { 'X-Frame-Options': 'deny' } });
  for (const url of ['/-/healthy', '/nope', '/api/v1/query?query=1&limit=x']) {
    expect((await app.inject(url)).headers['x-frame-options']).toBe('deny');
  }
});

describe('over TLS', () => {
  const localhost = {
    certificatePem: file('localhost.cert.pem'),
    keyPem: file('localhost.key.pem'),
  };
  const other = { certificatePem: file('other.cert.pem'), keyPem: file('other.key.pem') };
  const tls: TlsSettings = {
    ...localhost,
    clientAuthType: 'NoClientCert',
    clientCaPem: localhost.certificatePem,
    clientAllowedSans: [],
    minVersion: 'TLS12',
    maxVersion: 'TLS13',
    cipherSuites: [],
    curvePreferences: [],
    prefersServerCiphers: true,
  };
  const ask = async (url: string, options: RequestOptions) => {
    const asked = request(`${url}/-/healthy`, {
      agent: false,
      rejectUnauthorized: false,
      ...options,
    });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };

  test('requests are answered, and a renewed certificate is used at once', async () => {
    const { house, change } = secured({ tls });
    const { url, listener } = await listenLocally(house);
    const trusting = { ca: localhost.certificatePem, rejectUnauthorized: true };
    expect(await ask(url, trusting)).toBe(200);
    change({ tls: { ...tls, ...other } });
    await expect(ask(url, trusting)).rejects.toThrow(/certificate/);
    expect(await ask(url, {})).toBe(200);
    await listener.close();
  });

  test.each([true, false])('HTTP/2 is spoken unless it is switched off: %s', async (http2) => {
    const { house } = secured({ tls, http2 });
    const { url, listener } = await listenLocally(house);
    const client = connectHttp2(url, { rejectUnauthorized: false });
    if (http2) {
      const stream = client.request({ ':path': '/api/v1/query?limit=x', ':method': 'POST' });
      stream.end('query=');
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      expect(headers[':status']).toBe(400);
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      expect(JSON.parse(body)).toMatchObject({ status: 'error', errorType: 'bad_data' });
      const get = client.request({ ':path': '/-/healthy' });
      const [answer] = (await once(get, 'response')) as [Record<string, unknown>];
      expect(answer[':status']).toBe(200);
      get.resume();
      await once(get, 'close');
    } else {
      await expect(once(client, 'connect')).rejects.toThrow();
    }
    expect(await ask(url, {})).toBe(200);
    client.destroy();
    await listener.close();
  });

  test('idle connections do not keep a listener from closing, and end by themselves', async () => {
    const { house } = secured({ tls });
    const { url, listener } = await listenLocally(house);
    const client = connectHttp2(url, { rejectUnauthorized: false });
    const get = client.request({ ':path': '/-/healthy' }).resume();
    await once(get, 'close');
    const closed = once(client, 'close');
    const older = new Agent({ keepAlive: true });
    expect(await ask(url, { agent: older })).toBe(200);
    await Promise.all([listener.close(), closed]);
    older.destroy();

    const impatient = secured({ tls }, { readTimeoutMs: 50 });
    const second = await listenLocally(impatient.house);
    const idle = connectHttp2(second.url, { rejectUnauthorized: false });
    await once(idle, 'connect');
    await once(idle, 'close');
    await second.listener.close();
  });

  test('old versions are refused', async () => {
    const { house } = secured({ tls: { ...tls, minVersion: 'TLS13' } });
    const { url, listener } = await listenLocally(house);
    await expect(ask(url, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version|EPROTO/i);
    await listener.close();
  });

  const cases: readonly (readonly [ClientAuthType, string, boolean])[] = [
    ['NoClientCert', 'none', true],
    ['RequestClientCert', 'none', true],
    ['RequestClientCert', 'other', true],
    ['RequireAnyClientCert', 'none', false],
    ['RequireAnyClientCert', 'other', true],
    ['VerifyClientCertIfGiven', 'none', true],
    ['VerifyClientCertIfGiven', 'other', false],
    ['VerifyClientCertIfGiven', 'localhost', true],
    ['RequireAndVerifyClientCert', 'none', false],
    ['RequireAndVerifyClientCert', 'other', false],
    ['RequireAndVerifyClientCert', 'localhost', true],
  ];
  test.each(cases)('%s with the certificate %s: %s', async (clientAuthType, given, isAllowed) => {
    const { house } = secured({ tls: { ...tls, clientAuthType } });
    const { url, listener } = await listenLocally(house);
    const pair = { none: null, other, localhost }[given];
    const options = pair == null ? {} : { cert: pair.certificatePem, key: pair.keyPem };
    const answer = ask(url, options);
    if (isAllowed) expect(await answer).toBe(200);
    else await expect(answer).rejects.toThrow();
    await listener.close();
  });

  test('a client may be asked for a name', async () => {
    const settings = { ...tls, clientAuthType: 'RequireAndVerifyClientCert' } as const;
    const options = { cert: localhost.certificatePem, key: localhost.keyPem };
    for (const [name, isAllowed] of [
      ['localhost', true],
      ['someone', false],
    ] as const) {
      const { house } = secured({ tls: { ...settings, clientAllowedSans: [name] } });
      const { url, listener } = await listenLocally(house);
      const answer = ask(url, options);
      if (isAllowed) expect(await answer).toBe(200);
      else await expect(answer).rejects.toThrow();
      await listener.close();
    }
  });
});
