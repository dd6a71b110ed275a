/** GET /consoles/<file>: pages that users write as templates. */
import type { FastifyInstance } from 'fastify';
import { clientSignal, counted, formOf, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { isRefusedUntilReady } from './register-api.ts';
import { sendBody, sendPlainError, TEXT_TYPE } from './respond.ts';
import type { RouteContext } from './route.ts';

const HTML_TYPE = 'text/html; charset=utf-8';
/** What a page of HTML begins with. Source: WHATWG "MIME Sniffing", unambiguously HTML. */
const HTML_START =
  /^[\t\n\f\r ]*(?:<!--|<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >])/i;

export function registerConsoles(
  app: FastifyInstance,
  context: RouteContext,
  metrics: HttpMetrics,
): void {
  const { consoles, ready } = context.ports;
  if (consoles === undefined) return;
  const handler: Handler = async (request, reply) => {
    if (isRefusedUntilReady(ready, reply)) return reply;
    const { '*': file } = request.params as { '*': string };
    const form = formOf(request);
    const params = new Map(form.names().map((name) => [name, form.all(name)]));
    const { status, text } = await consoles.render({ file, params }, clientSignal(reply.raw));
    if (status !== 200) return sendPlainError(reply, status, text);
    return sendBody(request, reply, HTML_START.test(text) ? HTML_TYPE : TEXT_TYPE, text);
  };
  const { clock } = context.options;
  app.route({
    method: 'GET',
    url: '/consoles/*',
    handler: counted(handler, metrics.handler('/consoles/*filepath'), clock),
  });
}
