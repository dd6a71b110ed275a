/**
 * A span for every request while tracing is on, and what the caller says of its own trace.
 * Source: W3C Trace Context; OpenTelemetry semantic conventions, "HTTP server span".
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { carry, parseTraceParent, type TraceSpan, type TracerSource } from '../model/index.ts';

export function traceRequests(app: FastifyInstance, tracer: TracerSource): void {
  app.addHook('onRequest', (request, reply, done) => {
    const active = tracer();
    if (active !== null) {
      const { method, url, headers } = request;
      const state = headers['tracestate'];
      const parent = parseTraceParent(
        String(headers['traceparent'] ?? ''),
        Array.isArray(state) ? state.join(',') : state,
      );
      const path = pathOf(url);
      const span = active.start(`${method} ${path}`, 'server', parent);
      if (span.context.isSampled) describeRequest(span, request.raw, path);
      carry(reply.raw, span);
      reply.raw.once('close', () => endWith(span, reply));
    }
    done();
  });
}

function describeRequest(span: TraceSpan, request: IncomingMessage, path: string): void {
  const { method, headers, httpVersion, socket } = request;
  span.set('http.request.method', method ?? '');
  span.set('url.scheme', 'encrypted' in socket ? 'https' : 'http');
  span.set('url.path', path);
  span.set('network.protocol.version', httpVersion);
  // HTTP/2 has it under another name.
  const host = headers.host ?? headers[':authority'];
  const authority = `http://${String(host ?? '')}`;
  if (URL.canParse(authority)) {
    const { hostname, port } = new URL(authority);
    span.set('server.address', hostname);
    if (port !== '') span.set('server.port', Number(port));
  }
  if (socket.remoteAddress !== undefined) {
    span.set('network.peer.address', socket.remoteAddress);
    span.set('network.peer.port', socket.remotePort ?? 0);
  }
  const client = String(headers['x-forwarded-for'] ?? '')
    .split(',')[0]!
    .trim();
  span.set('client.address', client || (socket.remoteAddress ?? ''));
  if (headers['user-agent'] !== undefined) span.set('user_agent.original', headers['user-agent']);
  const requestSizeBytes = Number(headers['content-length'] ?? 0);
  if (requestSizeBytes > 0) span.set('http.request.body.size', requestSizeBytes);
}

function endWith(span: TraceSpan, reply: FastifyReply): void {
  const { statusCode } = reply.raw;
  const sizeBytes = Number(reply.getHeader('content-length') ?? 0);
  if (sizeBytes > 0) span.set('http.response.body.size', sizeBytes);
  span.set('http.response.status_code', statusCode);
  if (statusCode >= 500) span.fail('');
  span.end();
}

function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
