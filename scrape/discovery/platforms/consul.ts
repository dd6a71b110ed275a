/**
 * Services in Consul's catalog. Blocking queries: the server answers when something has changed.
 * Source: Prometheus documentation, `<consul_sd_config>`; Consul API, catalog, health and agent.
 */
import { messageOf, CanceledError } from '../../../model/index.ts';
import type { LabelRecord, TargetGroup } from '../../config.ts';
import {
  type CreatePlatform,
  hostPort,
  joinedText,
  jsonOf,
  labelsFrom,
  labelText,
  PlatformApi,
  statusError,
} from '../platform-api.ts';
import type { ConsulCall } from '../platform-metrics.ts';
import type { DiscoveryProvider } from '../provider.ts';

type ConsulSettings = {
  readonly server: string;
  readonly path_prefix: string;
  readonly token: string;
  readonly datacenter: string;
  readonly namespace: string;
  readonly partition: string;
  readonly tag_separator: string;
  readonly scheme: string;
  readonly allow_stale: boolean;
  readonly refresh_interval: number;
  readonly services: readonly string[];
  readonly tags: readonly string[];
  readonly node_meta: Readonly<Record<string, string>>;
  readonly filter: string;
  readonly health_filter: string;
};

type HealthEntry = {
  readonly Node: {
    readonly Node?: string;
    readonly Address?: string;
    readonly Datacenter?: string;
    readonly TaggedAddresses?: Record<string, string> | null;
    readonly Meta?: Record<string, string> | null;
    readonly Partition?: string;
  };
  readonly Service: {
    readonly ID?: string;
    readonly Service?: string;
    readonly Tags?: readonly string[] | null;
    readonly Address?: string;
    readonly Port?: number;
    readonly Meta?: Record<string, string> | null;
    readonly Namespace?: string;
  };
  readonly Checks?: readonly { readonly CheckID?: string; readonly Status?: string }[] | null;
};

/** How long the server may hold a query back. */
const WAIT_MS = 120_000;
/** It adds up to a sixteenth to that. */
const REQUEST_TIMEOUT_MS = WAIT_MS + 15_000;
const RETRY_MS = 15_000;

export const create: CreatePlatform = (config, context) =>
  new ConsulProvider(
    new PlatformApi<ConsulSettings>(config, context, { timeoutMs: REQUEST_TIMEOUT_MS }),
  );

class ConsulProvider implements DiscoveryProvider {
  readonly #api: PlatformApi<ConsulSettings>;
  readonly #stop = new AbortController();
  /** What is known of each service, and what ends watching it. */
  readonly #services = new Map<string, { group: TargetGroup | null; stop: AbortController }>();
  #update: (groups: readonly TargetGroup[]) => void = () => {};
  #datacenter: string;

  constructor(api: PlatformApi<ConsulSettings>) {
    this.#api = api;
    this.#datacenter = api.settings.datacenter;
  }

  start(update: (groups: readonly TargetGroup[]) => void): void {
    this.#update = update;
    void this.#watchCatalog();
  }

