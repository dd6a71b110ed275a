/**
 * PUT, POST, DELETE /metrics/job/<job>{/<label>/<value>}: short-lived jobs push what they have measured,
 * as they would to a Pushgateway; with `?ttl=1h` the group ends by itself. Refused unless
 * `--web.enable-push-receiver` is given.
 * Source: documentation of the Pushgateway; answers of Pushgateway 1.5.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLegacyLabelName, messageOf, ValueError } from '../model/index.ts';
import { ApiError } from './api-error.ts';
import { counted, formOf, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { parseDurationMs } from './params.ts';
import type { PushPort, ReportError } from './ports.ts';
import { isRefusedUntilReady, TAKES_BYTES } from './register-api.ts';
import { sendPlainError } from './respond.ts';
import type { RouteContext } from './route.ts';

const METHODS = ['PUT', 'POST', 'DELETE'] as const;
const BASE64_SUFFIX = '@base64';
const gunzipAsync = promisify(gunzip);

export function registerPush(
  app: FastifyInstance,
  context: RouteContext,
  metrics: HttpMetrics,
  reportError: ReportError,
): void {
  const { push } = context.ports;
  const { enablePushReceiver, clock } = context.options;
  const handler: Handler = async (request, reply) => {
    if (push === undefined || !enablePushReceiver) {
      const what = 'push receiver needs to be enabled with --web.enable-push-receiver';
      return sendPlainError(reply, 404, what);
    }
    if (isRefusedUntilReady(context.ports.ready, reply)) return reply;
    try {
      await take(push, request, context.options.writeSizeBytesMax);
      return await reply.code(request.method === 'DELETE' ? 202 : 200).send();
    } catch (error) {
      if (error instanceof ValueError || error instanceof ApiError) {
        return sendPlainError(reply, 400, error.message);
      }
      reportError('error', 'error while taking a push', error);
      return sendPlainError(reply, 500, messageOf(error));
    }
  };
  app.route({
    method: [...METHODS],
    url: '/metrics/*',
    handler: counted(handler, metrics.handler('/metrics/job/:job'), clock),
    config: TAKES_BYTES,
  });
}

/** @throws ValueError, ApiError in the Pushgateway's words where it has some */
async function take(port: PushPort, request: FastifyRequest, sizeBytesMax: number): Promise<void> {
  const { pathname } = new URL(request.url, 'http://localhost');
  const labels = parseGroupPath(pathname.slice(pathname.indexOf('/metrics/') + '/metrics'.length));
  const ttl = formOf(request).first('ttl');
  const ttlMs = ttl === '' ? null : parseDurationMs(ttl);
  if (ttlMs !== null && ttlMs <= 0) throw new ValueError('ttl must be above 0');
  const method = request.method as (typeof METHODS)[number];
  let body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
  if (request.headers['content-encoding'] === 'gzip' && method !== 'DELETE') {
    try {
      body = await gunzipAsync(body, { maxOutputLength: sizeBytesMax });
    } catch (error) {
      throw new ValueError(`gzip: ${messageOf(error)}`, { cause: error });
    }
  }
  const contentType = request.headers['content-type'] ?? '';
  const problem = await port.push({ method, labels, contentType, ttlMs, body });
  if (problem === null) return;
  const what = 'pushed metrics are invalid or inconsistent with existing metrics';
  throw new ValueError(`${what}: ${problem}`);
}

/**
 * `/job/a/label/b`, `/job@base64/YQ/label@base64/Yg` → labels. The first job counts.
 * @throws ValueError
 */
export function parseGroupPath(path: string): Readonly<Record<string, string>> {
  const parts = path.split('/').slice(1).map(decodePart);
  const [name, given, ...rest] = parts;
  if (name !== 'job' && name !== `job${BASE64_SUFFIX}`)
    throw new ValueError('the path has to begin with /metrics/job/');
  const job = given === undefined ? '' : valueOf(name, given, 'job name');
  if (job === '') throw new ValueError('job name is required');
  if (rest.length % 2 !== 0) {
    throw new ValueError(`odd number of components in label string "/${rest.join('/')}"`);
  }
  const labels: Record<string, string> = {};
  for (let i = 0; i < rest.length; i += 2) {
    const label = rest[i]!.replace(new RegExp(`${BASE64_SUFFIX}$`), '');
    if (!isLegacyLabelName(label) || label.startsWith('__')) {
      throw new ValueError(`improper label name ${JSON.stringify(label)}`);
    }
    labels[label] = valueOf(rest[i]!, rest[i + 1]!, `label value for label ${label}`);
  }
  return { ...labels, job };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new ValueError(`the path is not well encoded: ${part}`, { cause: error });
  }
}

function valueOf(name: string, text: string, what: string): string {
  if (!name.endsWith(BASE64_SUFFIX)) return text;
  // Padding may be left out; a lone one stands for the empty text.
  if (!/^[A-Za-z0-9_-]*=*$/.test(text)) {
    throw new ValueError(`invalid base64 encoding in ${what} ${JSON.stringify(text)}`);
  }
  return Buffer.from(text, 'base64url').toString();
}
