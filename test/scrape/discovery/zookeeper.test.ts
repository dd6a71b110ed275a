/** Members of sets in ZooKeeper: found, followed, and kept while the server is away. */
import { afterEach, describe, expect, test } from 'vitest';
import { exactPrometheus } from '../../support/installed.ts';
import { JudgeServer } from '../support/judge-server.ts';
import { serveZooKeeper } from '../support/zookeeper-stub.ts';
import { discoverHere, type Discovery, discoveredLabels } from './platform-runs.ts';

let closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.toReversed()) close();
  closers = [];
});
const POLL = { timeout: 5000, interval: 10 };

const MEMBER = JSON.stringify({
  serviceEndpoint: { host: 'host-1', port: 8080 },
  additionalEndpoints: { admin: { host: 'host-1', port: 9990 }, 'a-b': { host: 'x', port: 1 } },
  status: 'ALIVE',
  shard: 3,
});
const SERVICE = JSON.stringify({ host: 'fd00::1', port: 7000, name: 'web', weight: 1 });
const TREE = [
  ['/sets', ''],
  ['/sets/web', 'not JSON'],
  ['/sets/web/member_1', MEMBER],
  ['/sets/web/member_2', JSON.stringify({ serviceEndpoint: { host: 'h2', port: 2 } })],
  ['/nerve', ''],
  ['/nerve/web', ''],
  ['/nerve/web/one', SERVICE],
] as const;

const FROM_SETS = [
  {
    __address__: 'h2:2',
    __meta_serverset_endpoint_host: 'h2',
    __meta_serverset_endpoint_port: '2',
    __meta_serverset_path: '/sets/web/member_2',
    __meta_serverset_shard: '0',
  },
  {
    __address__: 'host-1:8080',
    __meta_serverset_endpoint_host: 'host-1',
    __meta_serverset_endpoint_host_a_b: 'x',
    __meta_serverset_endpoint_host_admin: 'host-1',
    __meta_serverset_endpoint_port: '8080',
    __meta_serverset_endpoint_port_a_b: '1',
    __meta_serverset_endpoint_port_admin: '9990',
    __meta_serverset_path: '/sets/web/member_1',
    __meta_serverset_shard: '3',
    __meta_serverset_status: 'ALIVE',
  },
];
const FROM_NERVE = [
  {
    __address__: '[fd00::1]:7000',
    __meta_nerve_endpoint_host: 'fd00::1',
    __meta_nerve_endpoint_name: 'web',
    __meta_nerve_endpoint_port: '7000',
    __meta_nerve_path: '/nerve/web/one',
  },
];

async function start() {
  const zookeeper = await serveZooKeeper(new Map(TREE));
  closers.push(() => zookeeper.close());
  const jobs = `scrape_configs:
- job_name: sets
  serverset_sd_configs: [ { servers: ["${zookeeper.address}"], paths: [/sets] } ]
  relabel_configs: [ { action: drop, source_labels: [], regex: ".*" } ]
- job_name: nerve
  nerve_sd_configs: [ { servers: ["${zookeeper.address}"], paths: [/nerve] } ]
  relabel_configs: [ { action: drop, source_labels: [], regex: ".*" } ]
`;
  return { zookeeper, jobs };
}

function here(jobs: string): Discovery {
  const discovery = discoverHere(jobs);
  closers.push(discovery.close);
  return discovery;
}

describe('members in ZooKeeper', () => {
  test('are found in trees of sets', async () => {
    const { jobs } = await start();
    const { found } = here(jobs);
    await expect.poll(() => found('sets'), POLL).toEqual(FROM_SETS);
    await expect.poll(() => found('nerve'), POLL).toEqual(FROM_NERVE);
  });

  test('are followed as they come, change and go', async () => {
    const { zookeeper, jobs } = await start();
    const { found } = here(jobs);
    const addresses = () => found('nerve').map(({ __address__: address }) => address);
    await expect.poll(addresses, POLL).toEqual(['[fd00::1]:7000']);
    zookeeper.put('/nerve/web/two', JSON.stringify({ host: 'b', port: 1, name: 'b' }));
    await expect.poll(addresses, POLL).toEqual(['[fd00::1]:7000', 'b:1']);
    zookeeper.put('/nerve/web/two', JSON.stringify({ host: 'b', port: 2, name: 'b' }));
    await expect.poll(addresses, POLL).toEqual(['[fd00::1]:7000', 'b:2']);
    zookeeper.remove('/nerve/web/one');
    await expect.poll(addresses, POLL).toEqual(['b:2']);
  });

  test('stay while the server is away', async () => {
    const { zookeeper, jobs } = await start();
    const { found, failureCount } = here(jobs);
    await expect.poll(() => found('nerve'), POLL).toEqual(FROM_NERVE);
    zookeeper.drop();
    await expect.poll(failureCount, POLL).toBeGreaterThan(0);
    expect(found('nerve')).toEqual(FROM_NERVE);
    zookeeper.put('/nerve/web/two', JSON.stringify({ host: 'b', port: 1, name: 'b' }));
    await expect.poll(() => found('nerve').length, POLL).toBe(2);
  });

  test.skipIf(exactPrometheus() === null)(
    'are found by a real Prometheus with the same labels',
    { timeout: 30_000 },
    async () => {
      const { jobs } = await start();
      const judge = await JudgeServer.start(jobs);
      closers.push(() => judge.stop());
      const find = async () => await discoveredLabels(judge);
      await expect
        .poll(find, { timeout: 20_000, interval: 200 })
        .toEqual({ sets: FROM_SETS, nerve: FROM_NERVE });
    },
  );
});
