/** URLs of targets, escaped as Prometheus escapes them: people compare and copy them. */

/** A path with every byte escaped that is neither unreserved nor one of `$&+,/:;=@`. */
export function escapePath(path: string): string {
  return encodeURI(path).replace(/[!'()*?#[\]]/g, escapeAscii);
}

/** A query parameter's name or value: a blank becomes `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, escapeAscii)
    .replaceAll('%20', '+');
}

/** `a=1&a=2&b=3`, by name. */
export function encodeQuery(params: ReadonlyMap<string, readonly string[]>): string {
  const parts: string[] = [];
  for (const name of [...params.keys()].sort()) {
    for (const value of params.get(name)!) parts.push(`${escapeQuery(name)}=${escapeQuery(value)}`);
  }
  return parts.join('&');
}

/** `address` (host and port) with what a URL cannot hold escaped. */
export function escapeHost(address: string): string {
  return address.replace(/[^!$&'()*+,;=:[\]<>"\-._~0-9A-Za-z]/gu, (char) =>
    encodeURIComponent(char),
  );
}

function escapeAscii(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
