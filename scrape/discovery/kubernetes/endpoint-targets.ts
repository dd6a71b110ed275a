/**
 * Roles `endpoints` and `endpointslice`: targets behind services, with what the pods there know.
 * Source: Prometheus documentation, `<kubernetes_sd_config>`.
 */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { hostPort, labelNamePart, labelText } from '../platform-api.ts';
import {
  attachedNamespace,
  attachedNode,
  attachedWorkload,
  type AttachMetadata,
  type Cluster,
} from './cluster.ts';
import {
  type EndpointAddress,
  type Endpoints,
  type EndpointSlice,
  keyOf,
  type KubernetesObject,
  metadataLabels,
  namespaceLabel,
  objectKey,
  type ObjectReference,
  type Pod,
  PREFIX,
} from './objects.ts';
import { containerLabels, containersOf, podLabels, portLabels } from './pod-targets.ts';

/** Pods seen on the way, and which of their ports have a target already. */
type SeenPods = Map<Pod, Set<number>>;
type Look = { readonly cluster: Cluster; readonly attach: AttachMetadata };

export function endpointsGroup(
  endpoints: Endpoints,
  cluster: Cluster,
  attach: AttachMetadata,
): TargetGroup {
  const look = { cluster, attach };
  const seen: SeenPods = new Map();
  const of = `${PREFIX}endpoint_`;
  const targets = (endpoints.subsets ?? []).flatMap(({ addresses, notReadyAddresses, ports }) =>
    (ports ?? []).flatMap((port) => {
      const one = (address: EndpointAddress, isReady: boolean): LabelRecord => ({
        __address__: hostPort(address.ip, port.port ?? 0),
        [`${of}ready`]: String(isReady),
        [`${of}port_name`]: labelText(port.name),
        [`${of}port_protocol`]: labelText(port.protocol),
        [`${of}hostname`]: labelText(address.hostname),
        [`${of}node_name`]: labelText(address.nodeName),
        ...referenceLabels(of, address.targetRef),
        ...attachedNode(cluster, nodeOf(address)),
        ...backing(look, endpoints, address.targetRef, port.port ?? 0, seen),
      });
      return [
        ...(addresses ?? []).map((address) => one(address, true)),
        ...(notReadyAddresses ?? []).map((address) => one(address, false)),
      ];
    }),
  );
  const service = cluster.services?.get(keyOf(endpoints));
  return {
    source: `endpoints/${keyOf(endpoints)}`,
    labels: {
      ...metadataLabels('endpoints', endpoints),
      ...namespaceLabel(endpoints),
      ...(service === undefined ? {} : metadataLabels('service', service)),
      ...attachedNamespace(cluster, endpoints),
    },
    targets: [...targets, ...otherPorts(look, seen)],
  };
}

export function endpointSliceGroup(
  slice: EndpointSlice,
  cluster: Cluster,
  attach: AttachMetadata,
): TargetGroup {
  const look = { cluster, attach };
  const seen: SeenPods = new Map();
  const of = `${PREFIX}endpointslice_`;
  const targets = (slice.ports ?? []).flatMap((port) =>
    (slice.endpoints ?? []).flatMap((endpoint) => {
      const { conditions, targetRef, nodeName } = endpoint;
      const labels: LabelRecord = {
        [`${of}port`]: labelText(port.port),
        [`${of}port_name`]: labelText(port.name),
        [`${of}port_protocol`]: labelText(port.protocol),
        [`${of}endpoint_conditions_ready`]: labelText(conditions?.ready),
        [`${of}endpoint_conditions_serving`]: labelText(conditions?.serving),
        [`${of}endpoint_conditions_terminating`]: labelText(conditions?.terminating),
        [`${of}endpoint_hostname`]: labelText(endpoint.hostname),
        [`${of}endpoint_node_name`]: labelText(nodeName),
        [`${of}endpoint_zone`]: labelText(endpoint.zone),
        ...topologyLabels(`${of}endpoint_topology`, endpoint.deprecatedTopology),
        ...referenceLabels(of, targetRef),
        ...attachedNode(cluster, nodeOf(endpoint)),
      };
      return (endpoint.addresses ?? []).map((ip) => ({
        __address__: typeof port.port === 'number' ? hostPort(ip, port.port) : ip,
        ...labels,
        ...backing(look, slice, targetRef, port.port ?? null, seen),
      }));
    }),
  );
  const serviceName = slice.metadata.labels?.['kubernetes.io/service-name'];
  const service =
    serviceName === undefined
      ? undefined
      : cluster.services?.get(objectKey(slice.metadata.namespace, serviceName));
  return {
    source: `endpointslice/${keyOf(slice)}`,
    labels: {
      ...metadataLabels('endpointslice', slice),
      ...namespaceLabel(slice),
      [`${of}address_type`]: labelText(slice.addressType),
      ...(service === undefined ? {} : metadataLabels('service', service)),
      ...attachedNamespace(cluster, slice),
    },
    targets: [...targets, ...otherPorts(look, seen)],
  };
}

/** Labels of the pod behind an address, and of the container behind its port. */
function backing(
  { cluster, attach }: Look,
  { metadata }: KubernetesObject,
  reference: ObjectReference | undefined,
  portNumber: number | null,
  seen: SeenPods,
): LabelRecord {
  if (reference?.kind !== 'Pod' || reference.name === undefined) return {};
  const key = objectKey(reference.namespace ?? metadata.namespace, reference.name);
  const pod = cluster.pods?.get(key);
  if (pod === undefined) return {};
  let ports = seen.get(pod);
  if (ports === undefined) seen.set(pod, (ports = new Set()));
  const labels = { ...podLabels(pod), ...attachedWorkload(cluster, pod, attach) };
  if (portNumber === null) return labels;
  for (const { container, isInit } of containersOf(pod)) {
    const port = container.ports?.find(({ containerPort }) => containerPort === portNumber);
    if (port === undefined) continue;
    ports.add(portNumber);
    return { ...labels, ...containerLabels(container, isInit), ...portLabels(port) };
  }
  return labels;
}

/** Targets for the ports of pods that no endpoint has. */
function otherPorts({ cluster, attach }: Look, seen: SeenPods): LabelRecord[] {
  return [...seen].flatMap(([pod, served]) =>
    containersOf(pod).flatMap(({ container, isInit }) =>
      (container.ports ?? [])
        .filter(({ containerPort }) => !served.has(containerPort))
        .map((port) => ({
          __address__: hostPort(labelText(pod.status?.podIP), port.containerPort),
          ...podLabels(pod),
          ...attachedWorkload(cluster, pod, attach),
          ...containerLabels(container, isInit),
          ...portLabels(port),
        })),
    ),
  );
}

function referenceLabels(prefix: string, reference: ObjectReference | undefined): LabelRecord {
  if (reference === undefined) return {};
  return {
    [`${prefix}address_target_kind`]: labelText(reference.kind),
    [`${prefix}address_target_name`]: labelText(reference.name),
  };
}

/** An address may say its node, or be one. */
function nodeOf({
  nodeName,
  targetRef,
}: {
  readonly nodeName?: string;
  readonly targetRef?: ObjectReference;
}): string | undefined {
  return nodeName ?? (targetRef?.kind === 'Node' ? targetRef.name : undefined);
}

function topologyLabels(
  prefix: string,
  topology: Readonly<Record<string, string>> | undefined,
): LabelRecord {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(topology ?? {})) {
    labels[`${prefix}_${labelNamePart(key)}`] = value;
    labels[`${prefix}_present_${labelNamePart(key)}`] = 'true';
  }
  return labels;
}
