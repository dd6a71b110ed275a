/** Amazon's Elastic Container Service. Source of the shapes: ECS and EC2 API references. */
import { isSigned, KEYS, xml } from './aws-access.ts';
import type { Fake, FakeRequest } from './fake.ts';

const ARN = 'arn:aws:ecs:eu-west-1:123456789012';
const CLUSTER = `${ARN}:cluster/main`;
const TARGET_PREFIX = 'AmazonEC2ContainerServiceV20141113.';

const attachment = (details: Readonly<Record<string, string>>) => ({
  id: 'a-1',
  type: 'ElasticNetworkInterface',
  status: 'ATTACHED',
  details: Object.entries(details).map(([name, value]) => ({ name, value })),
});

const task = (id: string, more: object) => ({
  taskArn: `${ARN}:task/main/${id}`,
  clusterArn: CLUSTER,
  taskDefinitionArn: `${ARN}:task-definition/web:3`,
  group: 'service:web',
  launchType: 'FARGATE',
  desiredStatus: 'RUNNING',
  lastStatus: 'RUNNING',
  healthStatus: 'HEALTHY',
  availabilityZone: 'eu-west-1a',
  attachments: [],
  containers: [],
  tags: [],
  ...more,
});

const TASKS = [
  task('own-interface', {
    platformFamily: 'Linux',
    platformVersion: '1.4.0',
    attachments: [
      attachment({
        subnetId: 'subnet-1',
        networkInterfaceId: 'eni-1',
        macAddress: '02:00:00:00:00:01',
        privateIPv4Address: '10.1.0.1',
      }),
    ],
    tags: [
      { key: 'team', value: 'shop' },
      { key: 'a.b', value: 'c' },
    ],
  }),
  task('host', {
    launchType: 'EC2',
    containerInstanceArn: `${ARN}:container-instance/main/c1`,
  }),
  task('own-interface-on-host', {
    launchType: 'EC2',
    containerInstanceArn: `${ARN}:container-instance/main/c1`,
    attachments: [
      attachment({
        subnetId: 'subnet-2',
        networkInterfaceId: 'eni-2',
        privateIPv4Address: '10.1.0.2',
      }),
    ],
  }),
  task('alone', {
    group: 'family:batch',
    attachments: [
      attachment({
        subnetId: 'subnet-1',
        networkInterfaceId: 'eni-3',
        privateIPv4Address: '10.1.0.3',
      }),
    ],
  }),
  task('of-unknown-service', {
    group: 'service:gone',
    attachments: [attachment({ subnetId: 'subnet-1', privateIPv4Address: '10.1.0.4' })],
  }),
  task('without-address', {}),
];

const INSTANCES = `<DescribeInstancesResponse><reservationSet><item><instancesSet><item>
  <instanceId>i-1</instanceId><instanceType>m5.large</instanceType>
  <privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>1.2.3.4</ipAddress>
  <subnetId>subnet-9</subnetId>
  <tagSet><item><key>env</key><value>prod</value></item></tagSet>
</item></instancesSet></item></reservationSet></DescribeInstancesResponse>`;

const INTERFACES = `<DescribeNetworkInterfacesResponse><networkInterfaceSet>
  <item><networkInterfaceId>eni-1</networkInterfaceId>
    <association><publicIp>5.6.7.8</publicIp></association></item>
  <item><networkInterfaceId>eni-2</networkInterfaceId></item>
  <item><networkInterfaceId>eni-3</networkInterfaceId></item>
</networkInterfaceSet></DescribeNetworkInterfacesResponse>`;

const WEB = `${ARN}:service/main/web`;
const ANSWERS: Readonly<Record<string, (body: Readonly<Record<string, unknown>>) => unknown>> = {
  ListClusters: () => ({ clusterArns: [CLUSTER] }),
  DescribeClusters: () => ({
    clusters: [
      {
        clusterArn: CLUSTER,
        clusterName: 'main',
        status: 'ACTIVE',
        tags: [{ key: 'of', value: 'cluster' }],
      },
    ],
  }),
  ListServices: () => ({ serviceArns: [WEB] }),
  DescribeServices: () => ({
    services: [
      {
        serviceArn: WEB,
        serviceName: 'web',
        clusterArn: CLUSTER,
        status: 'ACTIVE',
        tags: [{ key: 'of', value: 'service' }],
      },
    ],
  }),
  // Two pages.
  ListTasks: ({ nextToken }) =>
    nextToken === 'more'
      ? { taskArns: TASKS.slice(4).map(({ taskArn }) => taskArn) }
      : { taskArns: TASKS.slice(0, 4).map(({ taskArn }) => taskArn), nextToken: 'more' },
  DescribeTasks: ({ tasks }) => ({
    tasks: TASKS.filter(({ taskArn }) => (tasks as string[]).includes(taskArn)),
  }),
  DescribeContainerInstances: () => ({
    containerInstances: [
      { containerInstanceArn: `${ARN}:container-instance/main/c1`, ec2InstanceId: 'i-1' },
    ],
  }),
};

function answer(request: FakeRequest) {
  const { method, headers, body } = request;
  if (method !== 'POST') return null;
  if (isSigned(request, 'ec2')) {
    const action = new URLSearchParams(body).get('Action');
    if (action === 'DescribeInstances') return xml(INSTANCES);
    return action === 'DescribeNetworkInterfaces' ? xml(INTERFACES) : { status: 400 };
  }
  if (!isSigned(request, 'ecs')) return { status: 401 };
  const target = headers['x-amz-target'] ?? '';
  const make = ANSWERS[target.slice(TARGET_PREFIX.length)];
  if (!target.startsWith(TARGET_PREFIX) || make === undefined) return { status: 400 };
  return {
    headers: { 'Content-Type': 'application/x-amz-json-1.1' },
    json: make(JSON.parse(body) as Record<string, unknown>),
  };
}

export const ECS: readonly Fake[] = [
  { name: 'aws ecs', mechanism: 'aws', settings: `role: ecs, VIA_PROXY, ${KEYS}`, answer },
  {
    name: 'aws ecs of a cluster',
    mechanism: 'aws',
    settings: `role: ecs, VIA_PROXY, ${KEYS}, port: 9100, clusters: ["${CLUSTER}"]`,
    answer: (request) =>
      request.headers['x-amz-target'] === `${TARGET_PREFIX}ListClusters` ? null : answer(request),
  },
];
