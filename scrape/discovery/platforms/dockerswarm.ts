/**
 * Services, tasks or nodes of a Docker Swarm.
 * Source: Prometheus documentation, `<dockerswarm_sd_config>`; Docker Engine API.
 */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import {
  type AskEngine,
  dockerProvider,
  type DockerSettings,
  networkLabels,
} from '../docker-engine.ts';
import { type CreatePlatform, hostPort, labelsFrom, labelText } from '../platform-api.ts';

type SwarmSettings = DockerSettings & { readonly role: string };

type Labels = Readonly<Record<string, string>> | null;
type Port = {
  readonly Name?: string;
  readonly Protocol?: string;
  readonly PublishedPort?: number;
  readonly PublishMode?: string;
};
type ContainerSpec = {
  readonly Image?: string;
  readonly Hostname?: string;
  readonly Labels?: Labels;
};
type Service = {
  readonly ID: string;
  readonly Spec: {
    readonly Name?: string;
    readonly Labels?: Labels;
    readonly Mode?: { readonly Global?: object; readonly Replicated?: object };
    readonly TaskTemplate?: { readonly ContainerSpec?: ContainerSpec };
  };
  readonly Endpoint?: {
    readonly Ports?: readonly Port[] | null;
    readonly VirtualIPs?: readonly { readonly NetworkID: string; readonly Addr?: string }[] | null;
  };
  readonly UpdateStatus?: { readonly State?: string } | null;
};
type Node = {
  readonly ID: string;
  readonly Spec?: {
    readonly Labels?: Labels;
    readonly Role?: string;
    readonly Availability?: string;
  };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Platform?: { readonly Architecture?: string; readonly OS?: string };
    readonly Engine?: { readonly EngineVersion?: string };
  };
  readonly Status?: { readonly State?: string; readonly Addr?: string };
  readonly ManagerStatus?: {
    readonly Leader?: boolean;
    readonly Reachability?: string;
    readonly Addr?: string;
  } | null;
};
type Task = {
  readonly ID: string;
  readonly ServiceID?: string;
  readonly NodeID?: string;
  readonly Slot?: number;
  readonly DesiredState?: string;
  readonly Spec?: { readonly ContainerSpec?: ContainerSpec };
  readonly Status?: {
    readonly State?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string } | null;
    readonly PortStatus?: { readonly Ports?: readonly Port[] | null } | null;
  };
  readonly NetworksAttachments?:
    | readonly {
        readonly Network?: { readonly ID?: string };
        readonly Addresses?: readonly string[] | null;
      }[]
    | null;
};
type LabelsById = ReadonlyMap<string, LabelRecord>;

const PREFIX = '__meta_dockerswarm_';

export const create: CreatePlatform = (config, context) =>
  dockerProvider(config, context, async (ask) => {
    const targets = await targetsOf(config.settings as SwarmSettings, ask);
    return [{ source: 'DockerSwarm', labels: {}, targets } satisfies TargetGroup];
  });

async function targetsOf(settings: SwarmSettings, ask: AskEngine): Promise<LabelRecord[]> {
  const { role, port, filters } = settings;
  if (role === 'nodes') {
    const nodes = await ask<Node>('nodes', filters);
    return nodes.map((node) => ({
      __address__: hostPort(node.Status?.Addr ?? '', port),
      ...nodeLabels(node),
      ...engineLabels(node),
    }));
  }
  if (role === 'services') {
    const services = await ask<Service>('services', filters);
    const networks = await networkLabels(ask, PREFIX);
    return services.flatMap((service) => serviceTargets(service, networks, port));
  }
  const tasks = await ask<Task>('tasks', filters);
  const services = await ask<Service>('services');
  const nodes = await ask<Node>('nodes');
  const networks = await networkLabels(ask, PREFIX);
  const servicesById = new Map(services.map((service) => [service.ID, service]));
  const nodesById = new Map(nodes.map((node) => [node.ID, node]));
  return tasks.flatMap((task) => {
    const service = servicesById.get(task.ServiceID ?? '');
    const node = nodesById.get(task.NodeID ?? '');
    return taskTargets(task, service, node, networks, port);
  });
}

