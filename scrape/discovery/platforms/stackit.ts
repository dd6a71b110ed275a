/**
 * Servers of a STACKIT project.
 * Source: Prometheus documentation, `<stackit_sd_config>`; STACKIT IaaS API v1; STACKIT SDK
 * documentation, "Key flow".
 */
import { readFile } from 'node:fs/promises';
import { messageOf, ValueError } from '../../../model/index.ts';
import {
  type HttpClientConfig,
  type LabelRecord,
  OAUTH2_JWT_BEARER,
  type OAuth2Config,
  type PlatformDiscoveryConfig,
} from '../../config.ts';
import {
  type ApiAccess,
  type CreatePlatform,
  hostPort,
  labelNamePart,
  labelsWithPresence,
  labelText,
  PlatformApi,
  refreshingWith,
  targetsOf,
  withoutEndSlash,
} from '../platform-api.ts';

type StackitSettings = {
  readonly project: string;
  readonly region: string;
  readonly endpoint: string;
  readonly port: number;
  readonly service_account_key: string;
  readonly service_account_key_path: string;
  readonly private_key: string;
  readonly private_key_path: string;
  readonly credentials_file_path: string;
};

type Server = {
  readonly id?: string;
  readonly name?: string;
  readonly availabilityZone?: string;
  readonly machineType?: string;
  readonly status?: string;
  readonly powerStatus?: string;
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly nics?: readonly {
    readonly ipv4?: string;
    readonly networkName?: string;
    readonly publicIp?: string;
  }[];
};

const TOKEN_URL = 'https://service-account.api.stackit.cloud/token';
const PREFIX = '__meta_stackit_';

export const create: CreatePlatform = (config, context) => {
  let access: ApiAccess | null = null;
  let api: PlatformApi<StackitSettings> | null = null;
  const look = async (signal: AbortSignal) => {
    // At the first refresh: a key that cannot be read yet may be there at the next.
    access ??= await keyAccess(config);
    api ??= new PlatformApi<StackitSettings>(config, context, { access });
    const { project, region, endpoint, port } = api.settings;
    const base = endpoint === '' ? `https://iaas.api.${region}.stackit.cloud` : endpoint;
    const url = `${withoutEndSlash(base)}/v1/projects/${project}/servers?details=true`;
    const { items } = await api.json<{ items?: readonly Server[] }>(url, signal);
    const targets = targetsOf(items ?? [], (server) => target(server, project, port));
    return [{ source: `stackit/${project}`, labels: {}, targets }];
  };
  return refreshingWith(config, context, look, () => api?.close());
};

/** The settings by which a service account shows who it is; its key is exchanged for tokens. */
async function keyAccess(config: PlatformDiscoveryConfig): Promise<ApiAccess> {
  const settings = config.settings as unknown as StackitSettings;
  const file = settings.credentials_file_path;
  const saved = file === '' ? {} : parseObject(await readFile(file, 'utf8'), file);
  const textOf = async (text: string, name: string, path: string, pathName: string) => {
    const own = text || (path === '' ? '' : await readFile(path, 'utf8'));
    if (own !== '') return own;
    const savedPath = labelText(saved[pathName]);
    return labelText(saved[name]) || (savedPath === '' ? '' : readFile(savedPath, 'utf8'));
  };
  const key = await textOf(
    settings.service_account_key,
    'STACKIT_SERVICE_ACCOUNT_KEY',
    settings.service_account_key_path,
    'STACKIT_SERVICE_ACCOUNT_KEY_PATH',
  );
  const token = labelText(saved['STACKIT_SERVICE_ACCOUNT_TOKEN']);
  let { httpClient } = config;
  if (key !== '') {
    const privateKey = await textOf(
      settings.private_key,
      'STACKIT_PRIVATE_KEY',
      settings.private_key_path,
      'STACKIT_PRIVATE_KEY_PATH',
    );
    httpClient = { ...httpClient, oauth2: keyFlow(key, privateKey, httpClient) };
  } else if (token !== '') {
    const authorization = { type: 'Bearer', credentials: token, credentialsFile: '' };
    httpClient = { ...httpClient, authorization };
  }
  return { httpClient: async () => httpClient, refused: () => {} };
}

/** @param privateKey  instead of the one in the key, which not every key has */
function keyFlow(key: string, privateKey: string, httpClient: HttpClientConfig): OAuth2Config {
  const { credentials } = parseObject(key, 'service_account_key') as {
    credentials?: Readonly<Record<string, unknown>>;
  };
  const { kid, iss, sub, aud, privateKey: own } = credentials ?? {};
  const signedWith = privateKey || labelText(own);
  if (signedWith === '') {
    throw new ValueError('stackit_sd: the service account key has no private key, nor is one set');
  }
  return {
    clientId: labelText(sub),
    grantType: OAUTH2_JWT_BEARER,
    clientSecret: '',
    clientSecretFile: '',
    clientCertificateKey: signedWith,
    clientCertificateKeyFile: '',
    clientCertificateKeyId: labelText(kid),
    signatureAlgorithm: 'RS512',
    iss: labelText(iss),
    audience: labelText(aud),
    claims: {},
    scopes: [],
    tokenUrl: process.env['STACKIT_TOKEN_BASEURL'] ?? TOKEN_URL,
    endpointParams: {},
    tls: httpClient.tls,
    proxy: httpClient.proxy,
  };
}

function parseObject(text: string, where: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new ValueError(`stackit_sd: ${where} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** Null for a server without any address. */
function target(server: Server, project: string, port: number): LabelRecord | null {
  const { nics = [] } = server;
  const publicIp = nics.find(({ publicIp: ip }) => ip !== undefined && ip !== '')?.publicIp;
  const address = publicIp ?? nics.find(({ ipv4 }) => ipv4 !== undefined && ipv4 !== '')?.ipv4;
  if (address === undefined) return null;
  const byNetwork = nics.map(({ networkName, ipv4 }): [string, string] => [
    `${PREFIX}private_ipv4_${labelNamePart(labelText(networkName))}`,
    labelText(ipv4),
  ]);
  return {
    __address__: hostPort(address, port),
    [`${PREFIX}id`]: labelText(server.id),
    [`${PREFIX}name`]: labelText(server.name),
    [`${PREFIX}project`]: project,
    [`${PREFIX}availability_zone`]: labelText(server.availabilityZone),
    [`${PREFIX}type`]: labelText(server.machineType),
    [`${PREFIX}status`]: labelText(server.status),
    [`${PREFIX}power_status`]: labelText(server.powerStatus),
    [`${PREFIX}public_ipv4`]: labelText(publicIp),
    ...Object.fromEntries(byNetwork),
    ...labelsWithPresence(`${PREFIX}label`, server.labels),
  };
}
