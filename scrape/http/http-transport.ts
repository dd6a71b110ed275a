/**
 * One HTTP exchange: request out, answer in, bounded in time and size before anybody looks at it.
 * A deadline is over the whole of it, a limit over the body as it arrives and over what gzip makes
 * of it. Redirects and credentials are the business of `http-client.ts`.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { messageOf } from '../../model/index.ts';
import { DEADLINE_EXCEEDED, describeFailure, FetchError, requestError } from './fetch-error.ts';
import { GeneralConnections, type TransportConfig } from './general-connections.ts';
import {
  type Answer,
  type Begin,
  BODY_SIZE_LIMIT_EXCEEDED,
  BodyTooLarge,
  type Failure,
  type HttpRequest,
  type HttpResponse,
  KEEP_ALIVE_MS,
  sizeLimitOf,
} from './http-request.ts';
import { PlainConnections } from './plain-connections.ts';
import { proxyFor } from './proxy.ts';
import { parseUrl } from './request-url.ts';
import type { SecretFiles } from './secret-files.ts';

/** Larger compressed bodies are decompressed in another thread. */
const SYNC_GUNZIP_MAX_BYTES = 64 * 1024;

const gunzipAside = promisify(gunzip);

export class HttpTransport {
  readonly #config: TransportConfig;
  readonly #general: GeneralConnections;
  readonly #plain: PlainConnections;

  constructor(config: TransportConfig, files: SecretFiles) {
    this.#config = config;
    this.#general = new GeneralConnections(config, files);
    this.#plain = new PlainConnections(KEEP_ALIVE_MS, config.observe ?? (() => {}));
  }

  /**
   * Sends a request and reads the whole answer, whatever its status.
   * @param endMs  when it must be over, by `performance.now()`
   * @throws FetchError
   */
  async exchange(request: HttpRequest, endMs: number): Promise<HttpResponse> {
    const { method = 'GET', url } = request;
    const target = parseUrl(method, url);
    const { unixSocket } = request;
    const proxy = unixSocket === undefined ? proxyFor(target, this.#config.proxy) : '';
    const isPlain =
      target.protocol === 'http:' &&
      proxy === '' &&
      method === 'GET' &&
      this.#config.socketPath === '' &&
      request.onData === undefined;
    if (unixSocket !== undefined && !isPlain) {
      throw requestError(method, url, 'a unix socket is reached by plain HTTP only', 'address');
    }
    let prepare: (isAgain: boolean) => Begin;
    if (!isPlain) await this.#general.load();
    try {
      const general = isPlain ? null : this.#general.prepare(request, target, proxy);
      prepare = (isAgain) => general ?? this.#plain.prepare(request, target, isAgain);
      const first = await this.#once(prepare(false), request, endMs, method !== 'POST');
      // A kept connection may turn out to be closed: then once more, on another one.
      const answer = first ?? (await this.#once(prepare(true), request, endMs, false));
      return await finish(answer!, request);
    } catch (error) {
      if (error instanceof FetchError) throw error;
      throw requestError(method, url, messageOf(error), 'secret', error);
    }
  }

  async close(): Promise<void> {
    this.#plain.close();
    await this.#general.close();
  }

  /** @returns null when another try may help, and `mayTryAgain` */
  #once(
    begin: Begin,
    { method = 'GET', url, signal }: HttpRequest,
    endMs: number,
    mayTryAgain: boolean,
  ): Promise<Answer | null> {
    return new Promise((resolve, reject) => {
      let begun = false;
      let giveUp = () => {};
      let isOver = false;
      const finishUp = () => {
        isOver = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
      };
      const fail = (what: string, kind: FetchError['kind'], cause?: unknown) => {
        finishUp();
        reject(
          begun
            ? new FetchError(what, kind, { cause })
            : requestError(method, url, what, kind, cause),
        );
      };
      const stop = (what: string, kind: FetchError['kind']) => {
        // Whether an answer has begun makes a difference to people who read the error.
        fail(what, kind);
        giveUp();
      };
      const cancel = () => stop('context canceled', 'canceled');
      // When this thread was busy, with other targets' first scrapes say, the answer may lie there
      // unread. A timer comes before the sockets in the event loop, an immediate after them.
      const onDeadline = () =>
        setImmediate(() => {
          if (!isOver) stop(DEADLINE_EXCEEDED, 'timeout');
        });
      const timer = setTimeout(onDeadline, Math.max(0, endMs - performance.now()));
      if (signal?.aborted === true) return cancel();
      signal?.addEventListener('abort', cancel, { once: true });

      const onFailure = (failure: Failure) => {
        const { what, kind } = failureText(failure);
        if (mayTryAgain && failure.isStale && kind === 'closed') {
          finishUp();
          resolve(null);
          return;
        }
        begun = failure.begun;
        fail(what, kind, failure.error);
      };
      giveUp = begin(
        (answer) => {
          finishUp();
          resolve(answer);
        },
        onFailure,
        () => (begun = true),
      );
    });
  }
}

function failureText({ error, begun }: Failure): { what: string; kind: FetchError['kind'] } {
  if (error instanceof BodyTooLarge) return { what: BODY_SIZE_LIMIT_EXCEEDED, kind: 'too-large' };
  return describeFailure(error, begun);
}

async function finish(answer: Answer, request: HttpRequest): Promise<HttpResponse> {
  const isGzip = answer.headers['content-encoding'] === 'gzip' && answer.status <= 299;
  if (!isGzip) return answer;
  try {
    const body = await inflate(answer.body, sizeLimitOf(request));
    return { ...answer, body, spareBytes: 0, release: () => {} };
  } finally {
    answer.release();
  }
}

async function inflate(body: Uint8Array, sizeLimit: number): Promise<Uint8Array> {
  const options = { maxOutputLength: sizeLimit };
  try {
    return body.length <= SYNC_GUNZIP_MAX_BYTES
      ? gunzipSync(body, options)
      : await gunzipAside(body, options);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new FetchError(BODY_SIZE_LIMIT_EXCEEDED, 'too-large', { cause: error });
    }
    const isShort = code === 'Z_BUF_ERROR' || body.length < 10;
    throw new FetchError(isShort ? 'unexpected EOF' : 'gzip: invalid header', 'encoding', {
      cause: error,
    });
  }
}
