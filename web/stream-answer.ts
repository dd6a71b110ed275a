/**
 * Sends an answer while it is still being written. The next piece is asked for when the last one has
 * left, so that the client's pace is the writer's; then the memory of the last one is given back.
 * What cannot be finished is cut off: the client sees a broken transfer, never a shorter answer.
 */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { freeBytes, freeSent } from './free-memory.ts';
import type { Answer, AnswerPieces, ReportError } from './ports.ts';
import { acceptsGzip, GZIP_LEVEL, sendBody } from './respond.ts';

/** Compressed bytes that are sent at a time. */
const GZIP_CHUNK_SIZE_BYTES = 64 * 1024;
/** Error code INTERNAL_ERROR. Source: RFC 9113, section 7. */
const HTTP2_INTERNAL_ERROR = 2;

const sentSizesBytes = new WeakMap<ServerResponse, number>();

/** Of the body that {@link sendAnswer} has sent so far in pieces. */
export function streamedSizeBytes(response: ServerResponse): number {
  return sentSizesBytes.get(response) ?? 0;
}

/** Resolves when what comes in pieces has been sent or cut off, and what does not is on its way. */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  answer: string | Answer,
  reportError: ReportError,
): Promise<FastifyReply> {
  return typeof answer === 'string' || answer instanceof Uint8Array
    ? sendBody(request, reply, contentType, answer)
    : sendPieces(request, reply, contentType, answer, reportError);
}

async function sendPieces(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  pieces: AnswerPieces,
  reportError: ReportError,
): Promise<FastifyReply> {
  const isCompressed = acceptsGzip(request);
  reply.header('content-type', contentType);
  if (isCompressed) reply.header('content-encoding', 'gzip');
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, reply.getHeaders() as Record<string, string>);
  try {
    if (isCompressed) await send(raw, compress(pieces), () => {});
    else await send(raw, pieces, (piece) => freeSent(raw, piece));
  } catch (error) {
    // Who has left need not be told, and is no news.
    if (raw.destroyed || raw.socket?.destroyed === true) return reply;
    cutOff(raw);
    reportError('warn', 'an answer was cut off', error);
  }
  return reply;
}

async function send(
  raw: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  onSent: (chunk: Uint8Array) => void,
): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    await written(raw, chunk);
    sentSizesBytes.set(raw, sizeBytes);
    onSent(chunk);
  }
  raw.end();
}

async function* compress(pieces: AnswerPieces): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_SIZE_BYTES });
  const feed = async () => {
    for await (const piece of pieces) {
      await written(gzip, piece);
      freeBytes(piece);
    }
    gzip.end();
  };
  feed().catch((error: Error) => gzip.destroy(error));
  yield* gzip as AsyncIterable<Uint8Array>;
}

/** Resolves when the bytes have been taken; rejects when they will not be. */
function written(stream: Writable | ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('closed before it was written'));
    stream.once('close', onClose);
    stream.write(bytes, (error) => {
      stream.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

function cutOff(raw: ServerResponse): void {
  const { stream } = raw as { readonly stream?: { close(code: number): void } };
  if (stream === undefined) raw.destroy();
  else stream.close(HTTP2_INTERNAL_ERROR);
}
