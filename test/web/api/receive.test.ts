import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ApiError, type RemoteWriteRequest } from '../../../web/index.ts';
import { fakeHouse } from '../fake-house.ts';

const PROTOBUF = 'application/x-protobuf';
const POST = 'POST' as const;

describe('remote write', () => {
  const url = '/api/v1/write';
  const wrote = { samplesWritten: 3, histogramsWritten: 2, exemplarsWritten: 1, rejection: null };
  const house = (answer: object = wrote) => {
    const asked: RemoteWriteRequest[] = [];
    const write = async (request: RemoteWriteRequest) => {
      asked.push(request);
      return { ...wrote, ...answer };
    };
    const { app } = fakeHouse({ remoteWrite: { write } }, { enableRemoteWriteReceiver: true });
    return { app, asked };
  };

  test('is refused unless it is enabled', async () => {
    const { app } = fakeHouse({ remoteWrite: { write: async () => wrote } });
    const { statusCode, payload } = await app.inject({ method: POST, url, payload: 'x' });
    const flag = '--web.enable-remote-write-receiver';
    expect(statusCode).toBe(404);
    expect(payload).toBe(`remote write receiver needs to be enabled with ${flag}\n`);
  });

  test.each([
    [PROTOBUF, 1],
    [`${PROTOBUF};proto=prometheus.WriteRequest`, 1],
    [`${PROTOBUF}; proto=io.prometheus.write.v2.Request`, 2],
  ])('as %s is version %s, its bytes untouched', async (type, version) => {
    const { app, asked } = house();
    const body = Buffer.from([0, 255, 10, 13]);
    const headers = { 'content-type': type, 'content-encoding': 'snappy' };
    const response = await app.inject({ method: POST, url, headers, payload: body });
    expect(response.statusCode).toBe(204);
    expect(asked).toEqual([{ version, body }]);
    const written = response.headers['x-prometheus-remote-write-samples-written'];
    expect(written).toBe(version === 2 ? '3' : undefined);
  });

  test.each([
    ['text/plain', 'snappy', /^expected application\/x-protobuf as the first .* got text\/plain/],
    [`${PROTOBUF};proto=foo`, 'snappy', /unknown type for remote write protobuf message foo, supp/],
    [`${PROTOBUF};foo`, 'snappy', /expected parameters to be key-values, got foo in app/],
    [
      PROTOBUF,
      'zstd',
      /^zstd encoding \(compression\) is not accepted by this server; only snappy/,
    ],
  ])('as %s in %s is refused with 415', async (type, encoding, message) => {
    const { app, asked } = house();
    const headers = { 'content-type': type, 'content-encoding': encoding };
    const { statusCode, payload } = await app.inject({ method: POST, url, headers, payload: 'x' });
    expect(statusCode).toBe(415);
    expect(payload).toMatch(message);
    expect(asked).toEqual([]);
  });

  test('of a version that is switched off is refused', async () => {
    const write = async () => wrote;
    const limits = { enableRemoteWriteReceiver: true, remoteWriteVersions: [1] as const };
    const { app } = fakeHouse({ remoteWrite: { write } }, limits);
    const headers = { 'content-type': `${PROTOBUF};proto=io.prometheus.write.v2.Request` };
    const { statusCode, payload } = await app.inject({ method: POST, url, headers, payload: 'x' });
    expect(statusCode).toBe(415);
    expect(payload).toBe(
      'io.prometheus.write.v2.Request protobuf message is not accepted by this server; ' +
        'only accepts prometheus.WriteRequest\n',
    );
  });

  test('tells what was refused, and what was stored all the same', async () => {
    const { app } = house({ rejection: 'out of order sample' });
    const headers = { 'content-type': `${PROTOBUF};proto=io.prometheus.write.v2.Request` };
    const response = await app.inject({ method: POST, url, headers, payload: 'x' });
    expect([response.statusCode, response.payload]).toEqual([400, 'out of order sample\n']);
    expect(response.headers['x-prometheus-remote-write-samples-written']).toBe('3');
  });

  test('beyond the size limit is refused', async () => {
    const write = async () => wrote;
    const limits = { enableRemoteWriteReceiver: true, writeSizeBytesMax: 10 };
    const { app } = fakeHouse({ remoteWrite: { write } }, limits);
    const headers = { 'content-type': PROTOBUF };
    const response = await app.inject({ method: POST, url, headers, payload: 'x'.repeat(11) });
    expect(response.statusCode).toBe(413);
  });
});

describe('remote read', () => {
  test('streams what the house gives', async () => {
    const read = async (body: Uint8Array) => ({
      contentType: PROTOBUF,
      contentEncoding: 'snappy',
      chunks: (async function* chunks() {
        yield body;
        yield new Uint8Array([9]);
      })(),
    });
    const { app } = fakeHouse({ remoteRead: { read } });
    const headers = { 'content-type': PROTOBUF };
    const payload = Buffer.from([1, 2]);
    const response = await app.inject({ method: POST, url: '/api/v1/read', headers, payload });
    expect([...response.rawPayload]).toEqual([1, 2, 9]);
    expect(response.headers['content-encoding']).toBe('snappy');
  });

  test('that fails is answered in plain text', async () => {
    const read = async () => {
      throw new ApiError('bad_data', 'snappy: corrupt input');
    };
    const { app } = fakeHouse({ remoteRead: { read } });
    const response = await app.inject({ method: POST, url: '/api/v1/read' });
    expect([response.statusCode, response.payload]).toEqual([400, 'snappy: corrupt input\n']);
  });
});

describe('OTLP', () => {
  const url = '/api/v1/otlp/v1/metrics';
  const house = () => {
    const asked: { encoding: string; text: string }[] = [];
    const write = async ({ encoding, body }: { encoding: string; body: Uint8Array }) => {
      asked.push({ encoding, text: Buffer.from(body).toString() });
    };
    return { asked, ...fakeHouse({ otlp: { write } }, { enableOtlpReceiver: true }) };
  };

  test('is refused unless it is enabled', async () => {
    const { app } = fakeHouse();
    const { statusCode, payload } = await app.inject({ method: POST, url, payload: 'x' });
    expect(statusCode).toBe(404);
    expect(payload).toBe(
      'otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n',
    );
  });

  test.each([
    ['application/json', 'json', undefined],
    [PROTOBUF, 'protobuf', undefined],
    [PROTOBUF, 'protobuf', 'gzip'],
  ])('as %s is taken as %s, packed with %s', async (type, encoding, packing) => {
    const { app, asked } = house();
    const payload = packing === 'gzip' ? gzipSync('body') : 'body';
    const headers = {
      'content-type': type,
      ...(packing === undefined ? {} : { 'content-encoding': packing }),
    };
    const response = await app.inject({ method: POST, url, headers, payload });
    expect(response.statusCode).toBe(200);
    expect(asked).toEqual([{ encoding, text: 'body' }]);
  });

  test.each([
    ['text/plain', undefined, /^unsupported content type: text\/plain, supported: \[application/],
    [PROTOBUF, 'br', /^unsupported compression: br/],
    [PROTOBUF, 'gzip', /^gzip: /],
  ])('as %s packed with %s is refused', async (type, packing, message) => {
    const { app } = house();
    const headers = {
      'content-type': type,
      ...(packing === undefined ? {} : { 'content-encoding': packing }),
    };
    const response = await app.inject({ method: POST, url, headers, payload: 'x' });
    expect(response.statusCode).toBe(400);
    expect(response.payload).toMatch(message);
  });
});
