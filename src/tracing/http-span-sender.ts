/** Spans over HTTP: `POST http(s)://<endpoint>/v1/traces`. Source: OTLP, "OTLP/HTTP". */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../model/index.ts';
import { HttpClient } from '../../scrape/index.ts';
import { readTraceAnswer } from './partial-success.ts';
import { again, type Delivery, type SpanSender } from './span-queue.ts';
import type { TracingConfig } from './tracing-config.ts';

const PATH = '/v1/traces';
const ANSWER_SIZE_BYTES_MAX = 1024 * 1024;
/** All others are final. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const NO_PROXY = {
  proxyUrl: '',
  noProxy: '',
  proxyFromEnvironment: true,
  proxyConnectHeaders: {},
} as const;
const gzipAsync = promisify(gzip);

export class HttpSpanSender implements SpanSender {
  readonly #config: TracingConfig;
  readonly #client: HttpClient;
  readonly #url: string;

  constructor(config: TracingConfig, clock: Clock, userAgent: string) {
    this.#config = config;
    this.#url = `${config.isInsecure ? 'http' : 'https'}://${config.endpoint}${PATH}`;
    const http = {
      basicAuth: null,
      authorization: null,
      oauth2: null,
      followRedirects: false,
      enableHttp2: true,
      tls: config.tls,
      proxy: NO_PROXY,
      httpHeaders: {},
    };
    this.#client = new HttpClient(http, { clock, userAgent });
  }

  async send(plain: Uint8Array, timeoutMs: number): Promise<Delivery> {
    const { headers, usesGzip } = this.#config;
    try {
      const response = await this.#client.request({
        url: this.#url,
        method: 'POST',
        headers: {
          ...headers,
          'Content-Type': 'application/x-protobuf',
          ...(usesGzip ? { 'Content-Encoding': 'gzip' } : {}),
        },
        body: usesGzip ? await gzipAsync(plain) : plain,
        timeoutMs: Math.max(1, timeoutMs),
        bodySizeLimitBytes: ANSWER_SIZE_BYTES_MAX,
      });
      const { status, statusText, body } = response;
      const isTaken = status >= 200 && status < 300;
      const taken = isTaken ? readTraceAnswer(body) : null;
      response.release?.();
      if (taken !== null) return taken;
      const reason = `failed to send to ${this.#url}: ${status} ${statusText}`;
      if (!RETRYABLE.has(status)) return { kind: 'refused', reason };
      const seconds = Number(response.headers['retry-after'] ?? NaN);
      return { kind: 'again', reason, afterMs: seconds > 0 ? seconds * 1000 : null };
    } catch (error) {
      return again(error);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
