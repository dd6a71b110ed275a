/**
 * HTTP with everything `<http_config>` can ask for, for scraping, discovery and whoever sends data
 * out: credentials, custom headers, redirects.
 * Source: Prometheus configuration documentation, `<http_config>`.
 */
import {
  type Clock,
  messageOf,
  quoteText,
  type TraceSpan,
  traceHeaders,
} from '../../model/index.ts';
import type { HttpClientConfig } from '../config.ts';
import { FetchError, requestError } from './fetch-error.ts';
import type { ConnectionObserver, HttpRequest, HttpResponse } from './http-request.ts';
import { HttpTransport } from './http-transport.ts';
import { parseUrl } from './request-url.ts';
import { OAuth2Tokens } from './oauth2.ts';
import { SecretFiles } from './secret-files.ts';

export type HttpClientOptions = {
  readonly clock: Clock;
  readonly userAgent: string;
  /** For a connection to come about. */
  readonly connectTimeoutMs?: number;
  /** Of the Unix socket that stands for every host. */
  readonly socketPath?: string;
  readonly observe?: ConnectionObserver;
};

const REDIRECTS_MAX = 10;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CONNECT_TIMEOUT_MS = 30_000;

export class HttpClient {
  readonly #config: HttpClientConfig;
  readonly #options: HttpClientOptions;
  readonly #files: SecretFiles;
  readonly #tokens: OAuth2Tokens | null;
  readonly #transport: HttpTransport;

  constructor(config: HttpClientConfig, options: HttpClientOptions) {
    this.#config = config;
    this.#options = options;
    this.#files = new SecretFiles(options.clock);
    const { tls, proxy, enableHttp2 } = config;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS, socketPath = '', observe } = options;
    this.#transport = new HttpTransport(
      { tls, proxy, enableHttp2, connectTimeoutMs, socketPath, observe },
      this.#files,
    );
    this.#tokens =
      config.oauth2 === null
        ? null
        : new OAuth2Tokens(config.oauth2, this.#files, options.clock, options.userAgent);
  }

  /**
   * Sends a request and reads the whole answer, whatever its status.
   * @throws FetchError
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const { method = 'GET', timeoutMs } = request;
    const endMs = performance.now() + timeoutMs;
    let url = request.url;
    let isForeign = false;
    for (let redirects = 1; ; redirects++) {
      const target = parseUrl(method, url);
      const headers = await this.#headers(request, target, isForeign, endMs);
      const response =
        request.span === undefined
          ? await this.#transport.exchange({ ...request, url, headers }, endMs)
          : await this.#traced({ ...request, url, headers }, target, request.span, endMs);
      // A token may be taken back before its time: the next request comes with another one.
      if (response.status === 401) this.#tokens?.refused();
      const { location } = response.headers;
      const isRedirect = REDIRECT_STATUSES.has(response.status) && location !== undefined;
      if (!isRedirect || !this.#config.followRedirects || method !== 'GET') return response;
      if (redirects >= REDIRECTS_MAX) {
        const what = `stopped after ${REDIRECTS_MAX} redirects`;
        throw requestError(method, location, what, 'redirects');
      }
      if (!URL.canParse(location, target.href)) {
        const what = `failed to parse Location header ${quoteText(location)}`;
        throw requestError(method, url, what, 'redirects');
      }
      response.release?.();
      const next = new URL(location, target);
      // Credentials are for the host they were configured for, and no other it points to.
      if (next.host !== target.host) isForeign = true;
      url = next.href;
    }
  }

  async close(): Promise<void> {
    await this.#tokens?.close();
    await this.#transport.close();
  }

  /** Source: OpenTelemetry semantic conventions, "HTTP client span". */
  async #traced(
    request: HttpRequest,
    target: URL,
    parent: TraceSpan,
    endMs: number,
  ): Promise<HttpResponse> {
    const { method = 'GET' } = request;
    const span = parent.child(`HTTP ${method}`, 'client');
    span.set('http.request.method', method);
    span.set('url.full', withoutCredentials(target));
    span.set('server.address', target.hostname);
    const defaultPort = target.protocol === 'https:' ? 443 : 80;
    span.set('server.port', Number(target.port || defaultPort));
    try {
      const headers = { ...request.headers, ...traceHeaders(span.context) };
      const response = await this.#transport.exchange({ ...request, headers }, endMs);
      span.set('http.response.status_code', response.status);
      if (response.status >= 400) {
        span.set('error.type', String(response.status));
        span.fail('');
      }
      return response;
    } catch (error) {
      if (error instanceof FetchError) span.set('error.type', error.kind);
      span.fail(messageOf(error));
      throw error;
    } finally {
      span.end();
    }
  }

  async #headers(
    request: HttpRequest,
    target: URL,
    isForeign: boolean,
    endMs: number,
  ): Promise<Record<string, string>> {
    const headers: Record<string, string> = {
      'User-Agent': this.#options.userAgent,
      ...request.headers,
    };
    if (isForeign) return headers;
    try {
      for (const [name, { values, secrets, files }] of Object.entries(this.#config.httpHeaders)) {
        const read = files.map((file) => this.#files.read(file, 'header file'));
        headers[name] = [...values, ...secrets, ...read].join(', ');
      }
      const authorization = await this.#authorization(endMs - performance.now());
      if (authorization !== '') headers.Authorization = authorization;
    } catch (error) {
      if (error instanceof FetchError) throw error;
      const method = request.method ?? 'GET';
      throw requestError(method, target.href, messageOf(error), 'secret', error);
    }
    return headers;
  }

  async #authorization(timeoutMs: number): Promise<string> {
    const { basicAuth, authorization } = this.#config;
    if (basicAuth !== null) {
      const { username, usernameFile, password, passwordFile } = basicAuth;
      const name = usernameFile === '' ? username : this.#files.read(usernameFile, 'username file');
      const word = passwordFile === '' ? password : this.#files.read(passwordFile, 'password file');
      return `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`;
    }
    if (authorization !== null) {
      const { type, credentials, credentialsFile } = authorization;
      const secret =
        credentialsFile === ''
          ? credentials
          : this.#files.read(credentialsFile, 'credentials file');
      return `${type} ${secret}`;
    }
    return this.#tokens === null ? '' : this.#tokens.authorization(timeoutMs);
  }
}

function withoutCredentials(url: URL): string {
  if (url.username === '' && url.password === '') return url.href;
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare.href;
}
