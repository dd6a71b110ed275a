/** The same web configuration for a real Prometheus and for ours: clients get in, or not, alike. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { JUDGE_BINARY } from '../support/judge.ts';
import { onPath } from '../support/installed.ts';
import { type TestServer, until } from '../src/support/server.ts';
import { serversOfTests } from '../src/support/servers.ts';

const run = promisify(execFile);
const CURL = onPath('curl');
const FILES = path.resolve(import.meta.dirname, '../web/files');
const file = (name: string) => path.join(FILES, `${name}.pem`);
const HASH = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
const tls = (more = '') =>
  `tls_server_config: {cert_file: ${file('localhost.cert')}, key_file: ${file('localhost.key')}${more}}\n`;
const pair = (name: string) => ['--cert', file(`${name}.cert`), '--key', file(`${name}.key`)];
const CA = `client_ca_file: ${file('localhost.cert')}`;

const { create } = serversOfTests();

async function started(config: string, program?: readonly string[]): Promise<TestServer> {
  const server = await create('scrape_configs: []\n', program);
  server.writeFile('web.yml', config);
  server.start(`--web.config.file=${path.join(server.folder, 'web.yml')}`);
  await until('it is ready', () => server.log.includes('Server is ready to receive'));
  return server;
}

/** Status, version and some headers of what curl gets; only that it failed when it did. */
async function curl(server: TestServer, route: string, options: readonly string[]) {
  const format = '%{http_code} %{http_version} %header{www-authenticate} %header{x-frame-options}';
  const url = `https://127.0.0.1:${server.port}${route}`;
  try {
    const { stdout } = await run(CURL!, ['-sk', '-w', format, ...options, url]);
    return stdout;
  } catch {
    return 'failed';
  }
}

const CASES: readonly (readonly [config: string, options: readonly (readonly string[])[]])[] = [
  [
    `${tls()}basic_auth_users: {alice: ${HASH}}\n`,
    [
      [],
      ['-u', 'alice:secret'],
      ['-u', 'alice:wrong'],
      ['-u', 'bob:secret'],
      ['-u', 'alice:secret', '--http1.1'],
      ['-u', 'alice:secret', '--tls-max', '1.2'],
      ['-H', 'Authorization: Bearer x'],
    ],
  ],
  [
    tls(`, client_auth_type: RequireAndVerifyClientCert, ${CA}`),
    [[], pair('localhost'), pair('other')],
  ],
  [
    tls(`, client_auth_type: VerifyClientCertIfGiven, ${CA}`),
    [[], pair('localhost'), pair('other')],
  ],
  [tls(', client_auth_type: RequireAnyClientCert'), [[], pair('other')]],
  [
    `${tls(', min_version: TLS13')}http_server_config: {http2: false, headers: {X-Frame-Options: deny}}\n`,
    [[], ['--tls-max', '1.2']],
  ],
  [
    tls(', max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]'),
    [
      [],
      ['--ciphers', 'ECDHE-RSA-AES128-GCM-SHA256'],
      ['--ciphers', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ],
  ],
];

describe.skipIf(JUDGE_BINARY === null || CURL === null)('a web configuration', () => {
  test.each(CASES)('%s', { timeout: 60_000 }, async (config, requests) => {
    const judge = await started(config, [JUDGE_BINARY!]);
    const ours = await started(config);
    for (const options of requests) {
      for (const route of ['/-/healthy', '/api/v1/query?query=', '/nope']) {
        const expected = await curl(judge, route, options);
        expect(await curl(ours, route, options), `${options.join(' ')} ${route}`).toBe(expected);
      }
    }
  });
});
