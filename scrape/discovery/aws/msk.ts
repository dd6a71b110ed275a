/**
 * Brokers and controllers of Amazon's managed Kafka.
 * Source: Prometheus documentation, `<aws_sd_config>`; Amazon MSK API reference, clusters (v2) and
 * nodes (v1).
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, labelsFrom, labelText } from '../platform-api.ts';
import { type AwsCalls, awsPlatform } from './aws-api.ts';
import type { AwsSettings } from './credentials.ts';

type MskSettings = AwsSettings & { readonly port: number; readonly clusters: readonly string[] };
type Calls = AwsCalls<MskSettings>;

type Cluster = {
  readonly clusterArn: string;
  readonly clusterName?: string;
  readonly clusterType?: string;
  readonly currentVersion?: string;
  readonly state?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly provisioned?: {
    readonly currentBrokerSoftwareInfo?: {
      readonly configurationArn?: string;
      readonly configurationRevision?: number;
      readonly kafkaVersion?: string;
    };
    readonly openMonitoring?: {
      readonly prometheus?: {
        readonly jmxExporter?: { readonly enabledInBroker?: boolean };
        readonly nodeExporter?: { readonly enabledInBroker?: boolean };
      };
    };
  };
};
type Node = {
  readonly addedToClusterTime?: string;
  readonly instanceType?: string;
  readonly nodeARN?: string;
  readonly nodeType?: string;
  readonly brokerNodeInfo?: {
    readonly attachedENIId?: string;
    readonly brokerId?: number;
    readonly clientSubnet?: string;
    readonly clientVpcIpAddress?: string;
    readonly endpoints?: readonly string[];
  };
  readonly controllerNodeInfo?: { readonly endpoints?: readonly string[] };
};

const PAGE = 'maxResults=100';
const PREFIX = '__meta_msk_';

export const create = awsPlatform<MskSettings>('kafka', async (calls) => {
  const port = calls.settings.port || 80;
  const targets: LabelRecord[] = [];
  for (const cluster of await clustersOf(calls)) {
    const route = `/v1/clusters/${encodeURIComponent(cluster.clusterArn)}/nodes?${PAGE}`;
    for (const node of await pagesOf<Node>(calls, route, 'nodeInfoList')) {
      targets.push(...targetsOfNode(node, cluster, port));
    }
  }
  return targets;
});

/** Those named, or all that show their nodes. */
async function clustersOf(calls: Calls): Promise<Cluster[]> {
  const { clusters } = calls.settings;
  if (clusters.length === 0) {
    const route = `/api/v2/clusters?clusterTypeFilter=PROVISIONED&${PAGE}`;
    return pagesOf<Cluster>(calls, route, 'clusterInfoList');
  }
  const describe = async (arn: string) => {
    const route = `/api/v2/clusters/${encodeURIComponent(arn)}`;
    return (await calls.resource<{ clusterInfo?: Cluster }>('kafka', route)).clusterInfo;
  };
  const found = await Promise.all(clusters.map(describe));
  return found.filter((cluster) => cluster !== undefined);
}

async function pagesOf<T>(calls: Calls, route: string, listName: string): Promise<T[]> {
  type Page = { readonly [list: string]: unknown; readonly nextToken?: string };
  const found: T[] = [];
  let next = '';
  do {
    const token = next === '' ? '' : `&nextToken=${encodeURIComponent(next)}`;
    const page = await calls.resource<Page>('kafka', route + token);
    found.push(...((page[listName] ?? []) as T[]));
    next = page.nextToken ?? '';
  } while (next !== '');
  return found;
}

/** One target for each address of a broker or controller; nodes of ZooKeeper tell nothing. */
function targetsOfNode(node: Node, cluster: Cluster, port: number): LabelRecord[] {
  const { brokerNodeInfo: broker, controllerNodeInfo: controller } = node;
  const common: LabelRecord = {
    ...clusterLabels(cluster),
    [`${PREFIX}node_type`]: labelText(node.nodeType),
    [`${PREFIX}node_arn`]: labelText(node.nodeARN),
    [`${PREFIX}node_added_time`]: labelText(node.addedToClusterTime),
    [`${PREFIX}node_instance_type`]: labelText(node.instanceType),
  };
  if (broker !== undefined) {
    const { nodeExporter } = cluster.provisioned?.openMonitoring?.prometheus ?? {};
    return (broker.endpoints ?? []).map((endpoint, index) => ({
      ...common,
      __address__: hostPort(endpoint, port),
      [`${PREFIX}node_attached_eni`]: labelText(broker.attachedENIId),
      [`${PREFIX}broker_id`]: labelText(broker.brokerId),
      [`${PREFIX}broker_endpoint_index`]: String(index),
      [`${PREFIX}broker_client_subnet`]: labelText(broker.clientSubnet),
      [`${PREFIX}broker_client_vpc_ip`]: labelText(broker.clientVpcIpAddress),
      [`${PREFIX}broker_node_exporter_enabled`]: labelText(nodeExporter?.enabledInBroker),
    }));
  }
  return (controller?.endpoints ?? []).map((endpoint, index) => ({
    ...common,
    __address__: hostPort(endpoint, port),
    [`${PREFIX}controller_endpoint_index`]: String(index),
  }));
}

function clusterLabels(cluster: Cluster): LabelRecord {
  const { currentBrokerSoftwareInfo: software, openMonitoring } = cluster.provisioned ?? {};
  const of = `${PREFIX}cluster_`;
  return {
    [`${of}name`]: labelText(cluster.clusterName),
    [`${of}arn`]: cluster.clusterArn,
    [`${of}state`]: labelText(cluster.state),
    [`${of}type`]: labelText(cluster.clusterType),
    [`${of}version`]: labelText(cluster.currentVersion),
    [`${of}kafka_version`]: labelText(software?.kafkaVersion),
    [`${of}jmx_exporter_enabled`]: labelText(
      openMonitoring?.prometheus?.jmxExporter?.enabledInBroker,
    ),
    [`${of}configuration_arn`]: labelText(software?.configurationArn),
    [`${of}configuration_revision`]: labelText(software?.configurationRevision),
    ...labelsFrom(`${of}tag_`, cluster.tags),
  };
}
