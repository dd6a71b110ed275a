/** Amazon's relational databases. Source of the shapes: RDS API reference. */
import { type Elements, isSigned, KEYS, toXml, xml } from './aws-access.ts';
import type { Fake, FakeRequest } from './fake.ts';

const ARN = 'arn:aws:rds:eu-west-1:123456789012';
const TIME = '2026-01-02T03:04:05.678Z';

const BIG: Elements = {
  ActivityStreamKinesisStreamName: 'stream-1',
  ActivityStreamKmsKeyId: 'kms-1',
  ActivityStreamMode: 'sync',
  ActivityStreamStatus: 'started',
  AllocatedStorage: 100,
  AutomaticRestartTime: TIME,
  AutoMinorVersionUpgrade: true,
  AvailabilityZones: { AvailabilityZone: ['eu-west-1a', 'eu-west-1b'] },
  AwsBackupRecoveryPointArn: 'arn:backup:1',
  BacktrackConsumedChangeRecords: 12,
  BacktrackWindow: 24,
  BackupRetentionPeriod: 7,
  Capacity: 8,
  CharacterSetName: 'utf8',
  CloneGroupId: 'clones',
  ClusterCreateTime: TIME,
  ClusterScalabilityType: 'standard',
  CopyTagsToSnapshot: true,
  CrossAccountClone: false,
  DatabaseInsightsMode: 'advanced',
  DatabaseName: 'shop',
  DBClusterArn: `${ARN}:cluster:big`,
  DBClusterIdentifier: 'big',
  DBClusterInstanceClass: 'db.r6g.large',
  DBClusterMembers: {
    DBClusterMember: [
      { DBInstanceIdentifier: 'big-1', IsClusterWriter: true, PromotionTier: 1 },
      { DBInstanceIdentifier: 'big-2', IsClusterWriter: false, PromotionTier: 2 },
    ],
  },
  DBClusterParameterGroup: 'params',
  DbClusterResourceId: 'cluster-RES',
  DBSubnetGroup: 'subnets',
  DBSystemId: 'ORCL',
  DeletionProtection: true,
  EarliestBacktrackTime: TIME,
  EarliestRestorableTime: TIME,
  Endpoint: 'big.cluster.rds.test',
  Engine: 'aurora-mysql',
  EngineLifecycleSupport: 'open-source-rds-extended-support',
  EngineMode: 'provisioned',
  EngineVersion: '8.0',
  GlobalClusterIdentifier: 'globe',
  GlobalWriteForwardingRequested: true,
  GlobalWriteForwardingStatus: 'enabled',
  HostedZoneId: 'Z1',
  HttpEndpointEnabled: false,
  IAMDatabaseAuthenticationEnabled: true,
  IOOptimizedNextAllowedModificationTime: TIME,
  Iops: 3000,
  KmsKeyId: 'kms-2',
  LatestRestorableTime: TIME,
  LocalWriteForwardingStatus: 'disabled',
  MasterUsername: 'admin',
  MonitoringInterval: 60,
  MonitoringRoleArn: 'arn:iam:role/monitor',
  MultiAZ: true,
  NetworkType: 'IPV4',
  PercentProgress: '40',
  PerformanceInsightsEnabled: true,
  PerformanceInsightsKMSKeyId: 'kms-3',
  PerformanceInsightsRetentionPeriod: 7,
  Port: 3306,
  PreferredBackupWindow: '01:00-02:00',
  PreferredMaintenanceWindow: 'sun:03:00-sun:04:00',
  PubliclyAccessible: false,
  ReaderEndpoint: 'big.reader.rds.test',
  ReplicationSourceIdentifier: 'source',
  ServerlessV2PlatformVersion: '3',
  Status: 'available',
  StorageEncrypted: true,
  StorageEncryptionType: 'sse-kms',
  StorageThroughput: 125,
  StorageType: 'aurora',
  TagList: {
    Tag: [
      { Key: 'env', Value: 'prod' },
      { Key: 'a.b', Value: 'c' },
    ],
  },
  UpgradeRolloutOrder: 'second',
};
const EMPTY: Elements = {
  DBClusterArn: `${ARN}:cluster:empty`,
  DBClusterIdentifier: 'empty',
  Engine: 'aurora-postgresql',
  Status: 'creating',
};
const SMALL: Elements = {
  DBClusterArn: `${ARN}:cluster:small`,
  DBClusterIdentifier: 'small',
  DBClusterMembers: { DBClusterMember: [{ DBInstanceIdentifier: 'small-1' }] },
  Engine: 'aurora-postgresql',
  Status: 'available',
};

