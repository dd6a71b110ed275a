/**
 * Servers of a data centre at IONOS.
 * Source: Prometheus documentation, `<ionos_sd_config>`; IONOS Cloud API v6.
 */
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  joinedText,
  labelNamePart,
  labelText,
  refreshing,
  targetsOf,
} from '../platform-api.ts';

type IonosSettings = { readonly datacenter_id: string; readonly port: number };

type Nic = { readonly properties?: { readonly name?: string; readonly ips?: string[] | null } };
type Volume = { readonly id?: string; readonly properties?: { readonly image?: string } };
type Server = {
  readonly id?: string;
  readonly metadata?: { readonly state?: string };
  readonly properties?: {
    readonly name?: string;
    readonly availabilityZone?: string;
    readonly vmState?: string;
    readonly cpuFamily?: string;
    readonly type?: string;
    readonly bootCdrom?: { readonly id?: string } | null;
    readonly bootVolume?: { readonly id?: string } | null;
  };
  readonly entities?: {
    readonly volumes?: { readonly items?: readonly Volume[] };
    readonly nics?: { readonly items?: readonly Nic[] };
  };
};
type Servers = { readonly id?: string; readonly items?: readonly Server[] };

const API = 'https://api.ionos.com/cloudapi/v6';
const PAGE_SIZE = 1000;
const PREFIX = '__meta_ionos_server_';

export const create = refreshing<IonosSettings>(async (api, signal) => {
  const { datacenter_id: datacenter, port } = api.settings;
  const targets: LabelRecord[] = [];
  for (let offset = 0; ; offset += PAGE_SIZE) {
    const params = `depth=3&limit=${PAGE_SIZE}&offset=${offset}`;
    const url = `${API}/datacenters/${encodeURIComponent(datacenter)}/servers?${params}`;
    const { id, items = [] } = await api.json<Servers>(url, signal);
    targets.push(...targetsOf(items, (server) => target(server, labelText(id), port)));
    if (items.length < PAGE_SIZE) break;
  }
  return [{ source: `ionos/${datacenter}`, labels: {}, targets }];
});

/** Null for a server that has no address. */
function target(server: Server, serversId: string, port: number): LabelRecord | null {
  const { properties, entities } = server;
  const nics = entities?.nics?.items ?? [];
  const ips = nics.flatMap(({ properties: nic }) => nic?.ips ?? []).sort();
  if (ips.length === 0) return null;
  const volumeId = labelText(properties?.bootVolume?.id);
  const volume = entities?.volumes?.items?.find(({ id }) => id === volumeId);
  const byNic = nics.map(({ properties: nic }): [string, string] => [
    `${PREFIX}nic_ip_${labelNamePart(labelText(nic?.name) || 'unnamed')}`,
    joinedText(nic?.ips),
  ]);
  return {
    __address__: hostPort(ips[0]!, port),
    [`${PREFIX}availability_zone`]: labelText(properties?.availabilityZone),
    [`${PREFIX}boot_cdrom_id`]: labelText(properties?.bootCdrom?.id),
    [`${PREFIX}boot_image_id`]: labelText(volume?.properties?.image),
    [`${PREFIX}boot_volume_id`]: volumeId,
    [`${PREFIX}cpu_family`]: labelText(properties?.cpuFamily),
    [`${PREFIX}id`]: labelText(server.id),
    [`${PREFIX}ip`]: joinedText(ips),
    [`${PREFIX}lifecycle`]: labelText(server.metadata?.state),
    [`${PREFIX}name`]: labelText(properties?.name),
    [`${PREFIX}servers_id`]: serversId,
    [`${PREFIX}state`]: labelText(properties?.vmState),
    [`${PREFIX}type`]: labelText(properties?.type),
    ...Object.fromEntries(byNic),
  };
}
