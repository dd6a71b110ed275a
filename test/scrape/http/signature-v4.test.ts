import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { signedHeaders } from '../../../scrape/index.ts';

// Source: Amazon S3 API reference, "Signature calculations for the Authorization header: transferring
// payload in a single chunk", examples.
const CREDENTIALS = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: '',
};
const NOW_MS = Date.UTC(2013, 4, 24);
const HOST = 'https://examplebucket.s3.amazonaws.com';

test.each([
  [
    'GET',
    '/test.txt',
    { Range: 'bytes=0-9' },
    '',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT',
    '/test%24file.text',
    { Date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET',
    '/?lifecycle',
    {},
    '',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET',
    '/?max-keys=2&prefix=J',
    {},
    '',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])("%s %s is signed as in Amazon's example", (method, path, given, body, signature) => {
  const hash = createHash('sha256').update(body).digest('hex');
  const headers = { ...given, 'x-amz-content-sha256': hash } as Record<string, string>;
  const signed = signedHeaders(
    { method, url: HOST + path, headers, body, region: 'us-east-1', service: 's3' },
    CREDENTIALS,
    NOW_MS,
  );
  expect(signed['Authorization']).toContain(`Signature=${signature}`);
});
