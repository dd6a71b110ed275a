/**
 * Cross-origin access. The allowed origin is echoed, never `*`, because requests may carry
 * credentials. Source: Prometheus flag `--web.cors.origin`; headers as observed on 3.14.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { compileRegex, type CompiledRegex } from '../model/index.ts';

export class CorsPolicy {
  readonly #origin: CompiledRegex;

  /** @throws ValueError when the expression is malformed */
  constructor(origin: string) {
    this.#origin = compileRegex(origin);
  }

  apply(request: FastifyRequest, reply: FastifyReply): void {
    const { origin } = request.headers;
    if (origin === undefined || origin === '') return;
    reply.header('access-control-allow-headers', 'Accept, Authorization, Content-Type, Origin');
    reply.header('access-control-allow-methods', 'GET, POST, OPTIONS');
    reply.header('access-control-expose-headers', 'Date');
    if (this.#origin.test(origin)) reply.header('access-control-allow-origin', origin);
  }
}
