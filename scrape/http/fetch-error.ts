/**
 * What can go wrong between asking and having the answer, in the words that users of Prometheus
 * know (those of Go's network library), each with a hint at what to do.
 */
import { NarthexError, quoteText } from '../../model/index.ts';
import { BadResponse } from './response-parser.ts';

export type FetchErrorKind =
  | 'address'
  | 'lookup'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'tls'
  | 'protocol'
  | 'redirects'
  | 'encoding'
  | 'too-large'
  | 'secret'
  | 'canceled'
  | 'other';

export class FetchError extends NarthexError {
  readonly code = 'FETCH';
  readonly kind: FetchErrorKind;

  constructor(what: string, kind: FetchErrorKind, options?: ErrorOptions) {
    super(what, options);
    this.kind = kind;
  }
}

/** `Get "http://…": what`: the exchange failed before there was an answer. */
export function requestError(
  method: string,
  url: string,
  what: string,
  kind: FetchErrorKind,
  cause?: unknown,
): FetchError {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new FetchError(`${verb} ${quoteText(url)}: ${what}`, kind, { cause });
}

export const DEADLINE_EXCEEDED = 'context deadline exceeded';

type SystemError = {
  readonly code?: string;
  readonly message?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
};

/** Puts an error of Node or undici into words. `inBody`: the answer had begun already. */
export function describeFailure(
  thrown: unknown,
  inBody: boolean,
): { what: string; kind: FetchErrorKind } {
  if (thrown instanceof BadResponse) return { what: thrown.message, kind: 'protocol' };
  const error = (thrown ?? {}) as SystemError;
  const first = error.errors?.[0];
  if (first !== undefined) return describeFailure(first, inBody);
  const { code = '', message = '' } = error;
  const peer = error.address === undefined ? '' : ` ${hostPort(error.address, error.port)}`;
  const known = CONNECT_FAILURES.get(code);
  const { address = '' } = error;
  if (address.includes('/') && (known !== undefined || SOCKET_FILE_FAILURES.has(code))) {
    const { what, kind } = known ?? { what: SOCKET_FILE_FAILURES.get(code)!, kind: 'refused' };
    return { what: `dial unix ${address}: ${what}`, kind };
  }
  if (known !== undefined) return { what: `dial tcp${peer}: ${known.what}`, kind: known.kind };
  if (code === 'ENOTFOUND') return lookupFailure(error, 'no such host');
  if (code === 'EAI_AGAIN') return lookupFailure(error, 'Temporary failure in name resolution');
  if (code === 'ECONNRESET' && !/other side closed|socket hang up/.test(message)) {
    return { what: 'read: connection reset by peer', kind: 'closed' };
  }
  if (code === 'EPIPE') return { what: 'write: broken pipe', kind: 'closed' };
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') {
    const cause = error.cause as SystemError | undefined;
    if (cause?.code === 'ECONNRESET') return describeFailure(cause, inBody);
    return { what: inBody ? 'unexpected EOF' : 'EOF', kind: 'closed' };
  }
  if (code.startsWith('HPE_') || message.startsWith(NOT_HTTP)) {
    return describeBadHttp(`${code} ${message}`, inBody);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { what: 'net/http: server response headers exceeded the limit', kind: 'protocol' };
  }
  return describeTls(code, message) ?? { what: message || 'unknown error', kind: 'other' };
}

const CONNECT_FAILURES: ReadonlyMap<string, { what: string; kind: FetchErrorKind }> = new Map([
  ['ECONNREFUSED', { what: 'connect: connection refused', kind: 'refused' }],
  ['EHOSTUNREACH', { what: 'connect: no route to host', kind: 'unreachable' }],
  ['ENETUNREACH', { what: 'connect: network is unreachable', kind: 'unreachable' }],
  ['EADDRNOTAVAIL', { what: 'connect: cannot assign requested address', kind: 'unreachable' }],
  ['ETIMEDOUT', { what: 'i/o timeout', kind: 'timeout' }],
  ['UND_ERR_CONNECT_TIMEOUT', { what: 'i/o timeout', kind: 'timeout' }],
]);

/** Of the file that a unix socket is. */
const SOCKET_FILE_FAILURES: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'connect: permission denied'],
  ['ENOENT', 'connect: no such file or directory'],
]);

function lookupFailure(error: SystemError, what: string): { what: string; kind: FetchErrorKind } {
  return { what: `dial tcp: lookup ${error.hostname ?? ''}: ${what}`, kind: 'lookup' };
}

/** How undici's messages about broken answers begin. */
const NOT_HTTP = 'Response does not match the HTTP/1.1 protocol';

function describeBadHttp(about: string, inBody: boolean): { what: string; kind: FetchErrorKind } {
  if (inBody && /chunk.size/i.test(about)) {
    return { what: 'invalid byte in chunk length', kind: 'protocol' };
  }
  if (inBody || /EOF/i.test(about)) return { what: 'unexpected EOF', kind: 'closed' };
  const what = 'net/http: HTTP/1.x transport connection broken: malformed HTTP response';
  return { what, kind: 'protocol' };
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function describeTls(code: string, message: string): { what: string; kind: FetchErrorKind } | null {
  const unverified = (why: string) =>
    ({ what: `tls: failed to verify certificate: x509: ${why}`, kind: 'tls' }) as const;
  if (UNKNOWN_AUTHORITY.has(code)) return unverified('certificate signed by unknown authority');
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return unverified('certificate has expired or is not yet valid');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const host = /Host: ([^ ]+?)\. /.exec(message)?.[1] ?? '';
    const names = message.split('altnames: ').at(-1) ?? '';
    const valid = names.replace(/(?:DNS|IP Address):/g, '');
    return unverified(`certificate is valid for ${valid}, not ${host}`);
  }
  if (/wrong version number|packet length too long|http request/i.test(message)) {
    return { what: 'http: server gave HTTP response to HTTPS client', kind: 'tls' };
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO') {
    const alert = /alert ([a-z ]+)/i.exec(message)?.[1] ?? message;
    return { what: `remote error: tls: ${alert.trim()}`, kind: 'tls' };
  }
  return null;
}

function hostPort(host: string, port: number | undefined): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}
