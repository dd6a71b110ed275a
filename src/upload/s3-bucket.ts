/**
 * A bucket of an S3-compatible store. Files go in parts, so that memory holds one part of them.
 * Source: Amazon S3 API reference: GetObject, PutObject, CreateMultipartUpload, UploadPart,
 * CompleteMultipartUpload, AbortMultipartUpload.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert, type Clock, messageOf, NarthexError } from '../../model/index.ts';
import {
  CloudAuthorizer,
  FetchError,
  HttpClient,
  type HttpResponse,
  signedHeaders,
  type ToSign,
} from '../../scrape/index.ts';
import type { ObjectStoreConfig } from './objstore-config.ts';

/** Of all parts but the last at least 5 MiB, and there may be 10,000 of them: 78 GiB. */
const PART_SIZE_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 120_000;
const ATTEMPT_COUNT_MAX = 4;
const BACKOFF_MS_MIN = 200;

const NO_KEYS = {
  access_key: '',
  secret_key: '',
  profile: '',
  role_arn: '',
  external_id: '',
  use_fips_sts_endpoint: false,
};

/** The store refused, or cannot be reached. */
export class BucketError extends NarthexError {
  readonly code = 'BUCKET';
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';
type Request = {
  readonly method: Method;
  readonly key: string;
  readonly query?: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
};

export class S3Bucket {
  readonly #config: ObjectStoreConfig;
  readonly #client: HttpClient;
  readonly #clock: Clock;
  /** Where credentials have to be found first. */
  readonly #authorizer: CloudAuthorizer | null;

  constructor(config: ObjectStoreConfig, options: { clock: Clock; userAgent: string }) {
    this.#config = config;
    this.#clock = options.clock;
    this.#client = new HttpClient(config.client, options);
    const { credentials, region } = config;
    this.#authorizer =
      credentials === 'found'
        ? new CloudAuthorizer(
            { kind: 'aws', service: 's3', settings: { ...NO_KEYS, region } },
            options,
          )
        : null;
  }

  get name(): string {
    return this.#config.bucket;
  }

  /** @throws BucketError */
  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    const { status } = await this.#ask({ method: 'GET', key }, signal, [200, 404]);
    return status === 200;
  }

  /** @throws BucketError */
  async put(key: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#ask(
      { method: 'PUT', key, body, headers: this.#config.objectHeaders },
      signal,
      [200],
    );
  }

