import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { SILENT_LOGGER } from '../../../model/index.ts';
import { readWebFile } from '../../../src/security/web-file.ts';
import { WebSecurityFile } from '../../../src/security/web-security.ts';
import { TestServer, until } from '../support/server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-web-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const CERTIFICATES = path.resolve(import.meta.dirname, '../../web/files');
const CERT = path.join(CERTIFICATES, 'localhost.cert.pem');
const KEY = path.join(CERTIFICATES, 'localhost.key.pem');
const PAIR = `tls_server_config:\n  cert_file: ${CERT}\n  key_file: ${KEY}\n`;
const HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

const file = path.join(folder, 'web.yml');
const read = (text: string) => {
  writeFileSync(file, text);
  return readWebFile(file);
};

describe('the web configuration', () => {
  test('of an empty file asks for nothing', () => {
    expect(read('').security).toEqual({ tls: null, headers: {}, users: {}, http2: true });
  });

  test('is read whole', () => {
    const { security, files } = read(`${PAIR}  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ${CERT}
  client_allowed_sans: [a, b]
  min_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [CurveP256, X25519]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    X-XSS-Protection: ''
basic_auth_users:
  alice: ${HASH}
`);
    const certificatePem = readFileSync(CERT, 'utf8');
    expect(security).toEqual({
      tls: {
        certificatePem,
        keyPem: readFileSync(KEY, 'utf8'),
        clientAuthType: 'RequireAndVerifyClientCert',
        clientCaPem: certificatePem,
        clientAllowedSans: ['a', 'b'],
        minVersion: 'TLS13',
        maxVersion: 'TLS13',
        cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'],
        curvePreferences: ['prime256v1', 'X25519'],
        prefersServerCiphers: false,
      },
      headers: { 'X-Frame-Options': 'deny' },
      users: { alice: HASH },
      http2: false,
    });
    expect(files).toEqual([file, CERT, KEY, CERT]);
  });

  test.each([
    ['foo: 1\n', ':1:1: foo: unknown key'],
    [`tls_server_config:\n  cert_file: ${CERT}\n`, 'missing one of key or key_file'],
    ['tls_server_config:\n  client_auth_type: NoClientCert\n', 'missing one of cert or cert_file'],
    [`${PAIR}  client_auth_type: Foo\n`, ':4:21: tls_server_config.client_auth_type: invalid'],
    [
      `${PAIR}  client_ca_file: ${CERT}\n`,
      "client CA's have been configured without a Client Auth",
    ],
    [`${PAIR}  cipher_suites: [FOO]\n`, 'unknown cipher: FOO'],
    [`${PAIR}  curve_preferences: [FOO]\n`, 'unknown curve: FOO'],
    [`${PAIR}  min_version: FOO\n`, 'unknown TLS version: FOO'],
    ['basic_auth_users:\n  a: foo\n', ':2:6: basic_auth_users.a: not a bcrypt hash'],
    ['http_server_config:\n  headers:\n    Foo: bar\n', 'HTTP header "Foo" can not be configured'],
    [
      'http_server_config:\n  headers:\n    X-Frame-Options: bar\n',
      'invalid value for X-Frame-Options. Expected one of: ["deny" "sameorigin"], but got: "bar"',
    ],
    [`tls_server_config:\n  cert_file: nope.pem\n  key_file: ${KEY}\n`, 'failed to read cert_file'],
    [`tls_server_config:\n  cert: nothing\n  key_file: ${KEY}\n`, 'tls_server_config: '],
  ])('refuses %j and says where', (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(file);
  });

  test('that is broken later leaves the last good one in force', () => {
    writeFileSync(file, `basic_auth_users:\n  alice: ${HASH}\n`);
    const security = new WebSecurityFile(file, SILENT_LOGGER);
    const change = (text: string, second: number) => {
      writeFileSync(file, text);
      utimesSync(file, second, second);
    };
    change('basic_auth_users:\n  alice: foo\n', 1);
    expect(security.current().users).toEqual({ alice: HASH });
    change(`basic_auth_users:\n  bob: ${HASH}\n`, 2);
    expect(security.current().users).toEqual({ bob: HASH });
  });
});

describe('a server with a web configuration', () => {
  const toClean: TestServer[] = [];
  afterEach(async () => {
    for (const server of toClean.splice(0)) await server.remove();
  });
  const authorization = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
  /** Status and body, over HTTP/1.1. */
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const asked = request(url, { agent: false, rejectUnauthorized: false, headers });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return [response.statusCode, body];
  };
  /** The same over HTTP/2. */
  const askHttp2 = async (url: string, headers: Record<string, string> = {}) => {
    const client = connectHttp2(url, { rejectUnauthorized: false });
    const stream = client.request({ ':path': new URL(url).pathname, ...headers });
    const [{ ':status': status }] = (await once(stream, 'response')) as [Record<string, unknown>];
    let body = '';
    for await (const chunk of stream) body += String(chunk);
    client.close();
    return [status, body];
  };

  test('asks for passwords over TLS, and takes changes at once', async () => {
    const server = await TestServer.create('scrape_configs: []\n');
    toClean.push(server);
    writeFileSync(file, `${PAIR}basic_auth_users:\n  alice: ${HASH}\n`);
    server.start(`--web.config.file=${file}`);
    await until('ready', () => server.log.includes('Server is ready to receive web requests'));
    const url = `https://127.0.0.1:${server.port}/-/healthy`;
    const healthy = 'Prometheus Server is Healthy.\n';
    for (const send of [ask, askHttp2]) {
      expect(await send(url)).toEqual([401, 'Unauthorized\n']);
      expect(await send(url, { authorization })).toEqual([200, healthy]);
    }
    writeFileSync(file, PAIR);
    expect(await ask(url)).toEqual([200, healthy]);
  });

  test('does not start with a broken one', async () => {
    const server = await TestServer.create('scrape_configs: []\n');
    toClean.push(server);
    writeFileSync(file, 'foo: 1\n');
    server.start(`--web.config.file=${file}`);
    expect((await server.ended).code).toBe(1);
    expect(server.log).toContain('Unable to validate web configuration file');
  });
});
