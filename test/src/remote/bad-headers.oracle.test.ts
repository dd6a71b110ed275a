/** Requests whose headers or bodies are wrong, to a real Prometheus and to ours: the same refusals. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { serversOfTests } from '../support/servers.ts';
import { encodeV1, encodeV2, packed } from './support/messages.ts';
import { encodeReadRequest } from './support/read-messages.ts';

const { start } = serversOfTests();

const PROTOBUF = 'application/x-protobuf';
const VERSION_2 = `${PROTOBUF};proto=io.prometheus.write.v2.Request`;
const SERIES = [{ labels: [['__name__', 'm'] as const], samples: [{ t: Date.now(), v: 1 }] }];
const V1 = packed(encodeV1(SERIES));
const V2 = packed(encodeV2(SERIES));
const READ = encodeReadRequest([{ startMs: 0, endMs: 1, matchers: [['=', '__name__', 'm']] }], []);
const MIB = 1024 * 1024;
const UNPACKS_TO_40_MIB = packed(new Uint8Array(40 * MIB));
const CLAIMS_4_GIB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0);

type Case = readonly [route: string, type: string, encoding: string, body: Uint8Array];
const CASES: readonly Case[] = [
  ...[
    '',
    PROTOBUF,
    VERSION_2,
    'text/plain',
    'application/json',
    `${PROTOBUF}; proto=prometheus.WriteRequest`,
    `${PROTOBUF};proto=x`,
    `${PROTOBUF};proto`,
    `${PROTOBUF};proto=a=b`,
    `${PROTOBUF};charset=utf-8`,
    'APPLICATION/X-PROTOBUF',
    `${PROTOBUF};PROTO=io.prometheus.write.v2.Request`,
    `${VERSION_2};proto=prometheus.WriteRequest`,
  ].flatMap((type): Case[] => [
    ['write', type, 'snappy', V1],
    ['write', type, 'snappy', V2],
  ]),
  ...['', 'snappy', 'SNAPPY', 'gzip', 'identity', 'snappy, gzip', 'x'].map(
    (encoding): Case => ['write', PROTOBUF, encoding, V1],
  ),
  ...[PROTOBUF, VERSION_2].flatMap((type): Case[] => [
    ['write', type, 'snappy', new Uint8Array(0)],
    ['write', type, 'snappy', Uint8Array.of(0)],
    ['write', type, 'snappy', Buffer.from('hello')],
    ['write', type, 'snappy', encodeV1(SERIES)],
    ['write', type, 'snappy', UNPACKS_TO_40_MIB],
    ['write', type, 'snappy', CLAIMS_4_GIB],
    ['write', type, 'snappy', Buffer.alloc(33 * MIB, 1)],
    ['write', type, 'gzip', gzipSync(V1)],
  ]),
  ['read', PROTOBUF, 'snappy', READ],
  ['read', '', '', READ],
  ['read', 'text/plain', '', READ],
  ['read', '', 'gzip', gzipSync(READ)],
  ['read', '', '', new Uint8Array(0)],
  ['read', '', '', Uint8Array.of(0)],
  ['read', '', '', Buffer.from('abc')],
  ['read', '', '', READ.subarray(0, READ.length - 3)],
  ['read', '', '', UNPACKS_TO_40_MIB],
  ['read', '', '', CLAIMS_4_GIB],
  ['otlp/v1/metrics', '', '', new Uint8Array(0)],
  ['otlp/v1/metrics', 'text/plain', '', Buffer.from('{}')],
  ['otlp/v1/metrics', PROTOBUF, 'deflate', Buffer.from('{}')],
  ['otlp/v1/metrics', PROTOBUF, 'snappy', packed(Buffer.from('{}'))],
  ['otlp/v1/metrics', 'application/json', 'zstd', Buffer.from('{}')],
];

const COUNTS = ['samples', 'histograms', 'exemplars'].map(
  (kind) => `x-prometheus-remote-write-${kind}-written`,
);

test.skipIf(JUDGE_BINARY === null)('equal refusals', { timeout: 60_000 }, async () => {
  const flags = ['--web.enable-remote-write-receiver', '--web.enable-otlp-receiver'];
  const [judge, ours] = await Promise.all([
    start('global: {}\n', [JUDGE_BINARY!], ...flags),
    start('global: {}\n', undefined, ...flags),
  ]);
  const ask = async (port: number, [route, type, encoding, body]: Case) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${route}`, {
      method: 'POST',
      headers: {
        ...(type === '' ? {} : { 'content-type': type }),
        ...(encoding === '' ? {} : { 'content-encoding': encoding }),
      },
      body: Uint8Array.from(body),
      signal: AbortSignal.timeout(20_000),
    });
    const counts = COUNTS.map((name) => response.headers.get(name));
    return [response.status, await response.text(), ...counts];
  };
  const statuses = new Set<unknown>();
  for (const one of CASES) {
    const expected = await ask(judge.port, one);
    statuses.add(expected[0]);
    const what = [one[0], one[1], one[2], one[3].length];
    expect([what, await ask(ours.port, one)]).toEqual([what, expected]);
  }
  expect(statuses).toEqual(new Set([200, 204, 400, 413, 415]));
});
