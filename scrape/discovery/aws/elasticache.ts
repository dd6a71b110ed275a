/**
 * Amazon's caches: serverless ones, and the nodes of cache clusters.
 * Source: Prometheus documentation, `<aws_sd_config>`; Amazon ElastiCache API reference,
 * DescribeServerlessCaches, DescribeCacheClusters and ListTagsForResource.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort } from '../platform-api.ts';
import { childOf, childrenAt, textAt, type XmlElement } from '../xml.ts';
import { allXmlPages, type AwsCalls, awsPlatform } from './aws-api.ts';
import type { AwsSettings } from './credentials.ts';
import { memberLabels, memberNames, xmlTagLabels } from './member-labels.ts';

type CacheSettings = AwsSettings & { readonly clusters: readonly string[] };
type Calls = AwsCalls<CacheSettings>;

const API_VERSION = '2015-02-02';
const SERVICE = { service: 'elasticache', apiVersion: API_VERSION } as const;
const PREFIX = '__meta_elasticache_';
const SERVERLESS = `${PREFIX}serverless_cache_`;
const CLUSTER = `${PREFIX}cache_cluster_`;
const ENDPOINT_MEMBERS = ['Address', 'Port'];

const SERVERLESS_MEMBERS = memberNames(`
  ARN CreateTime DailySnapshotTime Description Engine FullEngineVersion KmsKeyId
  MajorEngineVersion ServerlessCacheName SnapshotRetentionLimit Status UserGroupId`);

const CLUSTER_MEMBERS = memberNames(`
  ARN AtRestEncryptionEnabled AuthTokenEnabled AutoMinorVersionUpgrade CacheClusterCreateTime
  CacheClusterId CacheClusterStatus CacheNodeType CacheSubnetGroupName ClientDownloadLandingPage
  Engine EngineVersion IpDiscovery NetworkType NumCacheNodes PreferredAvailabilityZone
  PreferredMaintenanceWindow PreferredOutpostArn ReplicationGroupId
  ReplicationGroupLogDeliveryEnabled SnapshotRetentionLimit SnapshotWindow
  TransitEncryptionEnabled TransitEncryptionMode`);

const PENDING_MEMBERS = memberNames(`
  AuthTokenStatus CacheNodeType EngineVersion NumCacheNodes TransitEncryptionEnabled
  TransitEncryptionMode`);

const LOG_MEMBERS = ['DestinationType', 'LogFormat', 'LogType', 'Message', 'Status'];

const NODE_MEMBERS = memberNames(`
  CacheNodeCreateTime CacheNodeId CacheNodeStatus CustomerOutpostArn ParameterGroupStatus
  SourceCacheNodeId`);

export const create = awsPlatform<CacheSettings>('elasticache', async (calls) => {
  const { clusters: wanted } = calls.settings;
  const isWanted = (cache: XmlElement) =>
    wanted.length === 0 || wanted.includes(textAt(cache, 'ARN'));
  const targets: LabelRecord[] = [];
  for (const cache of (await serverlessCaches(calls)).filter(isWanted)) {
    const tags = await tagsOf(calls, cache, SERVERLESS);
    targets.push({ ...serverlessLabels(cache), ...tags });
  }
  for (const cluster of (await cacheClusters(calls)).filter(isWanted)) {
    const tags = await tagsOf(calls, cluster, CLUSTER);
    const ofCluster = { ...clusterLabels(cluster), ...tags };
    for (const node of childrenAt(cluster, 'CacheNodes')) {
      targets.push({ ...ofCluster, ...nodeLabels(node) });
    }
  }
  return targets;
});

function serverlessCaches(calls: Calls): Promise<XmlElement[]> {
  const action = 'DescribeServerlessCaches';
  const list = { ...SERVICE, action, listName: 'ServerlessCaches', tokenName: 'NextToken' };
  return allXmlPages(calls, list, { MaxResults: '50' });
}

function cacheClusters(calls: Calls): Promise<XmlElement[]> {
  const action = 'DescribeCacheClusters';
  const list = { ...SERVICE, action, listName: 'CacheClusters', tokenName: 'Marker' };
  return allXmlPages(calls, list, { MaxRecords: '100', ShowCacheNodeInfo: 'true' });
}

async function tagsOf(calls: Calls, cache: XmlElement, prefix: string): Promise<LabelRecord> {
  const answer = await calls.query('elasticache', {
    Action: 'ListTagsForResource',
    Version: API_VERSION,
    ResourceName: textAt(cache, 'ARN'),
  });
  const result = childOf(answer, 'ListTagsForResourceResult');
  return result === undefined ? {} : xmlTagLabels(prefix, result);
}

function serverlessLabels(cache: XmlElement): LabelRecord {
  const usage = childOf(cache, 'CacheUsageLimits');
  const limit = `${SERVERLESS}cache_usage_limit_`;
  return {
    ...addressOf(cache),
    [`${PREFIX}deployment_option`]: 'serverless',
    ...memberLabels(cache, SERVERLESS, SERVERLESS_MEMBERS, /^ServerlessCache/),
    ...endpointLabels(cache, 'Endpoint', `${SERVERLESS}endpoint_`),
    ...endpointLabels(cache, 'ReaderEndpoint', `${SERVERLESS}reader_endpoint_`),
    ...endpointLabels(cache, 'ReaderEndpoint', `${SERVERLESS}endpoint_reader_`),
    ...numbered(
      `${SERVERLESS}security_group_id`,
      childrenAt(cache, 'SecurityGroupIds').map(({ text }) => text),
    ),
    ...numbered(
      `${SERVERLESS}subnet_id`,
      childrenAt(cache, 'SubnetIds').map(({ text }) => text),
    ),
    ...limitLabels(usage, 'DataStorage', `${limit}data_storage`, ['Maximum', 'Minimum', 'Unit']),
    ...limitLabels(usage, 'ECPUPerSecond', `${limit}ecpu_per_second`, ['Maximum', 'Minimum']),
  };
}

/** Under the documented names, and under those that Prometheus 3.14 really gives. */
function limitLabels(
  usage: XmlElement | undefined,
  name: string,
  prefix: string,
  members: readonly string[],
): LabelRecord {
  const limits = childOf(usage, name);
  if (limits === undefined) return {};
  return {
    ...memberLabels(limits, `${prefix}_`, members),
    ...memberLabels(limits, prefix, members),
  };
}

