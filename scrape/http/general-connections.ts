/**
 * Requests of every kind (TLS, HTTP/2, proxies, bodies to send) through undici's dispatcher.
 *
 * undici is loaded when the first such request is made: its code takes 4 MB in each thread that has
 * it, and most servers scrape over plain HTTP only.
 */
import type { Agent, Dispatcher, ProxyAgent } from 'undici';
import { assert } from '../../model/index.ts';
import type { ProxyConfig, TlsConfig } from '../config.ts';
import {
  type Begin,
  BodyTooLarge,
  type ConnectionObserver,
  type HttpRequest,
  KEEP_ALIVE_MS,
  sizeLimitOf,
  USELESS_BODY_MAX_BYTES,
} from './http-request.ts';
import { pathOf } from './request-url.ts';
import type { SecretFiles } from './secret-files.ts';
import { STATUS_CODES } from './status-codes.ts';
import { tlsOptions } from './tls-options.ts';

/** How to connect. */
export type TransportConfig = {
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
  readonly enableHttp2: boolean;
  readonly connectTimeoutMs: number;
  /** Of the Unix socket that stands for every host; empty for none. */
  readonly socketPath: string;
  /** Told of every connection; a failed one with the error. */
  readonly observe?: ConnectionObserver | undefined;
};

export class GeneralConnections {
  readonly #config: TransportConfig;
  readonly #files: SecretFiles;
  /** By proxy URL; empty for direct connections. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  /** The TLS options that the dispatchers were made with, as JSON. */
  #tlsState = '';
  #undici: { readonly Agent: typeof Agent; readonly ProxyAgent: typeof ProxyAgent } | null = null;

  constructor(config: TransportConfig, files: SecretFiles) {
    this.#config = config;
    this.#files = files;
  }

  /** To be awaited before `prepare`. */
  async load(): Promise<void> {
    this.#undici ??= await import('undici');
  }

  /**
   * @param proxy  URL of the proxy to go through; empty for a direct connection
   * @throws ValueError when a certificate cannot be read
   */
  prepare(request: HttpRequest, target: URL, proxy: string): Begin {
    const dispatcher = this.#dispatcher(proxy);
    return (onAnswer, onFailure, onBegun) => {
      const exchange = new Exchange(request, onAnswer, onFailure, onBegun);
      dispatcher.dispatch(
        {
          origin: target.origin,
          path: pathOf(request.url, target),
          method: request.method ?? 'GET',
          headers: request.headers ?? {},
          body: request.body ?? null,
          // The caller's deadline is over everything; these would only add timers.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
      return () => exchange.giveUp();
    };
  }

  async close(): Promise<void> {
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
  }

  /** The dispatcher for a proxy; all are made anew when a certificate file has changed. */
  #dispatcher(proxy: string): Dispatcher {
    const tls = tlsOptions(this.#config.tls, this.#files);
    const tlsState = JSON.stringify(tls);
    if (tlsState !== this.#tlsState) {
      for (const old of this.#dispatchers.values()) void old.close();
      this.#dispatchers.clear();
      this.#tlsState = tlsState;
    }
    let dispatcher = this.#dispatchers.get(proxy);
    if (dispatcher === undefined) {
      dispatcher = this.#create(proxy, {
        ...tls,
        timeout: this.#config.connectTimeoutMs,
        ...(this.#config.socketPath === '' ? {} : { socketPath: this.#config.socketPath }),
      });
      this.#observe(dispatcher);
      this.#dispatchers.set(proxy, dispatcher);
    }
    return dispatcher;
  }

  #create(proxy: string, connect: object): Dispatcher {
    const options = {
      allowH2: this.#config.enableHttp2,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    };
    assert(this.#undici !== null, 'loaded before');
    const undici = this.#undici;
    if (proxy === '') return new undici.Agent({ ...options, connect });
    const headers: Record<string, string> = {};
    for (const [name, values] of Object.entries(this.#config.proxy.proxyConnectHeaders)) {
      headers[name] = values.join(', ');
    }
    return new undici.ProxyAgent({ ...options, uri: proxy, headers, requestTls: connect });
  }

  #observe(dispatcher: Dispatcher): void {
    const { observe } = this.#config;
    if (observe === undefined) return;
    dispatcher.on('connect', () => observe('established'));
    dispatcher.on('disconnect', () => observe('closed'));
    dispatcher.on('connectionError', (_origin, _targets, error) => observe('failed', error));
  }
}

/** One request in undici's hands. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #sizeLimit: number;
  readonly #onData: HttpRequest['onData'];
  readonly #onAnswer: Parameters<Begin>[0];
  readonly #onFailure: Parameters<Begin>[1];
  readonly #onBegun: Parameters<Begin>[2];
  #controller: Dispatcher.DispatchController | null = null;
  #isOver = false;
  #status = 0;
  #statusText = '';
  readonly #headers: Record<string, string> = {};
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(
    request: HttpRequest,
    onAnswer: Parameters<Begin>[0],
    onFailure: Parameters<Begin>[1],
    onBegun: Parameters<Begin>[2],
  ) {
    this.#sizeLimit = sizeLimitOf(request);
    this.#onData = request.onData;
    this.#onAnswer = onAnswer;
    this.#onFailure = onFailure;
    this.#onBegun = onBegun;
  }

  giveUp(): void {
    this.#isOver = true;
    this.#controller?.abort(new Error('given up'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The deadline may pass while the request waits for a connection.
    if (this.#isOver) controller.abort(new Error('given up'));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#onBegun();
    this.#statusText = statusText || (STATUS_CODES[status] ?? '');
    for (const [name, value] of Object.entries(headers)) {
      this.#headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
    }
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#onData !== undefined && this.#status <= 299) {
      if (!this.#isOver) this.#onData(chunk);
      return;
    }
    this.#sizeBytes += chunk.length;
    if (this.#status > 299 && this.#sizeBytes > USELESS_BODY_MAX_BYTES) {
      // Nobody wants it, so what is too much only costs the connection.
      this.#answer();
      this.giveUp();
    } else if (this.#status <= 299 && this.#sizeBytes >= this.#sizeLimit) {
      this.#fail(new BodyTooLarge());
      this.giveUp();
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #answer(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const chunks = this.#chunks;
    this.#onAnswer({
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
      body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks),
      spareBytes: 0,
      release: () => {},
    });
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const begun = this.#status !== 0;
    this.#onFailure({ error, begun, isStale: !begun });
  }
}
