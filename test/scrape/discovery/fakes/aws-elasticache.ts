/** Amazon's caches. Source of the shapes: ElastiCache API reference. */
import { type Elements, isSigned, KEYS, toXml, xml } from './aws-access.ts';
import type { Fake, FakeRequest } from './fake.ts';

const ARN = 'arn:aws:elasticache:eu-west-1:123456789012';
const endpoint = (name: string, port: number) => ({ Address: `${name}.cache.test`, Port: port });

const SERVERLESS: readonly Elements[] = [
  {
    ServerlessCacheName: 'elastic',
    Description: 'the cache &amp; more',
    CreateTime: '2026-01-02T03:04:05.678Z',
    Status: 'available',
    Engine: 'valkey',
    MajorEngineVersion: '8',
    FullEngineVersion: '8.1',
    CacheUsageLimits: {
      DataStorage: { Maximum: 10, Minimum: 1, Unit: 'GB' },
      ECPUPerSecond: { Maximum: 5000, Minimum: 1000 },
    },
    KmsKeyId: 'kms-1',
    SecurityGroupIds: { SecurityGroupId: ['sg-1', 'sg-2'] },
    Endpoint: endpoint('elastic', 6379),
    ReaderEndpoint: endpoint('elastic-reader', 6380),
    ARN: `${ARN}:serverlesscache:elastic`,
    UserGroupId: 'users',
    SubnetIds: { SubnetId: ['subnet-1', 'subnet-2'] },
    SnapshotRetentionLimit: 3,
    DailySnapshotTime: '03:00',
  },
  {
    ServerlessCacheName: 'starting',
    Endpoint: endpoint('starting', 6379),
    ReaderEndpoint: endpoint('starting', 6380),
    CacheUsageLimits: {
      DataStorage: { Maximum: 10, Minimum: 1, Unit: 'GB' },
      ECPUPerSecond: { Maximum: 5000, Minimum: 1000 },
    },
    CreateTime: '2026-01-02T03:04:05Z',
    Description: '',
    MajorEngineVersion: '7',
    FullEngineVersion: '7.1',
    SnapshotRetentionLimit: 0,
    DailySnapshotTime: '',
    Status: 'creating',
    Engine: 'redis',
    ARN: `${ARN}:serverlesscache:starting`,
  },
];

const CLUSTERS: readonly Elements[] = [
  {
    CacheClusterId: 'nodes-001',
    ConfigurationEndpoint: endpoint('nodes.cfg', 6379),
    ClientDownloadLandingPage: 'https://download.test',
    CacheNodeType: 'cache.t3.micro',
    Engine: 'redis',
    EngineVersion: '7.1.0',
    CacheClusterStatus: 'available',
    NumCacheNodes: 2,
    PreferredAvailabilityZone: 'eu-west-1a',
    PreferredOutpostArn: `${ARN}:outpost/1`,
    CacheClusterCreateTime: '2026-01-02T03:04:05Z',
    PreferredMaintenanceWindow: 'sun:03:00-sun:04:00',
    PendingModifiedValues: {
      NumCacheNodes: 3,
      CacheNodeIdsToRemove: { CacheNodeId: ['0003', '0004'] },
      EngineVersion: '7.2',
      CacheNodeType: 'cache.t3.small',
      AuthTokenStatus: 'SETTING',
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
    },
    NotificationConfiguration: { TopicArn: 'arn:aws:sns:1', TopicStatus: 'active' },
    CacheParameterGroup: { CacheParameterGroupName: 'params', ParameterApplyStatus: 'in-sync' },
    CacheSubnetGroupName: 'subnets',
    CacheNodes: {
      CacheNode: [
        {
          CacheNodeId: '0001',
          CacheNodeStatus: 'available',
          CacheNodeCreateTime: '2026-01-02T03:04:06.5Z',
          Endpoint: endpoint('nodes-001', 6379),
          ParameterGroupStatus: 'in-sync',
          SourceCacheNodeId: '0009',
          CustomerAvailabilityZone: 'eu-west-1a',
          CustomerOutpostArn: `${ARN}:outpost/2`,
        },
        {
          CacheNodeId: '0002',
          CacheNodeStatus: 'creating',
          Endpoint: endpoint('nodes-002', 6379),
        },
        { CacheNodeId: '0003', CacheNodeStatus: 'creating' },
      ],
    },
    AutoMinorVersionUpgrade: true,
    SecurityGroups: {
      member: [
        { SecurityGroupId: 'sg-1', Status: 'active' },
        { SecurityGroupId: 'sg-2', Status: 'adding' },
      ],
    },
    ReplicationGroupId: 'replicas',
    SnapshotRetentionLimit: 5,
    SnapshotWindow: '01:00-02:00',
    AuthTokenEnabled: true,
    AuthTokenLastModifiedDate: '2026-02-03T04:05:06Z',
    TransitEncryptionEnabled: true,
    AtRestEncryptionEnabled: false,
    ARN: `${ARN}:cluster:nodes-001`,
    ReplicationGroupLogDeliveryEnabled: true,
    LogDeliveryConfigurations: {
      LogDeliveryConfiguration: [
        {
          LogType: 'slow-log',
          DestinationType: 'cloudwatch-logs',
          DestinationDetails: { CloudWatchLogsDetails: { LogGroup: 'group-1' } },
          LogFormat: 'json',
          Status: 'active',
          Message: 'all well',
        },
        {
          LogType: 'engine-log',
          DestinationType: 'kinesis-firehose',
          DestinationDetails: { KinesisFirehoseDetails: { DeliveryStream: 'stream-1' } },
          LogFormat: 'text',
          Status: 'enabling',
        },
      ],
    },
    NetworkType: 'ipv4',
    IpDiscovery: 'ipv4',
    TransitEncryptionMode: 'preferred',
  },
];
const ALONE: Elements = {
  CacheClusterId: 'alone',
  CacheClusterStatus: 'available',
  Engine: 'memcached',
  NumCacheNodes: 1,
  ARN: `${ARN}:cluster:alone`,
  CacheNodes: {
    CacheNode: [
      { CacheNodeId: '0001', CacheNodeStatus: 'available', Endpoint: endpoint('alone', 11211) },
    ],
  },
};

