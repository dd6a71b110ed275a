/**
 * Instances or bare metal servers at Scaleway.
 * Source: Prometheus documentation, `<scaleway_sd_config>`; Scaleway APIs Instance v1 and Elastic
 * Metal v1.
 */
import { readFileSync } from 'node:fs';
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  joinedText,
  labelText,
  type PlatformApi,
  refreshing,
  targetsOf,
  withoutEndSlash,
} from '../platform-api.ts';

type ScalewaySettings = {
  readonly role: string;
  readonly api_url: string;
  readonly zone: string;
  readonly port: number;
  readonly secret_key: string;
  readonly secret_key_file: string;
  readonly name_filter: string;
  readonly tags_filter: readonly string[];
};
type Api = PlatformApi<ScalewaySettings>;

type Named = { readonly id?: string; readonly name?: string } | null;
type Ip = { readonly address?: string; readonly family?: string };
type Instance = Readonly<Record<string, unknown>> & {
  readonly image?: { readonly id?: string; readonly name?: string; readonly arch?: string } | null;
  readonly location?: {
    readonly cluster_id?: string;
    readonly hypervisor_id?: string;
    readonly node_id?: string;
  } | null;
  readonly security_group?: Named;
  readonly private_ip?: string | null;
  readonly public_ip?: Ip | null;
  readonly public_ips?: readonly Ip[];
  readonly ipv6?: { readonly address?: string } | null;
  readonly tags?: readonly string[];
};
type Metal = {
  readonly id?: string;
  readonly name?: string;
  readonly project_id?: string;
  readonly status?: string;
  readonly zone?: string;
  readonly offer_id?: string;
  readonly tags?: readonly string[];
  readonly ips?: readonly { readonly address?: string; readonly version?: string }[];
  readonly install?: { readonly os_id?: string } | null;
};

const PAGE_SIZE = 50;

export const create = refreshing<ScalewaySettings>(async (api, signal) => {
  const targets = api.settings.role === 'baremetal' ? metal(api, signal) : instances(api, signal);
  return [{ source: 'scaleway', labels: {}, targets: await targets }];
});

async function allPages<T>(
  api: Api,
  product: string,
  what: string,
  params: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<T[]> {
  const { api_url: base, zone, secret_key: key, secret_key_file: file } = api.settings;
  const secret = file === '' ? key : readFileSync(file, 'utf8').trim();
  const headers = { 'X-Auth-Token': secret };
  const all: T[] = [];
  for (let page = 1; ; page++) {
    const query = new URLSearchParams({
      ...params,
      page: String(page),
      per_page: String(PAGE_SIZE),
      page_size: String(PAGE_SIZE),
    });
    const url = `${withoutEndSlash(base)}/${product}/v1/zones/${zone}/${what}?${query}`;
    const answer = await api.json<Record<string, readonly T[]>>(url, signal, { headers });
    const found = answer[what] ?? [];
    all.push(...found);
    if (found.length < PAGE_SIZE) return all;
  }
}

/** What is asked of both products. */
function chosen({ name_filter: name, tags_filter: tags }: ScalewaySettings) {
  const params: Record<string, string> = {};
  if (name !== '') params['name'] = name;
  if (tags.length > 0) params['tags'] = tags.join(',');
  return params;
}

async function instances(api: Api, signal: AbortSignal): Promise<LabelRecord[]> {
  const all = await allPages<Instance>(api, 'instance', 'servers', chosen(api.settings), signal);
  return targetsOf(all, (one) => instanceTarget(one, api.settings.port));
}

/** Null for an instance without any address. */
function instanceTarget(instance: Instance, port: number): LabelRecord | null {
  const { image, location, security_group: group, public_ips: ips = [] } = instance;
  const of = '__meta_scaleway_instance_';
  const ofFamily = (wanted: string) =>
    ips.filter(({ family }) => family === wanted).map(({ address }) => labelText(address));
  const [v4s, v6s] = [ofFamily('inet'), ofFamily('inet6')];
  const privateIp = labelText(instance.private_ip);
  const publicIp = labelText(instance.public_ip?.address);
  const ipv6 = labelText(instance.ipv6?.address);
  const address = privateIp || publicIp || ipv6;
  if (address === '') return null;
  const zone = labelText(instance['zone']);
  return {
    __address__: hostPort(address, port),
    [`${of}boot_type`]: labelText(instance['boot_type']),
    [`${of}hostname`]: labelText(instance['hostname']),
    [`${of}id`]: labelText(instance['id']),
    [`${of}image_arch`]: labelText(image?.arch),
    [`${of}image_id`]: labelText(image?.id),
    [`${of}image_name`]: labelText(image?.name),
    [`${of}location_cluster_id`]: labelText(location?.cluster_id),
    [`${of}location_hypervisor_id`]: labelText(location?.hypervisor_id),
    [`${of}location_node_id`]: labelText(location?.node_id),
    [`${of}name`]: labelText(instance['name']),
    [`${of}organization_id`]: labelText(instance['organization']),
    [`${of}project_id`]: labelText(instance['project']),
    [`${of}private_ipv4`]: privateIp,
    [`${of}public_ipv4`]: publicIp,
    [`${of}public_ipv6`]: ipv6,
    [`${of}public_ipv4_addresses`]: joinedText(v4s),
    [`${of}public_ipv6_addresses`]: joinedText(v6s),
    [`${of}region`]: zone.replace(/-\d+$/, ''),
    [`${of}security_group_id`]: labelText(group?.id),
    [`${of}security_group_name`]: labelText(group?.name),
    [`${of}status`]: labelText(instance['state']),
    [`${of}tags`]: joinedText(instance.tags),
    [`${of}type`]: labelText(instance['commercial_type']),
    [`${of}zone`]: zone,
  };
}

async function metal(api: Api, signal: AbortSignal): Promise<LabelRecord[]> {
  type Offer = { readonly id?: string; readonly name?: string; readonly version?: string };
  const product = 'baremetal';
  const servers = await allPages<Metal>(api, product, 'servers', chosen(api.settings), signal);
  const offers = await allPages<Offer>(api, product, 'offers', {}, signal);
  const systems = await allPages<Offer>(api, product, 'os', {}, signal);
  const of = '__meta_scaleway_baremetal_';
  return servers.map((server) => {
    const ip = (wanted: string) =>
      labelText(server.ips?.find(({ version }) => version === wanted)?.address);
    const system = systems.find(({ id }) => id === server.install?.os_id);
    return {
      __address__: hostPort(ip('IPv4') || ip('IPv6'), api.settings.port),
      [`${of}id`]: labelText(server.id),
      [`${of}public_ipv4`]: ip('IPv4'),
      [`${of}public_ipv6`]: ip('IPv6'),
      [`${of}name`]: labelText(server.name),
      [`${of}os_name`]: labelText(system?.name),
      [`${of}os_version`]: labelText(system?.version),
      [`${of}project_id`]: labelText(server.project_id),
      [`${of}status`]: labelText(server.status),
      [`${of}tags`]: joinedText(server.tags),
      [`${of}type`]: labelText(offers.find(({ id }) => id === server.offer_id)?.name),
      [`${of}zone`]: labelText(server.zone),
    };
  });
}
