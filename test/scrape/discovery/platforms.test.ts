/** Discovery by platforms against their fakes: labels as Prometheus gives them, failure, refresh. */
import { afterEach, describe, expect, test } from 'vitest';
import type { LabelRecord } from '../../../scrape/index.ts';
import { FAKES, readRecorded, type Run, runHere } from './platform-runs.ts';

const recorded = readRecorded();
let runs: Run[] = [];
afterEach(() => {
  for (const { close } of runs) close();
  runs = [];
});
const POLL = { timeout: 5000, interval: 10 };

async function run(name: string): Promise<Run> {
  const started = await runHere(FAKES.find((fake) => fake.name === name)!);
  runs.push(started);
  return started;
}

/** Platforms that count failures under a name of their own. */
const OWN_FAILURES: Readonly<Record<string, string>> = {
  azure: 'prometheus_sd_azure_failures_total',
  consul: 'prometheus_sd_consul_rpc_failures_total',
  kubernetes: 'prometheus_sd_kubernetes_failures_total',
  kuma: 'prometheus_sd_kuma_fetch_failures_total',
  linode: 'prometheus_sd_linode_failures_total',
  nomad: 'prometheus_sd_nomad_failures_total',
};

describe.each(FAKES)('$name', (fake) => {
  test('finds what a real Prometheus finds, and keeps it when asking fails', async () => {
    const { found, failureCount, figures, server } = await run(fake.name);
    const expected = fake.expected ?? recorded[fake.recordedAs ?? fake.name]!;
    expect(expected.length).toBeGreaterThan(0);
    const { documented = [] } = fake;
    const known = () => found().map((labels) => without(labels, documented));
    await expect.poll(known, POLL).toEqual(expected);
    for (const name of documented) expect(found().some((one) => name in one)).toBe(true);
    const own = OWN_FAILURES[fake.mechanism];
    if (own !== undefined) expect(figures(own)).toEqual({ '': failureCount() });
    if (fake.isWatched === true) return;
    const before = failureCount();
    server.isBroken = true;
    await expect.poll(failureCount, POLL).toBeGreaterThan(before);
    expect(known()).toEqual(expected);
    // One may come between the two looks.
    if (own !== undefined) expect(figures(own)['']).toBeGreaterThan(before);
  });
});

function without(labels: LabelRecord, names: readonly string[]): LabelRecord {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

describe('watching Kubernetes', () => {
  const node = (name: string, version: string, address: string) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, resourceVersion: version },
    status: {
      addresses: [{ type: 'InternalIP', address }],
      daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
    },
  });
  const addressesOf = ({ found }: Run) => found().map(({ __address__: address }) => address);
  const watches = ({ server }: Run) =>
    server.requests.filter(({ query }) => query.get('watch') === 'true');
  const lists = ({ server }: Run) =>
    server.requests.filter(({ query }) => query.get('watch') === null);
  const eventsOf = ({ figures }: Run) =>
    Object.fromEntries(
      Object.entries(figures('prometheus_sd_kubernetes_events_total')).filter(([, n]) => n > 0),
    );
  const START = ['10.9.0.1:10250', 'node-2.test:10250'];

  test('takes what is added, changed and deleted', async () => {
    const one = await run('kubernetes node');
    await expect.poll(() => addressesOf(one), POLL).toEqual(START);
    await expect.poll(() => watches(one).length, POLL).toBe(1);
    one.server.push({ type: 'ADDED', object: node('node-3', '101', '10.9.0.3') });
    await expect.poll(() => addressesOf(one), POLL).toContain('10.9.0.3:1');
    one.server.push({ type: 'MODIFIED', object: node('node-3', '102', '10.9.0.4') });
    await expect.poll(() => addressesOf(one), POLL).toContain('10.9.0.4:1');
    one.server.push({ type: 'DELETED', object: node('node-3', '103', '10.9.0.4') });
    await expect.poll(() => addressesOf(one), POLL).toEqual(START);
    expect(lists(one).length).toBe(1);
    expect(eventsOf(one)).toEqual({ 'node,add': 3, 'node,update': 1, 'node,delete': 1 });
  });

  test('goes on from the last version when the stream ends', async () => {
    const one = await run('kubernetes node');
    await expect.poll(() => watches(one).length, POLL).toBe(1);
    one.server.push({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '150' } } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    one.server.endStreams();
    await expect.poll(() => watches(one).length, POLL).toBe(2);
    expect(watches(one)[1]!.query.get('resourceVersion')).toBe('150');
    expect(lists(one).length).toBe(1);
  });

  test('lists anew when the server has forgotten the version', async () => {
    const one = await run('kubernetes node');
    await expect.poll(() => watches(one).length, POLL).toBe(1);
    one.server.push({ type: 'ADDED', object: node('node-3', '101', '10.9.0.3') });
    await expect.poll(() => addressesOf(one), POLL).toContain('10.9.0.3:1');
    one.server.push({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    await expect.poll(() => lists(one).length, POLL).toBe(2);
    await expect.poll(() => addressesOf(one), POLL).toEqual(START);
    expect(eventsOf(one)).toEqual({ 'node,add': 3, 'node,update': 2, 'node,delete': 1 });
  });

  test('keeps what it knows while the server fails', async () => {
    const one = await run('kubernetes node');
    await expect.poll(() => addressesOf(one), POLL).toEqual(START);
    await expect.poll(() => watches(one).length, POLL).toBe(1);
    one.server.isBroken = true;
    one.server.endStreams();
    await expect.poll(one.failureCount, POLL).toBeGreaterThan(0);
    expect(addressesOf(one)).toEqual(START);
    one.server.isBroken = false;
    await expect.poll(() => watches(one).length, POLL).toBeGreaterThan(2);
  });
});

test('calls of Consul and fetches of Kuma are timed', async () => {
  const consul = await run('consul');
  const calls = () => consul.figures('prometheus_sd_consul_rpc_duration_seconds');
  await expect.poll(() => calls()['catalog,services'], POLL).toBeGreaterThan(0);
  await expect.poll(() => calls()['catalog,service'], POLL).toBeGreaterThan(0);
  const kuma = await run('kuma');
  const fetches = () => kuma.figures('prometheus_sd_kuma_fetch_duration_seconds')[''];
  await expect.poll(fetches, POLL).toBeGreaterThan(1);
});
