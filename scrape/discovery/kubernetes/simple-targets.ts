/**
 * Roles `node`, `service` and `ingress`: targets of one object each.
 * Source: Prometheus documentation, `<kubernetes_sd_config>`.
 */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { hostPort, labelText } from '../platform-api.ts';
import { attachedNamespace, type Cluster } from './cluster.ts';
import {
  type Ingress,
  keyOf,
  metadataLabels,
  namespaceLabel,
  type Node,
  PREFIX,
  type Service,
} from './objects.ts';

const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'LegacyHostIP', 'Hostname'];

export function nodeGroup(node: Node): TargetGroup {
  const { metadata, spec, status } = node;
  const addresses = status?.addresses ?? [];
  const address = ADDRESS_TYPES.map((wanted) => addresses.find(({ type }) => type === wanted)).find(
    (found) => found !== undefined,
  );
  const labels: Record<string, string> = {};
  for (const { type, status: state } of status?.conditions ?? []) {
    labels[`${PREFIX}node_condition_${type.toLowerCase()}`] = state.toLowerCase();
  }
  // The first of each type counts.
  for (const { type, address: text } of addresses) {
    labels[`${PREFIX}node_address_${type}`] ??= text;
  }
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  const target = {
    __address__: hostPort(address?.address ?? '', port),
    instance: metadata.name,
    ...labels,
  };
  return {
    source: `node/${metadata.name}`,
    labels: {
      ...metadataLabels('node', node),
      [`${PREFIX}node_provider_id`]: labelText(spec?.providerID),
    },
    targets: address === undefined ? [] : [target],
  };
}

export function serviceGroup(service: Service, cluster: Cluster): TargetGroup {
  const { metadata, spec } = service;
  const of = `${PREFIX}service_`;
  const type = labelText(spec?.type);
  const byType: LabelRecord =
    type === 'ExternalName'
      ? { [`${of}external_name`]: labelText(spec?.externalName) }
      : { [`${of}cluster_ip`]: labelText(spec?.clusterIP) };
  const balancer: LabelRecord =
    type === 'LoadBalancer' ? { [`${of}loadbalancer_ip`]: labelText(spec?.loadBalancerIP) } : {};
  return {
    source: `svc/${keyOf(service)}`,
    labels: {
      ...metadataLabels('service', service),
      ...namespaceLabel(service),
      ...attachedNamespace(cluster, service),
    },
    targets: (spec?.ports ?? []).map((port) => ({
      __address__: hostPort(`${metadata.name}.${metadata.namespace}.svc`, port.port ?? 0),
      [`${of}port_name`]: labelText(port.name),
      [`${of}port_number`]: labelText(port.port),
      [`${of}port_protocol`]: labelText(port.protocol),
      [`${of}type`]: type,
      ...byType,
      ...balancer,
    })),
  };
}

export function ingressGroup(ingress: Ingress, cluster: Cluster): TargetGroup {
  const { spec } = ingress;
  const of = `${PREFIX}ingress_`;
  const tlsHosts = (spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
  return {
    source: `ingress/${keyOf(ingress)}`,
    labels: {
      ...metadataLabels('ingress', ingress),
      ...namespaceLabel(ingress),
      [`${of}class_name`]: labelText(spec?.ingressClassName),
      ...attachedNamespace(cluster, ingress),
    },
    targets: (spec?.rules ?? []).flatMap(({ host = '', http }) => {
      const paths = (http?.paths ?? []).map(({ path }) => path || '/');
      const scheme = tlsHosts.some((pattern) => hostMatches(pattern, host)) ? 'https' : 'http';
      return (paths.length === 0 ? ['/'] : paths).map((path) => ({
        __address__: host,
        [`${of}scheme`]: scheme,
        [`${of}host`]: host,
        [`${of}path`]: path,
      }));
    }),
  };
}

/** A wildcard stands for exactly one label. */
function hostMatches(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  return pattern.startsWith('*.') && host.replace(/^[^.]+/, '*') === pattern;
}