function clusterLabels(cluster: XmlElement): LabelRecord {
  const pending = childOf(cluster, 'PendingModifiedValues');
  const groups = childrenAt(cluster, 'SecurityGroups');
  const group = `${CLUSTER}security_group_membership_`;
  const toRemove = pending === undefined ? [] : childrenAt(pending, 'CacheNodeIdsToRemove');
  return {
    [`${PREFIX}deployment_option`]: 'node',
    ...memberLabels(cluster, CLUSTER, CLUSTER_MEMBERS),
    [`${CLUSTER}auth_token_last_modified`]: textAt(cluster, 'AuthTokenLastModifiedDate'),
    [`${CLUSTER}cache_parameter_group`]: textAt(
      cluster,
      'CacheParameterGroup',
      'CacheParameterGroupName',
    ),
    ...endpointLabels(cluster, 'ConfigurationEndpoint', `${CLUSTER}configuration_endpoint_`),
    [`${CLUSTER}notification_topic_arn`]: textAt(cluster, 'NotificationConfiguration', 'TopicArn'),
    [`${CLUSTER}notification_topic_status`]: textAt(
      cluster,
      'NotificationConfiguration',
      'TopicStatus',
    ),
    ...logLabels(childrenAt(cluster, 'LogDeliveryConfigurations')),
    ...(pending === undefined
      ? {}
      : memberLabels(pending, `${CLUSTER}pending_modified_values_`, PENDING_MEMBERS)),
    [`${CLUSTER}pending_modified_values_cache_node_ids_to_remove`]: toRemove
      .map(({ text }) => text)
      .join(','),
    ...numbered(
      `${group}id`,
      groups.map((one) => textAt(one, 'SecurityGroupId')),
    ),
    ...numbered(
      `${group}status`,
      groups.map((one) => textAt(one, 'Status')),
    ),
  };
}

function logLabels(configurations: readonly XmlElement[]): LabelRecord {
  const labels: Record<string, string> = {};
  configurations.forEach((one, index) => {
    const details = childOf(one, 'DestinationDetails');
    const all = {
      ...memberLabels(one, '', LOG_MEMBERS),
      log_group: textAt(details, 'CloudWatchLogsDetails', 'LogGroup'),
      delivery_stream: textAt(details, 'KinesisFirehoseDetails', 'DeliveryStream'),
    };
    for (const [name, value] of Object.entries(all)) {
      labels[`${CLUSTER}log_delivery_configuration_${name}_${index}`] = value;
    }
  });
  return labels;
}

/** Without an address, as long as the node has none. */
function nodeLabels(node: XmlElement): LabelRecord {
  const of = `${CLUSTER}node_`;
  return {
    ...addressOf(node),
    ...memberLabels(node, of, NODE_MEMBERS, /^CacheNode/),
    [`${of}availability_zone`]: textAt(node, 'CustomerAvailabilityZone'),
    ...endpointLabels(node, 'Endpoint', `${of}endpoint_`),
  };
}

function addressOf(element: XmlElement): LabelRecord {
  const address = textAt(element, 'Endpoint', 'Address');
  if (address === '') return {};
  return { __address__: hostPort(address, textAt(element, 'Endpoint', 'Port')) };
}

function endpointLabels(element: XmlElement, name: string, prefix: string): LabelRecord {
  const endpoint = childOf(element, name);
  return endpoint === undefined ? {} : memberLabels(endpoint, prefix, ENDPOINT_MEMBERS);
}

function numbered(prefix: string, values: readonly string[]): LabelRecord {
  return Object.fromEntries(values.map((value, index) => [`${prefix}_${index}`, value]));
}
