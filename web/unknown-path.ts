/**
 * What is asked for under no known address: a wrong method, a slip of the pen in the path, or
 * nothing. Source: as observed on Prometheus 3.14 (the router it uses redirects near misses).
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.ts';
import { errorJson, JSON_TYPE, sendPlainError, sendText } from './respond.ts';

/** Under which an app keeps its {@link KnownPaths}. */
export const KNOWN_PATHS = Symbol('known paths');

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

/** With the small page that Go's servers send along to who only reads. */
export function redirect(reply: FastifyReply, code: number, location: string): FastifyReply {
  const words = { 301: 'Moved Permanently', 302: 'Found', 307: 'Temporary Redirect' }[code] ?? '';
  const shown = location.replace(/&/g, '&amp;').replace(/"/g, '&#34;').replace(/</g, '&lt;');
  reply.code(code).header('location', location);
  if (reply.request.method !== 'GET') return reply.send();
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .send(`<a href="${shown}">${words}</a>.\n\n`);
}

/**
 * Escapes that the router cannot decode. Malformed ones are no address at all; others are bytes that
 * are no text, which names nothing that we have, but may stand where a label's name belongs.
 */
export function answerUndecodable(
  request: FastifyRequest,
  reply: FastifyReply,
  known: KnownPaths,
): FastifyReply {
  const [path] = splitUrl(request.url);
  if (/%(?![0-9a-fA-F]{2})/.test(path)) {
    return sendText(reply.header('connection', 'close'), 400, '400 Bad Request');
  }
  const methods = known.methods(path);
  if (methods.length > 0 && !methods.includes(request.method)) {
    return answerUnknown(request, reply, known);
  }
  const label = /\/api\/v1\/label\/([^/]+)\/values$/.exec(path)?.[1];
  if (label === undefined) return sendPlainError(reply, 404, '404 page not found');
  const error = new ApiError('bad_data', `invalid label name: ${quoteBytes(label)}`);
  return reply
    .code(error.statusCode)
    .type(JSON_TYPE)
    .send(Buffer.from(errorJson(error)));
}

/** One escaped character in UTF-8, or one escaped byte. */
const ESCAPED =
  /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}|%[\da-f]{2}/gi;

/** Between quotes; bytes that are no text as `\xff`. */
function quoteBytes(escaped: string): string {
  const shown = escaped.replace(ESCAPED, (found) => {
    try {
      return JSON.stringify(decodeURIComponent(found)).slice(1, -1);
    } catch {
      return found.toLowerCase().replaceAll('%', '\\x');
    }
  });
  return `"${shown}"`;
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
