/** The sender against a receiver that does as it is told: what is sent, and what is sent again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DEFAULT_RELABEL_CONFIG,
  Labels,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../../../model/index.ts';
import { sleep, until } from '../../support/server.ts';
import { FakeReceiver } from '../support/fake-receiver.ts';
import { readRequest } from '../support/read-request.ts';
import { remoteConfig, SenderHarness } from '../support/sender-harness.ts';

let receiver: FakeReceiver;
let harness: SenderHarness;
beforeEach(async () => {
  receiver = await FakeReceiver.start();
  harness = new SenderHarness(true);
});
afterEach(async () => {
  await harness.remove();
  receiver.stop();
});

const NOW_MS = Date.now();
const series = (name: string) => ({ __name__: name });

/** All samples received, in the order in which they came. */
function samples(version: 1 | 2 = 1): [string, number, number][] {
  return receiver.received.flatMap(({ body }) =>
    readRequest(version, body).samples.map(([labels, t, v]): [string, number, number] => [
      labels,
      t - NOW_MS,
      v,
    ]),
  );
}

describe.each([1, 2] as const)('version %i', (version) => {
  test('says what it sends', async () => {
    await harness.configure([
      remoteConfig(receiver.url, { version, headers: { 'X-Scope-OrgID': 'me' } }),
    ]);
    harness.append([[series('up'), NOW_MS, 1]]);
    await until('a request', () => receiver.received.length > 0);
    const { headers } = receiver.received[0]!;
    expect(headers).toMatchObject({
      'content-encoding': 'snappy',
      'user-agent': 'test/1',
      'x-scope-orgid': 'me',
      'content-type':
        version === 1
          ? 'application/x-protobuf'
          : 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      'x-prometheus-remote-write-version': version === 1 ? '0.1.0' : '2.0.0',
    });
    expect(headers).not.toHaveProperty('retry-attempt');
    expect(samples(version)).toEqual([['{__name__="up"}', 0, 1]]);
  });

  test('everything that a series can have', async () => {
    await harness.configure([remoteConfig(receiver.url, { version })]);
    const stale = new Float64Array(1);
    new Uint32Array(stale.buffer).set([STALE_NAN_LOW, STALE_NAN_HIGH]);
    const histogram = {
      kind: 'integer',
      hint: 'unknown',
      schema: 1,
      zeroThreshold: 0.001,
      zeroCount: 1,
      count: 4,
      sum: 9.5,
      positiveSpans: [{ offset: -2, length: 2 }],
      negativeSpans: [],
      positiveDeltas: [1, 1],
      negativeDeltas: [],
      customBounds: [],
      stale: false,
    } as const;
    const labels = Labels.fromObject({ trace_id: 'ä' });
    harness.appendOther(series('h'), NOW_MS, {
      histogram,
      metadata: { type: 'histogram', help: 'H.', unit: 'seconds' },
      exemplar: { labels, value: 0.5, timestampMs: NOW_MS },
    });
    harness.append([[{ __name__: 'äö', b: 'x y' }, -5, -0]]);
    harness.append([[series('gone'), NOW_MS, stale[0]!]]);
    // Until all has come: in one request or in several.
    const all = () => receiver.received.map(({ body }) => readRequest(version, body));
    await until('three samples', () => {
      const count = all().flatMap((r) => [...r.samples, ...r.histograms, ...r.exemplars]).length;
      return count >= 3;
    });
    await sleep(50);
    const floats = all().flatMap((r) => r.samples);
    // The oldest one is refused by the head, and so it is not in the log.
    expect(floats.map(([l, , , bits]) => [l, bits])).toEqual([
      ['{__name__="gone"}', '7ff0000000000002'],
    ]);
    expect(all().flatMap((r) => r.histograms)).toEqual([['{__name__="h"}', NOW_MS, histogram]]);
    expect(all().flatMap((r) => r.exemplars)).toEqual([
      ['{__name__="h"}', { labels: ['trace_id', 'ä'], value: 0.5, timestampMs: NOW_MS }],
    ]);
    const metadata = all().flatMap((r) => r.metadata);
    if (version === 1) expect(metadata).toEqual([]);
    else {
      expect(metadata[0]).toEqual([
        '{__name__="h"}',
        { type: 'histogram', help: 'H.', unit: 'seconds' },
      ]);
    }
  });

  test('external labels, relabelling, dropping', async () => {
    const relabelConfigs = [
      { ...DEFAULT_RELABEL_CONFIG, sourceLabels: ['__name__'], regex: 'go_.*', action: 'drop' },
      { ...DEFAULT_RELABEL_CONFIG, regex: 'pod', action: 'labeldrop' },
    ] as const;
    await harness.configure([remoteConfig(receiver.url, { version, relabelConfigs })], {
      cluster: 'c1',
      env: 'prod',
    });
    harness.append([
      [{ __name__: 'go_info' }, NOW_MS, 1],
      [{ __name__: 'up', env: 'own', pod: 'p' }, NOW_MS, 2],
    ]);
    await until('a request', () => receiver.received.length > 0);
    expect(samples(version)).toEqual([['{__name__="up", cluster="c1", env="own"}', 0, 2]]);
    expect(harness.metric('samples_dropped_total', 'dropped_series')).toBe(1);
  });
});

