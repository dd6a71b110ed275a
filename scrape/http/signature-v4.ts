/**
 * Requests signed with a secret key, as Amazon and those who took over its scheme want them.
 * Source: AWS documentation, "Signature Version 4 signing process".
 */
import { createHash, createHmac } from 'node:crypto';

export type Credentials = {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of temporary credentials; empty for others. */
  readonly sessionToken: string;
};

export type ToSign = {
  readonly method: string;
  readonly url: string;
  /** Sent and signed along. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly region: string;
  readonly service: string;
};

const ALGORITHM = 'AWS4-HMAC-SHA256';
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();

/** The headers to send: those given and what the signature adds. */
export function signedHeaders(
  { method, url, headers, body, region, service }: ToSign,
  { accessKey, secretKey, sessionToken }: Credentials,
  nowMs: number,
): Record<string, string> {
  const { host, pathname, searchParams } = new URL(url);
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  const all: Record<string, string> = { ...headers, 'X-Amz-Date': time };
  if (sessionToken !== '') all['X-Amz-Security-Token'] = sessionToken;

  const named = Object.entries({ ...all, Host: host })
    .map(([name, value]): [string, string] => [name.toLowerCase(), value.trim()])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = named.map(([name]) => name).join(';');
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  // As it is sent, encoded once more; only the object store wants it as it is.
  const path = service === 's3' ? pathname : pathname.split('/').map(encode).join('/');
  const canonical = [
    method,
    path,
    query,
    ...named.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(body),
  ].join('\n');

  const scope = `${date}/${region}/${service}/aws4_request`;
  let key = hmac(`AWS4${secretKey}`, date);
  for (const part of [region, service, 'aws4_request']) key = hmac(key, part);
  const text = [ALGORITHM, time, scope, sha256(canonical)].join('\n');
  const signature = hmac(key, text).toString('hex');
  const proof = `Credential=${accessKey}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...all, Authorization: `${ALGORITHM} ${proof}` };
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