function response(action: string, result: Elements) {
  return xml(toXml({ [`${action}Response`]: { [`${action}Result`]: result } }));
}

function answer(request: FakeRequest) {
  const { method, body } = request;
  if (method !== 'POST') return null;
  if (!isSigned(request, 'elasticache')) return { status: 401 };
  const params = new URLSearchParams(body);
  const action = params.get('Action') ?? '';
  if (action === 'DescribeServerlessCaches') {
    const wanted = params.get('ServerlessCacheName');
    const member = SERVERLESS.filter(
      ({ ServerlessCacheName: name }) => wanted === null || wanted === name,
    );
    if (wanted !== null) return response(action, { ServerlessCaches: { member } });
    return params.get('NextToken') === 'more'
      ? response(action, { ServerlessCaches: { member: member.slice(1) } })
      : response(action, { NextToken: 'more', ServerlessCaches: { member: member.slice(0, 1) } });
  }
  if (action === 'DescribeCacheClusters') {
    const wanted = params.get('CacheClusterId');
    if (params.get('ShowCacheNodeInfo') !== 'true' && wanted === null) {
      return response(action, { CacheClusters: '' });
    }
    const isAlone = params.get('ShowCacheClustersNotInReplicationGroups') === 'true';
    const all = isAlone ? [ALONE] : [...CLUSTERS, ALONE];
    const found = all.filter(({ CacheClusterId: id }) => wanted === null || wanted === id);
    return response(action, { CacheClusters: { CacheCluster: found } });
  }
  if (action !== 'ListTagsForResource') return { status: 400 };
  const tag = { Key: 'of', Value: params.get('ResourceName')!.split(':').at(-1)! };
  return response(action, { TagList: { Tag: [tag, { Key: 'a.b', Value: 'c' }] } });
}

const OF_SERVERLESS = '__meta_elasticache_serverless_cache_';
const OF_CLUSTER = '__meta_elasticache_cache_cluster_';

export const ELASTICACHE: readonly Fake[] = [
  {
    name: 'aws elasticache',
    mechanism: 'aws',
    settings: `role: elasticache, endpoint: "URL", ${KEYS}`,
    answer,
    documented: [
      'cache_usage_limit_data_storage_maximum',
      'cache_usage_limit_data_storage_minimum',
      'cache_usage_limit_data_storage_unit',
      'cache_usage_limit_ecpu_per_second_maximum',
      'cache_usage_limit_ecpu_per_second_minimum',
      'reader_endpoint_address',
      'reader_endpoint_port',
    ].map((name) => OF_SERVERLESS + name),
  },
  {
    name: 'aws elasticache of a cluster',
    mechanism: 'aws',
    settings: `role: elasticache, endpoint: "URL", ${KEYS}, clusters: ["${ARN}:cluster:alone"]`,
    answer,
    // Prometheus 3.14 gives those of all clusters, against its documentation.
    expected: [
      {
        __address__: 'alone.cache.test:11211',
        [`${OF_CLUSTER}arn`]: `${ARN}:cluster:alone`,
        [`${OF_CLUSTER}cache_cluster_id`]: 'alone',
        [`${OF_CLUSTER}cache_cluster_status`]: 'available',
        [`${OF_CLUSTER}engine`]: 'memcached',
        [`${OF_CLUSTER}node_endpoint_address`]: 'alone.cache.test',
        [`${OF_CLUSTER}node_endpoint_port`]: '11211',
        [`${OF_CLUSTER}node_id`]: '0001',
        [`${OF_CLUSTER}node_status`]: 'available',
        [`${OF_CLUSTER}num_cache_nodes`]: '1',
        [`${OF_CLUSTER}tag_a_b`]: 'c',
        [`${OF_CLUSTER}tag_of`]: 'alone',
        __meta_elasticache_deployment_option: 'node',
      },
    ],
  },
];
