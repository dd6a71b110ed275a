/** `--web.listen-address`, `--web.external-url`, `--web.route-prefix`. */
import { hostname } from 'node:os';
import { ValueError } from '../model/index.ts';

export type ListenAddress = { readonly host: string; readonly port: number; readonly text: string };

/**
 * `host:port`, `[v6]:port`, `:port` (all interfaces).
 * @throws ValueError
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+|[a-z]+)$/.exec(text);
  if (match === null) {
    const problem = /^[^:]*:[^:]*:/.test(text)
      ? 'too many colons in address'
      : 'missing port in address';
    throw new ValueError(`address ${text}: ${problem}`);
  }
  const port = Number(match[3]);
  if (!(port >= 0 && port <= 65_535)) throw new ValueError(`address ${text}: invalid port`);
  return { host: match[1] ?? match[2]!, port, text };
}

export type WebLocation = {
  /** With a path that ends in a slash only when it is nothing but that. */
  readonly externalUrl: URL;
  /** Empty for the root, otherwise `/a/b`. */
  readonly routePrefix: string;
};

/**
 * @param external     as given, perhaps empty
 * @param routePrefix  as given, undefined for the path of the external URL
 * @throws ValueError in Prometheus's words
 */
export function locateWeb(
  external: string,
  routePrefix: string | undefined,
  listenAddresses: readonly string[],
): WebLocation {
  const externalUrl = parseExternalUrl(external, listenAddresses);
  const prefix = routePrefix ?? externalUrl.pathname;
  const trimmed = prefix.replaceAll(/^\/+|\/+$/g, '');
  return { externalUrl, routePrefix: trimmed === '' ? '' : `/${trimmed}` };
}

function parseExternalUrl(external: string, listenAddresses: readonly string[]): URL {
  const fail = (what: string): never => {
    throw new ValueError(`parse external URL ${JSON.stringify(external)}: ${what}`);
  };
  if (external === '') {
    try {
      const { port } = parseListenAddress(listenAddresses[0]!);
      return new URL(`http://${hostname()}:${port}/`);
    } catch (error) {
      if (error instanceof ValueError) return fail(error.message);
      throw error;
    }
  }
  if (/^["']|["']$/.test(external)) fail('URL must not begin or end with quotes');
  if (external.startsWith(':')) fail(`parse ${JSON.stringify(external)}: missing protocol scheme`);
  if (!URL.canParse(external)) fail('not a URL');
  const url = new URL(external);
  // "/prom/" and "/prom" mean the same place.
  url.pathname = `/${url.pathname.replaceAll(/^\/+|\/+$/g, '')}`;
  return url;
}
