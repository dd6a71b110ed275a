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
    userMetadata: { X: 'y' },
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

test.each([
  ['', 'is empty'],
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
