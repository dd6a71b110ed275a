/** All that is known of a cluster, and the labels that objects lend to targets of others. */
import type { LabelRecord } from '../../config.ts';
import {
  controllerOf,
  type Endpoints,
  type EndpointSlice,
  type Ingress,
  type KubernetesObject,
  metadataLabels,
  type Node,
  objectKey,
  type Pod,
  PREFIX,
  type Service,
} from './objects.ts';

/** Of one kind, by namespace and name; null where the kind is not asked for. */
export type Known<T> = ReadonlyMap<string, T> | null;
export type Cluster = {
  readonly nodes: Known<Node>;
  readonly namespaces: Known<KubernetesObject>;
  readonly services: Known<Service>;
  readonly pods: Known<Pod>;
  readonly endpoints: Known<Endpoints>;
  readonly endpointSlices: Known<EndpointSlice>;
  readonly ingresses: Known<Ingress>;
  readonly replicaSets: Known<KubernetesObject>;
  readonly jobs: Known<KubernetesObject>;
};

export type AttachMetadata = {
  readonly node: boolean;
  readonly namespace: boolean;
  readonly deployment: boolean;
  readonly job: boolean;
  readonly cronjob: boolean;
};

/** Labels and annotations of an object's namespace. */
export function attachedNamespace(cluster: Cluster, object: KubernetesObject): LabelRecord {
  const { namespace = '' } = object.metadata;
  const found = cluster.namespaces?.get(objectKey(undefined, namespace));
  if (found === undefined) return {};
  const { [`${PREFIX}namespace_name`]: _, ...labels } = metadataLabels('namespace', found);
  return labels;
}

export function attachedNode(cluster: Cluster, name: string | undefined): LabelRecord {
  if (name === undefined || name === '') return {};
  const node = cluster.nodes?.get(objectKey(undefined, name));
  return node === undefined ? {} : metadataLabels('node', node);
}

/** The deployment, job or cron job that stands behind the pod's controller. */
export function attachedWorkload(
  cluster: Cluster,
  pod: Pod,
  { deployment, job, cronjob }: AttachMetadata,
): LabelRecord {
  const controller = controllerOf(pod);
  if (controller === undefined) return {};
  const labels: Record<string, string> = {};
  const owner = (known: Known<KubernetesObject>, kind: string) => {
    const found = known?.get(objectKey(pod.metadata.namespace, controller.name));
    const above = found && controllerOf(found);
    return above?.kind === kind ? above.name : '';
  };
  if (controller.kind === 'ReplicaSet' && deployment) {
    labels[`${PREFIX}pod_deployment_name`] = owner(cluster.replicaSets, 'Deployment');
  }
  if (controller.kind === 'Job') {
    if (job) labels[`${PREFIX}pod_job_name`] = controller.name;
    if (cronjob) labels[`${PREFIX}pod_cronjob_name`] = owner(cluster.jobs, 'CronJob');
  }
  return labels;
}
