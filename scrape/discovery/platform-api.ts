/** What the files in `platforms` share: asking an API, and making labels of what it says. */
import { messageOf, quoteText, ValueError } from '../../model/index.ts';
import type {
  HttpClientConfig,
  LabelRecord,
  PlatformDiscoveryConfig,
  TargetGroup,
} from '../config.ts';
import { HttpClient } from '../http/http-client.ts';
import type { HttpRequest, HttpResponse } from '../http/http-request.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import { RefreshingProvider } from './refresh.ts';

/** What a file in `platforms` exports as `create`. */
export type CreatePlatform = (
  config: PlatformDiscoveryConfig,
  context: ProviderContext,
) => DiscoveryProvider;

/** All that asking needs. */
export type ApiContext = Pick<ProviderContext, 'clock' | 'userAgent'>;

export type ApiRequest = Pick<HttpRequest, 'method' | 'headers' | 'body'>;

const REFRESH_INTERVAL_MS = 60_000;
const REQUEST_TIMEOUT_MS = 60_000;
const BODY_SIZE_MAX_BYTES = 256 * 1024 * 1024;
const SHOWN_BODY_MAX_LENGTH = 200;

/** Credentials that change while discovery runs, or that take asking to come by. */
export interface ApiAccess {
  /** The same object as long as it is good. @throws when there are no credentials to be had */
  httpClient(signal: AbortSignal): Promise<HttpClientConfig>;
  /** The API did not accept what `httpClient` gave last. */
  refused(): void;
}

/** One API under the credentials of one configuration. `S` are the settings of the mechanism. */
export class PlatformApi<S, C extends ApiContext = ProviderContext> {
  readonly settings: S;
  readonly context: C;
  readonly #access: ApiAccess | null;
  readonly #socketPath: string | undefined;
  readonly #timeoutMs: number;
  #client: HttpClient;
  #clientConfig: HttpClientConfig;

  constructor(
    config: Pick<PlatformDiscoveryConfig, 'settings' | 'httpClient'>,
    context: C,
    options: {
      readonly timeoutMs?: number;
      readonly socketPath?: string;
      /** Where the configuration's own credentials are not those to use. */
      readonly access?: ApiAccess | null;
    } = {},
  ) {
    this.settings = config.settings as S;
    this.context = context;
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#socketPath = options.socketPath;
    this.#access = options.access ?? null;
    this.#clientConfig = config.httpClient;
    this.#client = this.#connect(config.httpClient);
  }

  /** Any answer. @throws FetchError when there is none */
  async ask(
    url: string,
    signal: AbortSignal,
    request: ApiRequest & Pick<HttpRequest, 'onData'> & { readonly timeoutMs?: number } = {},
  ): Promise<HttpResponse> {
    if (this.#access !== null) this.#use(await this.#access.httpClient(signal));
    const response = await this.#client.request({
      url,
      timeoutMs: this.#timeoutMs,
      bodySizeLimitBytes: BODY_SIZE_MAX_BYTES,
      signal,
      ...request,
    });
    if (response.status === 401) this.#access?.refused();
    return response;
  }

  /** A good answer. @throws ValueError on another status, FetchError without an answer */
  async fetch(url: string, signal: AbortSignal, request: ApiRequest = {}): Promise<HttpResponse> {
    const response = await this.ask(url, signal, request);
    if (response.status >= 200 && response.status <= 299) return response;
    throw statusError(url, response);
  }

  async text(url: string, signal: AbortSignal, request: ApiRequest = {}): Promise<string> {
    return textOf(await this.fetch(url, signal, request));
  }

  /**
   * A good answer in JSON. `T` is what the API documents; a platform that answers something else
   * leads to absent labels or to a refresh that fails, never to more.
   */
  async json<T>(url: string, signal: AbortSignal, request: ApiRequest = {}): Promise<T> {
    const headers = { Accept: 'application/json', ...request.headers };
    return jsonOf(await this.fetch(url, signal, { ...request, headers }), url) as T;
  }

  close(): void {
    void this.#client.close();
  }

  #connect(config: HttpClientConfig): HttpClient {
    const { clock, userAgent } = this.context;
    const socketPath = this.#socketPath;
    return new HttpClient(config, {
      clock,
      userAgent,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
  }

  #use(config: HttpClientConfig): void {
    if (config === this.#clientConfig) return;
    // Watches that run over the old one end by themselves and come back over the new one.
    void this.#client.close();
    this.#clientConfig = config;
    this.#client = this.#connect(config);
  }
}