describe('answers', () => {
  async function sendOne(statuses: number[], headers = {}, queue = {}): Promise<void> {
    receiver.answerWith(statuses, headers);
    await harness.configure([remoteConfig(receiver.url, {}, queue)]);
    harness.append([[series('up'), NOW_MS, 1]]);
  }

  test.each([500, 502, 503, 599])('%i is tried again until it is taken', async (status) => {
    await sendOne([status, status, status]);
    await until('the fourth', () => receiver.received.length === 4);
    await sleep(60);
    expect(receiver.received.map(({ headers }) => headers['retry-attempt'])).toEqual([
      undefined,
      '1',
      '2',
      '3',
    ]);
    expect(harness.metric('samples_total')).toBe(1);
    expect(harness.metric('samples_retried_total')).toBe(3);
    expect(harness.metric('samples_failed_total')).toBe(0);
  });

  test.each([400, 401, 403, 404, 409, 413, 415, 422, 429])('%i is final', async (status) => {
    await sendOne([status]);
    harness.append([[series('up'), NOW_MS + 1, 2]]);
    await until(
      'the next one',
      () => harness.metric('samples_total') === 1 || samples().length > 1,
    );
    await sleep(60);
    expect(harness.metric('samples_failed_total')).toBeGreaterThan(0);
    expect(harness.metric('samples_retried_total')).toBe(0);
    expect(receiver.received.every(({ headers }) => !('retry-attempt' in headers))).toBe(true);
  });

  test('429 is tried again where that is wanted, not before Retry-After', async () => {
    await sendOne([429], { 'Retry-After': '1' }, { retriesTooMany: true });
    await until('both', () => receiver.received.length === 2);
    const [first, second] = receiver.received;
    expect(second!.atMs - first!.atMs).toBeGreaterThan(950);
    await until('counted', () => harness.metric('samples_total') === 1);
  });

  test('503 with a date', async () => {
    const date = new Date(Date.now() + 2000).toUTCString();
    await sendOne([503], { 'Retry-After': date });
    await until('both', () => receiver.received.length === 2);
    const [first, second] = receiver.received;
    // Dates have no fractions of a second.
    expect(second!.atMs - first!.atMs).toBeGreaterThan(500);
  });

  test('a connection that breaks is tried again', async () => {
    receiver.answer = (response, index) => {
      if (index === 0) response.destroy();
      else response.writeHead(204).end();
    };
    await harness.configure([remoteConfig(receiver.url)]);
    harness.append([[series('up'), NOW_MS, 1]]);
    await until('taken', () => harness.metric('samples_total') === 1);
    expect(receiver.received.length).toBe(2);
  });

  test('a receiver that does not know version 2.0 but takes it', async () => {
    await harness.configure([remoteConfig(receiver.url, { version: 2 })]);
    harness.append([[series('up'), NOW_MS, 1]]);
    await until('judged', () => harness.metric('samples_failed_total') === 1);
    receiver.answer = (response) => {
      response.writeHead(204, { 'X-Prometheus-Remote-Write-Samples-Written': '1' }).end();
    };
    harness.append([[series('up'), NOW_MS + 1, 1]]);
    await until('taken', () => harness.metric('samples_total') === 1);
  });
});

