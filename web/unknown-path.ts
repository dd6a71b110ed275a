/**
 * What is asked for under no known address: a wrong method, a slip of the pen in the path, or
 * nothing. Source: as observed on Prometheus 3.14 (the router it uses redirects near misses).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendPlainError } from './respond.ts';

/** Registered addresses with the methods they take. */
export class KnownPaths {
  readonly #exact = new Map<string, Set<string>>();
  readonly #patterns: { readonly regex: RegExp; readonly methods: Set<string> }[] = [];

  /** `path` in fastify's syntax: `:name` or `:name(regex)` is one part, `*` the rest. */
  add(path: string, methods: readonly string[]): void {
    // OPTIONS is answered for any path below the API; that does not make the path known.
    const others = methods.filter((method) => method !== 'OPTIONS');
    if (others.length === 0) return;
    const known = this.#methodsOf(path);
    for (const method of others) known.add(method);
  }

  #methodsOf(path: string): Set<string> {
    let methods = this.#exact.get(path);
    if (methods === undefined) {
      methods = new Set();
      this.#exact.set(path, methods);
      if (/[:*]/.test(path)) {
        const source = path
          .replace(/:\w+(?:\(\S*?\$\))?/g, ':')
          .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
          .replace(/:/g, '(?:(?!%2[fF])[^/])+')
          .replace(/\*/g, '.*');
        this.#patterns.push({ regex: new RegExp(`^${source}$`), methods });
      }
    }
    return methods;
  }

  /** Sorted; empty for an unknown path. OPTIONS is answered everywhere. */
  methods(path: string): string[] {
    const found =
      this.#exact.get(path) ?? this.#patterns.find(({ regex }) => regex.test(path))?.methods;
    if (found === undefined) return [];
    return [...new Set([...found, 'OPTIONS'])].sort();
  }
}

export function answerUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  known: KnownPaths,
): FastifyReply {
  const [path, query] = splitUrl(request.url);
  const methods = known.methods(path);
  if (methods.length > 0) {
    reply.header('allow', methods.join(', '));
    if (request.method === 'OPTIONS') return reply.code(200).send();
    return sendPlainError(reply, 405, 'Method Not Allowed');
  }
  const target = nearMiss(path, request.method, known);
  if (target !== null) {
    const location = query === undefined ? target.path : `${target.path}?${query}`;
    return redirect(reply, request.method === 'GET' ? target.code : 307, location);
  }
  return sendPlainError(reply, 404, '404 page not found');
}

/** With the small page that Go's servers send along. */
export function redirect(reply: FastifyReply, code: number, location: string): FastifyReply {
  const words = { 301: 'Moved Permanently', 302: 'Found', 307: 'Temporary Redirect' }[code] ?? '';
  const shown = location.replace(/&/g, '&amp;').replace(/"/g, '&#34;').replace(/</g, '&lt;');
  reply.code(code).header('location', location);
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .send(`<a href="${shown}">${words}</a>.\n\n`);
}

function splitUrl(url: string): [path: string, query: string | undefined] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, undefined] : [url.slice(0, mark), url.slice(mark + 1)];
}

function nearMiss(
  path: string,
  method: string,
  known: KnownPaths,
): { readonly path: string; readonly code: number } | null {
  const cleaned = cleanPath(path);
  if (cleaned !== path) return { path: cleaned, code: 307 };
  const trimmed = path.length > 1 ? path.replace(/\/$/, '') : path;
  for (const candidate of [trimmed, trimmed.toLowerCase()]) {
    if (candidate !== path && known.methods(candidate).includes(method)) {
      return { path: candidate, code: 301 };
    }
  }
  return null;
}

/** Without empty, `.` and `..` parts. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}${path.endsWith('/') && parts.length > 0 ? '/' : ''}`;
}
