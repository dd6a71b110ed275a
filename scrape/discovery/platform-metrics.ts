/**
 * What single platforms measure besides what all of discovery does, under Prometheus's names.
 * Source: /metrics of Prometheus 3.14.
 */
import type { Counter, Registry } from '../../model/index.ts';

const QUANTILES = [0.5, 0.9, 0.99];
const KUBERNETES_ROLES = ['endpoints', 'endpointslice', 'ingress', 'node', 'pod', 'service'];
const KUBERNETES_EVENTS = ['add', 'delete', 'update'] as const;

export type KubernetesEvent = (typeof KUBERNETES_EVENTS)[number];
export type ConsulCall = 'service' | 'services';

export type PlatformMetrics = ReturnType<typeof platformMetrics>;

export function platformMetrics(registry: Registry) {
  const consulDuration = registry.summaries(
    'prometheus_sd_consul_rpc_duration_seconds',
    'Duration of calls of Consul, the time included for which it holds its answer back.',
    ['endpoint', 'call'],
    QUANTILES,
  );
  for (const call of ['service', 'services']) consulDuration.labels('catalog', call);
  const kubernetesEvents = registry.counters(
    'prometheus_sd_kubernetes_events_total',
    'Changes of Kubernetes objects that were taken.',
    ['role', 'event'],
  );
  for (const role of KUBERNETES_ROLES) {
    for (const event of KUBERNETES_EVENTS) kubernetesEvents.labels(role, event);
  }
  const kumaDuration = registry
    .summaries(
      'prometheus_sd_kuma_fetch_duration_seconds',
      'Duration of asking Kuma for its assignments.',
      [],
      QUANTILES,
    )
    .labels();
  const treeFailures = registry.counter(
    'prometheus_treecache_zookeeper_failures_total',
    'Connections to ZooKeeper that failed or were lost.',
  );
  const failures: Readonly<Record<string, Counter>> = {
    azure: registry.counter(
      'prometheus_sd_azure_failures_total',
      'Refreshes by Azure that failed.',
    ),
    consul: registry.counter(
      'prometheus_sd_consul_rpc_failures_total',
      'Calls of Consul that failed.',
    ),
    kubernetes: registry.counter(
      'prometheus_sd_kubernetes_failures_total',
      'Lists and watches of Kubernetes that failed.',
    ),
    kuma: registry.counter(
      'prometheus_sd_kuma_fetch_failures_total',
      'Requests to Kuma that failed.',
    ),
    linode: registry.counter(
      'prometheus_sd_linode_failures_total',
      'Refreshes by Linode that failed.',
    ),
    nerve: treeFailures,
    nomad: registry.counter(
      'prometheus_sd_nomad_failures_total',
      'Refreshes by Nomad that failed.',
    ),
    serverset: treeFailures,
  };
  const kumaSkipped = registry.counter(
    'prometheus_sd_kuma_fetch_skipped_updates_total',
    'Answers of Kuma that nothing has changed.',
  );
  return {
    failed(mechanism: string): void {
      failures[mechanism]?.increase();
    },
    consulCalled(call: ConsulCall, seconds: number): void {
      consulDuration.labels('catalog', call).observe(seconds);
    },
    /** @param role  whose objects these are; others are not counted */
    kubernetesChanged(role: string, event: KubernetesEvent): void {
      if (KUBERNETES_ROLES.includes(role)) kubernetesEvents.labels(role, event).increase();
    },
    kumaAsked(seconds: number): void {
      kumaDuration.observe(seconds);
    },
    kumaUnchanged(): void {
      kumaSkipped.increase();
    },
  };
}
