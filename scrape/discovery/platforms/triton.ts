/**
 * Containers or compute nodes that Triton's Container Monitor knows.
 * Source: Prometheus documentation, `<triton_sd_config>`; Triton RFD 27.
 */
import type { LabelRecord } from '../../config.ts';
import { joinedText, labelText, refreshing } from '../platform-api.ts';

type TritonSettings = {
  readonly role: string;
  readonly dns_suffix: string;
  readonly endpoint: string;
  readonly groups: readonly string[];
  readonly port: number;
  readonly version: number;
};

type Answer = {
  readonly containers?: readonly {
    readonly groups?: readonly string[] | null;
    readonly server_uuid?: string;
    readonly vm_alias?: string;
    readonly vm_brand?: string;
    readonly vm_image_uuid?: string;
    readonly vm_uuid?: string;
  }[];
  readonly cns?: readonly { readonly server_uuid?: string; readonly server_hostname?: string }[];
};

const PREFIX = '__meta_triton_';

export const create = refreshing<TritonSettings>(async (api, signal) => {
  const { role, dns_suffix: suffix, endpoint, groups, port, version } = api.settings;
  const route = role === 'cn' ? 'gz/discover' : 'discover';
  const query = groups.length === 0 ? '' : `?groups=${encodeURIComponent(groups.join(','))}`;
  const url = `https://${endpoint}:${port}/v${version}/${route}${query}`;
  const answer = await api.json<Answer>(url, signal);
  const address = (id: string | undefined) => `${labelText(id)}.${suffix}:${port}`;
  const nodes = (answer.cns ?? []).map(
    ({ server_uuid: id, server_hostname: alias }): LabelRecord => ({
      __address__: address(id),
      [`${PREFIX}machine_id`]: labelText(id),
      [`${PREFIX}machine_alias`]: labelText(alias),
    }),
  );
  const containers = (answer.containers ?? []).map(
    (one): LabelRecord => ({
      __address__: address(one.vm_uuid),
      [`${PREFIX}groups`]: joinedText(one.groups),
      [`${PREFIX}machine_alias`]: labelText(one.vm_alias),
      [`${PREFIX}machine_brand`]: labelText(one.vm_brand),
      [`${PREFIX}machine_id`]: labelText(one.vm_uuid),
      [`${PREFIX}machine_image`]: labelText(one.vm_image_uuid),
      [`${PREFIX}server_id`]: labelText(one.server_uuid),
    }),
  );
  return [{ source: url, labels: {}, targets: role === 'cn' ? nodes : containers }];
});
