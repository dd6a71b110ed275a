/**
 * Database instances in clusters of Amazon RDS.
 * Source: Prometheus documentation, `<aws_sd_config>`; Amazon RDS API reference, DescribeDBClusters
 * and DescribeDBInstances.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort } from '../platform-api.ts';
import { childOf, childrenAt, textAt, type XmlElement } from '../xml.ts';
import { allXmlPages, type AwsCalls, awsPlatform, type Filter, filterParams } from './aws-api.ts';
import type { AwsSettings } from './credentials.ts';
import { memberLabels, memberNames, xmlTagLabels } from './member-labels.ts';

type RdsSettings = AwsSettings & {
  readonly port: number;
  readonly clusters: readonly string[];
  readonly filters: readonly Filter[];
};
type Calls = AwsCalls<RdsSettings>;

const API_VERSION = '2014-10-31';
const PAGE_SIZE = '100';
const CLUSTER = '__meta_rds_cluster_';
const INSTANCE = '__meta_rds_instance_';

const CLUSTER_MEMBERS = memberNames(`
  ActivityStreamKinesisStreamName ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamStatus
  AllocatedStorage AutoMinorVersionUpgrade AutomaticRestartTime AwsBackupRecoveryPointArn
  BacktrackConsumedChangeRecords BacktrackWindow BackupRetentionPeriod Capacity CharacterSetName
  CloneGroupId ClusterCreateTime ClusterScalabilityType CopyTagsToSnapshot CrossAccountClone
  DBClusterArn DBClusterIdentifier DBClusterInstanceClass DBClusterParameterGroup DBSystemId
  DatabaseInsightsMode DatabaseName DbClusterResourceId DeletionProtection EarliestBacktrackTime
  EarliestRestorableTime Endpoint Engine EngineLifecycleSupport EngineMode EngineVersion
  GlobalClusterIdentifier GlobalWriteForwardingRequested GlobalWriteForwardingStatus HostedZoneId
  HttpEndpointEnabled IAMDatabaseAuthenticationEnabled IOOptimizedNextAllowedModificationTime Iops
  KmsKeyId LatestRestorableTime LocalWriteForwardingStatus MasterUsername MonitoringInterval
  MonitoringRoleArn MultiAZ NetworkType PercentProgress PerformanceInsightsEnabled
  PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod Port PreferredBackupWindow
  PreferredMaintenanceWindow PubliclyAccessible ReaderEndpoint ReplicationSourceIdentifier
  ServerlessV2PlatformVersion Status StorageEncrypted StorageEncryptionType StorageThroughput
  StorageType UpgradeRolloutOrder`);

const INSTANCE_MEMBERS = memberNames(`
  ActivityStreamEngineNativeAuditFieldsIncluded ActivityStreamKinesisStreamName
  ActivityStreamKmsKeyId ActivityStreamMode ActivityStreamPolicyStatus ActivityStreamStatus
  AllocatedStorage AutoMinorVersionUpgrade AutomaticRestartTime AutomationMode AvailabilityZone
  AwsBackupRecoveryPointArn BackupRetentionPeriod BackupTarget CACertificateIdentifier
  CharacterSetName CopyTagsToSnapshot CustomIamInstanceProfile CustomerOwnedIpEnabled
  DBClusterIdentifier DBInstanceArn DBInstanceClass DBInstanceIdentifier DBInstanceStatus DBName
  DBSystemId DatabaseInsightsMode DbInstancePort DbiResourceId DedicatedLogVolume
  DeletionProtection Engine EngineLifecycleSupport EngineVersion EnhancedMonitoringResourceArn
  IAMDatabaseAuthenticationEnabled InstanceCreateTime Iops IsStorageConfigUpgradeAvailable KmsKeyId
  LatestRestorableTime LicenseModel MasterUsername MaxAllocatedStorage MonitoringInterval
  MonitoringRoleArn MultiAZ MultiTenant NcharCharacterSetName NetworkType PercentProgress
  PerformanceInsightsEnabled PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod
  PreferredBackupWindow PreferredMaintenanceWindow PromotionTier PubliclyAccessible
  ReadReplicaSourceDBClusterIdentifier ReadReplicaSourceDBInstanceIdentifier ReplicaMode
  ResumeFullAutomationModeTime SecondaryAvailabilityZone StorageEncrypted StorageEncryptionType
  StorageThroughput StorageType StorageVolumeStatus TdeCredentialArn Timezone UpgradeRolloutOrder`);

const ENDPOINT_MEMBERS = ['Address', 'HostedZoneId', 'Port'];

export const create = awsPlatform<RdsSettings>('rds', async (calls) => {
  const targets: LabelRecord[] = [];
  for (const cluster of await clustersOf(calls)) {
    const ofCluster = clusterLabels(cluster);
    for (const instance of await instancesOf(calls, textAt(cluster, 'DBClusterArn'))) {
      targets.push({
        ...ofCluster,
        ...instanceLabels(instance, cluster, calls.settings.port || 80),
      });
    }
  }
  return targets;
});

/** Those named, or all of the region. */
async function clustersOf(calls: Calls): Promise<XmlElement[]> {
  const { clusters } = calls.settings;
  const describe = (params: Readonly<Record<string, string>>) =>
    pagesOf(calls, 'DescribeDBClusters', 'DBClusters', params);
  if (clusters.length === 0) return describe({});
  const found = clusters.map((name) => describe({ DBClusterIdentifier: name }));
  return (await Promise.all(found)).flat();
}

