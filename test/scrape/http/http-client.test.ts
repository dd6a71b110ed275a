/** The HTTP client against real servers, friendly and hostile ones. */
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../model/index.ts';
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  DEFAULT_OAUTH2_CONFIG,
  DEFAULT_PROXY_CONFIG,
  DEFAULT_TLS_CONFIG,
  FetchError,
  HttpClient,
  type HttpClientConfig,
  type HttpRequest,
  OAUTH2_JWT_BEARER,
} from '../../../scrape/index.ts';
import { isExcepted } from '../../../scrape/http/proxy.ts';

const files = path.join(import.meta.dirname, 'files');
const pem = (name: string) => readFileSync(path.join(files, name), 'utf8');

let closers: (() => unknown)[] = [];
let folder: string;
const clock = new SimulatedClock(1_700_000_000_000);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-http-'));
});
afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  closers = [];
  rmSync(folder, { recursive: true, force: true });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<string> {
  return `http://${await listen(createServer(handler))}`;
}

async function serveTls(options: object, handler: Handler): Promise<string> {
  return `https://${await listen(createTlsServer(options, handler))}`;
}

async function listen(server: Server | TlsServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that does what a real one never should. */
async function serveRaw(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(config: Partial<HttpClientConfig> = {}): HttpClient {
  const client = new HttpClient(
    { ...DEFAULT_HTTP_CLIENT_CONFIG, ...config },
    { clock, userAgent: 'Narthex/test' },
  );
  closers.push(() => client.close());
  return client;
}

test('a socket in the file system is asked as well, over one connection', async () => {
  const unixSocket = path.join(folder, 'metrics.sock');
  let connections = 0;
  const server = createServer((request, response) => {
    response.end(`${request.headers.host} ${request.url}`);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(unixSocket, resolve));
  closers.push(() => server.close());
  const client = clientOf({ proxy: { ...DEFAULT_PROXY_CONFIG, proxyUrl: 'http://127.0.0.1:1' } });
  const ask = (url: string, socket = unixSocket) =>
    client.request({ url, unixSocket: socket, timeoutMs: 5000 });
  for (let round = 0; round < 2; round++) {
    const { body } = await ask('http://app/metrics?a=b');
    expect(Buffer.from(body).toString()).toBe('app /metrics?a=b');
  }
  expect(connections).toBe(1);
  await expect(ask('https://app/')).rejects.toThrow('a unix socket is reached by plain HTTP only');
  await expect(ask('http://app/', `${unixSocket}.no`)).rejects.toThrow(
    `dial unix ${unixSocket}.no: connect: no such file or directory`,
  );
});

async function get(
  url: string,
  config: Partial<HttpClientConfig> = {},
  request: Partial<HttpRequest> = {},
) {
  const response = await clientOf(config).request({ url, timeoutMs: 5000, ...request });
  return { ...response, text: Buffer.from(response.body).toString() };
}

async function failure(...args: Parameters<typeof get>): Promise<FetchError> {
  const error: unknown = await get(...args).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FetchError);
  return error as FetchError;
}

describe('an answer', () => {
  test('is read with its status line and headers, whatever its status', async () => {
    const url = await serve((_, response) => {
      response.writeHead(418, 'I am a teapot', { 'X-Kind': ['a', 'b'] }).end('short and stout');
    });
    const answer = await get(`${url}/metrics`);
    expect(answer).toMatchObject({
      status: 418,
      statusText: 'I am a teapot',
      text: 'short and stout',
    });
    expect(answer.headers['x-kind']).toBe('a, b');
  });

  test('is decompressed', async () => {
    const body = 'a 1\n'.repeat(1000);
    const url = await serve((_, response) => {
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync(body));
    });
    expect((await get(url)).text).toBe(body);
  });

  test('goes over kept connections, one after another', async () => {
    const ports = new Set<number>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort!);
      response.end('a 1\n');
    });
    const client = clientOf();
    for (let i = 0; i < 5; i++) {
      await client.request({ url, timeoutMs: 5000 });
      // A connection is free again one turn after its answer was handed over.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  test('is asked for once more when a kept connection turns out to be closed', async () => {
    let connections = 0;
    const url = await serveRaw((socket) => {
      const isFirst = ++connections === 1;
      let requests = 0;
      socket.on('data', () => {
        if (isFirst && ++requests === 2) return socket.destroy();
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n');
      });
    });
    const client = clientOf();
    await client.request({ url, timeoutMs: 5000 });
    const again = await client.request({ url, timeoutMs: 5000 });
    expect(again.status).toBe(200);
    expect(connections).toBe(2);
  });
});

