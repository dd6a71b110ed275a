/** What every handler has around it: figures, the caller's signal, and an answer to any failure. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { carry, type Clock, spanOf } from '../model/index.ts';
import { Form } from './form.ts';
import type { HandlerMetrics } from './http-metrics.ts';
import { streamedSizeBytes } from './stream-answer.ts';

export type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply> | FastifyReply;

/** Counts the answers of `handler`; the time ends when the answer is handed to the network. */
export function counted(handler: Handler, metrics: HandlerMetrics, clock: Clock): Handler {
  return async (request, reply) => {
    const startMs = clock.monotonicMs();
    await handler(request, reply);
    const observe = () => {
      const seconds = (clock.monotonicMs() - startMs) / 1000;
      const length = reply.getHeader('content-length');
      const sizeBytes = length === undefined ? streamedSizeBytes(reply.raw) : Number(length);
      metrics.observe(reply.raw.statusCode, seconds, sizeBytes);
    };
    // Some streams go on after the handler has returned.
    if (reply.raw.writableEnded || reply.raw.destroyed) observe();
    else reply.raw.once('close', observe);
    return reply;
  };
}

/** Fires when the client goes away before it has its whole answer. */
export function clientSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const span = spanOf(response);
  return span === null ? controller.signal : carry(controller.signal, span);
}

/** Parameters of the form body, then those of the URL. */
export function formOf(request: FastifyRequest): Form {
  const query = request.query as Form;
  return request.body instanceof Form ? request.body.with(query) : query;
}
