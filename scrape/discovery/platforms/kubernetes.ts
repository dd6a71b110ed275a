/**
 * Nodes, services, pods, endpoints and ingresses of a Kubernetes cluster, by list and watch.
 * Source: Prometheus documentation, `<kubernetes_sd_config>`; Kubernetes API reference.
 */
import { CanceledError, messageOf } from '../../../model/index.ts';
import type { TargetGroup } from '../../config.ts';
import { clusterAccess, ownNamespace } from '../kubernetes/access.ts';
import type { AttachMetadata, Cluster } from '../kubernetes/cluster.ts';
import { endpointsGroup, endpointSliceGroup } from '../kubernetes/endpoint-targets.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { podGroup } from '../kubernetes/pod-targets.ts';
import { ingressGroup, nodeGroup, serviceGroup } from '../kubernetes/simple-targets.ts';
import { WatchedList } from '../kubernetes/watched-list.ts';
import { type CreatePlatform, PlatformApi, withoutEndSlash } from '../platform-api.ts';
import type { DiscoveryProvider } from '../provider.ts';

type KubernetesSettings = {
  readonly role: string;
  readonly namespaces: { readonly own_namespace: boolean; readonly names: readonly string[] };
  readonly selectors: readonly {
    readonly role: string;
    readonly label: string;
    readonly field: string;
  }[];
  readonly attach_metadata: AttachMetadata;
};

type Kind = keyof Cluster;

/** Of each kind: the collection's path, and the role whose selectors hold for it. */
const KINDS: Readonly<Record<Kind, { readonly path: string; readonly role: string }>> = {
  nodes: { path: '/api/v1/nodes', role: 'node' },
  namespaces: { path: '/api/v1/namespaces', role: '' },
  services: { path: '/api/v1/services', role: 'service' },
  pods: { path: '/api/v1/pods', role: 'pod' },
  endpoints: { path: '/api/v1/endpoints', role: 'endpoints' },
  endpointSlices: { path: '/apis/discovery.k8s.io/v1/endpointslices', role: 'endpointslice' },
  ingresses: { path: '/apis/networking.k8s.io/v1/ingresses', role: 'ingress' },
  replicaSets: { path: '/apis/apps/v1/replicasets', role: '' },
  jobs: { path: '/apis/batch/v1/jobs', role: '' },
};
/** These do not live in namespaces. */
const OF_CLUSTER: ReadonlySet<Kind> = new Set(['nodes', 'namespaces']);

const KINDS_OF_ROLE: Readonly<Record<string, readonly Kind[]>> = {
  node: ['nodes'],
  service: ['services'],
  pod: ['pods'],
  endpoints: ['endpoints', 'services', 'pods'],
  endpointslice: ['endpointSlices', 'services', 'pods'],
  ingress: ['ingresses'],
};
const ROLES_WITH_PODS: ReadonlySet<string> = new Set(['pod', 'endpoints', 'endpointslice']);

/** Changes come in bursts; groups are built when it has been quiet, or this often. */
const SETTLE_MS = 100;

export const create: CreatePlatform = (config, context) => {
  const access = clusterAccess(config, context);
  const api = new PlatformApi<KubernetesSettings>(
    { ...config, httpClient: access.httpClient },
    context,
    { access: access.changing },
  );
  return new KubernetesProvider(api, withoutEndSlash(access.server));
};

class KubernetesProvider implements DiscoveryProvider {
  readonly #api: PlatformApi<KubernetesSettings>;
  readonly #server: string;
  readonly #stop = new AbortController();
  /** Several lists where several namespaces are asked for. */
  readonly #lists = new Map<Kind, WatchedList<KubernetesObject>[]>();
  #update: (groups: readonly TargetGroup[]) => void = () => {};
  #isSettling = false;

  constructor(api: PlatformApi<KubernetesSettings>, server: string) {
    this.#api = api;
    this.#server = server;
  }

