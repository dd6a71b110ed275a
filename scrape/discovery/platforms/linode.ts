/**
 * Linodes at Akamai (Linode).
 * Source: Prometheus documentation, `<linode_sd_config>`; Linode API v4.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, joinedText, labelText, type PlatformApi, refreshing } from '../platform-api.ts';

type LinodeSettings = {
  readonly region: string;
  readonly port: number;
  readonly tag_separator: string;
};

type Instance = {
  readonly id: number;
  readonly label?: string;
  readonly group?: string;
  readonly status?: string;
  readonly type?: string;
  readonly ipv4?: readonly string[];
  readonly ipv6?: string | null;
  readonly image?: string | null;
  readonly region?: string;
  readonly hypervisor?: string;
  readonly backups?: { readonly enabled?: boolean };
  readonly tags?: readonly string[];
  readonly specs?: Readonly<
    Partial<Record<'disk' | 'memory' | 'vcpus' | 'gpus' | 'transfer', number>>
  >;
};
type Address = {
  readonly address: string;
  readonly type?: string;
  readonly public?: boolean;
  readonly rdns?: string | null;
  readonly linode_id?: number;
};
type Range = {
  readonly range?: string;
  readonly prefix?: number;
  readonly route_target?: string;
};

const API = 'https://api.linode.com/v4';
const PAGE_SIZE = 500;
const MEBIBYTE = 1024 * 1024;
const PREFIX = '__meta_linode_';

export const create = refreshing<LinodeSettings>(async (api, signal) => {
  const instances = await allPages<Instance>(api, 'linode/instances', signal);
  const addresses = await allPages<Address>(api, 'networking/ips', signal);
  const ranges = await allPages<Range>(api, 'networking/ipv6/ranges', signal);
  const targets = instances
    .filter(({ ipv4 = [] }) => ipv4.length > 0)
    .map((instance) => target(instance, addresses, ranges, api.settings));
  return [{ source: 'Linode', labels: {}, targets }];
});

async function allPages<T>(
  api: PlatformApi<LinodeSettings>,
  what: string,
  signal: AbortSignal,
): Promise<T[]> {
  const { region } = api.settings;
  const headers: Record<string, string> =
    region === '' ? {} : { 'X-Filter': JSON.stringify({ region }) };
  const all: T[] = [];
  for (let page = 1; ; page++) {
    const url = `${API}/${what}?page=${page}&page_size=${PAGE_SIZE}`;
    const answer = await api.json<{ data?: readonly T[]; pages?: number }>(url, signal, {
      headers,
    });
    all.push(...(answer.data ?? []));
    if (page >= (answer.pages ?? 1)) return all;
  }
}

function target(
  instance: Instance,
  addresses: readonly Address[],
  ranges: readonly Range[],
  { port, tag_separator: separator }: LinodeSettings,
): LabelRecord {
  const ipv6 = labelText(instance.ipv6).replace(/\/\d+$/, '');
  const own = (instance.ipv4 ?? []).flatMap((ip) => addresses.find((a) => a.address === ip) ?? []);
  const publicIps = own.filter((address) => address.public === true);
  const privateIps = own.filter((address) => address.public !== true);
  const ofIpv6 = addresses.find(({ address, type }) => type === 'ipv6' && address === ipv6);
  const extra = [...publicIps.slice(1), ...privateIps.slice(1)].map(({ address }) => address);
  const own6 = ranges
    .filter(({ route_target: route }) => ipv6 !== '' && route === ipv6)
    .map(({ range, prefix }) => `${range}/${prefix}`);
  const { specs } = instance;
  const bytes = (mebibytes: number | undefined) => String((mebibytes ?? 0) * MEBIBYTE);
  return {
    __address__: hostPort(labelText(publicIps[0]?.address), port),
    [`${PREFIX}instance_id`]: String(instance.id),
    [`${PREFIX}instance_label`]: labelText(instance.label),
    [`${PREFIX}image`]: labelText(instance.image),
    [`${PREFIX}private_ipv4`]: labelText(privateIps[0]?.address),
    [`${PREFIX}public_ipv4`]: labelText(publicIps[0]?.address),
    [`${PREFIX}public_ipv6`]: ipv6,
    [`${PREFIX}private_ipv4_rdns`]: rdnsOf(privateIps[0]),
    [`${PREFIX}public_ipv4_rdns`]: rdnsOf(publicIps[0]),
    [`${PREFIX}public_ipv6_rdns`]: rdnsOf(ofIpv6),
    [`${PREFIX}region`]: labelText(instance.region),
    [`${PREFIX}type`]: labelText(instance.type),
    [`${PREFIX}status`]: labelText(instance.status),
    [`${PREFIX}group`]: labelText(instance.group),
    [`${PREFIX}gpus`]: String(specs?.gpus ?? 0),
    [`${PREFIX}hypervisor`]: labelText(instance.hypervisor),
    [`${PREFIX}backups`]: instance.backups?.enabled === true ? 'enabled' : 'disabled',
    [`${PREFIX}specs_disk_bytes`]: bytes(specs?.disk),
    [`${PREFIX}specs_memory_bytes`]: bytes(specs?.memory),
    [`${PREFIX}specs_vcpus`]: String(specs?.vcpus ?? 0),
    [`${PREFIX}specs_transfer_bytes`]: bytes(specs?.transfer),
    [`${PREFIX}tags`]: joinedText(instance.tags, separator),
    [`${PREFIX}extra_ips`]: joinedText(extra, separator),
    [`${PREFIX}ipv6_ranges`]: joinedText(own6, separator),
  };
}

function rdnsOf(address: Address | undefined): string {
  const name = labelText(address?.rdns);
  return name === 'null' ? '' : name;
}
