/**
 * Tasks of Amazon's Elastic Container Service.
 * Source: Prometheus documentation, `<aws_sd_config>`; Amazon ECS API reference; Amazon EC2 API
 * reference, DescribeInstances and DescribeNetworkInterfaces.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, labelText } from '../platform-api.ts';
import { childrenAt, textAt, type XmlElement } from '../xml.ts';
import { type AwsCalls, awsPlatform, inBatches, tagLabels } from './aws-api.ts';
import type { AwsSettings } from './credentials.ts';

type EcsSettings = AwsSettings & { readonly port: number; readonly clusters: readonly string[] };
type Calls = AwsCalls<EcsSettings>;

type Tag = { readonly key?: string; readonly value?: string };
type Cluster = {
  readonly clusterArn: string;
  readonly clusterName?: string;
  readonly tags?: readonly Tag[];
};
type Service = {
  readonly serviceArn: string;
  readonly serviceName: string;
  readonly status?: string;
  readonly tags?: readonly Tag[];
};
type Task = {
  readonly taskArn: string;
  readonly taskDefinitionArn?: string;
  readonly group?: string;
  readonly launchType?: string;
  readonly desiredStatus?: string;
  readonly lastStatus?: string;
  readonly healthStatus?: string;
  readonly platformFamily?: string;
  readonly platformVersion?: string;
  readonly availabilityZone?: string;
  readonly containerInstanceArn?: string;
  readonly attachments?: readonly {
    readonly type?: string;
    readonly details?: readonly { readonly name?: string; readonly value?: string }[];
  }[];
  readonly tags?: readonly Tag[];
};
type ContainerInstance = { readonly containerInstanceArn: string; readonly ec2InstanceId?: string };

/** What is known about one cluster, to make targets of its tasks. */
type Surroundings = {
  readonly region: string;
  readonly port: number;
  readonly cluster: Cluster;
  readonly services: ReadonlyMap<string, Service>;
  /** By the ARN of the container instance. */
  readonly machines: ReadonlyMap<string, XmlElement>;
  /** By the id of the network interface. */
  readonly publicIps: ReadonlyMap<string, string>;
};

const TARGET_PREFIX = 'AmazonEC2ContainerServiceV20141113.';
const EC2_API_VERSION = '2016-11-15';
const PAGE_SIZE = 100;
/** How many the API takes in one question. */
const SERVICE_COUNT_MAX = 10;
const DESCRIBED_COUNT_MAX = 100;
const PREFIX = '__meta_ecs_';

export const create = awsPlatform<EcsSettings>('ecs', async (calls) => {
  const { settings } = calls;
  const arns =
    settings.clusters.length > 0
      ? settings.clusters
      : await listAll(calls, 'ListClusters', 'clusterArns', {});
  const clusters = await describeAll<Cluster>(
    calls,
    'DescribeClusters',
    'clusters',
    arns,
    DESCRIBED_COUNT_MAX,
    { include: ['TAGS'] },
  );
  const targets = await Promise.all(clusters.map((cluster) => targetsOfCluster(calls, cluster)));
  return targets.flat();
});

async function targetsOfCluster(calls: Calls, cluster: Cluster): Promise<LabelRecord[]> {
  const of = { cluster: cluster.clusterArn };
  const [serviceArns, taskArns] = await Promise.all([
    listAll(calls, 'ListServices', 'serviceArns', of),
    listAll(calls, 'ListTasks', 'taskArns', of),
  ]);
  const described = { ...of, include: ['TAGS'] };
  const [services, tasks] = await Promise.all([
    describeAll<Service>(
      calls,
      'DescribeServices',
      'services',
      serviceArns,
      SERVICE_COUNT_MAX,
      described,
    ),
    describeAll<Task>(calls, 'DescribeTasks', 'tasks', taskArns, DESCRIBED_COUNT_MAX, described),
  ]);
  const [machines, publicIps] = await Promise.all([
    machinesOf(calls, tasks, of),
    publicIpsOf(calls, tasks),
  ]);
  const surroundings: Surroundings = {
    region: calls.region,
    port: calls.settings.port || 80,
    cluster,
    services: new Map(services.map((service) => [service.serviceName, service])),
    machines,
    publicIps,
  };
  return tasks.map((task) => target(task, surroundings)).filter((one) => one !== null);
}

