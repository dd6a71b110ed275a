/** What the fakes of Amazon's services share: keys, signatures, answers in XML. */
import { createHash, createHmac } from 'node:crypto';
import type { FakeAnswer, FakeRequest } from './fake.ts';

export const KEYS =
  'region: eu-west-1, access_key: AKIATEST, secret_key: secret, refresh_interval: 1s';

const SECRET_KEY = 'secret';
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/(\w+)\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=(\w+)$/;

/** By these keys, for this service; the signature is made anew from what has arrived. */
export function isSigned(request: FakeRequest, service: string): boolean {
  const { headers } = request;
  const match = AUTHORIZATION.exec(headers['authorization'] ?? '');
  if (match === null) return false;
  const [, key, day = '', region = '', signedService, names = '', signature] = match;
  if (key !== 'AKIATEST' || region !== 'eu-west-1' || signedService !== service) return false;
  const canonical = [
    request.method,
    request.url.split('?')[0]!.replaceAll('%', '%25').replaceAll(':', '%3A'),
    new URLSearchParams([...request.query].sort(([a], [b]) => (a < b ? -1 : 1))).toString(),
    ...names.split(';').map((name) => `${name}:${headers[name] ?? ''}`),
    '',
    names,
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = `AWS4-HMAC-SHA256\n${headers['x-amz-date']}\n${scope}\n${hash}`;
  const hmac = (by: string | Buffer, what: string) =>
    createHmac('sha256', by).update(what).digest();
  const secret = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${SECRET_KEY}`,
  );
  return hmac(secret, text).toString('hex') === signature;
}

export function xml(text: string): FakeAnswer {
  return { headers: { 'Content-Type': 'text/xml' }, text };
}

type Value = string | number | boolean | Elements | readonly Value[];
export type Elements = { readonly [name: string]: Value };

/** Elements by name; a list repeats the element. */
export function toXml(elements: Elements): string {
  const element = (name: string, value: Value): string => {
    if (isList(value)) return value.map((one) => element(name, one)).join('');
    const inner = typeof value === 'object' ? toXml(value) : String(value);
    return `<${name}>${inner}</${name}>`;
  };
  return Object.entries(elements)
    .map(([name, value]) => element(name, value))
    .join('\n');
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