  stop(): void {
    this.#stop.abort();
    for (const { stop } of this.#services.values()) stop.abort();
    this.#api.close();
  }

  async #watchCatalog(): Promise<void> {
    const { signal } = this.#stop;
    const { services, tags, filter } = this.#api.settings;
    await this.#repeat(signal, 'services', async (index) => {
      if (this.#datacenter === '') this.#datacenter = await this.#localDatacenter(signal);
      // With names and nothing to choose by, the catalog has nothing to add.
      if (services.length > 0 && tags.length === 0 && filter === '') {
        this.#watchServices(services);
        return null;
      }
      const params = this.#params({ filter }, index);
      const answer = await this.#call('services', `/v1/catalog/services?${params}`, signal);
      const catalog = answer.value as Record<string, readonly string[] | null>;
      const names = Object.entries(catalog)
        .filter(([name]) => services.length === 0 || services.includes(name))
        .filter(([, has]) => tags.every((tag) => has?.includes(tag) === true))
        .map(([name]) => name);
      this.#watchServices(names);
      return answer.index;
    });
  }

  #watchServices(names: readonly string[]): void {
    let isGone = false;
    for (const [name, { stop }] of this.#services) {
      if (names.includes(name)) continue;
      stop.abort();
      this.#services.delete(name);
      isGone = true;
    }
    for (const name of names) if (!this.#services.has(name)) void this.#watchService(name);
    if (isGone || names.length === 0) this.#send();
  }

  async #watchService(name: string): Promise<void> {
    const stop = new AbortController();
    const service: { group: TargetGroup | null; stop: AbortController } = { group: null, stop };
    this.#services.set(name, service);
    const { health_filter: filter, tags } = this.#api.settings;
    await this.#repeat(stop.signal, name, async (index) => {
      const params = this.#params({ filter }, index);
      for (const tag of tags) params.append('tag', tag);
      const route = `/v1/health/service/${encodeURIComponent(name)}?${params}`;
      const answer = await this.#call('service', route, stop.signal);
      const entries = answer.value as readonly HealthEntry[];
      service.group = {
        source: name,
        labels: { __meta_consul_service: name, __meta_consul_dc: this.#datacenter },
        targets: entries.map((entry) => this.#target(entry)),
      };
      this.#send();
      return answer.index;
    });
  }

  #send(): void {
    if (this.#stop.signal.aborted) return;
    const known = [...this.#services.values()].flatMap(({ group }) => group ?? []);
    this.#update(known);
  }

  /** Asks, and asks again; `ask` returns the index to wait behind, or null to be done. */
  async #repeat(
    signal: AbortSignal,
    what: string,
    ask: (index: string) => Promise<string | null>,
  ): Promise<void> {
    const { context, settings } = this.#api;
    const { clock, logger, metrics, jobName } = context;
    let index = '';
    while (!signal.aborted) {
      let delayMs = settings.refresh_interval;
      try {
        const next = await ask(index);
        if (next === null) return;
        // An index that goes back means that the server has started anew.
        index = Number(next) < Number(index) ? '' : next;
      } catch (error) {
        if (signal.aborted) return;
        metrics.refreshFailed('consul', jobName);
        logger.error('Error refreshing service', {
          discovery: 'consul',
          what,
          err: messageOf(error),
        });
        index = '';
        delayMs = Math.max(RETRY_MS, delayMs);
      }
      try {
        await clock.sleep(delayMs, signal);
      } catch (error) {
        if (error instanceof CanceledError) return;
        throw error;
      }
    }
  }

  /** Asks, and notes how long it took. */
  async #call(
    call: ConsulCall,
    route: string,
    signal: AbortSignal,
  ): Promise<{ value: unknown; index: string }> {
    const { clock, metrics } = this.#api.context;
    const startMs = clock.monotonicMs();
    try {
      return await this.#ask(route, signal);
    } finally {
      metrics.platforms.consulCalled(call, (clock.monotonicMs() - startMs) / 1000);
    }
  }

  async #ask(route: string, signal: AbortSignal): Promise<{ value: unknown; index: string }> {
    const { scheme, server, path_prefix: prefix, token } = this.#api.settings;
    const start = prefix === '' ? '' : `/${prefix.replaceAll(/^\/|\/$/g, '')}`;
    const url = `${scheme}://${server}${start}${route}`;
    const headers: Record<string, string> = token === '' ? {} : { 'X-Consul-Token': token };
    const response = await this.#api.ask(url, signal, { headers });
    if (response.status !== 200) throw statusError(url, response);
    return { value: jsonOf(response, url), index: response.headers['x-consul-index'] ?? '' };
  }

  async #localDatacenter(signal: AbortSignal): Promise<string> {
    type Self = { readonly Config?: { readonly Datacenter?: string } };
    const { value } = await this.#ask('/v1/agent/self', signal);
    return labelText((value as Self).Config?.Datacenter);
  }

  #params(extra: Readonly<Record<string, string>>, index: string): URLSearchParams {
    const { namespace, partition, node_meta: nodeMeta, allow_stale: isStale } = this.#api.settings;
    const params = new URLSearchParams();
    const all = { dc: this.#datacenter, ns: namespace, partition, ...extra };
    for (const [name, value] of Object.entries(all)) if (value !== '') params.set(name, value);
    for (const [key, value] of Object.entries(nodeMeta))
      params.append('node-meta', `${key}:${value}`);
    if (isStale) params.set('stale', '');
    params.set('wait', `${WAIT_MS}ms`);
    if (index !== '') params.set('index', index);
    return params;
  }

  #target({ Node: node, Service: service, Checks: checks }: HealthEntry): LabelRecord {
    const prefix = '__meta_consul_';
    const host = service.Address || node.Address || '';
    const separator = this.#api.settings.tag_separator;
    const tags = service.Tags ?? [];
    return {
      __address__: hostPort(host, service.Port ?? 0),
      [`${prefix}address`]: labelText(node.Address),
      [`${prefix}node`]: labelText(node.Node),
      [`${prefix}namespace`]: labelText(service.Namespace),
      [`${prefix}partition`]: labelText(node.Partition),
      [`${prefix}tags`]: joinedText(tags, separator) || separator + separator,
      [`${prefix}service_address`]: labelText(service.Address),
      [`${prefix}service_port`]: String(service.Port ?? 0),
      [`${prefix}service_id`]: labelText(service.ID),
      [`${prefix}health`]: worstStatus(checks ?? []),
      ...labelsFrom(`${prefix}metadata_`, node.Meta),
      ...labelsFrom(`${prefix}service_metadata_`, service.Meta),
      ...labelsFrom(`${prefix}tagged_address_`, node.TaggedAddresses),
    };
  }
}

/** Of all checks together. */
function worstStatus(checks: NonNullable<HealthEntry['Checks']>): string {
  const isMaintenance = checks.some(
    ({ CheckID: id = '' }) => id === '_node_maintenance' || id.startsWith('_service_maintenance:'),
  );
  if (isMaintenance) return 'maintenance';
  const has = (status: string) => checks.some(({ Status }) => Status === status);
  if (has('critical')) return 'critical';
  return has('warning') ? 'warning' : 'passing';
}