/** Names of everything of a kind, page after page. */
async function listAll(
  calls: Calls,
  action: string,
  listName: string,
  body: object,
): Promise<string[]> {
  type Page = { readonly [list: string]: unknown; readonly nextToken?: string };
  const found: string[] = [];
  let next: string | undefined;
  do {
    const page: Page = await calls.json<Page>('ecs', TARGET_PREFIX + action, {
      ...body,
      maxResults: PAGE_SIZE,
      ...(next === undefined ? {} : { nextToken: next }),
    });
    found.push(...((page[listName] ?? []) as string[]));
    next = page.nextToken;
  } while (next !== undefined && next !== '');
  return found;
}

/** @param listName  of what is asked for in the question, and of what is told in the answer */
async function describeAll<T>(
  calls: Calls,
  action: string,
  listName: string,
  names: readonly string[],
  countMax: number,
  body: object,
): Promise<T[]> {
  const answers = inBatches(names, countMax).map((batch) =>
    calls.json<Record<string, T[]>>('ecs', TARGET_PREFIX + action, { ...body, [listName]: batch }),
  );
  return (await Promise.all(answers)).flatMap((answer) => answer[listName] ?? []);
}

/** The machines that tasks run on, where these are known: those in EC2. */
async function machinesOf(
  calls: Calls,
  tasks: readonly Task[],
  of: { readonly cluster: string },
): Promise<Map<string, XmlElement>> {
  const arns = distinct(tasks.map(({ containerInstanceArn }) => containerInstanceArn));
  const instances = await describeAll<ContainerInstance>(
    calls,
    'DescribeContainerInstances',
    'containerInstances',
    arns,
    DESCRIBED_COUNT_MAX,
    of,
  );
  const ids = distinct(instances.map(({ ec2InstanceId }) => ec2InstanceId));
  const answers = await describeInEc2(calls, 'DescribeInstances', 'InstanceId', ids);
  const byId = new Map(
    answers
      .flatMap((answer) => childrenAt(answer, 'reservationSet'))
      .flatMap((reservation) => childrenAt(reservation, 'instancesSet'))
      .map((machine) => [textAt(machine, 'instanceId'), machine]),
  );
  const found = new Map<string, XmlElement>();
  for (const { containerInstanceArn: arn, ec2InstanceId: id } of instances) {
    const machine = byId.get(id ?? '');
    if (machine !== undefined) found.set(arn, machine);
  }
  return found;
}

async function publicIpsOf(calls: Calls, tasks: readonly Task[]): Promise<Map<string, string>> {
  const ids = distinct(tasks.map((task) => interfaceOf(task).get('networkInterfaceId')));
  const action = 'DescribeNetworkInterfaces';
  const answers = await describeInEc2(calls, action, 'NetworkInterfaceId', ids);
  const interfaces = answers.flatMap((answer) => childrenAt(answer, 'networkInterfaceSet'));
  return new Map(
    interfaces.map((one) => [
      textAt(one, 'networkInterfaceId'),
      textAt(one, 'association', 'publicIp'),
    ]),
  );
}

function describeInEc2(
  calls: Calls,
  action: string,
  idName: string,
  ids: readonly string[],
): Promise<XmlElement[]> {
  const answers = inBatches(ids, DESCRIBED_COUNT_MAX).map((batch) =>
    calls.query('ec2', {
      Action: action,
      Version: EC2_API_VERSION,
      ...Object.fromEntries(batch.map((id, index) => [`${idName}.${index + 1}`, id])),
    }),
  );
  return Promise.all(answers);
}

