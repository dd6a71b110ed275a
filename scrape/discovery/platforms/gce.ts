/**
 * Instances of Google Compute Engine.
 * Source: Prometheus documentation, `<gce_sd_config>`; Compute Engine API v1, instances.list;
 * Google Cloud documentation, "Application Default Credentials".
 */
import { requestGoogleToken } from '../../cloud-auth/google-token.ts';
import { HeldToken } from '../../cloud-auth/held-token.ts';
import type { LabelRecord } from '../../config.ts';
import {
  type CreatePlatform,
  hostPort,
  joinedText,
  labelNamePart,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
} from '../platform-api.ts';

type GceSettings = {
  readonly project: string;
  readonly zone: string;
  readonly filter: string;
  readonly port: number;
  readonly tag_separator: string;
};

type Interface = {
  readonly name?: string;
  readonly network?: string;
  readonly subnetwork?: string;
  readonly networkIP?: string;
  readonly accessConfigs?: readonly { readonly type?: string; readonly natIP?: string }[];
};
type Instance = {
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly zone?: string;
  readonly machineType?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: { readonly items?: readonly string[] };
  readonly metadata?: {
    readonly items?: readonly { readonly key: string; readonly value?: string }[];
  };
  readonly networkInterfaces?: readonly Interface[];
};
type Page = { readonly items?: readonly Instance[]; readonly nextPageToken?: string };

const API = 'https://compute.googleapis.com/compute/v1';
const SCOPE = 'https://www.googleapis.com/auth/compute.readonly';
const PREFIX = '__meta_gce_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<GceSettings>(config, context);
  const token = new HeldToken(context.clock, (signal) =>
    requestGoogleToken(api, SCOPE, '', signal),
  );
  const look = async (signal: AbortSignal) => {
    const { project, zone, filter } = api.settings;
    const { value } = await token.get(signal);
    const headers = { Authorization: `Bearer ${value}` };
    const targets: LabelRecord[] = [];
    let pageToken = '';
    do {
      const params = new URLSearchParams();
      if (filter !== '') params.set('filter', filter);
      if (pageToken !== '') params.set('pageToken', pageToken);
      const url = `${API}/projects/${project}/zones/${zone}/instances?${params}`;
      const page = await api.json<Page>(url, signal, { headers });
      for (const instance of page.items ?? []) {
        const [first] = instance.networkInterfaces ?? [];
        if (first !== undefined) targets.push(target(instance, first, api.settings));
      }
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    return [{ source: `GCE_${project}_${zone}`, labels: {}, targets }];
  };
  return refreshingWith(
    config,
    context,
    look,
    () => api.close(),
    () => token.forget(),
  );
};

function target(instance: Instance, first: Interface, settings: GceSettings): LabelRecord {
  const { project, port, tag_separator: separator } = settings;
  const ofInterfaces = (instance.networkInterfaces ?? []).map(({ name, networkIP }) => [
    `${PREFIX}interface_ipv4_${labelNamePart(labelText(name))}`,
    labelText(networkIP),
  ]);
  const metadata = (instance.metadata?.items ?? []).map(({ key, value }) => [
    `${PREFIX}metadata_${labelNamePart(key)}`,
    labelText(value),
  ]);
  const open = first.accessConfigs?.find(({ type }) => type === 'ONE_TO_ONE_NAT');
  return {
    __address__: hostPort(labelText(first.networkIP), port),
    [`${PREFIX}project`]: project,
    [`${PREFIX}zone`]: labelText(instance.zone),
    [`${PREFIX}instance_id`]: labelText(instance.id),
    [`${PREFIX}instance_name`]: labelText(instance.name),
    [`${PREFIX}instance_status`]: labelText(instance.status),
    [`${PREFIX}machine_type`]: labelText(instance.machineType),
    [`${PREFIX}network`]: labelText(first.network),
    [`${PREFIX}subnetwork`]: labelText(first.subnetwork),
    [`${PREFIX}private_ip`]: labelText(first.networkIP),
    [`${PREFIX}public_ip`]: labelText(open?.natIP),
    [`${PREFIX}tags`]: joinedText(instance.tags?.items, separator),
    ...(Object.fromEntries(ofInterfaces) as LabelRecord),
    ...(Object.fromEntries(metadata) as LabelRecord),
    ...labelsFrom(`${PREFIX}label_`, instance.labels),
  };
}
