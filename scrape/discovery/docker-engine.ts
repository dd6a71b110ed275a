/**
 * Asking a Docker Engine, over TCP or its Unix socket, and what `docker` and `dockerswarm` share.
 * Source: Docker Engine API.
 */
import { ValueError } from '../../model/index.ts';
import type { LabelRecord, PlatformDiscoveryConfig } from '../config.ts';
import { labelsFrom, labelText, PlatformApi, refreshingWith } from './platform-api.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import type { TargetGroup } from '../config.ts';

export type DockerFilter = { readonly name: string; readonly values: readonly string[] };

export type DockerSettings = {
  readonly host: string;
  readonly port: number;
  readonly filters: readonly DockerFilter[];
};

/** The oldest version with all that is asked for, which every engine since 2019 knows. */
const API_VERSION = 'v1.40';

/** Reads one resource as a list. */
export type AskEngine = <T>(
  resource: string,
  filters?: readonly DockerFilter[],
) => Promise<readonly T[]>;

export function dockerProvider(
  config: PlatformDiscoveryConfig,
  context: ProviderContext,
  look: (ask: AskEngine) => Promise<readonly TargetGroup[]>,
): DiscoveryProvider {
  const { host } = config.settings as DockerSettings;
  const { base, socketPath } = placeOf(host);
  const api = new PlatformApi<DockerSettings>(
    config,
    context,
    socketPath === '' ? {} : { socketPath },
  );
  return refreshingWith(
    config,
    context,
    (signal) =>
      look(async <T>(resource: string, filters: readonly DockerFilter[] = []) => {
        const query = filters.length === 0 ? '' : `?filters=${encodeFilters(filters)}`;
        const url = `${base}/${API_VERSION}/${resource}${query}`;
        return (await api.json<readonly T[] | null>(url, signal)) ?? [];
      }),
    () => api.close(),
  );
}

function placeOf(host: string): { readonly base: string; readonly socketPath: string } {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/s.exec(host) ?? [];
  switch (scheme) {
    case 'unix':
      return { base: 'http://docker', socketPath: rest! };
    case 'tcp':
      return { base: `http://${rest}`, socketPath: '' };
    case 'http':
    case 'https':
      return { base: host.replace(/\/+$/, ''), socketPath: '' };
    default:
      throw new ValueError(`host ${host}: expected unix://, tcp://, http:// or https://`);
  }
}

function encodeFilters(filters: readonly DockerFilter[]): string {
  const byName: Record<string, Record<string, true>> = {};
  for (const { name, values } of filters) {
    byName[name] ??= {};
    for (const value of values) byName[name][value] = true;
  }
  return encodeURIComponent(JSON.stringify(byName));
}

export type Network = {
  readonly Id: string;
  readonly Name?: string;
  readonly Scope?: string;
  readonly Internal?: boolean;
  readonly Ingress?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
};

/** Labels of every network, by its id. @param prefix  `__meta_docker_` or that of swarm */
export async function networkLabels(
  ask: AskEngine,
  prefix: string,
): Promise<ReadonlyMap<string, LabelRecord>> {
  const networks = await ask<Network>('networks');
  const of = `${prefix}network_`;
  return new Map(
    networks.map((network) => [
      network.Id,
      {
        [`${of}id`]: network.Id,
        [`${of}name`]: labelText(network.Name),
        [`${of}scope`]: labelText(network.Scope),
        [`${of}internal`]: String(network.Internal === true),
        [`${of}ingress`]: String(network.Ingress === true),
        ...labelsFrom(`${of}label_`, network.Labels),
      },
    ]),
  );
}
