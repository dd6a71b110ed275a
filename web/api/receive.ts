/**
 * Samples that others push, and samples that others pull in bulk. Only the HTTP side: decoding and
 * storing is done where the samples go.
 * Source: Prometheus remote-write 1.0 and 2.0 specifications, remote read API, OTLP/HTTP.
 */
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../model/index.ts';
import { ApiError } from '../api-error.ts';
import { plainErrorOf, sendPlainError } from '../respond.ts';
import type { RawRoute } from '../route.ts';

const gunzipAsync = promisify(gunzip);
/** Against small bodies that unpack into huge ones. */
const OTLP_UNPACKED_BYTES_MAX = 256 * 1024 * 1024;
const PROTOBUF_TYPE = 'application/x-protobuf';
const WRITE_V1 = 'prometheus.WriteRequest';
const WRITE_V2 = 'io.prometheus.write.v2.Request';

const NO_BYTES = new Uint8Array(0);

/** POST /api/v1/write */
export const remoteWrite: RawRoute = {
  path: '/write',
  methods: ['POST'],
  doc: {
    id: 'remote-write',
    tag: 'remote',
    summary: 'Store samples sent by remote write',
    requestType: PROTOBUF_TYPE,
  },
  inAgentMode: true,
  takesBytes: true,
  async answer({ request, reply, signal }, { ports, options }) {
    if (!options.enableRemoteWriteReceiver || ports.remoteWrite === undefined) {
      const flag = '--web.enable-remote-write-receiver';
      const what = `remote write receiver needs to be enabled with ${flag}`;
      return sendPlainError(reply, 404, what);
    }
    const version = writeVersion(request.headers['content-type']);
    if (version === null) {
      const shown = request.headers['content-type'] ?? '';
      const accepted = `${PROTOBUF_TYPE};proto=${WRITE_V1} and ${PROTOBUF_TYPE};proto=${WRITE_V2}`;
      const what = `content type "${shown}" is not accepted by this server; send ${accepted}`;
      return sendPlainError(reply, 415, what);
    }
    const encoding = request.headers['content-encoding'] ?? 'snappy';
    if (encoding !== 'snappy') {
      const what = `${encoding} encoding (compression) is not accepted by this server`;
      return sendPlainError(reply, 415, `${what}; only snappy is acceptable`);
    }
    try {
      const answer = await ports.remoteWrite.write({ version, body: bytesOf(request) }, signal);
      if (version === 2) {
        const prefix = 'x-prometheus-remote-write';
        reply.header(`${prefix}-samples-written`, String(answer.samplesWritten));
        reply.header(`${prefix}-histograms-written`, String(answer.histogramsWritten));
        reply.header(`${prefix}-exemplars-written`, String(answer.exemplarsWritten));
      }
      if (answer.rejection !== null) return sendPlainError(reply, 400, answer.rejection);
      return reply.code(204).send();
    } catch (error) {
      return plainErrorOf(reply, error);
    }
  },
};

/** Null for a type that is not accepted. Clients without a `proto` parameter speak version 1. */
function writeVersion(contentType: string | undefined): 1 | 2 | null {
  const [type = '', ...parameters] = (contentType ?? PROTOBUF_TYPE).split(';').map((t) => t.trim());
  if (type.toLowerCase() !== PROTOBUF_TYPE) return null;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=');
    if (name?.toLowerCase() !== 'proto') continue;
    if (value === WRITE_V1) return 1;
    return value === WRITE_V2 ? 2 : null;
  }
  return 1;
}

/** POST /api/v1/read */
export const remoteRead: RawRoute = {
  path: '/read',
  methods: ['POST'],
  doc: {
    id: 'remote-read',
    tag: 'remote',
    summary: 'Fetch samples by remote read',
    requestType: PROTOBUF_TYPE,
  },
  inAgentMode: true,
  takesBytes: true,
  async answer({ request, reply, signal }, { ports }) {
    if (ports.remoteRead === undefined) {
      return sendPlainError(reply, 501, 'remote read is not available on this server');
    }
    try {
      const answer = await ports.remoteRead.read(bytesOf(request), signal);
      reply.header('content-type', answer.contentType);
      if (answer.contentEncoding !== null) reply.header('content-encoding', answer.contentEncoding);
      return reply.send(Readable.from(answer.chunks, { objectMode: false }));
    } catch (error) {
      return plainErrorOf(reply, error);
    }
  },
};

/** POST /api/v1/otlp/v1/metrics */
export const otlpWrite: RawRoute = {
  path: '/otlp/v1/metrics',
  methods: ['POST'],
  doc: {
    id: 'otlp-write',
    tag: 'otlp',
    summary: 'Store metrics sent by OTLP',
    requestType: PROTOBUF_TYPE,
  },
  inAgentMode: true,
  takesBytes: true,
  async answer({ request, reply, signal }, { ports, options }) {
    if (!options.enableOtlpReceiver || ports.otlp === undefined) {
      const what = 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver';
      return sendPlainError(reply, 404, what);
    }
    const contentType = request.headers['content-type'] ?? '';
    const type = contentType.split(';')[0]!.trim().toLowerCase();
    if (type !== 'application/json' && type !== PROTOBUF_TYPE) {
      const supported = `supported: [application/json, ${PROTOBUF_TYPE}]`;
      return sendPlainError(reply, 400, `unsupported content type: ${type}, ${supported}`);
    }
    try {
      const body = await unpack(request);
      const encoding = type === PROTOBUF_TYPE ? 'protobuf' : 'json';
      await ports.otlp.write({ encoding, body }, signal);
      return emptySuccess(reply, type);
    } catch (error) {
      return plainErrorOf(reply, error);
    }
  },
};

/** An empty ExportMetricsServiceResponse. */
function emptySuccess(reply: FastifyReply, type: string): FastifyReply {
  return reply
    .code(200)
    .header('content-type', type)
    .send(type === PROTOBUF_TYPE ? '' : '{}');
}

async function unpack(request: FastifyRequest): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'] ?? '';
  const body = bytesOf(request);
  if (encoding === '' || encoding === 'identity') return body;
  if (encoding !== 'gzip') {
    throw new ApiError(
      'bad_data',
      `unsupported compression: ${encoding}. Only "gzip" or no compression supported`,
    );
  }
  try {
    return await gunzipAsync(body, { maxOutputLength: OTLP_UNPACKED_BYTES_MAX });
  } catch (error) {
    throw new ApiError('bad_data', `gzip: ${messageOf(error)}`, { cause: error });
  }
}

function bytesOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : NO_BYTES;
}