  /** @throws BucketError; errors of the file as they are */
  async putFile(key: string, file: string, signal: AbortSignal): Promise<void> {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const readPart = async (at: number) => {
        const part = new Uint8Array(Math.min(PART_SIZE_BYTES, size - at));
        for (let done = 0; done < part.length; ) {
          const { bytesRead } = await handle.read(part, done, part.length - done, at + done);
          if (bytesRead === 0) throw new BucketError(`${file} has become shorter`);
          done += bytesRead;
        }
        return part;
      };
      if (size <= PART_SIZE_BYTES) await this.put(key, await readPart(0), signal);
      else await this.#putParts(key, size, readPart, signal);
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {
    await this.#authorizer?.close();
    await this.#client.close();
  }

  async #putParts(
    key: string,
    sizeBytes: number,
    readPart: (at: number) => Promise<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const create = {
      method: 'POST',
      key,
      query: 'uploads=',
      headers: this.#config.objectHeaders,
    } as const;
    const created = await this.#ask(create, signal, [200]);
    const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(textOf(created))?.[1];
    if (uploadId === undefined) throw new BucketError(`${key}: the answer names no upload`);
    const upload = `uploadId=${encodeURIComponent(unescapeXml(uploadId))}`;
    try {
      const parts: string[] = [];
      for (let at = 0; at < sizeBytes; at += PART_SIZE_BYTES) {
        const number = parts.length + 1;
        const query = `partNumber=${number}&${upload}`;
        const body = await readPart(at);
        const { headers } = await this.#ask({ method: 'PUT', key, query, body }, signal, [200]);
        const tag = escapeXml(headers['etag'] ?? '');
        parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${tag}</ETag></Part>`);
      }
      const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
      const list = `<CompleteMultipartUpload xmlns="${xmlns}">${parts.join('')}</CompleteMultipartUpload>`;
      const body = Buffer.from(list);
      const done = await this.#ask({ method: 'POST', key, query: upload, body }, signal, [200]);
      // It may turn out to have failed after the status was sent.
      if (textOf(done).includes('<Error>')) throw new BucketError(`${key}: ${reasonOf(done)}`);
    } catch (error) {
      // Parts cost money until they are given up.
      const drop = { method: 'DELETE', key, query: upload } as const;
      await this.#ask(drop, AbortSignal.timeout(TIMEOUT_MS), [204, 200]).catch(() => {});
      throw error;
    }
  }

  /** Asks again when that may help. */
  async #ask(
    request: Request,
    signal: AbortSignal,
    good: readonly number[],
  ): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      let problem: string;
      let isFinal = false;
      try {
        const response = await this.#send(request, signal);
        if (good.includes(response.status)) return response;
        problem = `server returned HTTP status ${response.status} ${reasonOf(response)}`.trim();
        isFinal = response.status < 500 && response.status !== 429;
      } catch (error) {
        if (!(error instanceof FetchError) || signal.aborted) throw error;
        problem = messageOf(error);
      }
      if (isFinal || attempt === ATTEMPT_COUNT_MAX) {
        throw new BucketError(`${request.method} ${request.key}: ${problem}`);
      }
      await sleep(BACKOFF_MS_MIN * 4 ** (attempt - 1), undefined, { signal });
    }
  }

  async #signed(
    request: Omit<ToSign, 'region' | 'service'>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    const { credentials, region } = this.#config;
    if (credentials === null) return request.headers;
    if (this.#authorizer !== null) return this.#authorizer.headers(request, signal);
    assert(credentials !== 'found', 'the authorizer has them');
    const toSign = { ...request, region, service: 's3' };
    return signedHeaders(toSign, credentials, this.#clock.nowMs());
  }

  async #send(request: Request, signal: AbortSignal): Promise<HttpResponse> {
    const { method, key, query = '', body = new Uint8Array(0) } = request;
    const { endpoint, bucket, bucketInPath, prefix } = this.#config;
    const host = bucketInPath ? endpoint.host : `${bucket}.${endpoint.host}`;
    const path = [...(bucketInPath ? [bucket] : []), ...(prefix === '' ? [] : [prefix]), key]
      .flatMap((part) => part.split('/'))
      .map(encodeURIComponent)
      .join('/');
    const url = `${endpoint.protocol}//${host}/${path}${query === '' ? '' : `?${query}`}`;
    const given = {
      ...request.headers,
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    };
    const headers = await this.#signed({ method, url, headers: given, body }, signal);
    return this.#client.request({ method, url, headers, body, timeoutMs: TIMEOUT_MS, signal });
  }
}

function textOf({ body }: HttpResponse): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/** Code and message of an error, as the store words it. */
function reasonOf(response: HttpResponse): string {
  const text = textOf(response);
  const parts = ['Code', 'Message'].map((tag) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text));
  return parts.flatMap((match) => (match === null ? [] : [unescapeXml(match[1]!)])).join(': ');
}

const ENTITIES = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' } as const;

function unescapeXml(text: string): string {
  return text.replaceAll(
    /&(?:lt|gt|quot|apos|amp);/g,
    (entity) => ENTITIES[entity as keyof typeof ENTITIES],
  );
}

function escapeXml(text: string): string {
  return text.replaceAll(
    /[<>"'&]/g,
    (char) => Object.entries(ENTITIES).find(([, plain]) => plain === char)![0],
  );
}