describe('a hostile target', () => {
  test('an answer that lies there unread when the deadline passes still counts', async () => {
    const url = await serve((_, response) => {
      response.end('in time');
      // The thread has other work, until long after the deadline.
      const endMs = performance.now() + 400;
      while (performance.now() < endMs);
    });
    const client = clientOf({});
    const { body } = await client.request({ url, timeoutMs: 200 });
    expect(Buffer.from(body).toString()).toBe('in time');
  });

  test('that never answers is left at the deadline', async () => {
    const url = await serveRaw(() => {});
    const error = await failure(url, {}, { timeoutMs: 150 });
    expect(error.message).toBe(`Get "${url}": context deadline exceeded`);
    expect(error.kind).toBe('timeout');
  });

  test('that sends a byte now and then is left at the deadline', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const startMs = performance.now();
    const error = await failure(url, {}, { timeoutMs: 200 });
    expect(error.message).toBe('context deadline exceeded');
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  test('that never ends is cut off at the size limit', async () => {
    let isClosed = false;
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'a');
      const push = () => {
        while (response.writable && response.write(chunk));
      };
      response.on('drain', push);
      response.on('close', () => (isClosed = true));
      push();
    });
    const error = await failure(url, {}, { bodySizeLimitBytes: 1_000_000 });
    expect(error.message).toBe('body size limit exceeded');
    expect(error.kind).toBe('too-large');
    await expect.poll(() => isClosed).toBe(true);
  });

  test('that sends a bomb is stopped while it unfolds', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(300_000);
    const url = await serve((_, response) => {
      response.setHeader('Content-Encoding', 'gzip').end(bomb);
    });
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure(url, {}, { bodySizeLimitBytes: 1_000_000 });
    expect(error.message).toBe('body size limit exceeded');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
  });

  test.each([
    ['that closes before answering', (socket: Socket) => socket.destroy(), 'Get "URL": EOF'],
    [
      'that resets the connection',
      (socket: Socket) => socket.resetAndDestroy(),
      'Get "URL": read: connection reset by peer',
    ],
    [
      'that does not speak HTTP',
      (socket: Socket) => socket.end('hello world\r\n\r\n'),
      'Get "URL": net/http: HTTP/1.x transport connection broken: malformed HTTP response',
    ],
    [
      'that stops in the middle',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n'),
      'unexpected EOF',
    ],
    [
      'that chunks wrongly',
      (socket: Socket) =>
        socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\na 1\n'),
      'invalid byte in chunk length',
    ],
  ])('%s fails clearly', async (_, misbehave, message) => {
    const url = await serveRaw((socket) => socket.once('data', () => misbehave(socket)));
    expect((await failure(url)).message).toBe(message.replace('URL', url));
  });

  test('that announces gzip and sends something else fails clearly', async () => {
    const url = await serve((_, response) => {
      response.setHeader('Content-Encoding', 'gzip').end('a 1\nand so on, long enough\n');
    });
    expect((await failure(url)).message).toBe('gzip: invalid header');
    const cut = await serve((_, response) => {
      response.setHeader('Content-Encoding', 'gzip').end(gzipSync('a 1\n').subarray(0, 15));
    });
    expect((await failure(cut)).message).toBe('unexpected EOF');
  });

  test('does no harm to another one', async () => {
    const stuck = await serveRaw(() => {});
    const good = await serve((_, response) => response.end('a 1\n'));
    const client = clientOf();
    const waiting = client.request({ url: stuck, timeoutMs: 400 }).catch(() => 'failed');
    const startMs = performance.now();
    await client.request({ url: good, timeoutMs: 5000 });
    expect(performance.now() - startMs).toBeLessThan(300);
    expect(await waiting).toBe('failed');
  });
});

