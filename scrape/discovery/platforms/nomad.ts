/**
 * Services that are registered with Nomad itself.
 * Source: Prometheus documentation, `<nomad_sd_config>`; Nomad API, services.
 */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { hostPort, joinedText, labelText, refreshing, withoutEndSlash } from '../platform-api.ts';

type NomadSettings = {
  readonly server: string;
  readonly namespace: string;
  readonly region: string;
  readonly allow_stale: boolean;
  readonly tag_separator: string;
};

type ServiceList = readonly {
  readonly Services?: readonly { readonly ServiceName: string }[] | null;
}[];

type Service = {
  readonly ID?: string;
  readonly ServiceName?: string;
  readonly Namespace?: string;
  readonly NodeID?: string;
  readonly Datacenter?: string;
  readonly Tags?: readonly string[] | null;
  readonly Address?: string;
  readonly Port?: number;
};

export const create = refreshing<NomadSettings>(async (api, signal) => {
  const { server, namespace, region, allow_stale: isStale } = api.settings;
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ namespace, region })) {
    if (value !== '') params.set(name, value);
  }
  if (isStale) params.set('stale', '');
  const base = `${withoutEndSlash(server)}/v1`;
  const groups: TargetGroup[] = [];
  const lists = await api.json<ServiceList | null>(`${base}/services?${params}`, signal);
  for (const { ServiceName: name } of (lists ?? []).flatMap(({ Services }) => Services ?? [])) {
    const url = `${base}/service/${encodeURIComponent(name)}?${params}`;
    const services = await api.json<readonly Service[] | null>(url, signal);
    const targets = (services ?? []).map((one) => target(one, api.settings.tag_separator));
    groups.push({ source: `nomad/${name}`, labels: {}, targets });
  }
  return groups;
});

function target(service: Service, separator: string): LabelRecord {
  const address = service.Address ?? '';
  const port = service.Port ?? 0;
  return {
    __address__: hostPort(address, port),
    __meta_nomad_address: address,
    __meta_nomad_dc: labelText(service.Datacenter),
    __meta_nomad_namespace: labelText(service.Namespace),
    __meta_nomad_node_id: labelText(service.NodeID),
    __meta_nomad_service: labelText(service.ServiceName),
    __meta_nomad_service_address: address,
    __meta_nomad_service_id: labelText(service.ID),
    __meta_nomad_service_port: String(port),
    __meta_nomad_tags: joinedText(service.Tags, separator),
  };
}
