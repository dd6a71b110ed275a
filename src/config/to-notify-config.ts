/** From the spelling of the `alerting` section to what the notifier works with. */
import type { NotifyConfig } from '../notify/index.ts';
import type { FileValues } from './file-shape.ts';
import { toRelabelConfig } from './relabel-shape.ts';
import { toCloudAuth } from './to-remote-config.ts';
import { toDiscovery, toHttpClient } from './to-scrape-config.ts';

export function toNotifyConfig({ alerting }: FileValues): NotifyConfig {
  return {
    alertRelabelConfigs: alerting.alert_relabel_configs.map(toRelabelConfig),
    alertmanagers: alerting.alertmanagers.map((value) => ({
      scheme: value.scheme,
      pathPrefix: value.path_prefix,
      timeoutMs: value.timeout,
      httpClient: toHttpClient(value),
      cloudAuth: toCloudAuth({ sigv4: value.sigv4 }),
      discovery: toDiscovery(value),
      relabelConfigs: value.relabel_configs.map(toRelabelConfig),
      alertRelabelConfigs: value.alert_relabel_configs.map(toRelabelConfig),
    })),
  };
}
