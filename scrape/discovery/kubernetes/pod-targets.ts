/**
 * Role `pod`, and what targets that are backed by pods take over from them.
 * Source: Prometheus documentation, `<kubernetes_sd_config>`.
 */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { hostPort, labelText } from '../platform-api.ts';
import {
  attachedNamespace,
  attachedNode,
  attachedWorkload,
  type AttachMetadata,
  type Cluster,
} from './cluster.ts';
import {
  type Container,
  type ContainerPort,
  controllerOf,
  keyOf,
  metadataLabels,
  namespaceLabel,
  type Pod,
  PREFIX,
} from './objects.ts';

const OF_POD = `${PREFIX}pod_`;

export function podGroup(pod: Pod, cluster: Cluster, attach: AttachMetadata): TargetGroup {
  const ip = pod.status?.podIP ?? '';
  // Not yet scheduled, or no longer there.
  const containers = ip === '' ? [] : containersOf(pod);
  return {
    source: `pod/${keyOf(pod)}`,
    labels: {
      ...podLabels(pod),
      ...namespaceLabel(pod),
      ...attachedWorkload(cluster, pod, attach),
      ...attachedNode(cluster, pod.spec?.nodeName),
      ...attachedNamespace(cluster, pod),
    },
    targets: containers.flatMap(({ container, isInit }) => {
      const labels = {
        ...containerLabels(container, isInit),
        [`${OF_POD}container_id`]: containerIdOf(pod, container),
      };
      if ((container.ports ?? []).length === 0) return [{ __address__: ip, ...labels }];
      return container.ports!.map((port) => ({
        __address__: hostPort(ip, port.containerPort),
        ...labels,
        ...portLabels(port),
      }));
    }),
  };
}

export type PlacedContainer = { readonly container: Container; readonly isInit: boolean };

export function containersOf({ spec }: Pod): PlacedContainer[] {
  return [
    ...(spec?.containers ?? []).map((container) => ({ container, isInit: false })),
    ...(spec?.initContainers ?? []).map((container) => ({ container, isInit: true })),
  ];
}

export function podLabels(pod: Pod): LabelRecord {
  const { metadata, status, spec } = pod;
  const controller = controllerOf(pod);
  return {
    ...metadataLabels('pod', pod),
    [`${OF_POD}ip`]: labelText(status?.podIP),
    [`${OF_POD}ready`]: readiness(pod),
    [`${OF_POD}phase`]: labelText(status?.phase),
    [`${OF_POD}node_name`]: labelText(spec?.nodeName),
    [`${OF_POD}host_ip`]: labelText(status?.hostIP),
    [`${OF_POD}uid`]: labelText(metadata.uid),
    [`${OF_POD}controller_kind`]: labelText(controller?.kind),
    [`${OF_POD}controller_name`]: labelText(controller?.name),
  };
}

export function containerLabels(container: Container, isInit: boolean): LabelRecord {
  return {
    [`${OF_POD}container_name`]: container.name,
    [`${OF_POD}container_image`]: labelText(container.image),
    [`${OF_POD}container_init`]: String(isInit),
  };
}

export function portLabels(port: ContainerPort): LabelRecord {
  return {
    [`${OF_POD}container_port_name`]: labelText(port.name),
    [`${OF_POD}container_port_number`]: String(port.containerPort),
    [`${OF_POD}container_port_protocol`]: labelText(port.protocol),
  };
}

function containerIdOf({ status }: Pod, { name }: Container): string {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return labelText(all.find((one) => one.name === name)?.containerID);
}

function readiness({ status }: Pod): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? 'unknown' : ready.status.toLowerCase();
}
