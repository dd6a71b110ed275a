/** Puts the routes of the API into the app, with what is the same for all of them around each. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import { CorsPolicy } from './cors.ts';
import { clientSignal, counted, formOf, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { Form } from './form.ts';
import type { ReadyPort, ReportError } from './ports.ts';
import { JSON_TYPE, sendError, sendText } from './respond.ts';
import type { ApiCall, ApiRoute, RouteContext } from './route.ts';
import { sendAnswer } from './stream-answer.ts';

const API_PREFIX = '/api/v1';

export function registerApi(
  app: FastifyInstance,
  routes: readonly ApiRoute[],
  context: RouteContext,
  metrics: HttpMetrics,
  reportError: ReportError,
): void {
  const cors = new CorsPolicy(context.options.corsOrigin);
  const { clock } = context.options;
  const add = (scope: FastifyInstance, route: ApiRoute) => {
    const path = API_PREFIX + route.path;
    const handler = apiHandler(route, context, cors, reportError);
    scope.route({
      method: [...route.methods],
      // A part of the path is never empty, and an escaped slash does not belong to it.
      url: path.replace(/:(\w+)/g, ':$1(^[^/]+$)'),
      handler: counted(handler, metrics.handler(path), clock),
      ...('takesBytes' in route && route.takesBytes === true ? { config: TAKES_BYTES } : {}),
    });
  };
  const isStreaming = (route: ApiRoute) => 'streamsBody' in route && route.streamsBody === true;
  for (const route of routes) if (!isStreaming(route)) add(app, route);
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => done(null, body));
    for (const route of routes) if (isStreaming(route)) add(scope, route);
  });
  // Browsers ask before they send. Any path will do, known or not.
  const preflight: Handler = (request, reply) => {
    cors.apply(request, reply);
    return reply.code(204).header('vary', 'Accept-Encoding, Origin').send();
  };
  const handler = counted(preflight, metrics.handler(`${API_PREFIX}/*path`), clock);
  app.options(`${API_PREFIX}/*`, handler);
}

/** Marks routes whose body is not to be decoded; see the parsers of the app. */
export const TAKES_BYTES = { takesBytes: true } as const;

function apiHandler(
  route: ApiRoute,
  context: RouteContext,
  cors: CorsPolicy,
  reportError: ReportError,
): Handler {
  const { ports, options } = context;
  const unavailable = options.agentMode && route.inAgentMode !== true;
  return async (request, reply) => {
    const isAnswered =
      route.beforeReady === true ||
      (route.fromBlocks === true &&
        ports.ready.readiness() === 'starting' &&
        ports.ready.servesBlocks());
    if (!isAnswered && isRefusedUntilReady(ports.ready, reply)) return reply;
    cors.apply(request, reply);
    reply.header('vary', 'Accept-Encoding, Origin');
    try {
      if (unavailable) throw new ApiError('execution', 'unavailable with Prometheus Agent');
      const call = new Call(request, reply);
      if ('answer' in route) return await route.answer(call, context);
      const body = await route.handle(call, context);
      if (body === null) return reply.code(204).send();
      return await sendAnswer(request, reply, JSON_TYPE, body, reportError);
    } catch (error) {
      return sendError(reply, error, reportError);
    }
  };
}

/** Answers 503 and returns true while the server cannot be asked anything. */
export function isRefusedUntilReady(ready: ReadyPort, reply: FastifyReply): boolean {
  const readiness = ready.readiness();
  if (readiness === 'ready') return false;
  reply.header('x-prometheus-stopping', String(readiness === 'stopping'));
  sendText(reply, 503, 'Service Unavailable');
  return true;
}

/** Makes form and signal when they are asked for: many routes need neither. */
class Call implements ApiCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  #form: Form | undefined;
  #signal: AbortSignal | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.request = request;
    this.reply = reply;
  }

  get form(): Form {
    return (this.#form ??= formOf(this.request));
  }

  get signal(): AbortSignal {
    return (this.#signal ??= clientSignal(this.reply.raw));
  }
}
