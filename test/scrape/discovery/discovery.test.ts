/** Discovery against real files, real web services and a real (small) name server. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Clock, Registry, SimulatedClock } from '../../../model/index.ts';
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  type DiscoveryConfig,
  DiscoveryManager,
  type DiscoveryManagerOptions,
  parseTargetGroups,
  type TargetGroup,
} from '../../../scrape/index.ts';
import { namesToTry, parseSearchConfig } from '../../../scrape/discovery/dns.ts';
import { type DnsTable, serveDns } from '../support/dns-stub.ts';

let folder: string;
let closers: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-discovery-'));
});
afterEach(() => {
  for (const close of closers.toReversed()) close();
  closers = [];
  rmSync(folder, { recursive: true, force: true });
});

const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      signal?.addEventListener('abort', () => clearTimeout(timer));
    }),
};

/** A manager that notes what it passes on, with no time to lose between updates. */
function discover(options: Partial<DiscoveryManagerOptions> = {}) {
  const updates: { jobName: string; groups: readonly TargetGroup[] }[] = [];
  const registry = new Registry();
  const manager = new DiscoveryManager({
    clock: realClock,
    userAgent: 'test',
    registry,
    parseYaml: (text) => parseYaml(text) as unknown,
    onTargets: (jobName, groups) => updates.push({ jobName, groups }),
    updateIntervalMs: 1,
    ...options,
  });
  closers.push(() => manager.stop());
  const value = (name: string) =>
    registry.snapshot().find((family) => family.name === name)!.samples[0]?.value;
  return { manager, updates, value };
}

function apply(manager: DiscoveryManager, ...discovery: DiscoveryConfig[]): void {
  manager.applyConfig(new Map([['job', discovery]]));
}

/** Addresses of the newest list. */
function addresses(manager: DiscoveryManager): string[] {
  return manager
    .groupsOf('job')
    .flatMap(({ targets }) => targets.map(({ __address__: address }) => address!))
    .sort();
}

