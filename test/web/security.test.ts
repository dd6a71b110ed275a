import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ClientAuthType, TlsSettings, WebSecurity } from '../../web/index.ts';
import { matchesBcrypt, requireBcryptHash } from '../../web/security/bcrypt.ts';
import { fakeHouse, listenLocally } from './fake-house.ts';

const SECRET_HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const file = (name: string) => readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');

describe('bcrypt', () => {
  // Made by the crypt(3) of libxcrypt; the second one is among its own test vectors.
  test.each([
    ['secret', SECRET_HASH],
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['', '$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq'],
    ['温'.repeat(30), '$2y$04$abcdefghijklmnopqrstuuEdvysirv4JEfMjLT7F8P3Y7MmtvGvby'],
    ['x'.repeat(72), '$2b$06$0123456789abcdefghijk.JJtJ9DkdgSojTDOC7GU.CDUqUr7CHxS'],
  ])('knows "%s"', async (password, hash) => {
    expect(await matchesBcrypt(password, hash)).toBe(true);
    expect(await matchesBcrypt(`!${password}`, hash)).toBe(false);
  });

  test.each(['', 'secret', '$2b$05$short', SECRET_HASH.replace('05', '99'), `${SECRET_HASH}x`])(
    'refuses "%s" for a hash',
    (hash) => {
      expect(() => requireBcryptHash(hash)).toThrow(/bcrypt/);
    },
  );
});

const basic = (credentials: string) => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});
function secured(settings: Partial<WebSecurity>) {
  let current: WebSecurity = { tls: null, headers: {}, users: {}, ...settings };
  const house = fakeHouse({}, { security: { current: () => current } });
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