function instancesOf(calls: Calls, clusterArn: string): Promise<XmlElement[]> {
  const ofCluster = { name: 'db-cluster-id', values: [clusterArn] };
  const filters = [ofCluster, ...calls.settings.filters];
  const params = filterParams('Filters.Filter', 'Values.Value', filters);
  return pagesOf(calls, 'DescribeDBInstances', 'DBInstances', params);
}

function pagesOf(
  calls: Calls,
  action: string,
  listName: string,
  params: Readonly<Record<string, string>>,
): Promise<XmlElement[]> {
  const list = { service: 'rds', action, apiVersion: API_VERSION, listName, tokenName: 'Marker' };
  return allXmlPages(calls, list, { MaxRecords: PAGE_SIZE, ...params });
}

function clusterLabels(cluster: XmlElement): LabelRecord {
  return {
    ...memberLabels(cluster, CLUSTER, CLUSTER_MEMBERS, /^D[Bb]Cluster/),
    [`${CLUSTER}subnet_group`]: textAt(cluster, 'DBSubnetGroup'),
    ...xmlTagLabels(CLUSTER, cluster),
  };
}

/** Without an address, as long as the instance has none. */
function instanceLabels(instance: XmlElement, cluster: XmlElement, port: number): LabelRecord {
  const address = textAt(instance, 'Endpoint', 'Address');
  const name = textAt(instance, 'DBInstanceIdentifier');
  const inCluster = childrenAt(cluster, 'DBClusterMembers').find(
    (member) => textAt(member, 'DBInstanceIdentifier') === name,
  );
  const endpoint = (member: string, label: string): LabelRecord => {
    const found = childOf(instance, member);
    return found === undefined ? {} : memberLabels(found, INSTANCE + label, ENDPOINT_MEMBERS);
  };
  return {
    ...(address === '' ? {} : { __address__: hostPort(address, port) }),
    ...memberLabels(instance, INSTANCE, INSTANCE_MEMBERS, /^D[Bb](?:Instance|i(?=Resource))/),
    ...endpoint('Endpoint', 'endpoint_'),
    ...endpoint('ListenerEndpoint', 'listener_endpoint_'),
    [`${INSTANCE}is_cluster_writer`]: textAt(inCluster, 'IsClusterWriter'),
    [`${INSTANCE}subnet_group`]: textAt(instance, 'DBSubnetGroup', 'DBSubnetGroupName'),
    ...xmlTagLabels(INSTANCE, instance),
  };
}
