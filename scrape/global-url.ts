/**
 * A target's URL as somebody on another machine must write it: a loopback host becomes that of the
 * external URL, with its port where the target is this server itself.
 */
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * @param externalHost  host, with port if it has one; empty leaves URLs as they are
 * @param listenPort    the port that this server listens on
 */
export function globalUrlOf(url: string, externalHost: string, listenPort: string): string {
  const match = /^([^/]*\/\/)(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?(.*)$/s.exec(url);
  if (externalHost === '' || match === null) return url;
  const [, scheme, host, port, rest] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  if (!LOOPBACK.has(host)) return url;
  if (port !== undefined && port === listenPort) return `${scheme}${externalHost}${rest}`;
  const hostOnly = externalHost.replace(/:\d+$/, '');
  return `${scheme}${hostOnly}${port === undefined ? '' : `:${port}`}${rest}`;
}
