import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readObjectStoreConfig } from '../../../src/upload/objstore-config.ts';
import { temporaryFolder } from '../support/server.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'bucket.yml');
const read = (text: string) => {
  writeFileSync(file, text);
  return readObjectStoreConfig(file);
};

test("Thanos's form is read", () => {
  const config = read(`type: s3
config:
  bucket: b
  endpoint: store:9000
  access_key: a
  secret_key: s
  insecure: true
  put_user_metadata: {X: y}
  http_config: {idle_conn_timeout: 90s, tls_config: {server_name: n}}
  trace: {enable: true}
  part_size: 67108864
prefix: /x/y/
`);
  expect(config).toMatchObject({
    bucket: 'b',
    prefix: 'x/y',
    region: 'us-east-1',
    bucketInPath: true,
    credentials: { accessKey: 'a', secretKey: 's', sessionToken: '' },
    objectHeaders: { 'X-Amz-Meta-X': 'y' },
  });
  expect(config.endpoint.href).toBe('http://store:9000/');
  expect(config.client.tls.serverName).toBe('n');
});

test("Amazon's buckets are part of the host, unless their names have dots", () => {
  const at = (bucket: string, more = '') =>
    read(`type: S3\nconfig: {bucket: ${bucket}, endpoint: s3.eu-west-1.amazonaws.com${more}}\n`);
  expect(at('b').bucketInPath).toBe(false);
  expect(at('b.c').bucketInPath).toBe(true);
  expect(at('b', ', bucket_lookup_type: path').bucketInPath).toBe(true);
  expect(at('b').credentials).toBeNull();
});

test('objects may have to be encrypted', () => {
  const headers = (config: string) =>
    read(`type: S3\nconfig: {bucket: b, endpoint: e, sse_config: ${config}}\n`).objectHeaders;
  const name = 'x-amz-server-side-encryption';
  expect(headers('{type: SSE-S3}')).toEqual({ [name]: 'AES256' });
  expect(headers('{type: SSE-KMS, kms_key_id: k, kms_encryption_context: {a: b}}')).toEqual({
    [name]: 'aws:kms',
    [`${name}-aws-kms-key-id`]: 'k',
    [`${name}-context`]: 'eyJhIjoiYiJ9',
  });
});

test.each([
  ['', 'is empty'],
  ['type: S3\nconfig: {bucket: b, endpoint: e, sse_config: {type: SSE-C}}\n', 'SSE-C'],
  ['type: S3\nconfig: {bucket: b, endpoint: e, sse_config: {type: SSE-KMS}}\n', 'kms_key_id'],
  [
    'type: S3\nconfig: {bucket: b, endpoint: e, access_key: a, secret_key: s, aws_sdk_auth: true}\n',
    'exclude each other',
  ],
  ['type: GCS\n', ':1:1: type: is "GCS", but only S3 is supported'],
  ['type: S3\n', 'no s3 bucket in config file'],
  ['type: S3\nconfig: {bucket: b}\n', 'no s3 endpoint in config file'],
  ['type: S3\nconfig: {bucket: b, endpoint: e, buckt: c}\n', 'did you mean bucket?'],
  ['type: S3\nconfig: {bucket: b, endpoint: e, access_key: a}\n', 'belong together'],
  ['type: S3\nconfig: {bucket: b, endpoint: e, signature_version2: true}\n', 'is not supported'],
  ['type: S3\nconfig: {bucket: b, endpoint: "a b"}\n', 'endpoint a b: no host'],
])('%j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
  expect(() => read(text)).toThrow(file);
});
