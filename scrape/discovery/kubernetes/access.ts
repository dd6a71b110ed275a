/**
 * Where the API server is and how to show who asks: as configured, from a kubeconfig file, or as a
 * pod inside the cluster.
 * Source: Kubernetes documentation, "Accessing the API from a Pod" and "Organizing Cluster Access
 * Using kubeconfig Files".
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Clock, ValueError } from '../../../model/index.ts';
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  DEFAULT_TLS_CONFIG,
  type HttpClientConfig,
  type PlatformDiscoveryConfig,
} from '../../config.ts';
import type { ApiAccess } from '../platform-api.ts';
import type { ProviderContext } from '../provider.ts';
import { ExecAccess } from './exec-credentials.ts';

export type ClusterAccess = {
  readonly server: string;
  readonly httpClient: HttpClientConfig;
  /** Where credentials come from a command; they replace those of `httpClient`. */
  readonly changing: ApiAccess | null;
};

const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

export function clusterAccess(
  config: PlatformDiscoveryConfig,
  { parseYaml, clock }: Pick<ProviderContext, 'parseYaml' | 'clock'>,
): ClusterAccess {
  const { api_server: server, kubeconfig_file: file } = config.settings as {
    api_server: string;
    kubeconfig_file: string;
  };
  if (server !== '') return { server, httpClient: config.httpClient, changing: null };
  return file === '' ? insideCluster(config.httpClient) : fromKubeconfig(file, parseYaml, clock);
}

/** The namespace that this process runs in. @throws when it runs outside of a cluster */
export function ownNamespace(): string {
  return readFileSync(path.join(POD_FOLDER, 'namespace'), 'utf8').trim();
}

function insideCluster(httpClient: HttpClientConfig): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined || port === undefined) {
    throw new ValueError(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined; outside of a cluster set api_server or kubeconfig_file',
    );
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    changing: null,
    httpClient: {
      ...httpClient,
      authorization: {
        type: 'Bearer',
        credentials: '',
        credentialsFile: path.join(POD_FOLDER, 'token'),
      },
      tls: { ...DEFAULT_TLS_CONFIG, caFile: path.join(POD_FOLDER, 'ca.crt') },
    },
  };
}

type Named<K extends string, T> = readonly ({ readonly name?: string } & {
  readonly [key in K]?: T;
})[];
type Kubeconfig = {
  readonly 'current-context'?: string;
  readonly contexts?: Named<'context', { readonly cluster?: string; readonly user?: string }>;
  readonly clusters?: Named<'cluster', Readonly<Record<string, unknown>>>;
  readonly users?: Named<'user', Readonly<Record<string, unknown>>>;
};

function fromKubeconfig(
  file: string,
  parseYaml: ProviderContext['parseYaml'],
  clock: Clock,
): ClusterAccess {
  const config = (parseYaml(readFileSync(file, 'utf8'), file) ?? {}) as Kubeconfig;
  const current = config['current-context'] ?? '';
  const context = config.contexts?.find(({ name }) => name === current)?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  if (context === undefined || cluster === undefined) {
    throw new ValueError(`${file}: context ${JSON.stringify(current)} does not name a cluster`);
  }
  const server = textOf(cluster, 'server');
  const named = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  // Nobody is told who asks over a connection that others can read.
  const user = server.startsWith('https://') ? named : {};
  const { 'auth-provider': provider, exec } = user;
  if (provider !== undefined) {
    const name = textOf((provider ?? {}) as Readonly<Record<string, unknown>>, 'name');
    throw new ValueError(
      `${file}: no Auth Provider found for name ${JSON.stringify(name)}; Kubernetes has replaced them by commands (exec)`,
    );
  }
  const decoded = (from: Readonly<Record<string, unknown>>, key: string) =>
    Buffer.from(textOf(from, key), 'base64').toString('utf8');
  // Relative names are meant from the folder of the kubeconfig file.
  const near = (name: string) => (name === '' ? '' : path.resolve(path.dirname(file), name));
  const hasToken = textOf(user, 'token') !== '' || textOf(user, 'tokenFile') !== '';
  const httpClient: HttpClientConfig = {
    ...DEFAULT_HTTP_CLIENT_CONFIG,
    authorization: hasToken
      ? {
          type: 'Bearer',
          // The file wins, as it is the one that is renewed.
          credentials: textOf(user, 'tokenFile') === '' ? textOf(user, 'token') : '',
          credentialsFile: near(textOf(user, 'tokenFile')),
        }
      : null,
    basicAuth:
      textOf(user, 'username') === ''
        ? null
        : {
            username: textOf(user, 'username'),
            usernameFile: '',
            password: textOf(user, 'password'),
            passwordFile: '',
          },
    tls: {
      ...DEFAULT_TLS_CONFIG,
      ca: decoded(cluster, 'certificate-authority-data'),
      caFile: near(textOf(cluster, 'certificate-authority')),
      cert: decoded(user, 'client-certificate-data'),
      certFile: near(textOf(user, 'client-certificate')),
      key: decoded(user, 'client-key-data'),
      keyFile: near(textOf(user, 'client-key')),
      serverName: textOf(cluster, 'tls-server-name'),
      insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true,
    },
  };
  if (exec === undefined) return { server, httpClient, changing: null };
  const folder = path.dirname(path.resolve(file));
  const changing = new ExecAccess(exec ?? {}, cluster, folder, httpClient, clock);
  return { server, httpClient, changing };
}

function textOf(from: Readonly<Record<string, unknown>>, key: string): string {
  const value = from[key];
  return typeof value === 'string' ? value : '';
}
