/**
 * Access tokens of Azure for the `azuread` section of remote write.
 * Source: Microsoft identity platform, client credentials with a certificate; Prometheus
 * configuration documentation.
 */
import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ValueError } from '../../model/index.ts';
import type { ApiContext, PlatformApi } from '../discovery/platform-api.ts';
import { signJwt } from '../http/jwt.ts';
import {
  askAsApplication,
  askAsMachine,
  AZURE_METADATA_HOST,
  type AzureAnswer,
  type AzureProof,
  azureTokenUrl,
  byAssertion,
  byFederation,
  bySecret,
} from './azure-login.ts';

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
type Application = { readonly tenant_id: string; readonly client_id: string };
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
const FEDERATED_FILE = '/var/run/secrets/azure/tokens/azure-identity-token';
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

  send(): Promise<AzureAnswer> {
    const { managed_identity: machine, workload_identity: workload } = this.#api.settings;
    const { oauth, certificate, sdk } = this.#api.settings;
    if (machine !== null) return this.#asMachine(machine.client_id);
    if (workload !== null) {
      return this.#asApplication(workload, federation(workload.token_file_path));
    }
    if (oauth !== null) return this.#asApplication(oauth, bySecret(oauth.client_secret));
    if (certificate !== null) {
      return this.#asApplication(certificate, byAssertion(this.#assertion(certificate)));
    }
    return this.#byEnvironment(sdk?.tenant_id ?? '');
  }

  #asApplication(
    { tenant_id: tenant, client_id: clientId }: Application,
    proof: AzureProof,
  ): Promise<AzureAnswer> {
    const application = { tokenUrl: this.#tokenUrl(tenant), clientId, scope: this.#scope };
    return askAsApplication(this.#api, application, proof, this.#signal);
  }

  #tokenUrl(tenant: string): string {
    return azureTokenUrl(this.#login, tenant);
  }

  #asMachine(clientId: string): Promise<AzureAnswer> {
    const host = process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? AZURE_METADATA_HOST;
    const resource = this.#scope.replace(/\/\.default$/, '');
    return askAsMachine(this.#api, host, resource, clientId, this.#signal);
  }

  /** What Azure's own libraries try: a secret, a federated token, the machine's identity. */
  #byEnvironment(configuredTenant: string): Promise<AzureAnswer> {
    const env = process.env;
    const client_id = env['AZURE_CLIENT_ID'] ?? '';
    const application = {
      tenant_id: configuredTenant || (env['AZURE_TENANT_ID'] ?? ''),
      client_id,
    };
    const secret = env['AZURE_CLIENT_SECRET'];
    if (secret !== undefined) return this.#asApplication(application, bySecret(secret));
    if (env['AZURE_FEDERATED_TOKEN_FILE'] !== undefined) {
      return this.#asApplication(application, federation(''));
    }
    return this.#asMachine(client_id);
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
    return signJwt('RS256', header, claims, key);
  }
}

/** @param file  empty: where the environment says, or the usual place */
function federation(file: string): AzureProof {
  return byFederation(file || process.env['AZURE_FEDERATED_TOKEN_FILE'] || FEDERATED_FILE);
}
