/** Signatures and tokens of clouds on requests that go out, got from servers that stand in for them. */
import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../../model/index.ts';
import { type CloudAuthConfig, CloudAuthorizer, signedHeaders } from '../../../scrape/index.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const UNSIGNED = {
  method: 'POST',
  url: 'http://aps.example/workspaces/w/api/v1/remote_write',
  headers: { 'Content-Type': 'application/x-protobuf' },
  body: new Uint8Array([1, 2, 3]),
};
const NO_KEYS = {
  region: '',
  access_key: '',
  secret_key: '',
  profile: '',
  role_arn: '',
  external_id: '',
  use_fips_sts_endpoint: false,
};

type Asked = { method: string; url: string; headers: Record<string, unknown>; body: string };
let server: Server;
let base = '';
let asked: Asked[] = [];
let answers: unknown[] = [];
let environment: NodeJS.ProcessEnv;
let folder = '';
const clock = new SimulatedClock(NOW_MS);

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-cloud-'));
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body });
      response.end(JSON.stringify(answers[asked.length - 1] ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  environment = { ...process.env };
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  process.env = environment;
  rmSync(folder, { recursive: true, force: true });
});

async function authorize(config: CloudAuthConfig, times = 1): Promise<Record<string, string>> {
  const authorizer = new CloudAuthorizer(config, { clock, userAgent: 'test' });
  let headers: Record<string, string> = {};
  for (let i = 0; i < times; i++) {
    headers = await authorizer.headers(UNSIGNED, AbortSignal.timeout(5000));
  }
  await authorizer.close();
  return headers;
}

const azure = (method: object): CloudAuthConfig => ({
  kind: 'azure',
  settings: {
    cloud: 'AzurePublic',
    scope: '',
    managed_identity: null,
    workload_identity: null,
    oauth: null,
    certificate: null,
    sdk: null,
    ...method,
  },
});

test('Signature Version 4 over the bytes of the body', async () => {
  const keys = { region: 'eu-west-1', access_key: 'AKID', secret_key: 'SECRET' };
  const config = { kind: 'aws', service: 'aps', settings: { ...NO_KEYS, ...keys } } as const;
  const headers = await authorize(config);
  const credentials = { accessKey: 'AKID', secretKey: 'SECRET', sessionToken: '' };
  const toSign = { ...UNSIGNED, region: 'eu-west-1', service: 'aps' };
  expect(headers).toEqual(signedHeaders(toSign, credentials, NOW_MS));
  expect(headers['Authorization']).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/20261121\/eu-west-1\/aps\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  );
  const other = signedHeaders({ ...toSign, body: new Uint8Array([1]) }, credentials, NOW_MS);
  expect(other['Authorization']).not.toBe(headers['Authorization']);
});

// The example of the AWS documentation, "Create a signed request": GET of IAM's ListUsers.
test('the published example of a signature', () => {
  const headers = signedHeaders(
    {
      method: 'GET',
      url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: '',
      region: 'us-east-1',
      service: 'iam',
    },
    {
      accessKey: 'AKIDEXAMPLE',
      secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      sessionToken: '',
    },
    Date.UTC(2015, 7, 30, 12, 36),
  );
  expect(headers['Authorization']).toContain(
    'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  );
});

test('Azure by a secret; a token is used until shortly before it ends', async () => {
  process.env['AZURE_AUTHORITY_HOST'] = base;
  answers = [{ access_token: 'T', expires_in: 3600 }];
  const oauth = { client_id: 'c', client_secret: 's', tenant_id: 't' };
  const headers = await authorize(azure({ oauth }), 3);
  expect(headers).toEqual({ ...UNSIGNED.headers, Authorization: 'Bearer T' });
  expect(asked).toHaveLength(1);
  expect(asked[0]!.url).toBe('/t/oauth2/v2.0/token');
  expect(Object.fromEntries(new URLSearchParams(asked[0]!.body))).toEqual({
    grant_type: 'client_credentials',
    client_id: 'c',
    client_secret: 's',
    scope: 'https://monitor.azure.com//.default',
  });
  // One that has hardly any time left is asked for anew each time.
  answers = [{}, { access_token: 'A', expires_in: '30' }, { access_token: 'B', expires_in: '30' }];
  expect(await authorize(azure({ oauth, scope: 'x' }), 2)).toMatchObject({
    Authorization: 'Bearer B',
  });
});

test('Azure by the machine or a federated token', async () => {
  process.env['AZURE_AUTHORITY_HOST'] = base;
  process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = base;
  answers = Array.from({ length: 3 }, () => ({ access_token: 'T', expires_in: 3600 }));
  await authorize(azure({ managed_identity: { client_id: 'me' } }));
  expect(asked[0]!.headers['metadata']).toBe('true');
  expect(Object.fromEntries(new URL(asked[0]!.url, base).searchParams)).toEqual({
    'api-version': '2018-02-01',
    resource: 'https://monitor.azure.com/',
    client_id: 'me',
  });

  const token = path.join(folder, 'token');
  writeFileSync(token, 'federated\n');
  const workload = { client_id: 'c', tenant_id: 't', token_file_path: token };
  await authorize(azure({ workload_identity: workload }));
  expect(new URLSearchParams(asked[1]!.body).get('client_assertion')).toBe('federated');
});

test('Google by the key of a service account', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const file = path.join(folder, 'account.json');
  writeFileSync(
    file,
    JSON.stringify({
      type: 'service_account',
      client_email: 'me@example',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${base}/token`,
    }),
  );
  answers = [{ access_token: 'G', expires_in: 3600 }];
  const headers = await authorize({ kind: 'google', credentialsFile: file });
  expect(headers['Authorization']).toBe('Bearer G');
  const [head, claims, signature] = new URLSearchParams(asked[0]!.body)
    .get('assertion')!
    .split('.');
  const signed = Buffer.from(`${head}.${claims}`);
  const proof = Buffer.from(signature!, 'base64url');
  expect(verify('RSA-SHA256', signed, publicKey, proof)).toBe(true);
  expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toMatchObject({
    iss: 'me@example',
    scope: 'https://www.googleapis.com/auth/monitoring.write',
    aud: `${base}/token`,
  });
});