test('batches are bounded, and partial ones wait for the deadline', async () => {
  await harness.configure([
    remoteConfig(receiver.url, {}, { samplesPerSendMax: 10, sendDeadlineMs: 400 }),
  ]);
  const startMs = performance.now();
  harness.append(Array.from({ length: 25 }, (_, i) => [series(`m${i}`), NOW_MS, i] as const));
  await until('full ones', () => receiver.received.length === 2);
  expect(performance.now() - startMs).toBeLessThan(390);
  await until('the rest', () => receiver.received.length === 3);
  expect(receiver.received[2]!.atMs - startMs).toBeGreaterThan(380);
  expect(receiver.received.map(({ body }) => readRequest(1, body).samples.length)).toEqual([
    10, 10, 5,
  ]);
  expect(samples().map(([, , v]) => v)).toEqual(Array.from({ length: 25 }, (_, i) => i));
});

test('a receiver that is down keeps memory bounded, and gets everything in order', async () => {
  receiver.answer = (response) => response.writeHead(503).end();
  await harness.configure([
    remoteConfig(receiver.url, {}, { capacity: 50, samplesPerSendMax: 20 }),
  ]);
  for (let t = 0; t < 40; t++) {
    harness.append(Array.from({ length: 10 }, (_, i) => [series(`m${i}`), NOW_MS + t, t] as const));
  }
  await sleep(400);
  expect(harness.metric('samples_pending')).toBeLessThanOrEqual(60);
  expect(harness.metric('enqueue_retries_total')).toBeGreaterThan(0);
  receiver.received.length = 0;
  receiver.answerWith([]);
  await until('all', () => harness.metric('samples_total') === 400);
  for (let i = 0; i < 10; i++) {
    const own = samples().filter(([labels]) => labels === `{__name__="m${i}"}`);
    expect(own.map(([, t]) => t)).toEqual(Array.from({ length: 40 }, (_, t) => t));
  }
});

test('what is older than the limit is not sent, nor sent again', async () => {
  receiver.answer = (response) => response.writeHead(503).end();
  await harness.configure([remoteConfig(receiver.url, {}, { sampleAgeLimitMs: 500 })]);
  const startMs = Date.now();
  harness.append([
    [series('old'), startMs - 60_000, 1],
    [series('young'), startMs, 2],
  ]);
  await until('a first attempt', () => receiver.received.length > 0);
  expect(samples().map(([labels]) => labels)).not.toContain('{__name__="old"}');
  await until('too old by now', () => harness.metric('samples_dropped_total', 'too_old') === 2);
  receiver.answerWith([]);
  receiver.received.length = 0;
  harness.append([[series('young'), Date.now(), 3]]);
  await until('a new one', () => harness.metric('samples_total') === 1);
  expect(samples().map(([, , v]) => v)).toEqual([3]);
});

test('metadata of version 1.0', async () => {
  const metadata = { intervalMs: 60_000, countMax: 2 };
  await harness.configure([remoteConfig(receiver.url, { metadata })]);
  const entry = { type: 'counter', help: 'Help.', unit: '' } as const;
  receiver.answerWith([500]);
  await harness.writer.sendMetadata([]);
  expect(receiver.received).toEqual([]);
  // The first time is due some seconds after the start.
  expect(harness.writer.wantsMetadata).toBe(false);
  await until('due', () => harness.writer.wantsMetadata, 10_000);
  await harness.writer.sendMetadata(['a', 'b', 'c'].map((name) => ({ name, ...entry })));
  expect(receiver.received.length).toBe(3);
  expect(harness.metric('metadata_total')).toBe(3);
  expect(harness.metric('metadata_retried_total')).toBe(2);
  expect(Buffer.from(receiver.received[1]!.body).toString('latin1')).toContain('Help.');
  expect(harness.writer.wantsMetadata).toBe(false);
});

