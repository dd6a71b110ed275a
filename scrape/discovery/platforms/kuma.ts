/**
 * Proxies of Kuma's data plane, by its monitoring assignments (xDS over REST).
 * Source: Prometheus documentation, `<kuma_sd_config>`; Kuma Monitoring Assignment Discovery
 * Service, version 1.
 */
import { hostname } from 'node:os';
import { formatDuration } from '../../../model/index.ts';
import type { LabelRecord } from '../../config.ts';
import {
  type CreatePlatform,
  jsonOf,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
  statusError,
  withoutEndSlash,
} from '../platform-api.ts';

type KumaSettings = {
  readonly server: string;
  readonly client_id: string;
  readonly refresh_interval: number;
  readonly fetch_timeout: number;
};

type Labels = Readonly<Record<string, string>>;
type Assignment = {
  readonly mesh?: string;
  readonly service?: string;
  readonly labels?: Labels;
  readonly targets?: readonly {
    readonly name?: string;
    readonly address?: string;
    readonly scheme?: string;
    readonly metrics_path?: string;
    readonly labels?: Labels;
  }[];
};
type DiscoveryResponse = {
  readonly version_info?: string;
  readonly nonce?: string;
  readonly resources?: readonly Assignment[];
};

const TYPE_URL = 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment';
const NOT_MODIFIED = 304;
const PREFIX = '__meta_kuma_';

export const create: CreatePlatform = (config, context) => {
  const { fetch_timeout: fetchTimeoutMs, refresh_interval: intervalMs } =
    config.settings as KumaSettings;
  // The server waits for news as long as it is asked to.
  const timeoutMs = fetchTimeoutMs + intervalMs;
  const api = new PlatformApi<KumaSettings>(config, context, { timeoutMs });
  const { clock, metrics } = context;
  let last: DiscoveryResponse = {};
  const look = async (signal: AbortSignal) => {
    const { server, client_id: clientId } = api.settings;
    const wait = formatDuration(fetchTimeoutMs);
    const url = `${withoutEndSlash(server)}/v3/discovery:monitoringassignments?fetch-timeout=${wait}`;
    const startMs = clock.monotonicMs();
    const response = await api.ask(url, signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({
        version_info: last.version_info,
        node: { id: clientId || hostname() || 'prometheus' },
        type_url: TYPE_URL,
        response_nonce: last.nonce,
      }),
    });
    metrics.platforms.kumaAsked((clock.monotonicMs() - startMs) / 1000);
    if (response.status === NOT_MODIFIED) {
      metrics.platforms.kumaUnchanged();
    } else {
      if (response.status !== 200) throw statusError(url, response);
      last = jsonOf(response, url) as DiscoveryResponse;
    }
    const targets = (last.resources ?? []).flatMap(targetsOf);
    return [{ source: 'kuma', labels: {}, targets }];
  };
  return refreshingWith(config, context, look, () => api.close());
};

function targetsOf({ mesh, service, labels, targets }: Assignment): LabelRecord[] {
  return (targets ?? []).map((target) => ({
    __address__: labelText(target.address),
    __scheme__: labelText(target.scheme),
    __metrics_path__: labelText(target.metrics_path),
    instance: labelText(target.name),
    [`${PREFIX}mesh`]: labelText(mesh),
    [`${PREFIX}service`]: labelText(service),
    [`${PREFIX}dataplane`]: labelText(target.name),
    ...labelsFrom(`${PREFIX}label_`, labels),
    ...labelsFrom(`${PREFIX}label_`, target.labels),
  }));
}
