/**
 * The parts of Kubernetes objects that discovery reads, and labels that all kinds have.
 * Source: Kubernetes API reference, v1.
 */
import type { LabelRecord } from '../../config.ts';
import { labelsWithPresence, labelText } from '../platform-api.ts';

export const PREFIX = '__meta_kubernetes_';

type Texts = Readonly<Record<string, string>>;
export type Owner = { readonly kind: string; readonly name: string; readonly controller?: boolean };
export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Texts;
  readonly annotations?: Texts;
  readonly ownerReferences?: readonly Owner[];
};
export type KubernetesObject = { readonly metadata: Metadata };

type Condition = { readonly type: string; readonly status: string };
export type Node = KubernetesObject & {
  readonly spec?: { readonly providerID?: string };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
  };
};
export type Service = KubernetesObject & {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly loadBalancerIP?: string;
    readonly ports?: readonly Port[];
  };
};
type Port = { readonly name?: string; readonly port?: number | null; readonly protocol?: string };
export type ContainerPort = {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
};
export type Container = {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly ContainerPort[];
};
type ContainerStatus = { readonly name: string; readonly containerID?: string };
export type Pod = KubernetesObject & {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
};
export type ObjectReference = {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
};
export type EndpointAddress = {
  readonly ip: string;
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly targetRef?: ObjectReference;
};
export type Endpoints = KubernetesObject & {
  readonly subsets?: readonly {
    readonly addresses?: readonly EndpointAddress[];
    readonly notReadyAddresses?: readonly EndpointAddress[];
    readonly ports?: readonly Port[];
  }[];
};
export type EndpointSlice = KubernetesObject & {
  readonly addressType?: string;
  readonly ports?: readonly Port[];
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: {
      readonly ready?: boolean;
      readonly serving?: boolean;
      readonly terminating?: boolean;
    };
    readonly hostname?: string;
    readonly nodeName?: string;
    readonly zone?: string;
    readonly targetRef?: ObjectReference;
    readonly deprecatedTopology?: Texts;
  }[];
};
export type Ingress = KubernetesObject & {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly tls?: readonly { readonly hosts?: readonly string[] }[];
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: { readonly paths?: readonly { readonly path?: string }[] };
    }[];
  };
};

/** Name, labels and annotations; `kind` is as in the label names. */
export function metadataLabels(kind: string, { metadata }: KubernetesObject): LabelRecord {
  const of = `${PREFIX}${kind}_`;
  return {
    [`${of}name`]: metadata.name,
    ...labelsWithPresence(`${of}label`, metadata.labels),
    ...labelsWithPresence(`${of}annotation`, metadata.annotations),
  };
}

export function namespaceLabel({ metadata }: KubernetesObject): LabelRecord {
  return { [`${PREFIX}namespace`]: labelText(metadata.namespace) };
}

/** Unique within a kind. */
export function keyOf({ metadata }: KubernetesObject): string {
  return objectKey(metadata.namespace, metadata.name);
}

export function objectKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

export function controllerOf({ metadata }: KubernetesObject): Owner | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}