describe('over changes and restarts', () => {
  test('a queue begins with what comes after it', async () => {
    harness.append([[series('before'), NOW_MS, 1]]);
    await harness.configure([remoteConfig(receiver.url)]);
    harness.append([[series('before'), NOW_MS + 1, 2]]);
    await until('a request', () => receiver.received.length > 0);
    expect(samples()).toEqual([['{__name__="before"}', 1, 2]]);
  });

  test('a changed queue goes on where it was, an unchanged one is left alone', async () => {
    const other = await FakeReceiver.start();
    receiver.answer = (response) => response.writeHead(503).end();
    const left = remoteConfig(other.url, { name: 'left' });
    await harness.configure([remoteConfig(receiver.url), left]);
    harness.append([[series('a'), NOW_MS, 1]]);
    await until('tried', () => receiver.received.length > 1 && other.received.length === 1);
    receiver.received.length = 0;
    receiver.answerWith([]);
    const changed = remoteConfig(receiver.url, { headers: { 'X-New': '1' } });
    await harness.configure([changed, left]);
    harness.append([[series('a'), NOW_MS + 1, 2]]);
    await until('both samples', () => samples().length === 2);
    expect(receiver.received[0]!.headers['x-new']).toBe('1');
    expect(samples().map(([, t]) => t)).toEqual([0, 1]);
    await until('the other', () => other.received.length === 2);
    expect(other.received.flatMap(({ body }) => readRequest(1, body).samples).length).toBe(2);
    // One that is gone loses its figures, and what it had to do.
    await harness.configure([changed]);
    expect(harness.metric('shards', 'left')).toBe(0);
    other.stop();
  });

  test('what could not be sent is sent by the next run, and only that', async () => {
    await harness.configure([remoteConfig(receiver.url, {}, { shardsMin: 3 })]);
    const some = (t: number) =>
      Array.from({ length: 9 }, (_, i) => [series(`m${i}`), NOW_MS + t, t] as const);
    harness.append(some(0));
    await until('sent', () => harness.metric('samples_total') === 9);
    receiver.answer = (response) => response.writeHead(503).end();
    harness.append(some(1));
    await until('tried', () => receiver.received.length > 5);
    await harness.restart();
    receiver.received.length = 0;
    receiver.answerWith([]);
    harness.append(some(2));
    await harness.configure([remoteConfig(receiver.url)]);
    await until('all', () => samples().length === 18);
    await sleep(60);
    expect(new Set(samples().map(([labels, t]) => `${labels} ${t}`)).size).toBe(18);
    expect(samples().every(([, t]) => t > 0)).toBe(true);
    // What may have arrived goes out by itself, apart from what is new.
    for (const { body } of receiver.received) {
      expect(new Set(readRequest(1, body).samples.map(([, t]) => t)).size).toBe(1);
    }
  });

  test('how far an earlier run has come is known before anything is sent', async () => {
    // Nothing to send is nothing to wait for.
    await harness.configure([remoteConfig(receiver.url)]);
    expect(harness.writer.passedOn.timestampMs).toBeGreaterThan(NOW_MS);
    harness.append([[series('m'), NOW_MS - 60_000, 1]]);
    await until('sent', () => harness.metric('samples_total') === 1);
    expect(harness.writer.passedOn.timestampMs).toBe(NOW_MS - 60_000);
    receiver.answer = (response) => response.writeHead(503).end();
    const { segmentIndex } = harness.db.logPosition;
    harness.append([[series('m'), NOW_MS - 30_000, 2]]);
    await until('tried', () => receiver.received.length > 1);
    await harness.restart();
    await harness.configure([remoteConfig(receiver.url)]);
    await until('tried again', () => harness.metric('samples_retried_total') > 0);
    const passedOn = { timestampMs: NOW_MS - 30_000, segment: segmentIndex };
    expect(harness.writer.passedOn).toEqual(passedOn);
  });
});

test('a slow receiver gets more shards, and nothing gets lost by it', {
  timeout: 40_000,
}, async () => {
  receiver.answer = (response) => void setTimeout(() => response.writeHead(204).end(), 40);
  await harness.configure([
    remoteConfig(receiver.url, {}, { samplesPerSendMax: 10, sendDeadlineMs: 100 }),
  ]);
  let t = 0;
  const timer = setInterval(() => {
    t++;
    harness.append(Array.from({ length: 40 }, (_, i) => [series(`m${i}`), NOW_MS + t, t] as const));
  }, 100);
  try {
    await until('more shards', () => harness.metric('shards') > 1, 25_000);
  } finally {
    clearInterval(timer);
  }
  await until('all', () => harness.metric('samples_total') === t * 40, 15_000);
  expect(harness.metric('shards_desired')).toBeGreaterThan(1);
  for (let i = 0; i < 40; i++) {
    const own = samples().filter(([labels]) => labels === `{__name__="m${i}"}`);
    expect(own.map(([, at]) => at)).toEqual(Array.from({ length: t }, (_, at) => at + 1));
  }
});