/** What a task tells of its own network interface; empty when it uses that of its machine. */
function interfaceOf(task: Task): ReadonlyMap<string, string> {
  const own = task.attachments?.find(({ type }) => type === 'ElasticNetworkInterface');
  return new Map(own?.details?.map(({ name = '', value = '' }) => [name, value]));
}

/** Null for a task that has no address yet. */
function target(task: Task, around: Surroundings): LabelRecord | null {
  const own = interfaceOf(task);
  const machine = around.machines.get(task.containerInstanceArn ?? '');
  const ownIp = own.get('privateIPv4Address');
  const isOwn = ownIp !== undefined && ownIp !== '';
  const address = isOwn ? ownIp : textAt(machine, 'privateIpAddress');
  if (address === '') return null;
  const { cluster, port } = around;
  const service = around.services.get(task.group?.replace(/^service:/, '') ?? '');
  return {
    __address__: hostPort(address, port),
    [`${PREFIX}cluster`]: labelText(cluster.clusterName),
    [`${PREFIX}cluster_arn`]: cluster.clusterArn,
    [`${PREFIX}task_group`]: labelText(task.group),
    [`${PREFIX}task_arn`]: task.taskArn,
    [`${PREFIX}task_definition`]: labelText(task.taskDefinitionArn),
    [`${PREFIX}ip_address`]: address,
    [`${PREFIX}region`]: around.region,
    [`${PREFIX}launch_type`]: labelText(task.launchType),
    [`${PREFIX}desired_status`]: labelText(task.desiredStatus),
    [`${PREFIX}last_status`]: labelText(task.lastStatus),
    [`${PREFIX}health_status`]: labelText(task.healthStatus),
    [`${PREFIX}platform_family`]: labelText(task.platformFamily),
    [`${PREFIX}platform_version`]: labelText(task.platformVersion),
    [`${PREFIX}availability_zone`]: labelText(task.availabilityZone),
    [`${PREFIX}network_mode`]: isOwn ? 'awsvpc' : 'bridge',
    [`${PREFIX}subnet_id`]: isOwn ? labelText(own.get('subnetId')) : textAt(machine, 'subnetId'),
    [`${PREFIX}public_ip`]: isOwn
      ? labelText(around.publicIps.get(own.get('networkInterfaceId') ?? ''))
      : textAt(machine, 'ipAddress'),
    ...ofTags('cluster', cluster.tags),
    ...(service === undefined ? {} : serviceLabels(service)),
    ...ofTags('task', task.tags),
    ...(machine === undefined ? {} : machineLabels(task, machine)),
  };
}

function serviceLabels(service: Service): LabelRecord {
  return {
    [`${PREFIX}service`]: service.serviceName,
    [`${PREFIX}service_arn`]: service.serviceArn,
    [`${PREFIX}service_status`]: labelText(service.status),
    ...ofTags('service', service.tags),
  };
}

function machineLabels(task: Task, machine: XmlElement): LabelRecord {
  const tags = childrenAt(machine, 'tagSet').map((tag) => ({
    key: textAt(tag, 'key'),
    value: textAt(tag, 'value'),
  }));
  return {
    [`${PREFIX}container_instance_arn`]: labelText(task.containerInstanceArn),
    [`${PREFIX}ec2_instance_id`]: textAt(machine, 'instanceId'),
    [`${PREFIX}ec2_instance_type`]: textAt(machine, 'instanceType'),
    [`${PREFIX}ec2_instance_private_ip`]: textAt(machine, 'privateIpAddress'),
    [`${PREFIX}ec2_instance_public_ip`]: textAt(machine, 'ipAddress'),
    ...ofTags('ec2', tags),
  };
}

/** Named `tag_<of what>_<key>`, unlike the tags of other services. */
function ofTags(what: string, tags: readonly Tag[] = []): LabelRecord {
  const entries = tags.map(({ key = '', value = '' }) => ({ key: `${what}_${key}`, value }));
  return tagLabels(PREFIX, entries);
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))].filter(
    (value) => value !== '',
  );
}
