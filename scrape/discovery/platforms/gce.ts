/**
 * Instances of Google Compute Engine.
 * Source: Prometheus documentation, `<gce_sd_config>`; Compute Engine API v1, instances.list;
 * Google Cloud documentation, "Application Default Credentials".
 */
import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { LabelRecord } from '../../config.ts';
import {
  type CreatePlatform,
  hostPort,
  joinedText,
  labelNamePart,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
} from '../platform-api.ts';

type GceSettings = {
  readonly project: string;
  readonly zone: string;
  readonly filter: string;
  readonly port: number;
  readonly tag_separator: string;
};
type Api = PlatformApi<GceSettings>;

type Interface = {
  readonly name?: string;
  readonly network?: string;
  readonly subnetwork?: string;
  readonly networkIP?: string;
  readonly accessConfigs?: readonly { readonly type?: string; readonly natIP?: string }[];
};
type Instance = {
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly zone?: string;
  readonly machineType?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: { readonly items?: readonly string[] };
  readonly metadata?: {
    readonly items?: readonly { readonly key: string; readonly value?: string }[];
  };
  readonly networkInterfaces?: readonly Interface[];
};
type Page = { readonly items?: readonly Instance[]; readonly nextPageToken?: string };

/** A file of application default credentials. */
type CredentialsFile = {
  readonly type?: string;
  readonly client_email?: string;
  readonly private_key?: string;
  readonly token_uri?: string;
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly refresh_token?: string;
};
type Token = { readonly value: string; readonly endMs: number };

const API = 'https://compute.googleapis.com/compute/v1';
const SCOPE = 'https://www.googleapis.com/auth/compute.readonly';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const METADATA_HOST = 'metadata.google.internal';
const RENEW_MS = 60_000;
const PREFIX = '__meta_gce_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<GceSettings>(config, context);
  let token: Token | null = null;
  const look = async (signal: AbortSignal) => {
    const { project, zone, filter } = api.settings;
    if (token === null || context.clock.nowMs() > token.endMs - RENEW_MS) {
      token = await requestToken(api, signal);
    }
    const headers = { Authorization: `Bearer ${token.value}` };
    const targets: LabelRecord[] = [];
    let pageToken = '';
    do {
      const params = new URLSearchParams();
      if (filter !== '') params.set('filter', filter);
      if (pageToken !== '') params.set('pageToken', pageToken);
      const url = `${API}/projects/${project}/zones/${zone}/instances?${params}`;
      const page = await api.json<Page>(url, signal, { headers });
      for (const instance of page.items ?? []) {
        const [first] = instance.networkInterfaces ?? [];
        if (first !== undefined) targets.push(target(instance, first, api.settings));
      }
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    return [{ source: `GCE_${project}_${zone}`, labels: {}, targets }];
  };
  return refreshingWith(config, context, look, () => api.close());
};

function target(instance: Instance, first: Interface, settings: GceSettings): LabelRecord {
  const { project, port, tag_separator: separator } = settings;
  const ofInterfaces = (instance.networkInterfaces ?? []).map(({ name, networkIP }) => [
    `${PREFIX}interface_ipv4_${labelNamePart(labelText(name))}`,
    labelText(networkIP),
  ]);
  const metadata = (instance.metadata?.items ?? []).map(({ key, value }) => [
    `${PREFIX}metadata_${labelNamePart(key)}`,
    labelText(value),
  ]);
  const open = first.accessConfigs?.find(({ type }) => type === 'ONE_TO_ONE_NAT');
  return {
    __address__: hostPort(labelText(first.networkIP), port),
    [`${PREFIX}project`]: project,
    [`${PREFIX}zone`]: labelText(instance.zone),
    [`${PREFIX}instance_id`]: labelText(instance.id),
    [`${PREFIX}instance_name`]: labelText(instance.name),
    [`${PREFIX}instance_status`]: labelText(instance.status),
    [`${PREFIX}machine_type`]: labelText(instance.machineType),
    [`${PREFIX}network`]: labelText(first.network),
    [`${PREFIX}subnetwork`]: labelText(first.subnetwork),
    [`${PREFIX}private_ip`]: labelText(first.networkIP),
    [`${PREFIX}public_ip`]: labelText(open?.natIP),
    [`${PREFIX}tags`]: joinedText(instance.tags?.items, separator),
    ...(Object.fromEntries(ofInterfaces) as LabelRecord),
    ...(Object.fromEntries(metadata) as LabelRecord),
    ...labelsFrom(`${PREFIX}label_`, instance.labels),
  };
}

async function requestToken(api: Api, signal: AbortSignal): Promise<Token> {
  const nowMs = api.context.clock.nowMs();
  const credentials = readCredentials();
  type Answer = { access_token?: string; expires_in?: number };
  const answer =
    credentials === null
      ? await ofMachine(api, signal)
      : await api.json<Answer>(credentials.token_uri ?? TOKEN_URL, signal, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams(tokenParams(credentials, nowMs)).toString(),
        });
  return {
    value: answer.access_token ?? '',
    endMs: nowMs + (answer.expires_in ?? 0) * 1000,
  };
}

/** Null: the machine's own account is to be used. */
function readCredentials(): CredentialsFile | null {
  const named = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  const file = named ?? path.join(homedir(), '.config/gcloud/application_default_credentials.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CredentialsFile;
  } catch (error) {
    if (named !== undefined) throw error;
    return null;
  }
}

function tokenParams(credentials: CredentialsFile, nowMs: number): Record<string, string> {
  if (credentials.type === 'authorized_user') {
    return {
      grant_type: 'refresh_token',
      client_id: credentials.client_id ?? '',
      client_secret: credentials.client_secret ?? '',
      refresh_token: credentials.refresh_token ?? '',
    };
  }
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const nowSeconds = Math.floor(nowMs / 1000);
  const claims = {
    iss: credentials.client_email,
    scope: SCOPE,
    aud: credentials.token_uri ?? TOKEN_URL,
    iat: nowSeconds,
    exp: nowSeconds + 3600,
  };
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  const signature = createSign('RSA-SHA256')
    .update(text)
    .sign(credentials.private_key ?? '');
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${text}.${signature.toString('base64url')}`,
  };
}

function ofMachine(
  api: Api,
  signal: AbortSignal,
): Promise<{ access_token?: string; expires_in?: number }> {
  const host = process.env['GCE_METADATA_HOST'] ?? METADATA_HOST;
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  return api.json(url, signal, { headers: { 'Metadata-Flavor': 'Google' } });
}
