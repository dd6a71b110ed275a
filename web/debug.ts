/**
 * GET, POST /debug/pprof/…: where time and memory go, under the names and in the form that `go tool pprof` and
 * `promtool debug` know; what there is no such thing of here is an empty profile. A heap snapshot
 * shows every text in memory, so it needs `--web.enable-admin-api`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { counted, formOf, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { DebugPort } from './ports.ts';
import { sendPlainError, sendText } from './respond.ts';
import type { RouteContext } from './route.ts';
import { redirect } from './unknown-path.ts';

const PROFILE_SECONDS = 30;
const TRACE_SECONDS = 1;
const SECONDS_MAX = 600;
const PROFILE_TYPE = 'application/octet-stream';

const NAMES: Readonly<Record<string, string>> = {
  allocs: 'what is allocated within ?seconds=',
  block: 'empty: threads do not wait for each other',
  cmdline: 'the command line',
  fgprof: 'the same as profile',
  goroutine: 'the threads',
  heap: 'what is allocated within ?seconds= and kept',
  heapsnapshot:
    'the memory of the main thread, for the developer tools of browsers (.heapsnapshot)',
  mutex: 'empty: there are no locks',
  profile: 'processor time within ?seconds=',
  symbol: 'empty: profiles carry their names',
  threadcreate: 'the threads',
  trace: 'processor time of the main thread within ?seconds=, for the same tools (.cpuprofile)',
};

export function registerDebug(
  app: FastifyInstance,
  context: RouteContext,
  metrics: HttpMetrics,
): void {
  const { debug } = context.ports;
  if (debug === undefined) return;
  const { clock, routePrefix } = context.options;
  const index: Handler = (_, reply) => {
    const lines = Object.entries(NAMES).map(([name, what]) => `${name.padEnd(14)}${what}`);
    return sendText(reply, 200, `/debug/pprof/\n\n${lines.join('\n')}\n`);
  };
  const one: Handler = (request, reply) => profile(debug, context, request, reply);
  const handler = metrics.handler('/debug/*subpath');
  const method = ['GET', 'POST'];
  const url = '/debug/pprof';
  app.route({ method, url, handler: (_, reply) => redirect(reply, 301, `${routePrefix}${url}/`) });
  app.route({ method, url: '/debug/pprof/', handler: counted(index, handler, clock) });
  app.route({ method, url: '/debug/pprof/:name', handler: counted(one, handler, clock) });
}

async function profile(
  debug: DebugPort,
  { options }: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name } = request.params as { name: string };
  if (!Object.hasOwn(NAMES, name)) return sendPlainError(reply, 404, 'Unknown profile');
  const text = formOf(request).first('seconds');
  const seconds = text === '' ? null : Number(text);
  if (seconds !== null && !(seconds > 0 && seconds <= SECONDS_MAX)) {
    return sendPlainError(reply, 400, `seconds must be above 0 and at most ${SECONDS_MAX}`);
  }
  reply.header('x-content-type-options', 'nosniff');
  switch (name) {
    case 'profile':
    case 'fgprof':
      return send(reply, name, await debug.cpu((seconds ?? PROFILE_SECONDS) * 1000));
    case 'trace': {
      const json = await debug.cpuOfMain((seconds ?? TRACE_SECONDS) * 1000);
      return send(reply, 'trace.cpuprofile', json === null ? null : Buffer.from(json));
    }
    case 'heap':
    case 'allocs':
      return send(reply, name, await debug.heap((seconds ?? 0) * 1000));
    case 'goroutine':
    case 'threadcreate':
      return send(reply, name, debug.threads());
    case 'heapsnapshot':
      if (!options.enableAdminApi) return sendPlainError(reply, 403, 'admin APIs disabled');
      reply.header('content-type', 'application/json');
      reply.header('content-disposition', 'attachment; filename="main.heapsnapshot"');
      return reply.send(debug.heapSnapshot());
    case 'cmdline':
      return sendText(reply, 200, process.argv.join('\0'));
    case 'symbol':
      return sendText(reply, 200, 'num_symbols: 1\n');
    default:
      return send(reply, name, debug.empty());
  }
}

function send(reply: FastifyReply, name: string, bytes: Uint8Array | null): FastifyReply {
  if (bytes === null) return sendPlainError(reply, 500, 'a profile is being taken already');
  reply.header('content-type', PROFILE_TYPE);
  reply.header('content-disposition', `attachment; filename="${name}"`);
  return reply.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
