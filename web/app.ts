/** The HTTP side of the server, complete but not listening (see `listen.ts`). */
import type { ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf } from '../model/index.ts';
import { API_ROUTES } from './api/index.ts';
import { registerConsoles } from './consoles.ts';
import { registerDebug } from './debug.ts';
import { Form } from './form.ts';
import { HttpMetrics } from './http-metrics.ts';
import { registerManagement } from './management.ts';
import type { WebOptions } from './options.ts';
import { registerPages } from './pages.ts';
import type { Ports, ReportError } from './ports.ts';
import { registerPush } from './push.ts';
import { registerApi } from './register-api.ts';
import { traceRequests } from './request-spans.ts';
import { sendPlainError } from './respond.ts';
import { enforceSecurity } from './security/index.ts';
import {
  answerUndecodable,
  answerUnknown,
  KNOWN_PATHS,
  KnownPaths,
  redirect,
} from './unknown-path.ts';

const PATH_PART_LENGTH_MAX = 16 * 1024;
const FORM_TYPE = 'application/x-www-form-urlencoded';

export function buildApp(ports: Ports, options: WebOptions): FastifyInstance {
  const known = new KnownPaths();
  const app = fastify({
    // Route prefixes and forms are ours; fastify's own logging would cost more than most answers.
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: options.formSizeBytesMax,
    routerOptions: {
      maxParamLength: PATH_PART_LENGTH_MAX,
      // Fastify wants an object; ours knows repeated parameters.
      querystringParser: (text) => Form.parse(text) as unknown as Record<string, unknown>,
    },
    return503OnClosing: false,
    frameworkErrors: (_error, request, reply) => answerUndecodable(request, reply, known),
  });
  if (options.tracer !== undefined) traceRequests(app, options.tracer);
  if (options.security !== undefined) enforceSecurity(app, options.security, options.clock);
  addBodyParsers(app, options);

  app.decorate(KNOWN_PATHS, known);
  app.addHook('onRoute', ({ url, method }) => {
    known.add(url, Array.isArray(method) ? method : [method]);
  });

  const reportError: ReportError = (level, message, error) =>
    options.logger[level](message, { component: 'web', err: error });
  const metrics = new HttpMetrics(options.registry);
  const context = { ports, options, endlessAnswers: new Set<ServerResponse>() };
  app.addHook('preClose', async () => {
    for (const answer of context.endlessAnswers) answer.end();
  });
  const { routePrefix } = options;
  app.register(
    async (scope) => {
      registerApi(scope, API_ROUTES, context, metrics, reportError);
      registerManagement(scope, context, metrics, reportError);
      registerPush(scope, context, metrics, reportError);
      registerDebug(scope, context, metrics);
      registerConsoles(scope, context, metrics);
      registerPages(scope, options, metrics);
    },
    { prefix: routePrefix },
  );
  if (routePrefix !== '') {
    app.get('/', (_, reply) => redirect(reply, 302, routePrefix));
  }

  app.setNotFoundHandler((request, reply) => answerUnknown(request, reply, known));
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, reportError));
  return app;
}

/**
 * Forms become {@link Form}s; routes marked with `takesBytes` get their bytes; what else a client
 * sends along is read and dropped.
 */
function addBodyParsers(app: FastifyInstance, options: WebOptions): void {
  app.removeAllContentTypeParsers();
  app.addHook('onRoute', (route) => {
    if (takesBytes(route.config)) route.bodyLimit = options.writeSizeBytesMax;
  });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (takesBytes(request.routeOptions.config)) return done(null, body);
    const type = request.headers['content-type'] ?? '';
    const isForm = type.split(';')[0]!.trim().toLowerCase() === FORM_TYPE;
    done(null, isForm ? Form.parse(body.toString()) : undefined);
  });
}

function takesBytes(config: unknown): boolean {
  return (config as { takesBytes?: boolean } | undefined)?.takesBytes === true;
}

/** What happens before a handler is reached: bodies that are too large or break off. */
function answerFailure(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
  reportError: ReportError,
): FastifyReply {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return sendPlainError(reply, statusCode, messageOf(error));
  }
  reportError('error', 'error while answering a request', error);
  return sendPlainError(reply, 500, messageOf(error));
}
