/** What a kubeconfig file says, shown by the requests that a small API server receives. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Clock, Registry } from '../../../model/index.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG, DiscoveryManager } from '../../../scrape/index.ts';

const FILES = path.join(import.meta.dirname, '../http/files');
const POLL = { timeout: 5000, interval: 20 };
let folder: string;
let api: Server | null = null;
let manager: DiscoveryManager | null = null;
/** Of each request for a list, what it said about who asks. */
let shown: (string | undefined)[] = [];
let accepted = '';

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-kubeconfig-'));
  shown = [];
  const pem = (name: string) => readFileSync(path.join(FILES, name));
  api = createServer({ cert: pem('server.pem'), key: pem('server.key') }, (request, response) => {
    const { authorization } = request.headers;
    const isWatch = request.url!.includes('watch=true');
    if (!isWatch) shown.push(authorization);
    response.statusCode = authorization === accepted ? 200 : 401;
    if (isWatch) return response.write(' ');
    return response.end(
      JSON.stringify({
        metadata: { resourceVersion: '1' },
        items: [
          {
            metadata: { name: 'n' },
            status: {
              addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
              daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
            },
          },
        ],
      }),
    );
  });
  await new Promise<void>((resolve) => api!.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  manager?.stop();
  manager = null;
  api?.closeAllConnections();
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(delayMs, 50));
      signal?.addEventListener('abort', () => clearTimeout(timer));
    }),
};

/** Starts discovery with a kubeconfig file of this user. */
function discover(user: object) {
  const server = `https://127.0.0.1:${(api!.address() as AddressInfo).port}`;
  const config = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user }],
  };
  const file = path.join(folder, 'config');
  writeFileSync(file, JSON.stringify(config));
  const registry = new Registry();
  const started = new DiscoveryManager({
    clock,
    registry,
    userAgent: 'test',
    parseYaml: (text) => parseYaml(text) as unknown,
    onTargets: () => {},
    updateIntervalMs: 1,
  });
  manager = started;
  started.applyConfig(
    new Map([
      [
        'job',
        [
          {
            kind: 'platform',
            mechanism: 'kubernetes',
            settings: {
              role: 'node',
              api_server: '',
              kubeconfig_file: file,
              namespaces: { own_namespace: false, names: [] },
              selectors: [],
              attach_metadata: {},
            },
            httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
          },
        ],
      ],
    ]),
  );
  const value = (name: string) =>
    registry
      .snapshot()
      .find((family) => family.name === name)!
      .samples.reduce((sum, sample) => sum + sample.value, 0);
  return {
    found: () =>
      started
        .groupsOf('job')
        .flatMap(({ targets }) => targets.map(({ __address__: address }) => address)),
    value,
  };
}

/** A command that prints a credential, one per call, and writes down what it was told. */
function command(statuses: readonly object[]): object {
  const file = path.join(folder, 'login.sh');
  const answers = statuses.map((status) =>
    JSON.stringify({ apiVersion: VERSION, kind: 'ExecCredential', status }),
  );
  const script = answers.map((answer, index) => `[ $calls = ${index + 1} ] && echo '${answer}'`);
  writeFileSync(
    file,
    `#!/bin/sh
cd "${folder}"
echo "$1 $WHO $KUBERNETES_EXEC_INFO" >> calls
calls=$(wc -l < calls | tr -d ' ')
[ $calls -gt ${answers.length} ] && calls=${answers.length}
${script.join('\n')}
exit 0
`,
  );
  chmodSync(file, 0o755);
  return {
    exec: {
      apiVersion: VERSION,
      command: './login.sh',
      args: ['get'],
      env: [{ name: 'WHO', value: 'me' }],
      interactiveMode: 'IfAvailable',
      provideClusterInfo: true,
    },
  };
}
const VERSION = 'client.authentication.k8s.io/v1';
const calls = () => readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');

describe('a command for credentials', () => {
  test('is asked once, and told about the cluster', async () => {
    accepted = 'Bearer one';
    const { found } = discover(command([{ token: 'one' }]));
    await expect.poll(found, POLL).toEqual(['10.0.0.1:10250']);
    const [call] = calls();
    expect(call).toMatch(/^get me \{/);
    const info = JSON.parse(call!.slice('get me '.length)) as object;
    const server = `https://127.0.0.1:${(api!.address() as AddressInfo).port}`;
    expect(info).toEqual({
      kind: 'ExecCredential',
      apiVersion: VERSION,
      spec: {
        interactive: false,
        cluster: { server, 'insecure-skip-tls-verify': true, config: null },
      },
    });
    expect(calls().length).toBe(1);
  });

  test('is asked again when what it gave is refused, or has ended', async () => {
    accepted = 'Bearer three';
    const { found } = discover(
      command([
        { token: 'one' },
        { token: 'two', expirationTimestamp: '2001-01-01T00:00:00Z' },
        { token: 'three' },
      ]),
    );
    await expect.poll(found, POLL).toEqual(['10.0.0.1:10250']);
    expect(shown[0]).toBe('Bearer one');
    expect(shown.at(-1)).toBe('Bearer three');
  });

  test.each([
    ['fails', { command: 'false' }],
    ['does not exist', { command: './missing' }],
    ['prints no credential', { command: 'echo', args: ['{}'] }],
    ['prints no JSON', { command: 'echo', args: ['token'] }],
  ])('that %s leaves discovery without targets and is counted', async (_, exec) => {
    const { value } = discover({ exec: { apiVersion: VERSION, ...exec } });
    await expect.poll(() => value('prometheus_sd_refresh_failures_total'), POLL).toBeGreaterThan(0);
    expect(shown).toEqual([]);
  });
});

test.each([
  ['an authentication provider', { 'auth-provider': { name: 'oidc' } }],
  ['a command of another version', { exec: { apiVersion: 'v0', command: 'x' } }],
  ['no command', { exec: { apiVersion: VERSION } }],
  [
    'a command that wants a terminal',
    { exec: { apiVersion: VERSION, command: 'x', interactiveMode: 'Always' } },
  ],
])('%s cannot be started with', async (_, user) => {
  const { value } = discover(user);
  await expect.poll(() => value('prometheus_sd_failed_configs'), POLL).toBe(1);
});

test('a token is shown', async () => {
  accepted = 'Bearer fixed';
  const { found } = discover({ token: 'fixed' });
  await expect.poll(found, POLL).toEqual(['10.0.0.1:10250']);
});