describe('an address', () => {
  test('where nobody listens is refused', async () => {
    const url = await serve(() => {});
    for (const close of closers.splice(0)) await close();
    const error = await failure(`${url}/metrics`);
    const address = url.slice('http://'.length);
    expect(error.message).toBe(
      `Get "${url}/metrics": dial tcp ${address}: connect: connection refused`,
    );
  });

  test.each([
    ['http://127.0.0.1:abc/m', 'parse "http://127.0.0.1:abc/m": invalid port ":abc" after host'],
    [
      'http://127.0.0.1:99999/m',
      'Get "http://127.0.0.1:99999/m": dial tcp: address 99999: invalid port',
    ],
    ['ftp://127.0.0.1/m', 'Get "ftp://127.0.0.1/m": unsupported protocol scheme "ftp"'],
    ['//127.0.0.1/m', 'Get "//127.0.0.1/m": unsupported protocol scheme ""'],
    ['http://a%20b:80/m', 'parse "http://a%20b:80/m": invalid URL escape "%20"'],
  ])('%s fails as in Prometheus', async (url, message) => {
    expect((await failure(url)).message).toBe(message);
  });

  test('keeps the escapes of its path', async () => {
    let asked = '';
    const url = await serve((request, response) => {
      asked = request.url!;
      response.end();
    });
    await get(`${url}/c/8%3Fx=1&a=9?a=z&b=%C3%A9+%26#fragment`);
    expect(asked).toBe('/c/8%3Fx=1&a=9?a=z&b=%C3%A9+%26');
  });
});

describe('a redirect', () => {
  test('is followed, but not more than ten times', async () => {
    const url = await serve((request, response) => {
      const count = Number(request.url!.slice(1));
      if (count === 0) return response.end('arrived');
      return response.writeHead(302, { Location: `/${count - 1}` }).end();
    });
    expect((await get(`${url}/9`)).text).toBe('arrived');
    expect((await failure(`${url}/10`)).message).toBe('Get "/0": stopped after 10 redirects');
    expect((await get(`${url}/1`, { followRedirects: false })).status).toBe(302);
  });

  test('does not carry credentials to another host', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers['x-key'] as string | undefined);
      response.end('ok');
    });
    const here = await serve((request, response) => {
      if (request.url === '/away') return response.writeHead(307, { Location: elsewhere }).end();
      if (request.url === '/near') return response.writeHead(307, { Location: '/end' }).end();
      seen.push(request.headers.authorization, request.headers['x-key'] as string | undefined);
      return response.end('ok');
    });
    const config = {
      authorization: { type: 'Bearer', credentials: 'secret', credentialsFile: '' },
      httpHeaders: { 'X-Key': { values: [], secrets: ['hidden'], files: [] } },
    };
    await get(`${here}/near`, config);
    await get(`${here}/away`, config);
    expect(seen).toEqual(['Bearer secret', 'hidden', undefined, undefined]);
  });
});

