/** Targets that stand in the configuration itself. */
import type { StaticDiscoveryConfig } from '../config.ts';
import type { DiscoveryProvider } from './provider.ts';

export function createStaticProvider(config: StaticDiscoveryConfig): DiscoveryProvider {
  return {
    start: (update) => update(config.groups),
    stop: () => {},
  };
}
