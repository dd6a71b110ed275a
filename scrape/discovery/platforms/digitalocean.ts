/**
 * Droplets or managed databases at DigitalOcean.
 * Source: Prometheus documentation, `<digitalocean_sd_config>`; DigitalOcean API v2.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, joinedText, labelNamePart, labelText, refreshing } from '../platform-api.ts';

type DigitalOceanSettings = { readonly role: string; readonly port: number };

type Droplet = {
  readonly id?: number;
  readonly name?: string;
  readonly status?: string;
  readonly features?: readonly string[];
  readonly region?: { readonly slug?: string };
  readonly image?: { readonly slug?: string; readonly name?: string };
  readonly size_slug?: string;
  readonly networks?: {
    readonly v4?: readonly { readonly ip_address: string; readonly type: string }[];
    readonly v6?: readonly { readonly ip_address: string; readonly type: string }[];
  };
  readonly tags?: readonly string[];
  readonly vpc_uuid?: string;
};
type Database = {
  readonly id?: string;
  readonly name?: string;
  readonly engine?: string;
  readonly version?: string;
  readonly status?: string;
  readonly region?: string;
  readonly size?: string;
  readonly num_nodes?: number;
  readonly tags?: readonly string[];
  readonly connection?: { readonly host?: string };
  readonly private_connection?: { readonly host?: string };
};
type Page = { readonly droplets?: readonly Droplet[]; readonly databases?: readonly Database[] };

const API = 'https://api.digitalocean.com/v2';
const PAGE_SIZE = 100;
const PREFIX = '__meta_digitalocean_';

export const create = refreshing<DigitalOceanSettings>(async (api, signal) => {
  const { role, port } = api.settings;
  const what = role === 'databases' ? 'databases' : 'droplets';
  const targets: LabelRecord[] = [];
  for (let page = 1; ; page++) {
    const url = `${API}/${what}?page=${page}&per_page=${PAGE_SIZE}`;
    const answer = await api.json<Page & { links?: { pages?: { next?: string } } }>(url, signal);
    targets.push(...(answer.droplets ?? []).map((one) => dropletTarget(one, port)));
    targets.push(...(answer.databases ?? []).map((one) => databaseTarget(one, port)));
    if (answer.links?.pages?.next === undefined) break;
  }
  return [{ source: 'DigitalOcean', labels: {}, targets }];
});

function dropletTarget(droplet: Droplet, port: number): LabelRecord {
  const { v4 = [], v6 = [] } = droplet.networks ?? {};
  const first = (all: typeof v4, wanted: string) =>
    labelText(all.find(({ type }) => type === wanted)?.ip_address);
  const publicIp = first(v4, 'public');
  return {
    __address__: hostPort(publicIp, port),
    [`${PREFIX}droplet_id`]: labelText(droplet.id),
    [`${PREFIX}droplet_name`]: labelText(droplet.name),
    [`${PREFIX}image`]: labelText(droplet.image?.slug),
    [`${PREFIX}image_name`]: labelText(droplet.image?.name),
    [`${PREFIX}private_ipv4`]: first(v4, 'private'),
    [`${PREFIX}public_ipv4`]: publicIp,
    [`${PREFIX}public_ipv6`]: first(v6, 'public'),
    [`${PREFIX}region`]: labelText(droplet.region?.slug),
    [`${PREFIX}size`]: labelText(droplet.size_slug),
    [`${PREFIX}status`]: labelText(droplet.status),
    [`${PREFIX}vpc`]: labelText(droplet.vpc_uuid),
    [`${PREFIX}features`]: joinedText(droplet.features),
    [`${PREFIX}tags`]: joinedText(droplet.tags),
  };
}

function databaseTarget(database: Database, port: number): LabelRecord {
  const of = `${PREFIX}db_`;
  const host = labelText(database.connection?.host);
  const privateHost = labelText(database.private_connection?.host);
  const tags = (database.tags ?? []).map((tag) => [`${of}tag_${labelNamePart(tag)}`, 'true']);
  return {
    __address__: hostPort(privateHost || host, port),
    [`${of}id`]: labelText(database.id),
    [`${of}name`]: labelText(database.name),
    [`${of}engine`]: labelText(database.engine),
    [`${of}version`]: labelText(database.version),
    [`${of}status`]: labelText(database.status),
    [`${of}region`]: labelText(database.region),
    [`${of}size`]: labelText(database.size),
    [`${of}num_nodes`]: labelText(database.num_nodes),
    [`${of}host`]: host,
    [`${of}private_host`]: privateHost,
    ...(Object.fromEntries(tags) as LabelRecord),
  };
}
