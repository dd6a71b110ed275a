/**
 * Access tokens of Azure for the `azuread` section of remote write.
 * Source: Microsoft identity platform, client credentials with a secret, a certificate and federated
 * credentials; Azure instance metadata service; Prometheus configuration documentation.
 */
import { createHash, createPrivateKey, createSign, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ValueError } from '../../model/index.ts';
import type { ApiContext, PlatformApi } from '../discovery/platform-api.ts';

/** Exactly one of the methods is not null. Texts that were not given are empty. */
export type AzureAdSettings = {
  readonly cloud: string;
  readonly scope: string;
  readonly managed_identity: { readonly client_id: string } | null;
  readonly workload_identity: {
    readonly client_id: string;
    readonly tenant_id: string;
    readonly token_file_path: string;
  } | null;
  readonly oauth: {
    readonly client_id: string;
    readonly client_secret: string;
    readonly tenant_id: string;
  } | null;
  readonly certificate: {
    readonly client_id: string;
    readonly tenant_id: string;
    readonly certificate_path: string;
    readonly certificate_key_path: string;
    readonly certificate_password: string;
    readonly send_certificate_chain: boolean;
  } | null;
  readonly sdk: { readonly tenant_id: string } | null;
};
type Api = PlatformApi<AzureAdSettings, ApiContext>;
type Answer = { readonly access_token?: string; readonly expires_in?: number | string };
export type AzureToken = { readonly value: string; readonly endMs: number };

const CLOUDS: Readonly<Record<string, { readonly login: string; readonly monitor: string }>> = {
  AzurePublic: {
    login: 'https://login.microsoftonline.com',
    monitor: 'https://monitor.azure.com//.default',
  },
  AzureChina: {
    login: 'https://login.chinacloudapi.cn',
    monitor: 'https://monitor.azure.cn//.default',
  },
  AzureGovernment: {
    login: 'https://login.microsoftonline.us',
    monitor: 'https://monitor.azure.us//.default',
  },
};
const METADATA = 'http://169.254.169.254';
const METADATA_ROUTE = '/metadata/identity/oauth2/token?api-version=2018-02-01';
const FEDERATED_FILE = '/var/run/secrets/azure/tokens/azure-identity-token';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFETIME_SECONDS = 600;

/** @throws ValueError, FetchError  no token can be had */
export async function requestAzureToken(api: Api, signal: AbortSignal): Promise<AzureToken> {
  const answer = await new Request(api, signal).send();
  if (answer.access_token === undefined) throw new ValueError('azuread: no token in the answer');
  const endMs = api.context.clock.nowMs() + Number(answer.expires_in ?? 0) * 1000;
  return { value: answer.access_token, endMs };
}

class Request {
  readonly #api: Api;
  readonly #signal: AbortSignal;
  readonly #login: string;
  readonly #scope: string;

  constructor(api: Api, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
    const { login, monitor } = CLOUDS[api.settings.cloud]!;
    this.#login = process.env['AZURE_AUTHORITY_HOST']?.replace(/\/$/, '') ?? login;
    this.#scope = api.settings.scope || monitor;
  }

  send(): Promise<Answer> {
    const { managed_identity: machine, workload_identity: workload } = this.#api.settings;
    const { oauth, certificate, sdk } = this.#api.settings;
    if (machine !== null) return this.#byMachine(machine.client_id);
    if (workload !== null) return this.#byFederation(workload);
    if (oauth !== null) return this.#byForm(oauth, { client_secret: oauth.client_secret });
    if (certificate !== null) return this.#byCertificate(certificate);
    return this.#byEnvironment(sdk?.tenant_id ?? '');
  }

  #byForm(
    { tenant_id: tenant, client_id }: { readonly tenant_id: string; readonly client_id: string },
    proof: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    return this.#api.json<Answer>(this.#tokenUrl(tenant), this.#signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id,
        scope: this.#scope,
        ...proof,
      }).toString(),
    });
  }

  #tokenUrl(tenant: string): string {
    return `${this.#login}/${tenant}/oauth2/v2.0/token`;
  }

  #byMachine(clientId: string): Promise<Answer> {
    const host = process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? METADATA;
    const resource = encodeURIComponent(this.#scope.replace(/\/\.default$/, ''));
    const own = clientId === '' ? '' : `&client_id=${encodeURIComponent(clientId)}`;
    const url = `${host}${METADATA_ROUTE}&resource=${resource}${own}`;
    return this.#api.json<Answer>(url, this.#signal, { headers: { Metadata: 'true' } });
  }

  #byFederation(settings: NonNullable<AzureAdSettings['workload_identity']>): Promise<Answer> {
    const file =
      settings.token_file_path || process.env['AZURE_FEDERATED_TOKEN_FILE'] || FEDERATED_FILE;
    return this.#byForm(settings, {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: readFileSync(file, 'utf8').trim(),
    });
  }

  #byCertificate(settings: NonNullable<AzureAdSettings['certificate']>): Promise<Answer> {
    return this.#byForm(settings, {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: this.#assertion(settings),
    });
  }

  /** What Azure's own libraries try: a secret, a federated token, the machine's identity. */
  #byEnvironment(configuredTenant: string): Promise<Answer> {
    const env = process.env;
    const tenant_id = configuredTenant || (env['AZURE_TENANT_ID'] ?? '');
    const client_id = env['AZURE_CLIENT_ID'] ?? '';
    const secret = env['AZURE_CLIENT_SECRET'];
    if (secret !== undefined)
      return this.#byForm({ tenant_id, client_id }, { client_secret: secret });
    if (env['AZURE_FEDERATED_TOKEN_FILE'] !== undefined) {
      return this.#byFederation({ tenant_id, client_id, token_file_path: '' });
    }
    return this.#byMachine(client_id);
  }

  /** A statement of who we are, signed by the certificate's key. */
  #assertion(settings: NonNullable<AzureAdSettings['certificate']>): string {
    const { certificate_path: file, certificate_key_path: keyFile } = settings;
    const pem = readFileSync(file, 'utf8');
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (blocks === null) {
      throw new ValueError(`azuread: ${file} holds no certificate in PEM form`);
    }
    const chain = blocks.map((block) => new X509Certificate(block).raw);
    const key = createPrivateKey({
      key: keyFile === '' ? pem : readFileSync(keyFile),
      ...(settings.certificate_password === ''
        ? {}
        : { passphrase: settings.certificate_password }),
    });
    const nowSeconds = Math.floor(this.#api.context.clock.nowMs() / 1000);
    const header = {
      alg: 'RS256',
      typ: 'JWT',
      x5t: createHash('sha1').update(chain[0]!).digest('base64url'),
      ...(settings.send_certificate_chain
        ? { x5c: chain.map((raw) => raw.toString('base64')) }
        : {}),
    };
    const claims = {
      aud: this.#tokenUrl(settings.tenant_id),
      iss: settings.client_id,
      sub: settings.client_id,
      jti: randomUUID(),
      nbf: nowSeconds,
      exp: nowSeconds + ASSERTION_LIFETIME_SECONDS,
    };
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const text = `${encode(header)}.${encode(claims)}`;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`;
  }
}
