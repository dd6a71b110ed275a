/**
 * Where the API server is and how to show who asks: as configured, from a kubeconfig file, or as a
 * pod inside the cluster.
 * Source: Kubernetes documentation, "Accessing the API from a Pod" and "Organizing Cluster Access
 * Using kubeconfig Files".
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ValueError } from '../../../model/index.ts';
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  DEFAULT_TLS_CONFIG,
  type HttpClientConfig,
  type PlatformDiscoveryConfig,
} from '../../config.ts';
import type { ProviderContext } from '../provider.ts';

export type ClusterAccess = { readonly server: string; readonly httpClient: HttpClientConfig };

const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

export function clusterAccess(
  config: PlatformDiscoveryConfig,
  parseYaml: ProviderContext['parseYaml'],
): ClusterAccess {
  const { api_server: server, kubeconfig_file: file } = config.settings as {
    api_server: string;
    kubeconfig_file: string;
  };
  if (server !== '') return { server, httpClient: config.httpClient };
  return file === '' ? insideCluster(config.httpClient) : fromKubeconfig(file, parseYaml);
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

function fromKubeconfig(file: string, parseYaml: ProviderContext['parseYaml']): ClusterAccess {
  const config = (parseYaml(readFileSync(file, 'utf8'), file) ?? {}) as Kubeconfig;
  const current = config['current-context'] ?? '';
  const context = config.contexts?.find(({ name }) => name === current)?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  if (context === undefined || cluster === undefined) {
    throw new ValueError(`${file}: context ${JSON.stringify(current)} does not name a cluster`);
  }
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined) {
    throw new ValueError(`${file}: exec and auth-provider are not supported; use a token instead`);
  }
  const text = (from: Readonly<Record<string, unknown>>, key: string) => {
    const value = from[key];
    return typeof value === 'string' ? value : '';
  };
  const decoded = (from: Readonly<Record<string, unknown>>, key: string) =>
    Buffer.from(text(from, key), 'base64').toString('utf8');
  // Relative names are meant from the folder of the kubeconfig file.
  const near = (name: string) => (name === '' ? '' : path.resolve(path.dirname(file), name));
  const hasToken = text(user, 'token') !== '' || text(user, 'tokenFile') !== '';
  return {
    server: text(cluster, 'server'),
    httpClient: {
      ...DEFAULT_HTTP_CLIENT_CONFIG,
      authorization: hasToken
        ? {
            type: 'Bearer',
            // The file wins, as it is the one that is renewed.
            credentials: text(user, 'tokenFile') === '' ? text(user, 'token') : '',
            credentialsFile: near(text(user, 'tokenFile')),
          }
        : null,
      basicAuth:
        text(user, 'username') === ''
          ? null
          : {
              username: text(user, 'username'),
              usernameFile: '',
              password: text(user, 'password'),
              passwordFile: '',
            },
      tls: {
        ...DEFAULT_TLS_CONFIG,
        ca: decoded(cluster, 'certificate-authority-data'),
        caFile: near(text(cluster, 'certificate-authority')),
        cert: decoded(user, 'client-certificate-data'),
        certFile: near(text(user, 'client-certificate')),
        key: decoded(user, 'client-key-data'),
        keyFile: near(text(user, 'client-key')),
        serverName: text(cluster, 'tls-server-name'),
        insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true,
      },
    },
  };
}
