/**
 * The questions that Azure answers with an access token.
 * Source: Microsoft identity platform, client credentials with a secret and federated credentials;
 * Azure instance metadata service.
 */
import { readFileSync } from 'node:fs';
import type { ApiContext, PlatformApi } from '../discovery/platform-api.ts';

export type AzureAnswer = {
  readonly access_token?: string;
  readonly expires_in?: number | string;
};

/** Of an application: where it asks, who it is, what the token is for. */
export type AzureApplication = {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly scope: string;
};

/** What stands for the application: a secret, or a statement that somebody else has signed. */
export type AzureProof = Readonly<Record<string, string>>;

export const AZURE_METADATA_HOST = 'http://169.254.169.254';
const METADATA_ROUTE = '/metadata/identity/oauth2/token?api-version=2018-02-01';

export function azureTokenUrl(login: string, tenant: string): string {
  return `${login}/${tenant}/oauth2/v2.0/token`;
}

export function bySecret(secret: string): AzureProof {
  return { client_secret: secret };
}

export function byAssertion(assertion: string): AzureProof {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
}

/** @param file  holds a token of another identity provider */
export function byFederation(file: string): AzureProof {
  return byAssertion(readFileSync(file, 'utf8').trim());
}

/** @throws ValueError, FetchError  no good answer */
export function askAsApplication<S>(
  api: PlatformApi<S, ApiContext>,
  { tokenUrl, clientId, scope }: AzureApplication,
  proof: AzureProof,
  signal: AbortSignal,
): Promise<AzureAnswer> {
  return api.json<AzureAnswer>(tokenUrl, signal, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope,
      ...proof,
    }).toString(),
  });
}

/**
 * @param clientId  empty: the identity that the machine has by itself
 * @throws ValueError, FetchError  no good answer
 */
export function askAsMachine<S>(
  api: PlatformApi<S, ApiContext>,
  host: string,
  resource: string,
  clientId: string,
  signal: AbortSignal,
): Promise<AzureAnswer> {
  const own = clientId === '' ? '' : `&client_id=${encodeURIComponent(clientId)}`;
  const url = `${host}${METADATA_ROUTE}&resource=${encodeURIComponent(resource)}${own}`;
  return api.json<AzureAnswer>(url, signal, { headers: { Metadata: 'true' } });
}
