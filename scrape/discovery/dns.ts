/**
 * Targets from the domain name system.
 * Source: Prometheus documentation, `<dns_sd_config>`; resolv.conf(5).
 */
import { readFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { messageOf, ValueError } from '../../model/index.ts';
import type { DnsDiscoveryConfig, LabelRecord, TargetGroup } from '../config.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import { RefreshingProvider } from './refresh.ts';

const NAME_LABEL = '__meta_dns_name';
const SRV_TARGET_LABEL = '__meta_dns_srv_record_target';
const SRV_PORT_LABEL = '__meta_dns_srv_record_port';
const MX_TARGET_LABEL = '__meta_dns_mx_record_target';
const NS_TARGET_LABEL = '__meta_dns_ns_record_target';

/** "There is no such name" and "it has no such records": answers, not failures. */
const EMPTY_ANSWERS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

export function createDnsProvider(
  config: DnsDiscoveryConfig,
  context: ProviderContext,
): DiscoveryProvider {
  const resolver = new Resolver({ timeout: 5000, tries: 2 });
  if (context.dnsServers !== undefined) resolver.setServers([...context.dnsServers]);
  const { metrics, logger } = context;
  /** The last good answer of each name: one that fails does not take the others along. */
  const known = new Map<string, TargetGroup>();

  const look = async (): Promise<TargetGroup[]> => {
    let failure: unknown;
    await Promise.all(
      config.names.map(async (name) => {
        try {
          known.set(name, await lookUp(name));
        } catch (error) {
          failure = error;
          logger.error('Error refreshing DNS targets', { name, err: messageOf(error) });
        }
      }),
    );
    // Without any answer there is nothing to replace the last list by.
    if (failure !== undefined && known.size === 0) throw failure;
    return [...known.values()];
  };

  const lookUp = async (name: string): Promise<TargetGroup> => {
    for (const candidate of namesToTry(name, readSearchConfig())) {
      metrics.dnsLookups.increase();
      try {
        const targets = await query(resolver, candidate, config);
        if (targets.length > 0) return groupOf(name, targets);
      } catch (error) {
        if (EMPTY_ANSWERS.has((error as { code?: string }).code ?? '')) continue;
        metrics.dnsLookupFailures.increase();
        throw new ValueError(`could not resolve ${JSON.stringify(name)}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    return groupOf(name, []);
  };

  return new RefreshingProvider('dns', config.refreshIntervalMs, context, look, () => {
    resolver.cancel();
  });
}

function groupOf(name: string, targets: LabelRecord[]): TargetGroup {
  return { source: name, labels: { [NAME_LABEL]: name }, targets };
}

async function query(
  resolver: Resolver,
  name: string,
  { type, port }: DnsDiscoveryConfig,
): Promise<LabelRecord[]> {
  switch (type) {
    case 'A':
      return (await resolver.resolve4(name)).map((ip) => ({ __address__: `${ip}:${port}` }));
    case 'AAAA':
      return (await resolver.resolve6(name)).map((ip) => ({ __address__: `[${ip}]:${port}` }));
    case 'SRV':
      return (await resolver.resolveSrv(name)).map((record) => ({
        __address__: `${bare(record.name)}:${record.port}`,
        [SRV_TARGET_LABEL]: absolute(record.name),
        [SRV_PORT_LABEL]: String(record.port),
      }));
    case 'MX':
      return (await resolver.resolveMx(name)).map(({ exchange }) => ({
        __address__: `${bare(exchange)}:${port}`,
        [MX_TARGET_LABEL]: absolute(exchange),
      }));
    case 'NS':
      return (await resolver.resolveNs(name)).map((server) => ({
        __address__: `${bare(server)}:${port}`,
        [NS_TARGET_LABEL]: absolute(server),
      }));
  }
}

/** Without the dot that ends an absolute name. */
function bare(name: string): string {
  return name.replace(/\.$/, '');
}

function absolute(name: string): string {
  return `${bare(name)}.`;
}

type SearchConfig = { readonly domains: readonly string[]; readonly dotsMin: number };

function readSearchConfig(file = '/etc/resolv.conf'): SearchConfig {
  try {
    return parseSearchConfig(readFileSync(file, 'utf8'));
  } catch {
    return { domains: [], dotsMin: 1 };
  }
}

/** The search list of a resolv.conf. The last `search` or `domain` line counts. */
export function parseSearchConfig(text: string): SearchConfig {
  let domains: string[] = [];
  let dotsMin = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'search' || keyword === 'domain') domains = words;
    if (keyword !== 'options') continue;
    const ndots = words.find((word) => word.startsWith('ndots:'));
    if (ndots !== undefined) dotsMin = Number(ndots.slice('ndots:'.length)) || 0;
  }
  return { domains, dotsMin };
}

/** The absolute names that a name may stand for, likeliest first. */
export function namesToTry(name: string, { domains, dotsMin }: SearchConfig): string[] {
  if (name.endsWith('.')) return [name];
  const searched = domains.map((domain) => `${name}.${bare(domain)}`);
  const hasDots = name.split('.').length - 1 >= dotsMin;
  return hasDots ? [name, ...searched] : [...searched, name];
}
