/**
 * A collector of traces: what an exporter sends, over HTTP or gRPC, kept for tests to look at.
 * Reads field by field with its own schema. Source: opentelemetry-proto, trace/v1, common/v1 and
 * collector/trace/v1; gRPC over HTTP2; RFC 9113.
 */
import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { ProtobufReader } from '../../../../model/index.ts';

export type Received = {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly schemaUrl: string;
  readonly scope: string;
  readonly scopeVersion: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { name: string; attributes: Readonly<Record<string, unknown>> }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly flags: number;
};

export type CollectorAnswer = {
  /** HTTP status, or that of gRPC when the collector speaks it. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
};

export type Collector = {
  readonly port: number;
  readonly spans: Received[];
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Of requests to come, one each; then all is well. */
  readonly answers: CollectorAnswer[];
  /** Resolves as soon as `count` spans have come. */
  readonly waitFor: (count: number, timeoutMs?: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

type Tls = { readonly key: string; readonly cert: string };

type Taken = {
  readonly body: Buffer;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
};

const GZIP_FLAG = 1;
const PREFIX_SIZE_BYTES = 5;

export async function startCollector(
  protocol: 'http' | 'grpc',
  tls: Tls | null = null,
  port = 0,
): Promise<Collector> {
  const spans: Received[] = [];
  const requests: Collector['requests'] = [];
  const answers: CollectorAnswer[] = [];
  const take = async ({ body, path, headers }: Taken): Promise<CollectorAnswer> => {
    requests.push({ path, headers });
    const answer = answers.shift() ?? {};
    if (answer.delayMs !== undefined) await new Promise((go) => setTimeout(go, answer.delayMs));
    if ((answer.status ?? 0) === 0 || answer.status === 200) spans.push(...readSpans(body));
    return answer;
  };
  const server = protocol === 'http' ? overHttp(take, tls) : overGrpc(take, tls);
  const sockets = new Set<{ destroy: () => void }>();
  server.on('connection', (socket: { destroy: () => void }) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    spans,
    requests,
    answers,
    waitFor: async (count, timeoutMs = 10_000) => {
      const endMs = performance.now() + timeoutMs;
      while (spans.length < count) {
        if (performance.now() > endMs) {
          const names = spans.map(({ name }) => name).join(', ');
          throw new Error(`${spans.length} of ${count} spans came: ${names}`);
        }
        await new Promise((go) => setTimeout(go, 20));
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function overHttp(take: (taken: Taken) => Promise<CollectorAnswer>, tls: Tls | null) {
  const create = tls === null ? createHttpServer : createHttpsServer.bind(null, tls);
  return create(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    let body = Buffer.concat(parts);
    if (request.headers['content-encoding'] === 'gzip') body = gunzipSync(body);
    const answer = await take({ body, path: request.url ?? '', headers: request.headers });
    response.writeHead(answer.status ?? 200, answer.headers).end();
  });
}

function overGrpc(take: (taken: Taken) => Promise<CollectorAnswer>, tls: Tls | null) {
  const server = tls === null ? createHttp2Server() : createSecureServer(tls);
  server.on('stream', async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const frame = Buffer.concat(parts);
    let body = frame.subarray(PREFIX_SIZE_BYTES);
    if (frame.readUInt32BE(1) !== body.length) throw new Error('the length of the frame is wrong');
    if (frame[0] === GZIP_FLAG) body = gunzipSync(body);
    const answer = await take({ body, path: String(headers[':path']), headers });
    if (stream.destroyed) return;
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'grpc-status': String(answer.status ?? 0), ...answer.headers }),
    );
    stream.end(Buffer.alloc(PREFIX_SIZE_BYTES));
  });
  return server;
}

type Fields = Map<number, unknown[]>;

/** Every field of a message: numbers as numbers or bigints, bytes as they are. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new ProtobufReader();
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  reader.reset(bytes);
  const fields: Fields = new Map();
  while (reader.next()) {
    const { field, wireType } = reader;
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    if (wireType === 0) values.push(Number(reader.takeInt64Text()));
    else if (wireType === 2) values.push(reader.takeBytes());
    else {
      const at = reader.position;
      reader.skip();
      values.push(wireType === 1 ? view.subarray(at, at + 8) : view.readUInt32LE(at));
    }
  }
  if (reader.failed) throw new Error('the message is malformed');
  return fields;
}

export function readSpans(body: Uint8Array): Received[] {
  const spans: Received[] = [];
  for (const resourceSpans of messages(fieldsOf(body), 1)) {
    const resource = attributesOf(messages(resourceSpans, 1)[0]!, 1);
    for (const scopeSpans of messages(resourceSpans, 2)) {
      const scope = messages(scopeSpans, 1)[0] ?? new Map();
      for (const span of messages(scopeSpans, 2)) {
        spans.push({
          resource,
          schemaUrl: text(resourceSpans, 3),
          scope: text(scope, 1),
          scopeVersion: text(scope, 2),
          ...spanOf(span),
        });
      }
    }
  }
  return spans;
}

function spanOf(span: Fields): Omit<Received, 'resource' | 'schemaUrl' | 'scope' | 'scopeVersion'> {
  const status = messages(span, 15)[0] ?? new Map();
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    traceState: text(span, 3),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    kind: Number(span.get(6)?.[0] ?? 0),
    startMs: fixed64Ms(span, 7),
    endMs: fixed64Ms(span, 8),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({
      name: text(event, 2),
      attributes: attributesOf(event, 3),
    })),
    status: { message: text(status, 2), code: Number(status.get(3)?.[0] ?? 0) },
    flags: Number(span.get(16)?.[0] ?? 0),
  };
}

function messages(fields: Fields, field: number): Fields[] {
  return (fields.get(field) ?? []).map((bytes) => fieldsOf(bytes as Uint8Array));
}

function bytesOf(fields: Fields, field: number): Buffer {
  return Buffer.from((fields.get(field)?.[0] as Uint8Array | undefined) ?? []);
}

function text(fields: Fields, field: number): string {
  return bytesOf(fields, field).toString('utf8');
}

function hex(fields: Fields, field: number): string {
  return bytesOf(fields, field).toString('hex');
}

function fixed64Ms(fields: Fields, field: number): number {
  return Number(bytesOf(fields, field).readBigUInt64LE()) / 1e6;
}

function attributesOf(fields: Fields, field: number): Record<string, unknown> {
  const pairs = messages(fields, field).map((pair) => [
    text(pair, 1),
    valueOf(messages(pair, 2)[0]!),
  ]);
  return Object.fromEntries(pairs) as Record<string, unknown>;
}

function valueOf(fields: Fields): unknown {
  for (const [field, [value]] of fields) {
    if (field === 1) return text(fields, 1);
    if (field === 2) return value === 1;
    if (field === 3) return value;
    if (field === 4) return (value as Buffer).readDoubleLE();
    if (field === 5) return messages(fieldsOf(value as Uint8Array), 1).map(valueOf);
  }
  return null;
}