describe('credentials', () => {
  async function headersWith(config: Partial<HttpClientConfig>) {
    const seen: IncomingMessage['headers'][] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    const client = clientOf(config);
    return async () => {
      await client.request({ url, timeoutMs: 5000 });
      return seen.at(-1)!;
    };
  }

  test('come from the configuration', async () => {
    const basic = await headersWith({
      basicAuth: { username: 'u', usernameFile: '', password: 'pä', passwordFile: '' },
    });
    expect((await basic()).authorization).toBe(`Basic ${Buffer.from('u:pä').toString('base64')}`);
    const custom = await headersWith({
      authorization: { type: 'Token', credentials: 'abc', credentialsFile: '' },
      httpHeaders: { 'X-Many': { values: ['a', 'b'], secrets: ['c'], files: [] } },
    });
    const headers = await custom();
    expect(headers.authorization).toBe('Token abc');
    expect(headers['x-many']).toBe('a, b, c');
    expect(headers['user-agent']).toBe('Narthex/test');
  });

  test('come from files, which are read again', async () => {
    const file = path.join(folder, 'password');
    writeFileSync(file, 'first\n');
    const ask = await headersWith({
      basicAuth: { username: 'u', usernameFile: '', password: '', passwordFile: file },
    });
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    expect((await ask()).authorization).toBe(basic('u:first'));
    writeFileSync(file, 'second\n');
    await clock.advance(2000);
    expect((await ask()).authorization).toBe(basic('u:second'));
    rmSync(file);
    await clock.advance(2000);
    await expect(ask()).rejects.toThrow(`unable to read password file ${file}`);
  });

  test('come by OAuth 2.0 client credentials, once as long as a token lasts', async () => {
    const asked: { authorization: string | undefined; form: URLSearchParams }[] = [];
    const tokenUrl = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        asked.push({
          authorization: request.headers.authorization,
          form: new URLSearchParams(body),
        });
        response.setHeader('Content-Type', 'application/json');
        const token = `token-${asked.length}`;
        response.end(JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: 60 }));
      });
    });
    const ask = await headersWith({
      oauth2: {
        ...DEFAULT_OAUTH2_CONFIG,
        clientId: 'me',
        clientSecret: 'word',
        scopes: ['a', 'b'],
        endpointParams: { tenant: 't' },
        tokenUrl,
      },
    });
    expect((await ask()).authorization).toBe('Bearer token-1');
    expect((await ask()).authorization).toBe('Bearer token-1');
    expect(asked).toHaveLength(1);
    expect(asked[0]!.authorization).toBe(`Basic ${Buffer.from('me:word').toString('base64')}`);
    expect(Object.fromEntries(asked[0]!.form)).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      tenant: 't',
    });
    await clock.advance(55_000);
    expect((await ask()).authorization).toBe('Bearer token-2');
  });

  test('come anew when a token is refused before its time', async () => {
    let tokens = 0;
    const tokenUrl = await serve((_, response) => {
      response.end(JSON.stringify({ access_token: `token-${++tokens}`, expires_in: 3600 }));
    });
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.statusCode = request.headers.authorization === 'Bearer token-1' ? 401 : 200;
      response.end();
    });
    const client = clientOf({ oauth2: { ...DEFAULT_OAUTH2_CONFIG, clientId: 'me', tokenUrl } });
    for (const status of [401, 200, 200]) {
      expect((await client.request({ url, timeoutMs: 5000 })).status).toBe(status);
    }
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
  });

  test('come by a signed statement', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    let assertion = '';
    const tokenUrl = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        assertion = new URLSearchParams(body).get('assertion')!;
        response.end(JSON.stringify({ access_token: 'signed' }));
      });
    });
    const ask = await headersWith({
      oauth2: {
        ...DEFAULT_OAUTH2_CONFIG,
        clientId: 'me',
        grantType: OAUTH2_JWT_BEARER,
        clientCertificateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        clientCertificateKeyId: 'key-1',
        signatureAlgorithm: 'RS384',
        claims: { team: 'x' },
        tokenUrl,
      },
    });
    expect((await ask()).authorization).toBe('Bearer signed');
    const [header, payload, signature] = assertion.split('.') as [string, string, string];
    const decode = (part: string) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
    expect(decode(header)).toEqual({ alg: 'RS384', typ: 'JWT', kid: 'key-1' });
    expect(decode(payload)).toMatchObject({ iss: 'me', sub: 'me', aud: tokenUrl, team: 'x' });
    const verify = createVerify('RSA-SHA384').update(`${header}.${payload}`);
    expect(verify.verify(publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('that cannot be had fail the request', async () => {
    const tokenUrl = await serve((_, response) => {
      response.writeHead(401).end('no');
    });
    const url = await serve((_, response) => response.end());
    const oauth2 = { ...DEFAULT_OAUTH2_CONFIG, clientId: 'me', tokenUrl };
    expect((await failure(url, { oauth2 })).message).toContain(
      'oauth2: cannot fetch token: 401 Unauthorized',
    );
  });
});

