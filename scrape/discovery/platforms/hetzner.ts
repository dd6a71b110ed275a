/**
 * Servers of Hetzner Cloud (role `hcloud`) or Hetzner Robot.
 * Source: Prometheus documentation, `<hetzner_sd_config>`; Hetzner Cloud API; Robot Webservice.
 */
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  labelNamePart,
  labelsWithPresence,
  labelText,
  type PlatformApi,
  refreshing,
} from '../platform-api.ts';

type HetznerSettings = {
  readonly role: string;
  readonly port: number;
  readonly label_selector: string;
};
type Api = PlatformApi<HetznerSettings>;

type Location = { readonly name?: string; readonly network_zone?: string };
type CloudServer = {
  readonly id?: number;
  readonly name?: string;
  readonly status?: string;
  readonly public_net?: {
    readonly ipv4?: { readonly ip?: string } | null;
    readonly ipv6?: { readonly ip?: string } | null;
  };
  readonly private_net?: readonly { readonly network: number; readonly ip?: string }[];
  readonly server_type?: {
    readonly name?: string;
    readonly cores?: number;
    readonly cpu_type?: string;
    readonly memory?: number;
    readonly disk?: number;
  };
  readonly location?: Location | null;
  readonly datacenter?: { readonly location?: Location } | null;
  readonly image?: {
    readonly name?: string;
    readonly description?: string;
    readonly os_flavor?: string;
    readonly os_version?: string;
  } | null;
  readonly labels?: Readonly<Record<string, string>>;
};
type CloudNetwork = { readonly id: number; readonly name?: string };
type RobotServer = {
  readonly server_ip?: string | null;
  readonly server_number?: number;
  readonly server_name?: string;
  readonly product?: string;
  readonly dc?: string;
  readonly status?: string;
  readonly cancelled?: boolean;
  readonly subnet?: readonly { readonly ip?: string; readonly mask?: string }[] | null;
};

const CLOUD_API = 'https://api.hetzner.cloud/v1';
const ROBOT_API = 'https://robot-ws.your-server.de';
const PAGE_SIZE = 50;
const PREFIX = '__meta_hetzner_';
/** What Prometheus writes for an address that a server does not have; rules look for it. */
const NO_ADDRESS = '<nil>';

export const create = refreshing<HetznerSettings>(async (api, signal) => {
  const targets = api.settings.role === 'robot' ? robot(api, signal) : cloud(api, signal);
  return [{ source: 'hetzner', labels: {}, targets: await targets }];
});

async function cloud(api: Api, signal: AbortSignal): Promise<LabelRecord[]> {
  const { label_selector: selector, port } = api.settings;
  const chosen: Record<string, string> = selector === '' ? {} : { label_selector: selector };
  const servers = await allPages<CloudServer>(api, 'servers', chosen, signal);
  const networks = await allPages<CloudNetwork>(api, 'networks', {}, signal);
  const names = new Map(networks.map(({ id, name }) => [id, labelText(name)]));
  return servers.map((server) => cloudTarget(server, names, port));
}

async function allPages<T>(
  api: Api,
  what: string,
  params: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<T[]> {
  type Page = { meta?: { pagination?: { next_page?: number | null } } } & Record<string, unknown>;
  const all: T[] = [];
  let page: number | null = 1;
  while (page !== null) {
    const query = new URLSearchParams({
      ...params,
      page: String(page),
      per_page: String(PAGE_SIZE),
    });
    const answer: Page = await api.json<Page>(`${CLOUD_API}/${what}?${query}`, signal);
    all.push(...((answer[what] ?? []) as T[]));
    page = answer.meta?.pagination?.next_page ?? null;
  }
  return all;
}

function cloudTarget(
  server: CloudServer,
  networkNames: ReadonlyMap<number, string>,
  port: number,
): LabelRecord {
  const of = `${PREFIX}hcloud_`;
  const { ipv4, ipv6 } = server.public_net ?? {};
  const ip = ipv4?.ip ?? NO_ADDRESS;
  const location = server.location ?? server.datacenter?.location;
  const zone = labelText(location?.network_zone);
  const privateIps: Record<string, string> = {};
  for (const { network, ip: privateIp } of server.private_net ?? []) {
    const name = networkNames.get(network);
    if (name !== undefined) {
      privateIps[`${of}private_ipv4_${labelNamePart(name)}`] = labelText(privateIp);
    }
  }
  return {
    __address__: hostPort(ip, port),
    [`${PREFIX}role`]: 'hcloud',
    [`${PREFIX}server_id`]: labelText(server.id),
    [`${PREFIX}server_name`]: labelText(server.name),
    [`${PREFIX}server_status`]: labelText(server.status),
    [`${PREFIX}public_ipv4`]: ip,
    [`${PREFIX}public_ipv6_network`]: ipv6?.ip ?? NO_ADDRESS,
    [`${of}location`]: labelText(location?.name),
    [`${of}location_network_zone`]: zone,
    [`${of}datacenter_location`]: labelText(location?.name),
    [`${of}datacenter_location_network_zone`]: zone,
    [`${of}server_type`]: labelText(server.server_type?.name),
    [`${of}cpu_cores`]: labelText(server.server_type?.cores),
    [`${of}cpu_type`]: labelText(server.server_type?.cpu_type),
    [`${of}memory_size_gb`]: String(Math.trunc(server.server_type?.memory ?? 0)),
    [`${of}disk_size_gb`]: labelText(server.server_type?.disk),
    [`${of}image_name`]: labelText(server.image?.name),
    [`${of}image_description`]: labelText(server.image?.description),
    [`${of}image_os_flavor`]: labelText(server.image?.os_flavor),
    [`${of}image_os_version`]: labelText(server.image?.os_version),
    ...privateIps,
    ...labelsWithPresence(`${of}label`, server.labels),
  };
}

async function robot(api: Api, signal: AbortSignal): Promise<LabelRecord[]> {
  const url = `${ROBOT_API}/server`;
  const servers = await api.json<readonly { readonly server: RobotServer }[]>(url, signal);
  return servers.map(({ server }) => {
    const datacenter = labelText(server.dc).toLowerCase();
    const subnet = server.subnet?.find(({ ip }) => ip?.includes(':') === true);
    return {
      __address__: hostPort(labelText(server.server_ip), api.settings.port),
      [`${PREFIX}role`]: 'robot',
      [`${PREFIX}server_id`]: labelText(server.server_number),
      [`${PREFIX}server_name`]: labelText(server.server_name),
      [`${PREFIX}server_status`]: labelText(server.status),
      [`${PREFIX}datacenter`]: datacenter,
      [`${PREFIX}public_ipv4`]: labelText(server.server_ip),
      [`${PREFIX}public_ipv6_network`]: subnet === undefined ? '' : `${subnet.ip}/${subnet.mask}`,
      [`${PREFIX}robot_datacenter`]: datacenter,
      [`${PREFIX}robot_product`]: labelText(server.product),
      [`${PREFIX}robot_cancelled`]: labelText(server.cancelled),
    };
  });
}
