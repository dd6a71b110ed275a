import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { GrpcSpanSender } from '../../../src/tracing/grpc-span-sender.ts';
import { HttpSpanSender } from '../../../src/tracing/http-span-sender.ts';
import type { SpanSender } from '../../../src/tracing/span-queue.ts';
import { encodeTraceRequest } from '../../../src/tracing/trace-message.ts';
import type { TracingConfig } from '../../../src/tracing/tracing-config.ts';
import { ProtobufWriter } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { freePort } from '../support/server.ts';
import { DEFAULT_TLS_CONFIG } from '../../../scrape/config.ts';
import { type Collector, startCollector } from './support/collector.ts';
import { span } from './support/span.ts';

const FILES = path.resolve(import.meta.dirname, '../../web/files');
const pem = (name: string) => readFileSync(path.join(FILES, name), 'utf8');
const TLS = { key: pem('localhost.key.pem'), cert: pem('localhost.cert.pem') };
const BODY = encodeTraceRequest({}, { name: 'narthex', version: '1' }, [span('one'), span('two')]);

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function collectorOf(protocol: 'http' | 'grpc', secure = false): Promise<Collector> {
  const collector = await startCollector(protocol, secure ? TLS : null);
  ends.push(collector.close);
  return collector;
}

function senderTo(port: number, changes: Partial<TracingConfig>): SpanSender {
  const config: TracingConfig = {
    protocol: 'http',
    endpoint: `localhost:${port}`,
    samplingRatio: 1,
    isInsecure: true,
    headers: {},
    usesGzip: false,
    timeoutMs: 2000,
    tls: DEFAULT_TLS_CONFIG,
    ...changes,
  };
  const Sender = config.protocol === 'http' ? HttpSpanSender : GrpcSpanSender;
  const sender = new Sender(config, REAL_CLOCK, 'narthex/1');
  ends.push(() => sender.close());
  return sender;
}

const TAKEN = { kind: 'taken', refusedCount: 0, reason: '' };
const endpoint = '127.0.0.1';