const INSTANCES: readonly Elements[] = [
  {
    ActivityStreamEngineNativeAuditFieldsIncluded: true,
    ActivityStreamKinesisStreamName: 'stream-2',
    ActivityStreamKmsKeyId: 'kms-4',
    ActivityStreamMode: 'async',
    ActivityStreamPolicyStatus: 'locked',
    ActivityStreamStatus: 'started',
    AllocatedStorage: 20,
    AutomaticRestartTime: TIME,
    AutomationMode: 'full',
    AutoMinorVersionUpgrade: true,
    AvailabilityZone: 'eu-west-1a',
    AwsBackupRecoveryPointArn: 'arn:backup:2',
    BackupRetentionPeriod: 7,
    BackupTarget: 'region',
    CACertificateIdentifier: 'rds-ca-2019',
    CharacterSetName: 'utf8',
    CopyTagsToSnapshot: true,
    CustomerOwnedIpEnabled: false,
    CustomIamInstanceProfile: 'profile',
    DatabaseInsightsMode: 'standard',
    DBClusterIdentifier: 'big',
    DBInstanceArn: `${ARN}:db:big-1`,
    DBInstanceClass: 'db.r6g.large',
    DBInstanceIdentifier: 'big-1',
    DbInstancePort: 3307,
    DBInstanceStatus: 'available',
    DbiResourceId: 'db-RES',
    DBName: 'shop',
    DBSubnetGroup: { DBSubnetGroupName: 'subnets', VpcId: 'vpc-1' },
    DBSystemId: 'ORCL',
    DedicatedLogVolume: true,
    DeletionProtection: false,
    Endpoint: { Address: 'big-1.rds.test', HostedZoneId: 'Z2', Port: 3306 },
    Engine: 'aurora-mysql',
    EngineLifecycleSupport: 'open-source-rds-extended-support-disabled',
    EngineVersion: '8.0',
    EnhancedMonitoringResourceArn: 'arn:logs:1',
    IAMDatabaseAuthenticationEnabled: true,
    InstanceCreateTime: TIME,
    Iops: 3000,
    IsStorageConfigUpgradeAvailable: true,
    KmsKeyId: 'kms-5',
    LatestRestorableTime: '2026-01-02T03:04:05Z',
    LicenseModel: 'general-public-license',
    ListenerEndpoint: { Address: 'listen.rds.test', HostedZoneId: 'Z3', Port: 1433 },
    MasterUsername: 'admin',
    MaxAllocatedStorage: 1000,
    MonitoringInterval: 60,
    MonitoringRoleArn: 'arn:iam:role/monitor',
    MultiAZ: false,
    MultiTenant: false,
    NcharCharacterSetName: 'AL16UTF16',
    NetworkType: 'DUAL',
    PercentProgress: '50',
    PerformanceInsightsEnabled: true,
    PerformanceInsightsKMSKeyId: 'kms-6',
    PerformanceInsightsRetentionPeriod: 31,
    PreferredBackupWindow: '01:00-02:00',
    PreferredMaintenanceWindow: 'sun:03:00-sun:04:00',
    PromotionTier: 1,
    PubliclyAccessible: true,
    ReadReplicaSourceDBClusterIdentifier: 'source-cluster',
    ReadReplicaSourceDBInstanceIdentifier: 'source-instance',
    ReplicaMode: 'open-read-only',
    ResumeFullAutomationModeTime: TIME,
    SecondaryAvailabilityZone: 'eu-west-1b',
    StorageEncrypted: true,
    StorageEncryptionType: 'sse-kms',
    StorageThroughput: 125,
    StorageType: 'gp3',
    StorageVolumeStatus: 'Storage-Optimization',
    TagList: { Tag: [{ Key: 'of', Value: 'instance' }] },
    TdeCredentialArn: 'arn:tde:1',
    Timezone: 'UTC',
    UpgradeRolloutOrder: 'first',
  },
  {
    DBClusterIdentifier: 'big',
    DBInstanceArn: `${ARN}:db:big-2`,
    DBInstanceIdentifier: 'big-2',
    DBInstanceStatus: 'creating',
  },
  {
    DBClusterIdentifier: 'small',
    DBInstanceArn: `${ARN}:db:small-1`,
    DBInstanceIdentifier: 'small-1',
    Endpoint: { Address: 'small-1.rds.test', Port: 5432 },
  },
  {
    DBInstanceArn: `${ARN}:db:alone`,
    DBInstanceIdentifier: 'alone',
    Endpoint: { Address: 'alone.rds.test', Port: 5432 },
  },
];

function response(action: string, result: Elements) {
  return xml(toXml({ [`${action}Response`]: { [`${action}Result`]: result } }));
}

function filterOf(params: URLSearchParams, name: string): string[] | null {
  for (let at = 1; params.has(`Filters.Filter.${at}.Name`); at++) {
    if (params.get(`Filters.Filter.${at}.Name`) !== name) continue;
    const prefix = `Filters.Filter.${at}.Values.Value.`;
    return [...params].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value);
  }
  return null;
}

function answer(request: FakeRequest) {
  const { method, body } = request;
  if (method !== 'POST') return null;
  if (!isSigned(request, 'rds')) return { status: 401 };
  const params = new URLSearchParams(body);
  const action = params.get('Action') ?? '';
  if (action === 'DescribeDBClusters') {
    const wanted = params.get('DBClusterIdentifier');
    const all = [BIG, EMPTY, SMALL];
    if (wanted !== null) {
      const DBCluster = all.filter(
        ({ DBClusterIdentifier: id, DBClusterArn: arn }) => wanted === id || wanted === arn,
      );
      return response(action, { DBClusters: { DBCluster } });
    }
    return params.get('Marker') === 'more'
      ? response(action, { DBClusters: { DBCluster: all.slice(1) } })
      : response(action, { Marker: 'more', DBClusters: { DBCluster: all.slice(0, 1) } });
  }
  if (action !== 'DescribeDBInstances') return { status: 400 };
  const clusters = filterOf(params, 'db-cluster-id');
  const DBInstance = INSTANCES.filter(({ DBClusterIdentifier: id = '' }) =>
    clusters === null
      ? true
      : clusters.some((one) => one === id || one === `${ARN}:cluster:${String(id)}`),
  );
  return response(action, { DBInstances: { DBInstance } });
}

export const RDS: readonly Fake[] = [
  { name: 'aws rds', mechanism: 'aws', settings: `role: rds, endpoint: "URL", ${KEYS}`, answer },
  {
    name: 'aws rds of a cluster',
    mechanism: 'aws',
    settings: `role: rds, endpoint: "URL", ${KEYS}, port: 9104, clusters: ["${ARN}:cluster:small"],
      filters: [ { name: engine, values: [aurora-postgresql] } ]`,
    answer,
  },
];