function serviceTargets(service: Service, networks: LabelsById, port: number): LabelRecord[] {
  const container = service.Spec.TaskTemplate?.ContainerSpec;
  const of = `${PREFIX}service_`;
  const labels = {
    ...serviceLabels(service),
    [`${of}task_container_hostname`]: labelText(container?.Hostname),
    [`${of}task_container_image`]: labelText(container?.Image),
    [`${of}updating_status`]: labelText(service.UpdateStatus?.State),
  };
  return (service.Endpoint?.VirtualIPs ?? []).flatMap(({ NetworkID: id, Addr: address = '' }) => {
    const ip = withoutMask(address);
    const all = { ...labels, ...networks.get(id) };
    const ports = tcpPorts(service.Endpoint?.Ports);
    if (ports.length === 0) return [{ __address__: hostPort(ip, port), ...all }];
    return ports.map((one) => ({
      __address__: hostPort(ip, one.PublishedPort ?? 0),
      [`${of}endpoint_port_name`]: labelText(one.Name),
      [`${of}endpoint_port_publish_mode`]: labelText(one.PublishMode),
      ...all,
    }));
  });
}

function taskTargets(
  task: Task,
  service: Service | undefined,
  node: Node | undefined,
  networks: LabelsById,
  port: number,
): LabelRecord[] {
  const of = `${PREFIX}task_`;
  const labels = {
    [`${of}id`]: task.ID,
    [`${of}container_id`]: labelText(task.Status?.ContainerStatus?.ContainerID),
    [`${of}desired_state`]: labelText(task.DesiredState),
    [`${of}slot`]: String(task.Slot ?? 0),
    [`${of}state`]: labelText(task.Status?.State),
    ...labelsFrom(`${PREFIX}container_label_`, task.Spec?.ContainerSpec?.Labels),
    ...(service === undefined ? {} : serviceLabels(service)),
    ...(node === undefined ? {} : nodeLabels(node)),
  };
  const publishMode = ({ PublishMode: mode }: Port) => ({
    [`${of}port_publish_mode`]: labelText(mode),
  });
  const onNode = tcpPorts(task.Status?.PortStatus?.Ports).map((one) => ({
    __address__: hostPort(node?.Status?.Addr ?? '', one.PublishedPort ?? 0),
    ...labels,
    ...publishMode(one),
  }));
  const inNetworks = (task.NetworksAttachments ?? []).flatMap(({ Network, Addresses }) =>
    (Addresses ?? []).flatMap((address): LabelRecord[] => {
      const ip = withoutMask(address);
      const all = { ...labels, ...networks.get(Network?.ID ?? '') };
      const ports = tcpPorts(service?.Endpoint?.Ports);
      if (ports.length === 0) return [{ __address__: hostPort(ip, port), ...all }];
      return ports.map((one) => ({
        __address__: hostPort(ip, one.PublishedPort ?? 0),
        ...all,
        ...publishMode(one),
      }));
    }),
  );
  return [...onNode, ...inNetworks];
}

function serviceLabels({ ID: id, Spec: spec }: Service): LabelRecord {
  const of = `${PREFIX}service_`;
  const { Mode: mode } = spec;
  const kind = mode?.Global !== undefined ? 'global' : mode?.Replicated && 'replicated';
  return {
    [`${of}id`]: id,
    [`${of}name`]: labelText(spec.Name),
    [`${of}mode`]: labelText(kind),
    ...labelsFrom(`${of}label_`, spec.Labels),
  };
}

function nodeLabels({ ID: id, Spec: spec, Description: about, Status: status }: Node): LabelRecord {
  const of = `${PREFIX}node_`;
  return {
    [`${of}id`]: id,
    [`${of}hostname`]: labelText(about?.Hostname),
    [`${of}address`]: labelText(status?.Addr),
    [`${of}availability`]: labelText(spec?.Availability),
    [`${of}role`]: labelText(spec?.Role),
    [`${of}platform_architecture`]: labelText(about?.Platform?.Architecture),
    [`${of}platform_os`]: labelText(about?.Platform?.OS),
    [`${of}status`]: labelText(status?.State),
    ...labelsFrom(`${of}label_`, spec?.Labels),
  };
}

/** What only the role `nodes` tells. */
function engineLabels({ Description: about, ManagerStatus: manager }: Node): LabelRecord {
  const of = `${PREFIX}node_`;
  const engine = { [`${of}engine_version`]: labelText(about?.Engine?.EngineVersion) };
  if (manager === undefined || manager === null) return engine;
  return {
    ...engine,
    [`${of}manager_address`]: labelText(manager.Addr),
    [`${of}manager_leader`]: String(manager.Leader === true),
    [`${of}manager_reachability`]: labelText(manager.Reachability),
  };
}

function tcpPorts(ports: readonly Port[] | null | undefined): readonly Port[] {
  return (ports ?? []).filter(({ Protocol }) => Protocol === 'tcp');
}

function withoutMask(address: string): string {
  return address.replace(/\/\d+$/, '');
}
