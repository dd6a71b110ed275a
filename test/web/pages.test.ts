import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebOptions } from '../../web/index.ts';
import { fakeHouse } from './fake-house.ts';

const SCRIPT = 'console.log("hello")';
const NAME = 'assets/index-1a2b3c.js';
let uiDirectory = '';

beforeAll(() => {
  uiDirectory = mkdtempSync(path.join(tmpdir(), 'narthex-ui-'));
  mkdirSync(path.join(uiDirectory, 'assets'));
  const page = '<html><head><!--narthex-base--></head></html>';
  writeFileSync(path.join(uiDirectory, 'index.html'), page);
  writeFileSync(path.join(uiDirectory, 'favicon.svg'), '<svg/>');
  writeFileSync(path.join(uiDirectory, NAME), SCRIPT);
  writeFileSync(path.join(uiDirectory, `${NAME}.br`), brotliCompressSync(SCRIPT));
  writeFileSync(path.join(uiDirectory, 'secret.key'), 'no');
});
afterAll(() => rmSync(uiDirectory, { recursive: true }));

const house = (options: Partial<WebOptions> = {}) => fakeHouse({}, { uiDirectory, ...options });

describe('the user interface', () => {
  test.each([
    '/query',
    '/alerts',
    '/targets',
    '/rules',
    '/status',
    '/tsdb-status',
    '/flags',
    '/config',
    '/service-discovery',
    '/alertmanager-discovery',
  ])('serves its page at %s', async (url) => {
    const response = await house().app.inject(`${url}?a=b`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(response.headers['cache-control']).toBe('no-cache');
    expect(response.payload).toBe(
      '<html><head><script>window.__NARTHEX_BASE__="";window.__NARTHEX_TITLE__="Narthex"</script>' +
        '</head></html>',
    );
  });

  test('is told the address that browsers see, and its title, safely', async () => {
    const { app } = house({
      routePrefix: '/pfx',
      externalUrl: new URL('http://ext.example/prom/'),
      pageTitle: '</script><b>$&',
    });
    const { payload } = await app.inject('/pfx/query');
    expect(payload).toContain('window.__NARTHEX_BASE__="/prom"');
    expect(payload).toContain('window.__NARTHEX_TITLE__="\\u003c/script>\\u003cb>$&"');
  });

  test('sends hashed files for keeps, compressed where they were before', async () => {
    const { app } = house();
    const plain = await app.inject(`/${NAME}`);
    expect(plain.payload).toBe(SCRIPT);
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
    });
    const headers = { 'accept-encoding': 'gzip, br' };
    const small = await app.inject({ url: `/${NAME}`, headers });
    expect(small.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(small.rawPayload).toString()).toBe(SCRIPT);
  });

  test('sends other files anew when they changed', async () => {
    const { app } = house();
    const first = await app.inject('/favicon.svg');
    expect(first.headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'no-cache',
    });
    const headers = { 'if-none-match': first.headers.etag as string };
    const again = await app.inject({ url: '/favicon.svg', headers });
    expect([again.statusCode, again.payload]).toEqual([304, '']);
  });

  test.each([
    '/assets/nope.js',
    '/assets/../secret.key',
    '/assets/..%2fsecret.key',
    '/assets/%2e%2e/%2e%2e/etc/passwd',
    '/favicon.ico',
    '/secret.key',
  ])('has nothing at %s', async (url) => {
    expect((await house().app.inject(url)).statusCode).not.toBe(200);
  });

  test('says how to build it when it is not there, and is found as soon as it is', async () => {
    const directory = path.join(uiDirectory, 'later');
    const { app } = house({ uiDirectory: directory });
    const before = await app.inject('/query');
    expect(before.statusCode).toBe(200);
    expect(before.payload).toContain('npm run build');
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'index.html'), 'built');
    expect((await app.inject('/query')).payload).toBe('built');
  });
});

describe('files of the user', () => {
  test('are served below /user', async () => {
    const { app } = house({ userAssetsDirectory: path.join(uiDirectory, 'assets') });
    const response = await app.inject('/user/index-1a2b3c.js');
    expect(response.payload).toBe(SCRIPT);
    expect(response.headers['content-type']).toBe('text/javascript; charset=utf-8');
  });

  test.each(['/user/', '/user/nope', '/user/..%2fsecret.key', '/user/%2e%2e/secret.key'])(
    'are not left by %s',
    async (url) => {
      const { app } = house({ userAssetsDirectory: path.join(uiDirectory, 'assets') });
      expect((await app.inject(url)).statusCode).not.toBe(200);
    },
  );

  test('are none without the flag', async () => {
    expect((await house().app.inject('/user/index-1a2b3c.js')).statusCode).toBe(404);
  });
});
