/**
 * Instances at Vultr.
 * Source: Prometheus documentation, `<vultr_sd_config>`; Vultr API v2.
 */
import type { LabelRecord } from '../../config.ts';
import { hostPort, joinedText, labelText, refreshing } from '../platform-api.ts';

type VultrSettings = { readonly port: number };

type Instance = Readonly<Record<string, unknown>> & {
  readonly main_ip?: string;
  readonly tags?: readonly string[];
  readonly features?: readonly string[];
};
type Page = {
  readonly instances?: readonly Instance[];
  readonly meta?: { readonly links?: { readonly next?: string } };
};

const API = 'https://api.vultr.com/v2';
const PAGE_SIZE = 100;
const PREFIX = '__meta_vultr_instance_';

export const create = refreshing<VultrSettings>(async (api, signal) => {
  const targets: LabelRecord[] = [];
  let cursor = '';
  do {
    const after = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const url = `${API}/instances?per_page=${PAGE_SIZE}${after}`;
    const { instances, meta } = await api.json<Page>(url, signal);
    targets.push(...(instances ?? []).map((one) => target(one, api.settings.port)));
    cursor = meta?.links?.next ?? '';
  } while (cursor !== '');
  return [{ source: 'Vultr', labels: {}, targets }];
});

function target(instance: Instance, port: number): LabelRecord {
  return {
    __address__: hostPort(labelText(instance.main_ip), port),
    [`${PREFIX}id`]: labelText(instance['id']),
    [`${PREFIX}label`]: labelText(instance['label']),
    [`${PREFIX}os`]: labelText(instance['os']),
    [`${PREFIX}os_id`]: labelText(instance['os_id']),
    [`${PREFIX}region`]: labelText(instance['region']),
    [`${PREFIX}plan`]: labelText(instance['plan']),
    [`${PREFIX}main_ip`]: labelText(instance.main_ip),
    [`${PREFIX}internal_ip`]: labelText(instance['internal_ip']),
    [`${PREFIX}main_ipv6`]: labelText(instance['v6_main_ip']),
    [`${PREFIX}hostname`]: labelText(instance['hostname']),
    [`${PREFIX}server_status`]: labelText(instance['server_status']),
    [`${PREFIX}vcpu_count`]: labelText(instance['vcpu_count']),
    [`${PREFIX}ram_mb`]: labelText(instance['ram']),
    [`${PREFIX}disk_gb`]: labelText(instance['disk']),
    [`${PREFIX}allowed_bandwidth_gb`]: labelText(instance['allowed_bandwidth']),
    [`${PREFIX}features`]: joinedText(instance.features),
    [`${PREFIX}tags`]: joinedText(instance.tags),
  };
}
