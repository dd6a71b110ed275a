/**
 * Spans over gRPC: one unary call per batch, on one connection that is kept.
 *
 *   message   compressed (u8: 0, 1) · length (u32 BE) · bytes
 *
 * Source: "gRPC over HTTP2"; OTLP, "OTLP/gRPC".
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';
import type { Clock } from '../../model/index.ts';
import { SecretFiles, tlsOptions } from '../../scrape/index.ts';
import { judgeGrpcFailure } from './grpc-status.ts';
import { readTraceAnswer } from './partial-success.ts';
import { again, type Delivery, type SpanSender } from './span-queue.ts';
import type { TracingConfig } from './tracing-config.ts';

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const PREFIX_SIZE_BYTES = 5;
const ANSWER_SIZE_BYTES_MAX = 1024 * 1024;
const OK = 0;
const gzipAsync = promisify(gzip);

export class GrpcSpanSender implements SpanSender {
  readonly #config: TracingConfig;
  readonly #files: SecretFiles;
  readonly #userAgent: string;
  #session: ClientHttp2Session | null = null;

  constructor(config: TracingConfig, clock: Clock, userAgent: string) {
    this.#config = config;
    this.#files = new SecretFiles(clock);
    this.#userAgent = userAgent;
  }

  async send(plain: Uint8Array, timeoutMs: number): Promise<Delivery> {
    const { usesGzip } = this.#config;
    try {
      const message = usesGzip ? await gzipAsync(plain) : plain;
      const frame = Buffer.allocUnsafe(PREFIX_SIZE_BYTES + message.length);
      frame[0] = usesGzip ? 1 : 0;
      frame.writeUInt32BE(message.length, 1);
      frame.set(message, PREFIX_SIZE_BYTES);
      return await this.#call(frame, Math.max(1, Math.floor(timeoutMs)));
    } catch (error) {
      return again(error);
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    session?.destroy();
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== null && !this.#session.closed && !this.#session.destroyed) {
      return this.#session;
    }
    const { isInsecure, endpoint, tls } = this.#config;
    const session = isInsecure
      ? connect(`http://${endpoint}`)
      : connect(`https://${endpoint}`, { ...tlsOptions(tls, this.#files), ALPNProtocols: ['h2'] });
    // A connection that nobody uses must not keep the process; its errors come with the calls.
    session.unref();
    session.on('error', () => {});
    session.on('close', () => {
      if (this.#session === session) this.#session = null;
    });
    this.#session = session;
    return session;
  }

  #call(frame: Uint8Array, timeoutMs: number): Promise<Delivery> {
    const { usesGzip, headers } = this.#config;
    const session = this.#connected();
    const { promise, resolve, reject } = Promise.withResolvers<Delivery>();
    const stream = session.request({
      ...lowerCase(headers),
      ':method': 'POST',
      ':path': METHOD,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': this.#userAgent,
      'grpc-timeout': `${timeoutMs}m`,
      ...(usesGzip ? { 'grpc-encoding': 'gzip' } : {}),
    });
    const giveUp = (error: Error) => {
      // Before the connection stands nothing but its end ends the stream.
      if (session.connecting) session.destroy();
      else stream.close(constants.NGHTTP2_CANCEL);
      reject(error);
    };
    const timer = setTimeout(() => {
      giveUp(new Error(`no answer of ${this.#config.endpoint} within ${timeoutMs} ms`));
    }, timeoutMs);
    collect(stream, giveUp, resolve);
    session.once('error', reject);
    stream.on('error', reject);
    stream.end(frame);
    return promise.finally(() => {
      clearTimeout(timer);
      session.off('error', reject);
    });
  }
}

/** Reads an answer; its status comes behind the body, or at once when there is none. */
function collect(
  stream: ClientHttp2Stream,
  onFailure: (error: Error) => void,
  onAnswer: (delivery: Delivery) => void,
): void {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received) => (trailers = received));
  stream.on('data', (part: Buffer) => {
    sizeBytes += part.length;
    if (sizeBytes > ANSWER_SIZE_BYTES_MAX) onFailure(new Error('the answer is too large'));
    else parts.push(part);
  });
  stream.on('close', () => {
    const told = trailers['grpc-status'] ?? headers['grpc-status'];
    if (told === undefined) {
      const status = String(headers[':status'] ?? 'none');
      onFailure(new Error(`the answer has no gRPC status (HTTP status ${status})`));
      return;
    }
    const status = Number(told);
    if (status === OK) onAnswer(readTraceAnswer(unframed(Buffer.concat(parts))));
    else {
      const message = trailers['grpc-message'] ?? headers['grpc-message'] ?? '';
      const details = trailers['grpc-status-details-bin'] ?? '';
      onAnswer(judgeGrpcFailure(status, String(message), String(details)));
    }
  });
}

function unframed(frame: Buffer): Uint8Array {
  const body = frame.subarray(PREFIX_SIZE_BYTES);
  return frame[0] === 1 ? gunzipSync(body, { maxOutputLength: ANSWER_SIZE_BYTES_MAX }) : body;
}

/** HTTP/2 knows no others. */
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
