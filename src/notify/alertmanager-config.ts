/** The `alerting` section as the notifier works with it. */
import type { RelabelConfig } from '../../model/index.ts';
import type { CloudAuthConfig, DiscoveryConfig, HttpClientConfig } from '../../scrape/index.ts';

/** One entry of `alertmanagers`: a set of receivers that are found and treated alike. */
export type AlertmanagerConfig = {
  readonly scheme: string;
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  readonly httpClient: HttpClientConfig;
  /** Signs requests (`sigv4`); null: it does not. */
  readonly cloudAuth: CloudAuthConfig | null;
  readonly discovery: readonly DiscoveryConfig[];
  /** Of targets. */
  readonly relabelConfigs: readonly RelabelConfig[];
  /** Of the alerts that go to this set. */
  readonly alertRelabelConfigs: readonly RelabelConfig[];
};

export type NotifyConfig = {
  /** Of all alerts. */
  readonly alertRelabelConfigs: readonly RelabelConfig[];
  readonly alertmanagers: readonly AlertmanagerConfig[];
};
