/** What every discovery mechanism is, and what it gets. A new one is one file and one line in create. */
import type { Clock, Logger } from '../../model/index.ts';
import type { TargetGroup } from '../config.ts';
import type { DiscoveryMetrics } from './discovery-metrics.ts';

export interface DiscoveryProvider {
  /**
   * Begins to look. `update` takes the complete list of what the mechanism knows, each time it
   * changes; when looking fails it is not called, and the last list stays.
   */
  start(update: (groups: readonly TargetGroup[]) => void): void;
  stop(): void;
}

export type ProviderContext = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DiscoveryMetrics;
  readonly jobName: string;
  readonly userAgent: string;
  /**
   * Parses YAML; `file` is for error messages.
   * @throws when the text is not YAML
   */
  readonly parseYaml: (text: string, file: string) => unknown;
  /** Servers to ask instead of those of this machine; `address:port`. */
  readonly dnsServers: readonly string[] | undefined;
};
