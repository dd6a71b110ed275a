/**
 * Answers of the API: the envelope, status codes, and compression.
 *
 * Bodies from {@link COMPRESSED_SIZE_BYTES_MIN} up are compressed with gzip for who accepts it, in
 * libuv's threads. Never with deflate, zstd or brotli, although a client may offer them: several
 * clients of Prometheus offer what they then cannot read.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../model/index.ts';
import { type ApiError, toApiError } from './api-error.ts';
import { freeBytes, freeWhenSent } from './free-memory.ts';
import type { ReportError } from './ports.ts';

/** Below about one network packet, compressing saves nothing and costs a thread switch. */
export const COMPRESSED_SIZE_BYTES_MIN = 1400;
/** JSON of samples shrinks to a tenth at the fastest level already. */
export const GZIP_LEVEL = 1;
const gzipAsync = promisify(gzip);

export const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** A success whose data is small; `json` is the text of the `data` part. */
export function successJson(json: string, warnings: readonly string[] = []): string {
  const more = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return `{"status":"success","data":${json}${more}}`;
}

export function errorJson(error: ApiError): string {
  const { errorType, message } = error;
  return `{"status":"error","errorType":"${errorType}","error":${JSON.stringify(message)}}`;
}

/**
 * Sends a finished body, compressed where that is wanted and worth it. Bytes must not be used
 * afterwards: their memory is given back.
 */
export async function sendBody(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  body: string | Uint8Array,
): Promise<FastifyReply> {
  reply.header('content-type', contentType);
  const bytes = asBuffer(body);
  if (bytes.length < COMPRESSED_SIZE_BYTES_MIN || !acceptsGzip(request)) {
    freeWhenSent(reply.raw, bytes);
    return reply.send(bytes);
  }
  reply.header('content-encoding', 'gzip');
  const compressed = await gzipAsync(bytes, { level: GZIP_LEVEL });
  freeBytes(bytes);
  freeWhenSent(reply.raw, compressed);
  return reply.send(compressed);
}

export function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  body: string | Uint8Array,
): Promise<FastifyReply> {
  return sendBody(request, reply, JSON_TYPE, body);
}

/** The envelope of an error, with the status code that belongs to its type. */
export function sendError(
  reply: FastifyReply,
  thrown: unknown,
  reportError: ReportError,
): FastifyReply {
  const error = toApiError(thrown);
  if (error.errorType === 'internal') {
    reportError('error', 'error while answering a request', error.cause ?? error);
  }
  const body = asBuffer(errorJson(error));
  return reply.code(error.statusCode).header('content-type', JSON_TYPE).send(body);
}

/** A plain sentence, as endpoints outside of the envelope answer. */
export function sendText(reply: FastifyReply, statusCode: number, text: string): FastifyReply {
  return reply.code(statusCode).header('content-type', TEXT_TYPE).send(text);
}

/** Like {@link sendText} in the form of Go's http.Error: a newline, and no guessing of types. */
export function sendPlainError(
  reply: FastifyReply,
  statusCode: number,
  text: string,
): FastifyReply {
  return sendText(reply.header('x-content-type-options', 'nosniff'), statusCode, `${text}\n`);
}

export function plainErrorOf(reply: FastifyReply, thrown: unknown): FastifyReply {
  return sendPlainError(reply, toApiError(thrown).statusCode, messageOf(thrown));
}

export function acceptsGzip(request: FastifyRequest): boolean {
  const accepted = request.headers['accept-encoding'];
  if (typeof accepted !== 'string' || !accepted.includes('gzip')) return false;
  return !/\bgzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)/.test(accepted);
}

/** Fastify takes Buffers as they are; to the type of a text it would add a charset. */
function asBuffer(body: string | Uint8Array): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