  start(update: (groups: readonly TargetGroup[]) => void): void {
    this.#update = update;
    const { namespaces } = this.#api.settings;
    const own = namespaces.own_namespace ? [ownNamespace()] : [];
    const names = [...new Set([...own, ...namespaces.names])];
    for (const kind of kindsOf(this.#api.settings)) {
      const { path, role } = KINDS[kind];
      const paths =
        names.length === 0 || OF_CLUSTER.has(kind)
          ? [path]
          : names.map((name) => path.replace(/\/(\w+)$/, `/namespaces/${name}/$1`));
      const params = this.#selectorParams(kind);
      const lists = paths.map(
        (one) =>
          new WatchedList<KubernetesObject>(this.#api, this.#server + one, params, role, () => {
            void this.#settle();
          }),
      );
      this.#lists.set(kind, lists);
    }
    for (const lists of this.#lists.values()) {
      for (const list of lists) void list.run(this.#stop.signal);
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#api.close();
  }

  #selectorParams(kind: Kind): Record<string, string> {
    const selector = this.#api.settings.selectors.find(({ role }) => role === KINDS[kind].role);
    const params: Record<string, string> = {};
    if (selector === undefined) return params;
    if (selector.label !== '') params['labelSelector'] = selector.label;
    if (selector.field !== '') params['fieldSelector'] = selector.field;
    return params;
  }

  async #settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      await this.#api.context.clock.sleep(SETTLE_MS, this.#stop.signal);
    } catch (error) {
      if (error instanceof CanceledError) return;
      throw error;
    }
    this.#isSettling = false;
    const all = [...this.#lists.values()].flat();
    // Half of the labels would be worse than waiting a moment.
    if (this.#stop.signal.aborted || !all.every(({ isListed }) => isListed)) return;
    this.#update(
      groupsOf(this.#api.settings, this.#cluster(), (object, error) => {
        this.#tellUnreadable(object, error);
      }),
    );
  }

  #tellUnreadable({ metadata }: KubernetesObject, error: unknown): void {
    const { logger, metrics, jobName } = this.#api.context;
    metrics.refreshFailed('kubernetes', jobName);
    logger.error('An object of Kubernetes cannot be read', {
      discovery: 'kubernetes',
      config: jobName,
      role: this.#api.settings.role,
      namespace: metadata.namespace,
      name: metadata.name,
      err: messageOf(error),
    });
  }

  #cluster(): Cluster {
    const known = (kind: Kind): ReadonlyMap<string, KubernetesObject> | null => {
      const lists = this.#lists.get(kind);
      if (lists === undefined) return null;
      if (lists.length === 1) return lists[0]!.objects;
      return new Map(lists.flatMap(({ objects }) => [...objects]));
    };
    return Object.fromEntries(
      (Object.keys(KINDS) as Kind[]).map((kind) => [kind, known(kind)]),
    ) as Cluster;
  }
}

function kindsOf({ role, attach_metadata: attach }: KubernetesSettings): Set<Kind> {
  const kinds = new Set(KINDS_OF_ROLE[role]);
  if (attach.namespace && role !== 'node') kinds.add('namespaces');
  if (!ROLES_WITH_PODS.has(role)) return kinds;
  if (attach.node) kinds.add('nodes');
  if (attach.deployment) kinds.add('replicaSets');
  if (attach.cronjob) kinds.add('jobs');
  return kinds;
}

/** @param onUnreadable  told of objects that are not what the API documents; they are left out */
function groupsOf(
  settings: KubernetesSettings,
  cluster: Cluster,
  onUnreadable: (object: KubernetesObject, error: unknown) => void,
): TargetGroup[] {
  const { role, attach_metadata: attach } = settings;
  const groups = <T extends KubernetesObject>(
    known: ReadonlyMap<string, T> | null,
    make: (object: T) => TargetGroup,
  ): TargetGroup[] => {
    const made: TargetGroup[] = [];
    for (const object of known?.values() ?? []) {
      try {
        made.push(make(object));
      } catch (error) {
        onUnreadable(object, error);
      }
    }
    return made;
  };
  switch (role) {
    case 'node':
      return groups(cluster.nodes, nodeGroup);
    case 'service':
      return groups(cluster.services, (one) => serviceGroup(one, cluster));
    case 'ingress':
      return groups(cluster.ingresses, (one) => ingressGroup(one, cluster));
    case 'endpoints':
      return groups(cluster.endpoints, (one) => endpointsGroup(one, cluster, attach));
    case 'endpointslice':
      return groups(cluster.endpointSlices, (one) => endpointSliceGroup(one, cluster, attach));
    default:
      return groups(cluster.pods, (one) => podGroup(one, cluster, attach));
  }
}
