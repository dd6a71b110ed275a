/**
 * An S3 store in memory that believes nobody: each request must be signed, for what was really sent.
 * Written from the side of the server, from AWS's documentation of Signature Version 4.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type FakeS3 = {
  /** `host:port` */
  readonly endpoint: string;
  /** Key, with the bucket in front, to content. */
  readonly objects: Map<string, Buffer>;
  /** Method and path of every request, in order. */
  readonly requests: string[];
  /** Of the last request. */
  readonly lastHeaders: IncomingHttpHeaders;
  /** Answers so many requests with this status before going on. */
  failNext(count: number, status: number): void;
  /** Uploads in parts that were begun and not ended. */
  readonly openUploads: Map<string, Map<number, Buffer>>;
  close(): Promise<void>;
};

export type FakeS3Account = {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
};

export async function startFakeS3(account: FakeS3Account): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const openUploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];
  let lastHeaders: IncomingHttpHeaders = {};
  const failing = { count: 0, status: 500 };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = '', url = '' } = request;
    requests.push(`${method} ${url}`);
    lastHeaders = request.headers;
    const send = (status: number, text = '', headers: Record<string, string> = {}) =>
      response.writeHead(status, headers).end(text);
    const refuse = (status: number, code: string) =>
      send(status, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
    if (failing.count > 0) {
      failing.count--;
      return void refuse(failing.status, 'Broken');
    }
    const problem = verify(request, body, account);
    if (problem !== null) return void refuse(403, problem);

    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const key = decodeURIComponent(pathname.slice(1));
    const uploadId = searchParams.get('uploadId');
    if (method === 'GET') {
      const found = objects.get(key);
      return void (found === undefined ? refuse(404, 'NoSuchKey') : response.end(found));
    }
    if (method === 'POST' && searchParams.has('uploads')) {
      const id = `upload&${openUploads.size}`;
      openUploads.set(id, new Map());
      return void send(200, `<R><UploadId>${id.replace('&', '&amp;')}</UploadId></R>`);
    }
    if (uploadId !== null) {
      const parts = openUploads.get(uploadId);
      if (parts === undefined) return void refuse(404, 'NoSuchUpload');
      if (method === 'DELETE') {
        openUploads.delete(uploadId);
        return void send(204);
      }
      if (method === 'PUT') {
        parts.set(Number(searchParams.get('partNumber')), body);
        return void send(200, '', { etag: `"${hash('md5', body)}"` });
      }
      const listed = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)</g)];
      const content = listed.map(([, number, tag]) => {
        const part = parts.get(Number(number))!;
        if (tag !== `&quot;${hash('md5', part)}&quot;`) throw new Error('wrong ETag');
        return part;
      });
      objects.set(key, Buffer.concat(content));
      openUploads.delete(uploadId);
      return void send(200, '<R/>');
    }
    if (method !== 'PUT') return void refuse(405, 'MethodNotAllowed');
    objects.set(key, body);
    send(200);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    get lastHeaders() {
      return lastHeaders;
    },
    openUploads,
    failNext: (count, status) => Object.assign(failing, { count, status }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const hash = (algorithm: string, data: Buffer | string) =>
  createHash(algorithm).update(data).digest('hex');

/** Null when the request is signed as it should be, otherwise the code of the error. */
function verify(request: IncomingMessage, body: Buffer, account: FakeS3Account): string | null {
  const { headers, method = '', url = '' } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) return 'AccessDenied';
  const [, accessKey, day, region, names, signature] = match;
  if (accessKey !== account.accessKey) return 'InvalidAccessKeyId';
  if (region !== account.region) return 'AuthorizationHeaderMalformed';
  const signed = names!.split(';');
  const bodyHash = headers['x-amz-content-sha256'];
  const date = headers['x-amz-date'];
  if (typeof date !== 'string' || !date.startsWith(day!)) return 'AccessDenied';
  for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date']) {
    if (!signed.includes(name)) return 'AccessDenied';
  }
  if (bodyHash !== hash('sha256', body)) return 'XAmzContentSHA256Mismatch';
  const [path, query = ''] = url.split('?');
  const canonical = [
    method,
    path,
    query.split('&').sort().join('&'),
    ...signed.map((name) => `${name}:${String(headers[name])}`),
    '',
    signed.join(';'),
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash('sha256', canonical)].join('\n');
  const derive = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const parts = [day, region, 's3', 'aws4_request'] as string[];
  const key = parts.reduce<string | Buffer>(derive, `AWS4${account.secretKey}`);
  const expected = derive(key, toSign);
  const isRight = timingSafeEqual(expected, Buffer.from(signature!, 'hex'));
  return isRight ? null : 'SignatureDoesNotMatch';
}
