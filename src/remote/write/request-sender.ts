/** Sends the requests of one queue to its receiver: compressed, signed, with the headers of its version. */
import {
  type Clock,
  messageOf,
  type TraceSpan,
  snappyCompress,
  snappySizeMax,
} from '../../../model/index.ts';
import { CloudAuthorizer, HttpClient, type HttpClientOptions } from '../../../scrape/index.ts';
import { judgeAnswer, type Sent, type Verdict } from './retry.ts';
import type { RemoteWriteConfig } from './write-config.ts';

export type SenderOptions = {
  readonly config: RemoteWriteConfig;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly observeConnection: NonNullable<HttpClientOptions['observe']>;
};

const VERSION_HEADERS = {
  1: {
    'Content-Type': 'application/x-protobuf',
    'X-Prometheus-Remote-Write-Version': '0.1.0',
  },
  2: {
    'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    'X-Prometheus-Remote-Write-Version': '2.0.0',
  },
} as const;

export class RequestSender {
  readonly #options: SenderOptions;
  readonly #client: HttpClient;
  readonly #authorizer: CloudAuthorizer | null;

  constructor(options: SenderOptions) {
    const { config, clock, userAgent, observeConnection: observe } = options;
    this.#options = options;
    this.#client = new HttpClient(config.httpClient, { clock, userAgent, observe });
    this.#authorizer =
      config.cloudAuth === null
        ? null
        : new CloudAuthorizer(config.cloudAuth, { clock, userAgent });
  }

  /**
   * One attempt. Never rejects: what keeps a request from arriving may pass.
   * @param attempt  0 for the first
   * @param sent     what is in the body, of version 2.0; otherwise null
   * @param span     what the attempt is a part of, where it is traced
   */
  async send(
    body: Uint8Array,
    attempt: number,
    sent: Sent | null,
    signal: AbortSignal,
    span?: TraceSpan,
  ): Promise<Verdict> {
    const { config, clock } = this.#options;
    const method = 'POST';
    const { url } = config;
    let headers: Record<string, string> = {
      ...config.headers,
      'Content-Encoding': 'snappy',
      ...VERSION_HEADERS[config.version],
      ...(attempt > 0 ? { 'Retry-Attempt': String(attempt) } : {}),
    };
    try {
      if (this.#authorizer !== null) {
        headers = await this.#authorizer.headers({ method, url, headers, body }, signal);
      }
      const response = await this.#client.request({
        url,
        method,
        headers,
        body,
        timeoutMs: config.timeoutMs,
        signal,
        ...(span === undefined ? {} : { span }),
      });
      const verdict = judgeAnswer(response, config.queue.retriesTooMany, sent, clock.nowMs());
      response.release?.();
      return verdict;
    } catch (error) {
      return { kind: 'again', reason: messageOf(error), afterMs: null };
    }
  }

  async close(): Promise<void> {
    await this.#authorizer?.close();
    await this.#client.close();
  }
}

export function compressed(plain: Uint8Array): Uint8Array {
  const packed = new Uint8Array(snappySizeMax(plain.length));
  return packed.slice(0, snappyCompress(plain, 0, plain.length, packed, 0));
}