export function textOf({ body }: HttpResponse): string {
  return Buffer.from(body).toString('utf8');
}

export function jsonOf(response: HttpResponse, url: string): unknown {
  try {
    return JSON.parse(textOf(response)) as unknown;
  } catch (error) {
    throw new ValueError(`the answer of ${url} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

export function statusError(url: string, response: HttpResponse): ValueError {
  const status = `${response.status} ${response.statusText}`.trim();
  const said = textOf(response).trim().slice(0, SHOWN_BODY_MAX_LENGTH);
  const body = said === '' ? '' : `: ${quoteText(said)}`;
  return new ValueError(`${url}: server returned HTTP status ${status}${body}`);
}

/**
 * A mechanism that asks again at every `refresh_interval`.
 * @param look  finds the complete list; throws when it cannot
 */
export function refreshing<S>(
  look: (api: PlatformApi<S>, signal: AbortSignal) => Promise<readonly TargetGroup[]>,
): CreatePlatform {
  return (config, context) => {
    const api = new PlatformApi<S>(config, context);
    return refreshingWith(
      config,
      context,
      (signal) => look(api, signal),
      () => api.close(),
    );
  };
}

/**
 * The same for mechanisms that hold on to something.
 * @param close   gives back what `look` needs
 * @param forget  lets go of tokens and the like after a failure, which they may be the reason of
 */
export function refreshingWith(
  config: PlatformDiscoveryConfig,
  context: ProviderContext,
  look: (signal: AbortSignal) => Promise<readonly TargetGroup[]>,
  close: () => void,
  forget: () => void = () => {},
): DiscoveryProvider {
  const lookAfresh = async (signal: AbortSignal) => {
    try {
      return await look(signal);
    } catch (error) {
      forget();
      throw error;
    }
  };
  // Sections that stand for several services leave the default to them.
  const intervalMs = Number(config.settings['refresh_interval']) || REFRESH_INTERVAL_MS;
  return new RefreshingProvider(config.mechanism, intervalMs, context, lookAfresh, close);
}

/** What an API says, as a label's value: nothing is empty, numbers and truth values are written. */
export function labelText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return '';
}

/** What a platform says may be of another type than it should; of a text each letter would be an entry. */
export function entriesOf<T>(
  entries: Readonly<Record<string, T>> | object | null | undefined,
): [string, T][] {
  return typeof entries === 'object' && entries !== null ? Object.entries(entries) : [];
}

/** A label for each entry, named by `prefix` and what is left of the key in a label name. */
export function labelsFrom(prefix: string, entries: object | null | undefined): LabelRecord {
  const labels: Record<string, string> = {};
  for (const [key, value] of entriesOf(entries)) {
    labels[prefix + labelNamePart(key)] = labelText(value);
  }
  return labels;
}

/** The same, and one of value `true` for each key, so that empty values can be told from none. */
export function labelsWithPresence(
  prefix: string,
  entries: object | null | undefined,
): LabelRecord {
  const labels: Record<string, string> = {};
  for (const [key, value] of entriesOf(entries)) {
    labels[`${prefix}_${labelNamePart(key)}`] = labelText(value);
    labels[`${prefix}present_${labelNamePart(key)}`] = 'true';
  }
  return labels;
}

export function labelNamePart(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

/** For targets that some items of a list do not lead to. */
export function targetsOf<T>(
  items: readonly T[],
  make: (item: T) => LabelRecord | null,
): LabelRecord[] {
  return items.map(make).filter((target) => target !== null);
}

/** Between separators on both sides too, so that a rule can look for `,item,`. */
export function joinedText(items: readonly string[] | null | undefined, separator = ','): string {
  if (items === null || items === undefined || items.length === 0) return '';
  return separator + items.join(separator) + separator;
}

export function hostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `base` without a slash at its end. */
export function withoutEndSlash(base: string): string {
  return base.replace(/\/+$/, '');
}
