/**
 * Containers of a Docker Engine: a target for each of their ports in each of their networks.
 * Source: Prometheus documentation, `<docker_sd_config>`; Docker Engine API.
 */
import type { LabelRecord } from '../../config.ts';
import { dockerProvider, type DockerSettings, networkLabels } from '../docker-engine.ts';
import {
  type CreatePlatform,
  entriesOf,
  hostPort,
  labelsFrom,
  labelText,
} from '../platform-api.ts';

type ContainerSettings = DockerSettings & {
  readonly host_networking_host: string;
  readonly match_first_network: boolean;
};

type Endpoint = { readonly NetworkID: string; readonly IPAddress?: string };
type Networks = Readonly<Record<string, Endpoint | null>>;
type Port = {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type?: string;
};
type Container = {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly Ports?: readonly Port[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly HostConfig?: { readonly NetworkMode?: string };
  readonly NetworkSettings?: { readonly Networks?: Networks | null };
};

const PREFIX = '__meta_docker_';

export const create: CreatePlatform = (config, context) =>
  dockerProvider(config, context, async (ask) => {
    const settings = config.settings as ContainerSettings;
    const containers = await ask<Container>('containers/json', settings.filters);
    const labelsOfNetworks = await networkLabels(ask, PREFIX);
    const byId = new Map(containers.map((container) => [container.Id, container]));

    const targetsOf = (container: Container): LabelRecord[] => {
      const common = commonLabels(container);
      return chosenNetworks(networksOf(container, byId), settings).flatMap((endpoint) => {
        const ip = labelText(endpoint.IPAddress);
        const labels = {
          ...common,
          ...labelsOfNetworks.get(endpoint.NetworkID),
          [`${PREFIX}network_ip`]: ip,
        };
        const ports = (container.Ports ?? []).filter(({ Type }) => Type === 'tcp');
        if (ports.length > 0) {
          return ports.map((port) => ({
            __address__: hostPort(ip, port.PrivatePort),
            ...labels,
            ...portLabels(port),
          }));
        }
        const isHost = container.HostConfig?.NetworkMode === 'host';
        const address = isHost ? settings.host_networking_host : hostPort(ip, settings.port);
        return [{ __address__: address, ...labels }];
      });
    };
    return [{ source: 'Docker', labels: {}, targets: containers.flatMap(targetsOf) }];
  });

function commonLabels(container: Container): LabelRecord {
  const of = `${PREFIX}container_`;
  return {
    [`${of}id`]: container.Id,
    [`${of}name`]: labelText(container.Names?.[0]),
    [`${of}network_mode`]: labelText(container.HostConfig?.NetworkMode),
    ...labelsFrom(`${of}label_`, container.Labels),
  };
}

function portLabels({ IP: ip, PrivatePort: own, PublicPort: open }: Port): LabelRecord {
  const labels = { [`${PREFIX}port_private`]: String(own) };
  if (open === undefined || open === 0) return labels;
  return {
    ...labels,
    [`${PREFIX}port_public`]: String(open),
    [`${PREFIX}port_public_ip`]: labelText(ip),
  };
}

/** A container may live in the networks of another one, and that in those of a third. */
function networksOf(container: Container, byId: ReadonlyMap<string, Container>): Networks {
  const seen = new Set<Container>();
  let at: Container | undefined = container;
  while (at !== undefined && !seen.has(at)) {
    seen.add(at);
    const own: Networks = at.NetworkSettings?.Networks ?? {};
    const owner: string | undefined = /^container:(.*)$/.exec(
      at.HostConfig?.NetworkMode ?? '',
    )?.[1];
    if (entriesOf(own).length > 0 || owner === undefined) return own;
    at = byId.get(owner);
  }
  return {};
}

function chosenNetworks(networks: Networks, settings: ContainerSettings): Endpoint[] {
  const found = entriesOf(networks)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, endpoint]) => endpoint ?? []);
  return settings.match_first_network ? found.slice(0, 1) : found;
}
