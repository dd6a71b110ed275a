/** How the pages ask the HTTP API: addresses with the route prefix, long queries in a body. */
import { withBase } from '../base.ts';
import { type Answer, type ApiRequest, send } from './transport.ts';

export type Params = Record<string, string | number | readonly string[] | undefined>;

/** Longer ones travel in a body: proxies cut addresses at 8 kB, some at 4. */
const QUERY_TEXT_LENGTH_MAX = 3000;

function encodeParams(params: Params): URLSearchParams {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const one of value) encoded.append(name, one);
    else encoded.append(name, String(value));
  }
  return encoded;
}

export function apiRequest(path: string, params: Params = {}): ApiRequest {
  const text = encodeParams(params).toString();
  const url = new URL(withBase(`/api/v1/${path}`), window.location.href).href;
  if (text.length > QUERY_TEXT_LENGTH_MAX) return { url, body: text };
  return { url: text === '' ? url : `${url}?${text}`, body: undefined };
}

export function apiGet<T>(path: string, params?: Params, signal?: AbortSignal): Promise<Answer<T>> {
  return send<T>(apiRequest(path, params), signal);
}
