/**
 * Access tokens by OAuth 2.0: client credentials (RFC 6749 4.4; other grants by endpoint parameters)
 * and JWT bearer (RFC 7523).
 * Source: Prometheus configuration documentation, `<oauth2>`.
 */
import { type Clock, ValueError } from '../../model/index.ts';
import { OAUTH2_JWT_BEARER, type OAuth2Config } from '../config.ts';
import { HttpTransport } from './http-transport.ts';
import { signJwt } from './jwt.ts';
import type { SecretFiles } from './secret-files.ts';

/** A token is asked for anew so long before it ends. */
const RENEW_BEFORE_MS = 10_000;
const ASSERTION_LIFETIME_SECONDS = 3600;
const TOKEN_ANSWER_SIZE_MAX_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 30_000;

export class OAuth2Tokens {
  readonly #config: OAuth2Config;
  readonly #files: SecretFiles;
  readonly #clock: Clock;
  readonly #transport: HttpTransport;
  readonly #userAgent: string;
  #header = '';
  #endMs = 0;
  /** The secret that the token was got with: a new one gets a new token. */
  #secret = '';
  #asking: Promise<string> | null = null;

  constructor(config: OAuth2Config, files: SecretFiles, clock: Clock, userAgent: string) {
    this.#config = config;
    this.#files = files;
    this.#clock = clock;
    this.#userAgent = userAgent;
    const { tls, proxy } = config;
    const connectTimeoutMs = CONNECT_TIMEOUT_MS;
    this.#transport = new HttpTransport(
      { tls, proxy, enableHttp2: true, connectTimeoutMs, socketPath: '' },
      files,
    );
  }

  /** Value of the Authorization header. @throws when no token can be had */
  async authorization(timeoutMs: number): Promise<string> {
    const secret = this.#readSecret();
    if (this.#header !== '' && this.#clock.nowMs() < this.#endMs && secret === this.#secret) {
      return this.#header;
    }
    this.#asking ??= this.#ask(secret, timeoutMs).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** The token was not accepted. */
  refused(): void {
    this.#header = '';
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #readSecret(): string {
    const { grantType, clientSecret, clientSecretFile } = this.#config;
    const { clientCertificateKey, clientCertificateKeyFile } = this.#config;
    if (grantType === OAUTH2_JWT_BEARER) {
      return clientCertificateKeyFile === ''
        ? clientCertificateKey
        : this.#files.readExact(clientCertificateKeyFile, 'oauth2 client certificate key');
    }
    return clientSecretFile === ''
      ? clientSecret
      : this.#files.read(clientSecretFile, 'oauth2 client secret');
  }

  async #ask(secret: string, timeoutMs: number): Promise<string> {
    const { clientId, scopes, endpointParams, grantType, tokenUrl } = this.#config;
    const form = new URLSearchParams();
    const headers: Record<string, string> = {
      'User-Agent': this.#userAgent,
      'Content-Type': 'application/x-www-form-urlencoded',
    };
    form.set('grant_type', grantType || 'client_credentials');
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    if (grantType === OAUTH2_JWT_BEARER) {
      form.set('assertion', this.#assertion(secret));
    } else {
      const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`;
      headers.Authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    for (const [name, value] of Object.entries(endpointParams)) form.set(name, value);

    const response = await this.#transport.exchange(
      {
        url: tokenUrl,
        method: 'POST',
        headers,
        body: form.toString(),
        timeoutMs,
        bodySizeLimitBytes: TOKEN_ANSWER_SIZE_MAX_BYTES,
      },
      performance.now() + timeoutMs,
    );
    const text = Buffer.from(response.body).toString('utf8');
    if (response.status < 200 || response.status > 299) {
      const status = `${response.status} ${response.statusText}`;
      throw new ValueError(
        `oauth2: cannot fetch token: ${status}\nResponse: ${text.slice(0, 500)}`,
      );
    }
    const answer = parseAnswer(text);
    this.#secret = secret;
    this.#header = `${answer.type} ${answer.token}`;
    this.#endMs = this.#clock.nowMs() + answer.lifetimeMs - RENEW_BEFORE_MS;
    return this.#header;
  }

  /** A signed statement of who we are. */
  #assertion(key: string): string {
    const { clientId, iss, audience, tokenUrl, scopes, claims } = this.#config;
    const { signatureAlgorithm, clientCertificateKeyId } = this.#config;
    // Asked for only now: it takes 1 MB, and hardly anybody signs.
    const { randomUUID } = process.getBuiltinModule('node:crypto');
    const nowSeconds = Math.floor(this.#clock.nowMs() / 1000);
    const header = clientCertificateKeyId === '' ? {} : { kid: clientCertificateKeyId };
    const payload = {
      iss: iss || clientId,
      sub: clientId,
      jti: randomUUID(),
      aud: audience || tokenUrl,
      iat: nowSeconds,
      exp: nowSeconds + ASSERTION_LIFETIME_SECONDS,
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
      ...claims,
    };
    return signJwt(signatureAlgorithm, header, payload, key);
  }
}

function parseAnswer(text: string): { type: string; token: string; lifetimeMs: number } {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new ValueError('oauth2: cannot parse json: the answer is not JSON', { cause: error });
  }
  const { access_token, token_type, expires_in } = (answer ?? {}) as Record<string, unknown>;
  if (typeof access_token !== 'string' || access_token === '') {
    throw new ValueError('oauth2: server response missing access_token');
  }
  const seconds = Number(expires_in);
  const type = typeof token_type === 'string' && token_type !== '' ? token_type : 'Bearer';
  return {
    type: type.toLowerCase() === 'bearer' ? 'Bearer' : type,
    token: access_token,
    lifetimeMs: seconds > 0 ? seconds * 1000 : Infinity,
  };
}