describe.each(['http', 'grpc'] as const)('over %s', (protocol) => {
  test.each([
    { usesGzip: false, secure: false },
    { usesGzip: true, secure: false },
    { usesGzip: false, secure: true },
    { usesGzip: true, secure: true },
  ])('spans arrive (gzip $usesGzip, TLS $secure)', async ({ usesGzip, secure }) => {
    const collector = await collectorOf(protocol, secure);
    const sender = senderTo(collector.port, {
      protocol,
      endpoint: `${endpoint}:${collector.port}`,
      usesGzip,
      isInsecure: !secure,
      tls: { ...DEFAULT_TLS_CONFIG, ca: TLS.cert },
      headers: { 'X-Scope-OrgID': 'tenant 1' },
    });
    expect(await sender.send(BODY, 2000)).toEqual(TAKEN);
    expect(await sender.send(BODY, 2000)).toEqual(TAKEN);
    expect(collector.spans.map(({ name }) => name)).toEqual(['one', 'two', 'one', 'two']);
    const [first] = collector.requests;
    expect(first!.headers).toMatchObject({
      'x-scope-orgid': 'tenant 1',
      'user-agent': 'narthex/1',
      'content-type': protocol === 'http' ? 'application/x-protobuf' : 'application/grpc',
      ...(usesGzip && { [protocol === 'http' ? 'content-encoding' : 'grpc-encoding']: 'gzip' }),
    });
    expect(first!.path).toBe(
      protocol === 'http'
        ? '/v1/traces'
        : '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    );
  });

  test('a certificate that nobody vouches for is not accepted', async () => {
    const collector = await collectorOf(protocol, true);
    const changes = { protocol, endpoint: `${endpoint}:${collector.port}`, isInsecure: false };
    const refused = await senderTo(collector.port, changes).send(BODY, 2000);
    expect(refused).toMatchObject({ kind: 'again' });
    expect(collector.requests).toEqual([]);
    const tls = { ...DEFAULT_TLS_CONFIG, insecureSkipVerify: true };
    expect(await senderTo(collector.port, { ...changes, tls }).send(BODY, 2000)).toEqual(TAKEN);
  });

  test('a collector that is not there may come back', async () => {
    const port = await freePort();
    const sender = senderTo(port, { protocol, endpoint: `${endpoint}:${port}` });
    expect(await sender.send(BODY, 2000)).toMatchObject({
      kind: 'again',
      reason: expect.stringMatching(/refused/i),
    });
  });

  test('a collector that does not answer is waited for in vain, then asked anew', async () => {
    const collector = await collectorOf(protocol);
    collector.answers.push({ delayMs: 1000 });
    const sender = senderTo(collector.port, {
      protocol,
      endpoint: `${endpoint}:${collector.port}`,
    });
    const startMs = performance.now();
    expect(await sender.send(BODY, 100)).toMatchObject({ kind: 'again' });
    expect(performance.now() - startMs).toBeLessThan(900);
    expect(await sender.send(BODY, 2000)).toEqual(TAKEN);
  });
});

test.each([
  [
    { status: 503, headers: { 'retry-after': '7' } },
    { kind: 'again', afterMs: 7000 },
  ],
  [{ status: 429 }, { kind: 'again', afterMs: null }],
  [{ status: 502 }, { kind: 'again' }],
  [{ status: 504 }, { kind: 'again' }],
  [{ status: 500 }, { kind: 'refused', reason: expect.stringContaining('500') }],
  [{ status: 400 }, { kind: 'refused' }],
  [{ status: 301, headers: { location: '/elsewhere' } }, { kind: 'refused' }],
])('HTTP status: %j is %j', async (answer, expected) => {
  const collector = await collectorOf('http');
  collector.answers.push(answer);
  const sender = senderTo(collector.port, { endpoint: `${endpoint}:${collector.port}` });
  expect(await sender.send(BODY, 2000)).toMatchObject(expected);
});

const RETRY_IN_1500_MS = (() => {
  const out = new ProtobufWriter();
  out.message(3, () => {
    out.text(1, 'type.googleapis.com/google.rpc.RetryInfo');
    out.message(2, () =>
      out.message(1, () => {
        out.int64(1, 1);
        out.int64(2, 500_000_000);
      }),
    );
  });
  return Buffer.from(out.view()).toString('base64');
})();
const details = { 'grpc-status-details-bin': RETRY_IN_1500_MS };

test.each([
  [
    { status: 14, headers: { 'grpc-message': 'not%20now' } },
    { kind: 'again', afterMs: null },
  ],
  [
    { status: 14, headers: details },
    { kind: 'again', afterMs: 1500 },
  ],
  [{ status: 8 }, { kind: 'refused' }],
  [
    { status: 8, headers: details },
    { kind: 'again', afterMs: 1500 },
  ],
  [
    { status: 3, headers: { 'grpc-message': 'bad%20span' } },
    { kind: 'refused', reason: 'rpc error: code = 3 desc = bad span' },
  ],
  [{ status: 16 }, { kind: 'refused' }],
])('gRPC status: %j is %j', async (answer, expected) => {
  const collector = await collectorOf('grpc');
  collector.answers.push(answer);
  const changes = { protocol: 'grpc', endpoint: `${endpoint}:${collector.port}` } as const;
  expect(await senderTo(collector.port, changes).send(BODY, 2000)).toMatchObject(expected);
});

test('a connection that was lost is made again', async () => {
  const first = await collectorOf('grpc');
  const changes = { protocol: 'grpc', endpoint: `${endpoint}:${first.port}` } as const;
  const sender = senderTo(first.port, changes);
  expect(await sender.send(BODY, 2000)).toEqual(TAKEN);
  await first.close();
  expect(await sender.send(BODY, 2000)).toMatchObject({ kind: 'again' });
  const second = await startCollector('grpc', null, first.port);
  ends.push(second.close);
  expect(await sender.send(BODY, 2000)).toEqual(TAKEN);
});
