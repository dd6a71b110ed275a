/**
 * Who asks Oracle's cloud: a user with a key, or the machine that this process runs on.
 * Source: OCI documentation, "Request Signatures", "Calling Services from an Instance" and "Getting
 * Instance Metadata".
 */
import {
  createHash,
  createPrivateKey,
  createSign,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { ValueError } from '../../../model/index.ts';
import { HeldToken } from '../../cloud-auth/held-token.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG } from '../../config.ts';
import { PlatformApi, withoutEndSlash } from '../platform-api.ts';

export type OciSettings = {
  readonly auth: string;
  readonly tenancy: string;
  readonly user: string;
  readonly fingerprint: string;
  readonly key_file: string;
  readonly key_passphrase: string;
  readonly key_passphrase_file: string;
  readonly region: string;
  readonly compartments: readonly string[];
  readonly port: number;
};

/** What requests are signed with. */
export type OciSigner = {
  readonly keyId: string;
  readonly key: KeyObject;
  readonly tenancy: string;
};

export interface OciIdentity {
  /** @throws when the key cannot be read or the machine has no identity */
  signer(signal: AbortSignal): Promise<OciSigner>;
  /** What was given last may be the reason for a failure. */
  forget(): void;
  close(): void;
}

const METADATA_URL = 'http://169.254.169.254/opc/v2';
const METADATA_HEADERS = { Authorization: 'Bearer Oracle' };
const SESSION_KEY_BITS = 2048;
/** Metadata names the oldest regions by these. */
const SHORT_REGIONS: Readonly<Record<string, string>> = {
  fra: 'eu-frankfurt-1',
  iad: 'us-ashburn-1',
  lhr: 'uk-london-1',
  phx: 'us-phoenix-1',
};

export function ociIdentity(api: PlatformApi<OciSettings>): OciIdentity {
  if (api.settings.auth === 'instance_principal') return new InstancePrincipal(api);
  const { settings } = api;
  const { tenancy, user, fingerprint } = settings;
  // The passphrase counts as part of the configuration; the key may be replaced at any time.
  const passphrase =
    settings.key_passphrase_file === ''
      ? settings.key_passphrase
      : readFileSync(settings.key_passphrase_file, 'utf8').trim();
  return {
    signer: async () => ({
      keyId: `${tenancy}/${user}/${fingerprint}`,
      key: createPrivateKey({ key: readFileSync(settings.key_file), passphrase }),
      tenancy,
    }),
    forget: () => {},
    close: () => {},
  };
}

/** The machine's certificate is exchanged for a token that is good for some minutes. */
class InstancePrincipal implements OciIdentity {
  readonly #api: PlatformApi<OciSettings>;
  /** Reached directly: metadata live on the machine itself. */
  readonly #metadata: PlatformApi<OciSettings>;
  readonly #token: HeldToken<{ readonly signer: OciSigner; readonly endMs: number }>;

  constructor(api: PlatformApi<OciSettings>) {
    this.#api = api;
    const config = { kind: 'platform', mechanism: 'oci', settings: {} } as const;
    this.#metadata = new PlatformApi(
      { ...config, httpClient: DEFAULT_HTTP_CLIENT_CONFIG },
      api.context,
    );
    this.#token = new HeldToken(api.context.clock, (signal) => this.#federate(signal));
  }

  async signer(signal: AbortSignal): Promise<OciSigner> {
    return (await this.#token.get(signal)).signer;
  }

  forget(): void {
    this.#token.forget();
  }

  close(): void {
    this.#metadata.close();
  }

  async #federate(signal: AbortSignal): Promise<{ signer: OciSigner; endMs: number }> {
    const base = withoutEndSlash(process.env['OCI_METADATA_BASE_URL'] ?? METADATA_URL);
    const read = (what: string) =>
      this.#metadata.text(`${base}/${what}`, signal, { headers: METADATA_HEADERS });
    const [named, certificate, key, intermediate] = await Promise.all(
      ['instance/region', 'identity/cert.pem', 'identity/key.pem', 'identity/intermediate.pem'].map(
        read,
      ),
    );
    const leaf = new X509Certificate(certificate!);
    const tenancy = tenancyOf(leaf);
    const session = await promisify(generateKeyPair)('rsa', { modulusLength: SESSION_KEY_BITS });
    const region = named!.trim();
    const body = JSON.stringify({
      certificate: leaf.raw.toString('base64'),
      fingerprintAlgorithm: 'SHA256',
      intermediateCertificates: [new X509Certificate(intermediate!).raw.toString('base64')],
      publicKey: session.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    });
    const signer = {
      keyId: `${tenancy}/fed-x509-sha256/${leaf.fingerprint256.toLowerCase()}`,
      key: createPrivateKey(key!),
      tenancy,
    };
    const url = `https://auth.${SHORT_REGIONS[region] ?? region}.oraclecloud.com/v1/x509`;
    const nowMs = this.#api.context.clock.nowMs();
    const headers = signedPost(url, body, signer, nowMs);
    const request = { method: 'POST', headers, body } as const;
    const { token = '' } = await this.#api.json<{ token?: string }>(url, signal, request);
    const endMs = endOf(token);
    return { signer: { keyId: `ST$${token}`, key: session.privateKey, tenancy }, endMs };
  }
}

function tenancyOf(certificate: X509Certificate): string {
  const found = /opc-(?:tenant|identity):(\S+)/.exec(certificate.subject)?.[1];
  if (found === undefined) {
    throw new ValueError("oci_sd: the machine's certificate does not name a tenancy");
  }
  return found;
}

/** When a JSON Web Token ends; one that does not say is used once. */
function endOf(token: string): number {
  try {
    const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return (Number((JSON.parse(text) as { exp?: number }).exp) || 0) * 1000;
  } catch (error) {
    throw new ValueError('oci_sd: the token for this machine cannot be read', { cause: error });
  }
}

/** Headers of a signed GET. */
export function signedGet(url: string, signer: OciSigner, nowMs: number): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  return signed(signer, nowMs, [
    ['(request-target)', `get ${pathname}${search}`],
    ['host', host],
  ]);
}

function signedPost(
  url: string,
  body: string,
  signer: OciSigner,
  nowMs: number,
): Record<string, string> {
  const hash = createHash('sha256').update(body).digest('base64');
  const type = 'application/json';
  const headers = signed(signer, nowMs, [
    ['(request-target)', `post ${new URL(url).pathname}`],
    ['content-length', String(Buffer.byteLength(body))],
    ['content-type', type],
    ['x-content-sha256', hash],
  ]);
  return { ...headers, 'Content-Type': type, 'X-Content-SHA256': hash };
}

/** @param lines  what is signed besides the date, in this order */
function signed(
  { keyId, key }: OciSigner,
  nowMs: number,
  lines: readonly (readonly [string, string])[],
): Record<string, string> {
  const date = new Date(nowMs).toUTCString();
  const all = [['date', date], ...lines];
  const text = all.map(([name, value]) => `${name}: ${value}`).join('\n');
  const fields = {
    version: '1',
    headers: all.map(([name]) => name).join(' '),
    keyId,
    algorithm: 'rsa-sha256',
    signature: createSign('RSA-SHA256').update(text).sign(key, 'base64'),
  };
  const proof = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return { Accept: 'application/json', Date: date, Authorization: `Signature ${proof.join(',')}` };
}
