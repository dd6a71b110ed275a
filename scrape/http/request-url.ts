/** URLs of requests: what can be asked for, in the words of Go's URL parser where it cannot. */
import { quoteText } from '../../model/index.ts';
import { FetchError, requestError } from './fetch-error.ts';

const SCHEME = /^([^:/?#]*):\/\/([^/?#]*)/;

/** @throws FetchError */
export function parseUrl(method: string, url: string): URL {
  const match = SCHEME.exec(url);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  if (match !== null) checkAuthority(method, url, match[2]!);
  if (scheme !== 'http' && scheme !== 'https') {
    throw requestError(method, url, `unsupported protocol scheme ${quoteText(scheme)}`, 'address');
  }
  try {
    return new URL(url);
  } catch (error) {
    throw new FetchError(`parse ${quoteText(url)}: invalid host`, 'address', { cause: error });
  }
}

function checkAuthority(method: string, url: string, authority: string): void {
  const escape = /%(?![89a-fA-F])..?/.exec(authority)?.[0];
  if (escape !== undefined) {
    const what = `parse ${quoteText(url)}: invalid URL escape ${quoteText(escape)}`;
    throw new FetchError(what, 'address');
  }
  const port = /:([^:\]]*)$/.exec(authority)?.[1];
  if (port === undefined || port === '') return;
  if (!/^\d+$/.test(port)) {
    const what = `parse ${quoteText(url)}: invalid port ${quoteText(`:${port}`)} after host`;
    throw new FetchError(what, 'address');
  }
  if (Number(port) > 65_535) {
    throw requestError(method, url, `dial tcp: address ${port}: invalid port`, 'address');
  }
}

/** Path and query exactly as they were written, where that can be sent. */
export function pathOf(url: string, parsed: URL): string {
  const authority = SCHEME.exec(url)![0];
  const rest = url.slice(authority.length).replace(/#.*$/s, '');
  // Blanks and control characters would end the request line.
  if (/[^!-~]/.test(rest)) return parsed.pathname + parsed.search;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
