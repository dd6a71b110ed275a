/**
 * Endpoints outside of the API: health, readiness, reload, quit, version, own metrics, federation.
 * Source: Prometheus management API, federation; texts as observed on 3.14.
 */
import type { FastifyInstance } from 'fastify';
import { type Counter, type Gauge, messageOf } from '../model/index.ts';
import { toApiError } from './api-error.ts';
import {
  contentTypeOf,
  negotiateFormat,
  writeFamiliesOpenMetrics,
  writeFamiliesProtobuf,
  writeFamiliesText,
} from './exposition/index.ts';
import { clientSignal, counted, formOf, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { ReportError } from './ports.ts';
import { isRefusedUntilReady } from './register-api.ts';
import { plainErrorOf, sendBody, sendPlainError, sendText } from './respond.ts';
import type { RouteContext } from './route.ts';
import { sendAnswer } from './stream-answer.ts';

export function registerManagement(
  app: FastifyInstance,
  context: RouteContext,
  metrics: HttpMetrics,
  reportError: ReportError,
): void {
  const { ports, options } = context;
  const add = (path: string, method: string[], handler: Handler) => {
    app.route({
      method,
      url: path,
      handler: counted(handler, metrics.handler(path), options.clock),
    });
  };

  add('/-/healthy', ['GET', 'HEAD'], (_, reply) =>
    sendText(reply, 200, 'Prometheus Server is Healthy.\n'),
  );
  add('/-/ready', ['GET', 'HEAD'], (_, reply) =>
    isRefusedUntilReady(ports.ready, reply)
      ? reply
      : sendText(reply, 200, 'Prometheus Server is Ready.\n'),
  );

  const { lifecycle } = ports;
  const changing = (handler: Handler): Handler =>
    options.enableLifecycle
      ? handler
      : (_, reply) => sendText(reply, 403, 'Lifecycle API is not enabled.');
  const wrongMethod: Handler = (_, reply) =>
    sendText(reply, 405, 'Only POST or PUT requests allowed');
  const reload: Handler = async (_, reply) => {
    try {
      await lifecycle.reload();
      return reply.code(200).send();
    } catch (error) {
      return sendPlainError(reply, 500, `failed to reload config: ${messageOf(error)}`);
    }
  };
  const quit: Handler = (_, reply) => {
    // The answer first: the shutdown would cut it off.
    reply.raw.once('close', () => lifecycle.quit());
    return sendText(reply, 200, 'Requesting termination... Goodbye!');
  };
  for (const [path, handler] of [
    ['/-/reload', reload],
    ['/-/quit', quit],
  ] as const) {
    add(path, ['POST', 'PUT'], changing(handler));
    add(path, ['GET'], wrongMethod);
  }

  add('/version', ['GET'], (_, reply) =>
    sendText(reply, 200, `${JSON.stringify(ports.status.buildInfo())}\n`),
  );
  add('/metrics', ['GET'], ownMetrics(context, reportError));
  add('/federate', ['GET'], federate(context, reportError));
}

const WRITERS = {
  text: writeFamiliesText,
  openmetrics: writeFamiliesOpenMetrics,
  protobuf: writeFamiliesProtobuf,
} as const;

/** GET /metrics; `name[]` chooses families. */
function ownMetrics({ ports, options }: RouteContext, reportError: ReportError): Handler {
  const { registry } = options;
  const inFlight: Gauge = registry.gauge(
    'promhttp_metric_handler_requests_in_flight',
    'Current number of scrapes being served.',
  );
  const requests = registry.counters(
    'promhttp_metric_handler_requests_total',
    'Total number of scrapes by HTTP status code.',
    ['code'],
  );
  for (const code of ['200', '500', '503']) requests.labels(code);
  return async (request, reply) => {
    inFlight.add(1);
    try {
      const families = await ports.ownMetrics.families(clientSignal(reply.raw));
      const names = new Set(formOf(request).all('name[]'));
      const shown = names.size === 0 ? families : families.filter(({ name }) => names.has(name));
      const format = negotiateFormat(request.headers.accept, ['text', 'openmetrics', 'protobuf']);
      const write = WRITERS[format.kind];
      requests.labels('200').increase();
      return await sendBody(request, reply, contentTypeOf(format), write(shown));
    } catch (error) {
      requests.labels('500').increase();
      reportError('error', 'error while writing own metrics', error);
      return sendPlainError(reply, 500, `error gathering metrics: ${messageOf(error)}`);
    } finally {
      inFlight.add(-1);
    }
  };
}

/** GET /federate */
function federate({ ports, options }: RouteContext, reportError: ReportError): Handler {
  const errors: Counter = options.registry.counter(
    'prometheus_web_federation_errors_total',
    'Total number of errors that occurred while sending federation responses.',
  );
  options.registry.counter(
    'prometheus_web_federation_warnings_total',
    'Total number of warnings that occurred while sending federation responses.',
  );
  const reportFailure: ReportError = (level, message, error) => {
    errors.increase();
    reportError(level, message, error);
  };
  return async (request, reply) => {
    if (isRefusedUntilReady(ports.ready, reply)) return reply;
    reply.header('vary', 'Accept-Encoding');
    if (options.agentMode) {
      return sendPlainError(reply, 500, 'unsupported operation with WAL-only storage');
    }
    const form = formOf(request);
    if (form.fault !== null) {
      return sendPlainError(reply, 400, `error parsing form values: ${form.fault}`);
    }
    const selectors = form.all('match[]');
    const format = negotiateFormat(request.headers.accept, ['text', 'protobuf']);
    try {
      const body =
        selectors.length === 0
          ? ''
          : await ports.federation.federate({ selectors, format }, clientSignal(reply.raw));
      return await sendAnswer(request, reply, contentTypeOf(format), body, reportFailure);
    } catch (error) {
      // What the client got wrong is no failure of ours.
      if (toApiError(error).errorType !== 'bad_data') {
        reportFailure('warn', 'federation failed', error);
      }
      return plainErrorOf(reply, error);
    }
  };
}