const staticConfig = (...targets: string[]): DiscoveryConfig => ({
  kind: 'static',
  groups: [{ source: '0', labels: {}, targets: targets.map((one) => ({ __address__: one })) }],
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd`;
}

describe('the manager', () => {
  test('passes on the lists of all mechanisms of a job together', async () => {
    const { manager, updates } = discover();
    apply(manager, staticConfig('a:1'), staticConfig('b:1'));
    await expect.poll(() => updates.length).toBe(1);
    const { groups } = updates[0]!;
    expect(groups.map(({ source }) => source)).toEqual(['0/0', '1/0']);
    expect(addresses(manager)).toEqual(['a:1', 'b:1']);
  });

  test('tells of a job without targets, and of one that loses them', async () => {
    const { manager, updates } = discover();
    apply(manager);
    await expect.poll(() => updates).toEqual([{ jobName: 'job', groups: [] }]);
    apply(manager, staticConfig('a:1'));
    await expect.poll(() => updates.at(-1)!.groups.length).toBe(1);
    apply(manager);
    await expect.poll(() => updates.at(-1)!.groups.length).toBe(0);
  });

  test('passes changes on at growing distances while they keep coming', async () => {
    const clock = new SimulatedClock(1_000_000);
    const times: number[] = [];
    const { manager } = discover({
      clock,
      updateIntervalMs: 5000,
      onTargets: () => times.push(clock.nowMs() - 1_000_000),
    });
    for (let i = 0; i < 300; i++) {
      apply(manager, staticConfig(`a:${i}`));
      await clock.advance(100);
    }
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    expect(times[0]).toBe(20);
    expect(gaps[0]).toBeLessThanOrEqual(300);
    expect(gaps.at(-1)).toBe(5000);
    expect(times.length).toBeLessThan(15);
  });

  test('counts what it cannot start, runs the rest, and tries again with the next configuration', async () => {
    const { manager, value, updates } = discover();
    const file = path.join(folder, 'kubeconfig');
    const kubernetes: DiscoveryConfig = {
      kind: 'platform',
      mechanism: 'kubernetes',
      settings: { role: 'node', api_server: '', kubeconfig_file: file },
      httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
    };
    apply(manager, kubernetes, staticConfig('a:1'));
    await expect.poll(() => value('prometheus_sd_failed_configs')).toBe(1);
    await expect.poll(() => updates.length).toBe(1);
    expect(value('prometheus_sd_discovered_targets')).toBe(1);
    apply(manager, staticConfig('a:1'));
    expect(value('prometheus_sd_failed_configs')).toBe(0);
  });
});

describe('files', () => {
  const fileConfig = (refreshIntervalMs = 60_000, pattern = '*.json'): DiscoveryConfig => ({
    kind: 'file',
    files: [path.join(folder, pattern), path.join(folder, 'more.yml')],
    refreshIntervalMs,
  });
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  const targets = (...list: string[]) => JSON.stringify([{ targets: list, labels: { k: 'v' } }]);

  test('are found by pattern, read as JSON or YAML, and named in a label', async () => {
    write('a.json', targets('a:1'));
    write('more.yml', '- targets: ["y:1", "y:2"]\n- labels: {only: labels}\n');
    write('ignored.txt', targets('no:1'));
    const { manager, value } = discover();
    apply(manager, fileConfig());
    await expect.poll(() => addresses(manager)).toEqual(['a:1', 'y:1', 'y:2']);
    const [group] = manager.groupsOf('job');
    const file = path.join(folder, 'a.json');
    expect(group!.labels).toEqual({ k: 'v', __meta_filepath: file });
    expect(group!.source).toBe(`0/${file}:0`);
    expect(value('prometheus_sd_file_mtime_seconds')).toBeGreaterThan(1e9);
  });

  test('are read again when they change, appear, are replaced or vanish', async () => {
    write('a.json', targets('a:1'));
    const { manager } = discover();
    apply(manager, fileConfig());
    await expect.poll(() => addresses(manager)).toEqual(['a:1']);
    write('a.json', targets('a:2'));
    await expect.poll(() => addresses(manager)).toEqual(['a:2']);
    write('b.json', targets('b:1'));
    await expect.poll(() => addresses(manager)).toEqual(['a:2', 'b:1']);
    write('b.tmp', targets('b:2'));
    renameSync(path.join(folder, 'b.tmp'), path.join(folder, 'b.json'));
    await expect.poll(() => addresses(manager)).toEqual(['a:2', 'b:2']);
    rmSync(path.join(folder, 'a.json'));
    await expect.poll(() => addresses(manager)).toEqual(['b:2']);
  });

  test.each([
    ['not JSON', '[{'],
    ['a null group', '[null]'],
    ['an unknown field', '[{"targats": ["a:1"]}]'],
    ['a target that is no text', '[{"targets": [1]}]'],
    ['a label that is no text', '[{"targets": [], "labels": {"a": 1}}]'],
    ['an object', '{"targets": []}'],
  ])('that turn into %s keep what they had', async (_, bad) => {
    write('a.json', targets('a:1'));
    write('b.json', targets('b:1'));
    const { manager, value } = discover();
    apply(manager, fileConfig());
    await expect.poll(() => addresses(manager)).toEqual(['a:1', 'b:1']);
    write('a.json', bad);
    await expect.poll(() => value('prometheus_sd_file_read_errors_total')).toBeGreaterThan(0);
    expect(addresses(manager)).toEqual(['a:1', 'b:1']);
    write('a.json', targets('a:2'));
    await expect.poll(() => addresses(manager)).toEqual(['a:2', 'b:1']);
  });

  test('of a folder that does not exist yet come with the next refresh', async () => {
    const { manager } = discover();
    apply(manager, {
      kind: 'file',
      files: [path.join(folder, 'later', '*.json')],
      refreshIntervalMs: 150,
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    mkdirSync(path.join(folder, 'later'));
    write('later/a.json', targets('a:1'));
    await expect.poll(() => addresses(manager)).toEqual(['a:1']);
  });
});

describe('a web service', () => {
  const httpConfig = (url: string, refreshIntervalMs = 50): DiscoveryConfig => ({
    kind: 'http',
    url,
    refreshIntervalMs,
    httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
  });

  test('is asked at intervals; failures keep the last list', async () => {
    let answer: (response: ServerResponse) => void = (response) => {
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.end('[{"targets": ["a:1"], "labels": {"x": "y"}}]');
    };
    const headers: IncomingMessage['headers'][] = [];
    const url = await serve((request, response) => {
      headers.push(request.headers);
      answer(response);
    });
    const { manager, value } = discover();
    apply(manager, httpConfig(url));
    await expect.poll(() => addresses(manager)).toEqual(['a:1']);
    expect(manager.groupsOf('job')[0]!.labels).toEqual({ x: 'y', __meta_url: url });
    expect(headers[0]).toMatchObject({
      accept: 'application/json',
      'user-agent': 'test',
      'x-prometheus-refresh-interval-seconds': '0.05',
    });

    let failures = 0;
    const bad: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(500).end(),
      (response) => response.setHeader('Content-Type', 'text/plain').end('[]'),
      (response) => response.setHeader('Content-Type', 'application/json').end('{'),
      (response) => response.destroy(),
    ];
    for (const one of bad) {
      answer = one;
      const before = failures;
      await expect
        .poll(() => (failures = value('prometheus_sd_http_failures_total')!))
        .toBeGreaterThan(before + 1);
      expect(addresses(manager)).toEqual(['a:1']);
    }
    answer = (response) => response.setHeader('Content-Type', 'application/json').end('[]');
    await expect.poll(() => addresses(manager)).toEqual([]);
    expect(value('prometheus_sd_refresh_failures_total')).toBeGreaterThan(4);
  });
});

describe('a name server', () => {
  const table: DnsTable = new Map([
    [
      '_web._tcp.example.org',
      [
        { type: 'SRV', target: 'one.example.org', port: 80 },
        { type: 'SRV', target: 'two.example.org', port: 81 },
      ],
    ],
    [
      'hosts.example.org',
      [
        { type: 'A', address: '10.0.0.1' },
        { type: 'MX', target: 'mail.example.org' },
        { type: 'NS', target: 'ns.example.org' },
      ],
    ],
  ]);

  test.each<[DiscoveryConfig & { kind: 'dns' }, Record<string, string>[]]>([
    [
      {
        kind: 'dns',
        names: ['_web._tcp.example.org.'],
        type: 'SRV',
        port: 0,
        refreshIntervalMs: 50,
      },
      [
        {
          __address__: 'one.example.org:80',
          __meta_dns_srv_record_target: 'one.example.org.',
          __meta_dns_srv_record_port: '80',
        },
        {
          __address__: 'two.example.org:81',
          __meta_dns_srv_record_target: 'two.example.org.',
          __meta_dns_srv_record_port: '81',
        },
      ],
    ],
    [
      { kind: 'dns', names: ['hosts.example.org.'], type: 'A', port: 9100, refreshIntervalMs: 50 },
      [{ __address__: '10.0.0.1:9100' }],
    ],
    [
      { kind: 'dns', names: ['hosts.example.org.'], type: 'MX', port: 25, refreshIntervalMs: 50 },
      [{ __address__: 'mail.example.org:25', __meta_dns_mx_record_target: 'mail.example.org.' }],
    ],
    [
      { kind: 'dns', names: ['hosts.example.org.'], type: 'NS', port: 53, refreshIntervalMs: 50 },
      [{ __address__: 'ns.example.org:53', __meta_dns_ns_record_target: 'ns.example.org.' }],
    ],
    [
      { kind: 'dns', names: ['nobody.example.org.'], type: 'A', port: 53, refreshIntervalMs: 50 },
      [],
    ],
  ])('is asked for %j', async (config, expected) => {
    const { address, close } = await serveDns(table);
    closers.push(close);
    const { manager } = discover({ dnsServers: [address] });
    apply(manager, config);
    await expect.poll(() => manager.groupsOf('job').length).toBe(1);
    const [group] = manager.groupsOf('job');
    expect(group).toEqual({
      source: `0/${config.names[0]!}`,
      labels: { __meta_dns_name: config.names[0]! },
      targets: expected,
    });
  });

  test('that fails keeps the last list of the name', async () => {
    const changing: DnsTable = new Map([['a.org', [{ type: 'A', address: '10.0.0.1' }]]]);
    const { address, close } = await serveDns(changing);
    closers.push(close);
    const { manager, value } = discover({ dnsServers: [address] });
    apply(manager, { kind: 'dns', names: ['a.org.'], type: 'A', port: 1, refreshIntervalMs: 50 });
    await expect.poll(() => addresses(manager)).toEqual(['10.0.0.1:1']);
    changing.set('a.org', 'broken');
    await expect.poll(() => value('prometheus_sd_dns_lookup_failures_total')).toBeGreaterThan(0);
    expect(addresses(manager)).toEqual(['10.0.0.1:1']);
    changing.set('a.org', [{ type: 'A', address: '10.0.0.2' }]);
    await expect.poll(() => addresses(manager)).toEqual(['10.0.0.2:1']);
  });

  test.each([
    ['web', 'search a.org b.org', ['web.a.org', 'web.b.org', 'web']],
    ['web.x', 'search a.org', ['web.x', 'web.x.a.org']],
    ['web.x', 'search a.org\noptions ndots:2', ['web.x.a.org', 'web.x']],
    ['web.', 'search a.org', ['web.']],
    ['web', 'nameserver 1.1.1.1', ['web']],
    ['web', 'domain a.org\nsearch b.org.', ['web.b.org', 'web']],
  ])('looks for %s with %j as %j', (name, config, expected) => {
    expect(namesToTry(name, parseSearchConfig(config))).toEqual(expected);
  });
});

test('an empty file is an empty list', () => {
  expect(parseTargetGroups(null, String)).toEqual([]);
});
