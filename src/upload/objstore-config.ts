/**
 * Where finished blocks are uploaded to: a file in the form that Thanos's components share, of
 * type S3.
 * Source: Thanos documentation, "Object storage", S3. What concerns the client library there, or
 * reading, is accepted and has no effect.
 */
import { ConfigError } from '../../model/index.ts';
import type { HttpClientConfig } from '../../scrape/index.ts';
import { readConfigText } from '../config/config-text.ts';
import { ConfigDocument } from '../config/document.ts';
import { bool, choice, duration, filePath, int, secret, string } from '../config/scalar-types.ts';
import { toHttpClient } from '../config/to-scrape-config.ts';
import { NO_HTTP_SETTINGS } from '../config/http-client-shape.ts';
import { field, mapOf, object, type Place, readDocument } from '../config/type.ts';

const tls = object({
  ca_file: field(filePath, ''),
  cert_file: field(filePath, ''),
  key_file: field(filePath, ''),
  server_name: field(string, ''),
  insecure_skip_verify: field(bool, false),
});

const http = object({
  idle_conn_timeout: field(duration, 0),
  response_header_timeout: field(duration, 0),
  insecure_skip_verify: field(bool, false),
  tls_handshake_timeout: field(duration, 0),
  expect_continue_timeout: field(duration, 0),
  max_idle_conns: field(int, 0),
  max_idle_conns_per_host: field(int, 0),
  max_conns_per_host: field(int, 0),
  tls_config: field(tls, tls.initial()),
  disable_compression: field(bool, false),
});

const sse = object(
  {
    type: field(choice(['', 'SSE-S3', 'SSE-KMS']), '' as const),
    kms_key_id: field(string, ''),
    kms_encryption_context: field(mapOf(string), {}),
  },
  ({ type, kms_key_id: id }, place) => {
    if (type === 'SSE-KMS' && id === '') place.fail('kms_key_id must be set if type is SSE-KMS');
  },
);

const s3 = object(
  {
    bucket: field(string, ''),
    endpoint: field(string, ''),
    region: field(string, ''),
    aws_sdk_auth: field(bool, false),
    access_key: field(string, ''),
    insecure: field(bool, false),
    signature_version2: field(bool, false),
    secret_key: field(secret, ''),
    session_token: field(secret, ''),
    put_user_metadata: field(mapOf(string), {}),
    sse_config: field(sse, sse.initial()),
    http_config: field(http, http.initial()),
    trace: field(object({ enable: field(bool, false) }), { enable: false }),
    list_objects_version: field(string, ''),
    bucket_lookup_type: field(choice(['', 'auto', 'virtual-hosted', 'path']), '' as const),
    send_content_md5: field(bool, false),
    disable_multipart: field(bool, false),
    part_size: field(int, 0),
    max_retries: field(int, 0),
    sts_endpoint: field(string, ''),
  },
  (value, place) => {
    if (value.endpoint === '') place.fail('no s3 endpoint in config file');
    if (value.signature_version2) place.fail('is not supported', 'signature_version2');
    if (value.aws_sdk_auth && value.access_key !== '') {
      place.fail('aws_sdk_auth and access_key exclude each other');
    }
    if ((value.access_key === '') !== (value.secret_key === '')) {
      place.fail('access_key and secret_key belong together');
    }
  },
);

const file = object(
  {
    type: field(string, ''),
    config: field(s3, s3.initial()),
    prefix: field(string, ''),
  },
  ({ type, config }, place: Place) => {
    if (type.toUpperCase() !== 'S3') {
      place.fail(`is ${JSON.stringify(type)}, but only S3 is supported`, 'type');
    }
    if (config.bucket === '') place.fail('no s3 bucket in config file');
  },
);

export type ObjectStoreConfig = {
  readonly bucket: string;
  /** Before every key; neither begins nor ends with a slash. */
  readonly prefix: string;
  readonly endpoint: URL;
  readonly region: string;
  /** Is the bucket a part of the path, or of the host's name? */
  readonly bucketInPath: boolean;
  /** Null: nothing is signed. `found`: those of the environment, a profile or the machine's role. */
  readonly credentials:
    | {
        readonly accessKey: string;
        readonly secretKey: string;
        readonly sessionToken: string;
      }
    | 'found'
    | null;
  /** Headers of every object that is made: metadata, and how the store is to encrypt it. */
  readonly objectHeaders: Readonly<Record<string, string>>;
  readonly client: HttpClientConfig;
};

/** @throws ConfigError naming file, line and column */
export function readObjectStoreConfig(path: string): ObjectStoreConfig {
  const document = new ConfigDocument(readConfigText(path), path);
  const value = readDocument(file, document, () => {
    throw new ConfigError('is empty', path);
  });
  const { bucket, endpoint, region, insecure, access_key, secret_key, ...more } = value.config;
  const url = `${insecure ? 'http' : 'https'}://${endpoint}`;
  if (!URL.canParse(url)) throw new ConfigError(`endpoint ${endpoint}: no host`, path);
  const host = new URL(url);
  const lookup = more.bucket_lookup_type;
  const isAmazon = host.hostname.endsWith('amazonaws.com') && !bucket.includes('.');
  const { tls_config, insecure_skip_verify } = more.http_config;
  return {
    bucket,
    prefix: value.prefix.replaceAll(/^\/+|\/+$/g, ''),
    endpoint: host,
    region: region === '' ? 'us-east-1' : region,
    bucketInPath: lookup === 'path' || (lookup !== 'virtual-hosted' && !isAmazon),
    credentials: more.aws_sdk_auth
      ? 'found'
      : access_key === ''
        ? null
        : { accessKey: access_key, secretKey: secret_key, sessionToken: more.session_token },
    objectHeaders: objectHeaders(more),
    client: toHttpClient({
      ...NO_HTTP_SETTINGS,
      tls_config: {
        ...NO_HTTP_SETTINGS.tls_config,
        ...tls_config,
        insecure_skip_verify: insecure_skip_verify || tls_config.insecure_skip_verify,
      },
    }),
  };
}

/** Source: Amazon S3 API reference, PutObject. */
function objectHeaders({
  put_user_metadata: metadata,
  sse_config: { type, kms_key_id: keyId, kms_encryption_context: context },
}: {
  readonly put_user_metadata: Readonly<Record<string, string>>;
  readonly sse_config: ReturnType<typeof sse.initial>;
}): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) headers[`X-Amz-Meta-${name}`] = value;
  const encryption = 'x-amz-server-side-encryption';
  if (type === 'SSE-S3') headers[encryption] = 'AES256';
  if (type === 'SSE-KMS') {
    headers[encryption] = 'aws:kms';
    headers[`${encryption}-aws-kms-key-id`] = keyId;
    const text = JSON.stringify(context);
    if (text !== '{}') headers[`${encryption}-context`] = Buffer.from(text).toString('base64');
  }
  return headers;
}
