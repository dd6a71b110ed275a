/** Amazon's managed Kafka. Source of the shapes: MSK API reference. */
import { isSigned, KEYS } from './aws-access.ts';
import type { Fake, FakeRequest } from './fake.ts';

const ARN = 'arn:aws:kafka:eu-west-1:123456789012';
const BIG = `${ARN}:cluster/big/aaaa-1`;
const SMALL = `${ARN}:cluster/small/bbbb-2`;

const CLUSTERS = [
  {
    clusterArn: BIG,
    clusterName: 'big',
    clusterType: 'PROVISIONED',
    creationTime: '2026-01-02T03:04:05.678Z',
    currentVersion: 'K1',
    state: 'ACTIVE',
    tags: { env: 'prod', 'a.b': 'c' },
    provisioned: {
      currentBrokerSoftwareInfo: {
        configurationArn: `${ARN}:configuration/one/1`,
        configurationRevision: 7,
        kafkaVersion: '3.9.x.kraft',
      },
      openMonitoring: {
        prometheus: {
          jmxExporter: { enabledInBroker: true },
          nodeExporter: { enabledInBroker: false },
        },
      },
      numberOfBrokerNodes: 2,
    },
  },
  {
    clusterArn: SMALL,
    clusterName: 'small',
    clusterType: 'PROVISIONED',
    currentVersion: 'K2',
    state: 'CREATING',
    provisioned: {
      currentBrokerSoftwareInfo: {
        configurationArn: `${ARN}:configuration/two/1`,
        configurationRevision: 1,
        kafkaVersion: '3.6.0',
      },
      openMonitoring: {
        prometheus: {
          jmxExporter: { enabledInBroker: false },
          nodeExporter: { enabledInBroker: true },
        },
      },
    },
  },
];

const broker = (id: number, endpoints: readonly string[]) => ({
  addedToClusterTime: '2026-01-02T03:04:05.678Z',
  instanceType: 'm5.large',
  nodeARN: `${ARN}:broker/big/aaaa-1/${id}`,
  nodeType: 'BROKER',
  brokerNodeInfo: {
    attachedENIId: `eni-${id}`,
    brokerId: id,
    clientSubnet: `subnet-${id}`,
    clientVpcIpAddress: `10.0.0.${id}`,
    endpoints,
  },
});
const NODES: Readonly<Record<string, readonly object[]>> = {
  [BIG]: [
    broker(1, ['b-1.big.kafka.test', 'b-1-second.big.kafka.test']),
    broker(2, ['b-2.big.kafka.test']),
    {
      addedToClusterTime: '2026-01-02T03:04:05Z',
      instanceType: 'm5.large',
      nodeARN: `${ARN}:controller/big/aaaa-1/3`,
      nodeType: 'CONTROLLER',
      controllerNodeInfo: { endpoints: ['c-3.big.kafka.test'] },
    },
    {
      instanceType: 't3.small',
      nodeARN: `${ARN}:zookeeper/big/aaaa-1/4`,
      nodeType: 'ZOOKEEPER',
      zookeeperNodeInfo: { attachedENIId: 'eni-4', endpoints: ['z-4.big.kafka.test'] },
    },
  ],
  [SMALL]: [broker(5, ['b-5.small.kafka.test'])],
};

function answer(request: FakeRequest) {
  const { method, path, query } = request;
  if (method !== 'GET') return null;
  if (!isSigned(request, 'kafka')) return { status: 401 };
  const parts = path.split('/').map(decodeURIComponent);
  // ARNs may be sent with or without their slashes escaped.
  const arn = decodeURIComponent(path).replace(/^\/(?:api\/v2|v1)\/clusters\/?|\/nodes$/g, '');
  if (parts[1] === 'v1') {
    const nodes = NODES[arn];
    if (nodes === undefined) return null;
    if (nodes.length === 1) return { json: { nodeInfoList: nodes } };
    return query.get('nextToken') === 'more'
      ? { json: { nodeInfoList: nodes.slice(2) } }
      : { json: { nodeInfoList: nodes.slice(0, 2), nextToken: 'more' } };
  }
  if (arn !== '') {
    const clusterInfo = CLUSTERS.find(({ clusterArn }) => clusterArn === arn);
    return clusterInfo === undefined ? null : { json: { clusterInfo } };
  }
  return query.get('nextToken') === 'more'
    ? { json: { clusterInfoList: CLUSTERS.slice(1) } }
    : { json: { clusterInfoList: CLUSTERS.slice(0, 1), nextToken: 'more' } };
}

export const MSK: readonly Fake[] = [
  { name: 'aws msk', mechanism: 'aws', settings: `role: msk, endpoint: "URL", ${KEYS}`, answer },
  {
    name: 'aws msk of a cluster',
    mechanism: 'aws',
    settings: `role: msk, endpoint: "URL", ${KEYS}, port: 11001, clusters: ["${BIG}"]`,
    answer,
  },
];
