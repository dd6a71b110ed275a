/**
 * Who asks Amazon: keys from the configuration, the environment, a profile, or the machine's own
 * role; and the role that is taken on with them.
 * Source: AWS documentation, "Standardized credential providers"; STS API, AssumeRole; EC2 user
 * guide, instance metadata (IMDSv2).
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ValueError } from '../../../model/index.ts';
import type { ApiContext, PlatformApi } from '../platform-api.ts';
import { type Credentials, signedHeaders } from '../../http/signature-v4.ts';
import { childOf, parseXml, textAt } from '../xml.ts';

export type AwsSettings = {
  readonly region: string;
  readonly endpoint: string;
  readonly access_key: string;
  readonly secret_key: string;
  readonly profile: string;
  readonly role_arn: string;
  readonly external_id: string;
};
type Api = PlatformApi<AwsSettings, ApiContext>;
type Lasting = { readonly credentials: Credentials; readonly endMs: number };

const METADATA_URL = 'http://169.254.169.254';
const METADATA_TOKEN_SECONDS = 21_600;
/** Temporary credentials are renewed so long before they end. */
const RENEW_MS = 5 * 60_000;
const STS_VERSION = '2011-06-15';

/** Credentials and region of one configuration, kept as long as they are good. */
export class AwsIdentity {
  readonly #api: Api;
  #last: Lasting | null = null;
  #region = '';

  constructor(api: Api) {
    this.#api = api;
  }

  async region(signal: AbortSignal): Promise<string> {
    if (this.#region !== '') return this.#region;
    const { AWS_REGION: region, AWS_DEFAULT_REGION: fallback } = process.env;
    this.#region = this.#api.settings.region || region || fallback || '';
    if (this.#region !== '') return this.#region;
    const document = await this.#metadata('dynamic/instance-identity/document', signal);
    this.#region = (JSON.parse(document) as { region?: string }).region ?? '';
    return this.#region;
  }

  /** What was given last may be the reason for a failure. */
  forget(): void {
    this.#last = null;
  }

  async credentials(signal: AbortSignal): Promise<Credentials> {
    const nowMs = this.#api.context.clock.nowMs();
    if (this.#last !== null && nowMs < this.#last.endMs - RENEW_MS) return this.#last.credentials;
    const own = await this.#own(signal);
    const { role_arn: role } = this.#api.settings;
    this.#last = role === '' ? own : await this.#assume(role, own.credentials, signal);
    return this.#last.credentials;
  }

  async #own(signal: AbortSignal): Promise<Lasting> {
    const { access_key: accessKey, secret_key: secretKey, profile } = this.#api.settings;
    const lasting = (credentials: Credentials) => ({ credentials, endMs: Infinity });
    if (accessKey !== '') return lasting({ accessKey, secretKey, sessionToken: '' });
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN } = process.env;
    if (profile === '' && id !== undefined && secret !== undefined) {
      return lasting({
        accessKey: id,
        secretKey: secret,
        sessionToken: AWS_SESSION_TOKEN ?? '',
      });
    }
    const fromFile = readProfile(profile || process.env['AWS_PROFILE'] || 'default');
    if (fromFile !== null) return lasting(fromFile);
    if (profile !== '') throw new ValueError(`failed to get shared config profile, ${profile}`);
    return this.#ofMachine(signal);
  }

  async #ofMachine(signal: AbortSignal): Promise<Lasting> {
    const folder = 'meta-data/iam/security-credentials/';
    const role = (await this.#metadata(folder, signal)).trim();
    const answer = JSON.parse(await this.#metadata(folder + role, signal)) as Record<
      string,
      string
    >;
    return {
      credentials: {
        accessKey: answer['AccessKeyId'] ?? '',
        secretKey: answer['SecretAccessKey'] ?? '',
        sessionToken: answer['Token'] ?? '',
      },
      endMs: Date.parse(answer['Expiration'] ?? '') || 0,
    };
  }

  async #metadata(what: string, signal: AbortSignal): Promise<string> {
    const base = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? METADATA_URL;
    const token = await this.#api.text(`${base}/latest/api/token`, signal, {
      method: 'PUT',
      headers: { 'X-aws-ec2-metadata-token-ttl-seconds': String(METADATA_TOKEN_SECONDS) },
    });
    return this.#api.text(`${base}/latest/${what}`, signal, {
      headers: { 'X-aws-ec2-metadata-token': token },
    });
  }

  async #assume(role: string, own: Credentials, signal: AbortSignal): Promise<Lasting> {
    const { external_id: externalId } = this.#api.settings;
    const region = await this.region(signal);
    const url = process.env['AWS_ENDPOINT_URL_STS'] ?? `https://sts.${region}.amazonaws.com/`;
    const body = new URLSearchParams({
      Action: 'AssumeRole',
      Version: STS_VERSION,
      RoleArn: role,
      RoleSessionName: `narthex-${process.pid}`,
      ...(externalId === '' ? {} : { ExternalId: externalId }),
    }).toString();
    const method = 'POST';
    const headers = signedHeaders(
      { method, url, body, region, service: 'sts', headers: FORM_HEADERS },
      own,
      this.#api.context.clock.nowMs(),
    );
    const answer = parseXml(await this.#api.text(url, signal, { method, headers, body }));
    const found = childOf(childOf(answer, 'AssumeRoleResult'), 'Credentials');
    return {
      credentials: {
        accessKey: textAt(found, 'AccessKeyId'),
        secretKey: textAt(found, 'SecretAccessKey'),
        sessionToken: textAt(found, 'SessionToken'),
      },
      endMs: Date.parse(textAt(found, 'Expiration')) || 0,
    };
  }
}

export const FORM_HEADERS = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** Keys of a profile in the credentials file or the configuration file; null without any. */
function readProfile(profile: string): Credentials | null {
  const folder = path.join(homedir(), '.aws');
  const files = [
    [process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? path.join(folder, 'credentials'), profile],
    [
      process.env['AWS_CONFIG_FILE'] ?? path.join(folder, 'config'),
      profile === 'default' ? profile : `profile ${profile}`,
    ],
  ] as const;
  for (const [file, section] of files) {
    const keys = readSection(file, section);
    const accessKey = keys.get('aws_access_key_id');
    const secretKey = keys.get('aws_secret_access_key');
    if (accessKey !== undefined && secretKey !== undefined) {
      return { accessKey, secretKey, sessionToken: keys.get('aws_session_token') ?? '' };
    }
  }
  return null;
}

function readSection(file: string, wanted: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return found;
  }
  let isWanted = false;
  for (const line of text.split('\n')) {
    const section = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (section !== undefined) isWanted = section === wanted;
    const [, key, value] = /^\s*([\w]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isWanted && key !== undefined) found.set(key, value!);
  }
  return found;
}
