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
const WRITE_MESSAGES = { 1: 'prometheus.WriteRequest', 2: 'io.prometheus.write.v2.Request' };
type WriteVersion = keyof typeof WRITE_MESSAGES;
const ALL_VERSIONS: readonly WriteVersion[] = [1, 2];
/** Of a body as received, and unpacked as well. */
const WRITE_BODY_BYTES_MAX = 32 * 1024 * 1024;

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
    const type = writeVersion(request.headers['content-type']);
    if (type.version === null) return sendPlainError(reply, 415, type.problem);
    const { version } = type;
    const encoding = request.headers['content-encoding'] ?? '';
    if (encoding !== '' && encoding !== 'snappy') {
      const what = `${encoding} encoding (compression) is not accepted by this server`;
      return sendPlainError(reply, 415, `${what}; only snappy is acceptable`);
    }
    const accepted = options.remoteWriteVersions ?? ALL_VERSIONS;
    if (!accepted.includes(version)) {
      const what = `${WRITE_MESSAGES[version]} protobuf message is not accepted by this server`;
      const names = accepted.map((v) => WRITE_MESSAGES[v]).join(', ');
      return sendPlainError(reply, 415, `${what}; only accepts ${names}`);
    }
    const body = bytesOf(request);
    if (body.length > WRITE_BODY_BYTES_MAX) {
      return sendPlainError(
        reply,
        413,
        `request body exceeds the ${WRITE_BODY_BYTES_MAX} bytes limit`,
      );
    }
    try {
      const answer = await ports.remoteWrite.write({ version, body }, signal);
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

type TypeVerdict =
  | { readonly version: WriteVersion }
  | { readonly version: null; readonly problem: string };

/** Clients without a `proto` parameter speak version 1. */
function writeVersion(contentType = ''): TypeVerdict {
  const refuse = (problem: string): TypeVerdict => ({ version: null, problem });
  if (contentType === '') return { version: 1 };
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  if (type !== PROTOBUF_TYPE) {
    return refuse(
      `expected ${PROTOBUF_TYPE} as the first (media) part, got ${contentType} content-type`,
    );
  }
  for (const parameter of parameters) {
    const [name, value, ...rest] = parameter.split('=');
    if (value === undefined || rest.length > 0) {
      return refuse(
        'as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be ' +
          `key-values, got ${parameter} in ${contentType} content-type`,
      );
    }
    if (name !== 'proto') continue;
    if (value === WRITE_MESSAGES[1]) return { version: 1 };
    if (value === WRITE_MESSAGES[2]) return { version: 2 };
    return refuse(
      `got ${contentType} content type; unknown type for remote write protobuf message ${value}, ` +
        `supported: ${WRITE_MESSAGES[1]}, ${WRITE_MESSAGES[2]}`,
    );
  }
  return { version: 1 };
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
  async answer({ request, reply, signal }, { ports, options }) {
    if (options.agentMode) {
      return sendPlainError(reply, 500, 'unsupported operation with WAL-only storage');
    }
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
      return sendPlainError(reply, 400, `unsupported content type: ${contentType}, ${supported}`);
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