describe('TLS', () => {
  const tls = { ...DEFAULT_TLS_CONFIG };

  test('needs a known authority, the right name, and goes without both when told so', async () => {
    const url = await serveTls(
      { key: pem('server.key'), cert: pem('server.pem') },
      (_, response) => {
        response.end('secure');
      },
    );
    expect((await failure(url)).message).toContain(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
    const ca = pem('ca.pem');
    expect((await get(url, { tls: { ...tls, ca } })).text).toBe('secure');
    const caFile = path.join(files, 'ca.pem');
    expect((await get(url, { tls: { ...tls, caFile } })).text).toBe('secure');
    expect((await get(url, { tls: { ...tls, insecureSkipVerify: true } })).text).toBe('secure');
    const wrong = await failure(url, { tls: { ...tls, ca, serverName: 'example.org' } });
    expect(wrong.message).toContain('x509: certificate is valid for localhost, 127.0.0.1');
    expect(wrong.kind).toBe('tls');
    const named = { ...tls, ca, serverName: 'localhost' };
    expect((await get(url, { tls: named })).text).toBe('secure');
  });

  test('shows a client certificate', async () => {
    const url = await serveTls(
      {
        key: pem('server.key'),
        cert: pem('server.pem'),
        ca: pem('ca.pem'),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_, response) => response.end('welcome'),
    );
    const ca = pem('ca.pem');
    const withCertificate = { ...tls, ca, cert: pem('client.pem'), key: pem('client.key') };
    expect((await get(url, { tls: withCertificate })).text).toBe('welcome');
    expect((await failure(url, { tls: { ...tls, ca } })).message).toMatch(/^Get "/);
  });

  test('keeps to the versions that are allowed', async () => {
    const served = { key: pem('server.key'), cert: pem('server.pem') };
    const old = await serveTls({ ...served, maxVersion: 'TLSv1.2' }, (_, response) =>
      response.end('old'),
    );
    const ca = pem('ca.pem');
    expect((await get(old, { tls: { ...tls, ca } })).text).toBe('old');
    expect((await get(old, { tls: { ...tls, ca, maxVersion: 'TLS12' } })).text).toBe('old');
    const tooOld = await failure(old, { tls: { ...tls, ca, minVersion: 'TLS13' } });
    expect(tooOld.kind).toBe('tls');
    const modern = await serveTls({ ...served, minVersion: 'TLSv1.3' }, (_, response) =>
      response.end('new'),
    );
    expect((await get(modern, { tls: { ...tls, ca } })).text).toBe('new');
    expect((await failure(modern, { tls: { ...tls, ca, maxVersion: 'TLS12' } })).kind).toBe('tls');
  });

  test('takes a renewed certificate authority from its file', async () => {
    const url = await serveTls(
      { key: pem('server.key'), cert: pem('server.pem') },
      (_, response) => {
        response.setHeader('Connection', 'close');
        response.end('secure');
      },
    );
    const caFile = path.join(folder, 'ca.pem');
    writeFileSync(caFile, pem('client.pem'));
    const client = clientOf({ tls: { ...tls, caFile } });
    const ask = () => client.request({ url, timeoutMs: 5000 });
    await expect(ask()).rejects.toThrow('certificate');
    writeFileSync(caFile, pem('ca.pem'));
    await clock.advance(1000);
    expect((await ask()).status).toBe(200);
    rmSync(caFile);
    await clock.advance(1000);
    await expect(ask()).rejects.toThrow(`unable to read CA certificate ${caFile}`);
  });

  test('is not what an HTTP port speaks', async () => {
    const url = await serve((_, response) => response.end());
    const error = await failure(url.replace('http:', 'https:'));
    expect(error.message).toContain('http: server gave HTTP response to HTTPS client');
  });
});

describe('a Unix socket', () => {
  test('stands for every host', async () => {
    const socketPath = path.join(folder, 'http.sock');
    const server = createServer((request, response) => {
      response.end(`${request.headers.host} ${request.url}`);
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const client = new HttpClient(DEFAULT_HTTP_CLIENT_CONFIG, {
      clock,
      userAgent: 'test',
      socketPath,
    });
    closers.push(() => client.close());
    const { body } = await client.request({ url: 'http://docker/a?b', timeoutMs: 5000 });
    expect(Buffer.from(body).toString()).toBe('docker /a?b');
  });
});

describe('a body taken as it comes', () => {
  test('may be longer than any limit, and is none when the status is bad', async () => {
    let status = 200;
    const url = await serve((_, response) => {
      response.statusCode = status;
      response.write('one\n');
      setTimeout(() => response.end('two\n'), 20);
    });
    let seen = '';
    const onData = (chunk: Uint8Array) => (seen += Buffer.from(chunk).toString());
    const client = clientOf();
    const ask = () => client.request({ url, timeoutMs: 5000, bodySizeLimitBytes: 5, onData });
    expect((await ask()).body.length).toBe(0);
    expect(seen).toBe('one\ntwo\n');
    status = 500;
    expect(Buffer.from((await ask()).body).toString()).toBe('one\ntwo\n');
    expect(seen).toBe('one\ntwo\n');
  });
});

describe('a proxy', () => {
  test('is asked for plain requests by absolute URL', async () => {
    let asked = '';
    const proxyUrl = await serve((request, response) => {
      asked = request.url!;
      response.end('by proxy');
    });
    const proxy = { ...DEFAULT_PROXY_CONFIG, proxyUrl };
    expect((await get('http://unknown.invalid:9100/metrics', { proxy })).text).toBe('by proxy');
    expect(asked).toBe('http://unknown.invalid:9100/metrics');
  });

  test('tunnels encrypted ones, with the headers configured for it', async () => {
    const target = await serveTls(
      { key: pem('server.key'), cert: pem('server.pem') },
      (_, response) => response.end('through'),
    );
    let connectHeader: string | undefined;
    const server = createServer();
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      connectHeader = request.headers['x-tunnel'] as string | undefined;
      const [host, port] = request.url!.split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      closers.push(() => upstream.destroy());
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    const proxyUrl = `http://${await listen(server)}`;
    const proxyConnectHeaders = { 'X-Tunnel': ['yes'] };
    const proxy = { ...DEFAULT_PROXY_CONFIG, proxyUrl, proxyConnectHeaders };
    const tls = { ...DEFAULT_TLS_CONFIG, ca: pem('ca.pem') };
    expect((await get(target, { proxy, tls })).text).toBe('through');
    expect(connectHeader).toBe('yes');
  });

  test('is left out for hosts in no_proxy', async () => {
    const url = await serve((_, response) => response.end('direct'));
    const proxy = {
      ...DEFAULT_PROXY_CONFIG,
      proxyUrl: 'http://127.0.0.1:1',
      noProxy: '127.0.0.0/8',
    };
    expect((await get(url, { proxy })).text).toBe('direct');
  });

  test.each([
    ['http://a.example.org/', 'example.org', true],
    ['http://example.org/', 'example.org', true],
    ['http://example.org/', '.example.org', false],
    ['http://a.example.org/', '.example.org', true],
    ['http://badexample.org/', 'example.org', false],
    ['http://example.org:8080/', 'example.org:8080', true],
    ['http://example.org/', 'example.org:8080', false],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://[fd00::1]/', 'fd00::/8', true],
    ['http://10.1.2.3/', 'x, 10.1.2.3', true],
    ['http://anything/', '*', true],
  ])('%s is excepted by %s: %s', (url, exceptions, expected) => {
    expect(isExcepted(new URL(url), exceptions)).toBe(expected);
  });
});
