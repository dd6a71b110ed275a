/**
 * Access tokens of Google: by a service account's key, a user's refresh token, or the machine's own
 * account.
 * Source: Google Cloud documentation, "Application Default Credentials", "Using OAuth 2.0 for Server
 * to Server Applications", "Access tokens from the metadata server".
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ApiContext, PlatformApi } from '../discovery/platform-api.ts';
import { signJwt } from '../http/jwt.ts';

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
export type GoogleToken = { readonly value: string; readonly endMs: number };

const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const METADATA_HOST = 'metadata.google.internal';

/**
 * @param scope            what it is for
 * @param credentialsFile  empty: where the environment says, or the usual place
 */
export async function requestGoogleToken<S>(
  api: PlatformApi<S, ApiContext>,
  scope: string,
  credentialsFile: string,
  signal: AbortSignal,
): Promise<GoogleToken> {
  const nowMs = api.context.clock.nowMs();
  const credentials = readCredentials(credentialsFile);
  type Answer = { access_token?: string; expires_in?: number };
  const answer =
    credentials === null
      ? await ofMachine(api, signal)
      : await api.json<Answer>(credentials.token_uri ?? TOKEN_URL, signal, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams(tokenParams(credentials, scope, nowMs)).toString(),
        });
  return {
    value: answer.access_token ?? '',
    endMs: nowMs + (answer.expires_in ?? 0) * 1000,
  };
}

/** Null: the machine's own account is to be used. */
function readCredentials(configured: string): CredentialsFile | null {
  const named = configured || process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  const file = named ?? path.join(homedir(), '.config/gcloud/application_default_credentials.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CredentialsFile;
  } catch (error) {
    if (named !== undefined) throw error;
    return null;
  }
}

function tokenParams(
  credentials: CredentialsFile,
  scope: string,
  nowMs: number,
): Record<string, string> {
  if (credentials.type === 'authorized_user') {
    return {
      grant_type: 'refresh_token',
      client_id: credentials.client_id ?? '',
      client_secret: credentials.client_secret ?? '',
      refresh_token: credentials.refresh_token ?? '',
    };
  }
  const nowSeconds = Math.floor(nowMs / 1000);
  const claims = {
    iss: credentials.client_email,
    scope,
    aud: credentials.token_uri ?? TOKEN_URL,
    iat: nowSeconds,
    exp: nowSeconds + 3600,
  };
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: signJwt('RS256', {}, claims, credentials.private_key ?? ''),
  };
}

function ofMachine<S>(
  api: PlatformApi<S, ApiContext>,
  signal: AbortSignal,
): Promise<{ access_token?: string; expires_in?: number }> {
  const host = process.env['GCE_METADATA_HOST'] ?? METADATA_HOST;
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  return api.json(url, signal, { headers: { 'Metadata-Flavor': 'Google' } });
}
