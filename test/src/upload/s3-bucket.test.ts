import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { readObjectStoreConfig } from '../../../src/upload/objstore-config.ts';
import { S3Bucket } from '../../../src/upload/s3-bucket.ts';
import { type FakeS3, startFakeS3 } from '../../support/fake-s3.ts';
import { temporaryFolder } from '../support/server.ts';

const ACCOUNT = { accessKey: 'KEY', secretKey: 'SECRET', region: 'eu-central-1' };
const MIB = 1024 * 1024;
const forever = new AbortController().signal;
let folder: string;
let store: FakeS3;
const buckets: S3Bucket[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  store = await startFakeS3(ACCOUNT);
});
afterEach(async () => {
  for (const bucket of buckets.splice(0)) await bucket.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

function bucketWith(changes: Record<string, string> = {}): S3Bucket {
  const settings = {
    bucket: 'blocks',
    endpoint: store.endpoint,
    region: ACCOUNT.region,
    access_key: ACCOUNT.accessKey,
    secret_key: ACCOUNT.secretKey,
    insecure: 'true',
    ...changes,
  };
  const lines = Object.entries(settings).map(([key, value]) => `  ${key}: ${value}`);
  const file = path.join(folder, 'bucket.yml');
  writeFileSync(file, `type: S3\nconfig:\n${lines.join('\n')}\nprefix: a b\n`);
  const options = { clock: REAL_CLOCK, userAgent: 'test' };
  const bucket = new S3Bucket(readObjectStoreConfig(file), options);
  buckets.push(bucket);
  return bucket;
}

describe('a bucket', () => {
  test('takes objects, and knows whether they are there', async () => {
    const bucket = bucketWith({ put_user_metadata: '{Owner: me}' });
    expect(await bucket.exists('x/meta.json', forever)).toBe(false);
    await bucket.put('x/meta.json', Buffer.from('{}'), forever);
    expect(await bucket.exists('x/meta.json', forever)).toBe(true);
    expect(Object.fromEntries(store.objects)).toEqual({
      'blocks/a b/x/meta.json': Buffer.from('{}'),
    });
  });

  test('is asked with keys of the environment, and told to encrypt', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', ACCOUNT.accessKey);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', ACCOUNT.secretKey);
    const changes = { access_key: '""', secret_key: '""', aws_sdk_auth: 'true' };
    const bucket = bucketWith({ ...changes, sse_config: '{type: SSE-S3}' });
    await bucket.put('x', Buffer.from('1'), forever);
    expect([...store.objects.keys()]).toEqual(['blocks/a b/x']);
    expect(store.lastHeaders['x-amz-server-side-encryption']).toBe('AES256');
    vi.unstubAllEnvs();
  });

  test.each([0, 1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 3])(
    'takes a file of %i bytes',
    async (size) => {
      const content = Buffer.alloc(size, 'content');
      writeFileSync(path.join(folder, 'file'), content);
      await bucketWith().putFile('x/index', path.join(folder, 'file'), forever);
      expect(store.objects.get('blocks/a b/x/index')!.equals(content)).toBe(true);
      expect(store.openUploads.size).toBe(0);
    },
  );

  test('is asked again when it is in trouble, not when it refuses', async () => {
    store.failNext(2, 503);
    await bucketWith().put('x', Buffer.from('1'), forever);
    expect(store.requests).toHaveLength(3);
    const wrong = bucketWith({ secret_key: 'GUESSED' });
    await expect(wrong.put('x', Buffer.from('2'), forever)).rejects.toThrow(
      'PUT x: server returned HTTP status 403 SignatureDoesNotMatch: no',
    );
    expect(store.requests).toHaveLength(4);
    expect(store.objects.get('blocks/a b/x')).toEqual(Buffer.from('1'));
  });

  test('gives up the parts of a file that cannot be uploaded', async () => {
    writeFileSync(path.join(folder, 'file'), Buffer.alloc(9 * MIB));
    const bucket = bucketWith();
    const uploading = bucket.putFile('x', path.join(folder, 'file'), forever);
    while (store.requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
    store.failNext(1, 403);
    await expect(uploading).rejects.toThrow('HTTP status 403');
    expect([store.openUploads.size, store.objects.size]).toEqual([0, 0]);
  });
});
