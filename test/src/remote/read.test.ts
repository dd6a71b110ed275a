/** Answers to remote reads, sampled and streamed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { floatHistogram, Registry, SampleBuffer } from '../../../model/index.ts';
import { answerRead, type ReadJob, type ReadPage } from '../../../src/remote/read-answer.ts';
import { ReadServer } from '../../../src/remote/read-server.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import type { Encoding } from '../../../tsdb/chunk/encoding.ts';
import { packed, type SentSeries } from './support/messages.ts';
import {
  decodeFrames,
  decodeReadResponse,
  encodeReadRequest,
  type SentMatcher,
  type SentQuery,
} from './support/read-messages.ts';
import { NOW_MS, RemoteStore } from './support/store.ts';

const START_MS = NOW_MS - 600_000;
const M: SentMatcher = ['=', '__name__', 'm'];
const SERIES_COUNT = 5;
const SAMPLE_COUNT = 150;
const EXTERNAL = { region: 'eu', x: 'ext' };

let store: RemoteStore;
beforeAll(() => {
  store = new RemoteStore();
  const sent: SentSeries[] = [];
  for (let i = 0; i < SERIES_COUNT; i++) {
    sent.push({
      labels: [
        ['__name__', 'm'],
        ['i', String(i)],
        ...(i === 3 ? [['region', 'us'] as const] : []),
      ],
      samples: Array.from({ length: SAMPLE_COUNT }, (_, k) => ({
        t: START_MS + k * 1000,
        v: k * i,
      })),
    });
  }
  const half = floatHistogram({
    count: 1.5,
    sum: 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveCounts: [1.5],
  });
  const whole = floatHistogram({ ...half, count: 3, positiveCounts: [3] });
  for (const [name, h] of [
    ['half', half],
    ['whole', whole],
  ] as const) {
    sent.push({
      labels: [['__name__', name]],
      histograms: [0, 1, 2].map((k) => ({ t: START_MS + k * 1000, h })),
    });
  }
  expect(store.send(1, sent).rejection).toBeNull();
});
afterAll(() => store.remove());

function query(
  matchers: readonly SentMatcher[],
  startMs = START_MS,
  endMs = START_MS + 1e6,
): SentQuery {
  return { startMs, endMs, matchers };
}

function ask(queries: readonly SentQuery[], types: number[], changes: Partial<ReadJob> = {}) {
  return answerRead(
    store.db,
    {
      body: encodeReadRequest(queries, types),
      cursor: { query: 0, after: null },
      externalLabels: {},
      sampleCountMax: 0,
      frameSizeBytesMax: 1_048_576,
      ...changes,
    },
    () => false,
  );
}

/** As rows of times and values, or of sums. */
function unpackChunks(chunks: ReturnType<typeof decodeFrames>[number]['chunks']) {
  const samples = new SampleBuffer();
  const rows: [number, number][] = [];
  for (const { type, data, minMs, maxMs } of chunks) {
    samples.clear();
    const place = { file: 'answer', offsetBytes: 0 };
    decodeChunk(type as Encoding, data, 0, data.length, minMs, maxMs, samples, place);
    for (let i = 0; i < samples.count; i++) {
      const value = samples.histograms?.[i]?.sum ?? samples.values[i]!;
      rows.push([samples.timestampsMs[i]!, value]);
    }
  }
  return rows;
}

describe('the type of the answer', () => {
  test.each([
    [[], false],
    [[0], false],
    [[1], true],
    [[1, 0], true],
    [[0, 1], false],
    [[2, 0], false],
  ])('is the first of %j that is known', (types, isStreamed) => {
    expect(ask([query([M])], types).isStreamed).toBe(isStreamed);
  });

  test('is refused when none is known', () => {
    expect(() => ask([query([M])], [2, 3])).toThrow(
      'server does not support any of the requested response types: [2 3]; ' +
        'supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]',
    );
  });
});

describe('a sampled answer', () => {
  const sampled = (queries: SentQuery[], changes: Partial<ReadJob> = {}) =>
    decodeReadResponse(ask(queries, [0], changes).bytes);

  test('has a result per query', () => {
    const answer = sampled([
      query([M, ['=', 'i', '1']], START_MS + 500, START_MS + 2000),
      query([['=', '__name__', 'nothing']]),
      query([M, ['=~', 'i', '[23]']], START_MS, START_MS),
    ]);
    expect(answer).toEqual([
      [
        {
          labels: { __name__: 'm', i: '1' },
          samples: [
            [START_MS + 1000, 1],
            [START_MS + 2000, 2],
          ],
          histogramCount: 0,
        },
      ],
      [],
      [
        { labels: { __name__: 'm', i: '2' }, samples: [[START_MS, 0]], histogramCount: 0 },
        {
          labels: { __name__: 'm', i: '3', region: 'us' },
          samples: [[START_MS, 0]],
          histogramCount: 0,
        },
      ],
    ]);
  });

  test('has histograms', () => {
    const answer = sampled([query([['=~', '__name__', 'half|whole']])]);
    expect(answer[0]!.map((s) => s.histogramCount)).toEqual([3, 3]);
  });

  test('is bounded in samples', () => {
    const all = SERIES_COUNT * SAMPLE_COUNT;
    expect(() => sampled([query([M])], { sampleCountMax: all - 1 })).toThrow(
      'exceeded sample limit (749)',
    );
    expect(sampled([query([M])], { sampleCountMax: all })[0]).toHaveLength(SERIES_COUNT);
  });

  test.each<[string, SentMatcher, string[]]>([
    ['equals it', ['=', 'region', 'eu'], ['0', '1', '2', '4']],
    ['equals another value', ['=', 'region', 'us'], ['3']],
    ['equals one that no series has', ['=', 'x', 'ext'], ['0', '1', '2', '3', '4']],
    ['is an expression', ['=~', 'region', 'eu|us'], ['3']],
    ['is a negation', ['!=', 'region', 'us'], ['0', '1', '2', '4']],
  ])('with external labels, and a matcher that %s', (_, matcher, wanted) => {
    const [result] = sampled([query([M, matcher], START_MS, START_MS)], {
      externalLabels: EXTERNAL,
    });
    expect(result!.map(({ labels }) => labels['i'])).toEqual(wanted);
    for (const { labels } of result!) {
      expect(labels['x']).toBe('ext');
      expect(labels['region']).toBe(labels['i'] === '3' ? 'us' : 'eu');
    }
  });
});

describe('a streamed answer', () => {
  test('has the same samples in chunks, series by series', () => {
    const { bytes, next } = ask([query([M])], [1]);
    expect(next).toBeNull();
    const frames = decodeFrames(bytes);
    expect(frames.map(({ labels }) => labels['i'])).toEqual(['0', '1', '2', '3', '4']);
    for (const [i, { chunks, query: number }] of frames.entries()) {
      expect(number).toBe(0);
      expect(chunks.map(({ type }) => type)).toEqual([1, 1]);
      expect(unpackChunks(chunks)).toEqual(
        Array.from({ length: SAMPLE_COUNT }, (_, k) => [START_MS + k * 1000, k * i]),
      );
    }
  });

  test('has integer histograms where all counts are whole', () => {
    const frames = decodeFrames(ask([query([['=~', '__name__', 'half|whole']])], [1]).bytes);
    expect(frames.map(({ labels, chunks }) => [labels['__name__'], chunks[0]!.type])).toEqual([
      ['half', 3],
      ['whole', 2],
    ]);
    for (const { chunks } of frames) {
      expect(unpackChunks(chunks)).toEqual([0, 1, 2].map((k) => [START_MS + k * 1000, 2]));
    }
  });

  test('splits a series where a frame is full', () => {
    const all = ask([query([M, ['=', 'i', '4']])], [1], { frameSizeBytesMax: 60 });
    const frames = decodeFrames(all.bytes);
    expect(frames).toHaveLength(2);
    expect(unpackChunks(frames.flatMap(({ chunks }) => chunks))).toHaveLength(SAMPLE_COUNT);
  });

  test('says which query a series answers', () => {
    const queries = [query([M, ['=', 'i', '1']]), query([M, ['=', 'i', '2']])];
    const frames = decodeFrames(ask(queries, [1]).bytes);
    expect(frames.map((frame) => [frame.query, frame.labels['i']])).toEqual([
      [0, '1'],
      [1, '2'],
    ]);
  });

  test('goes on after any series', () => {
    const queries = [query([M]), query([M, ['=', 'i', '2']])];
    const after = ['__name__', 'm', 'i', '2'];
    const frames = decodeFrames(ask(queries, [1], { cursor: { query: 0, after } }).bytes);
    expect(frames.map((frame) => [frame.query, frame.labels['i']])).toEqual([
      [0, '3'],
      [0, '4'],
      [1, '2'],
    ]);
    // The series itself may be gone by then.
    const gone = { query: 0, after: ['__name__', 'm', 'i', '25'] };
    expect(decodeFrames(ask(queries, [1], { cursor: gone }).bytes)).toHaveLength(3);
  });
});

describe('a request', () => {
  test.each([
    ['no snappy block', new TextEncoder().encode('hello'), 'snappy: corrupt input'],
    ['empty', new Uint8Array(0), 'snappy: corrupt input'],
    [
      'too large',
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0),
      'snappy: decoded length 4294967295 exceeds limit 33554432',
    ],
    ['cut off', packed(Uint8Array.of(0x0a, 50, 1)), 'unexpected EOF'],
    ['of unknown matchers', packed(Uint8Array.of(0x0a, 4, 0x1a, 2, 8, 9)), 'invalid matcher type'],
  ])('that is %s is refused', (_, body, reason) => {
    expect(() => ask([], [], { body })).toThrow(reason);
  });

  test('with a malformed expression is refused', () => {
    expect(() => ask([query([['=~', 'i', '(']])], [])).toThrow(/^error parsing regexp: missing/);
  });

  test('without matchers, or with an end before its start, finds nothing', () => {
    expect(decodeReadResponse(ask([query([])], []).bytes)).toEqual([[]]);
    expect(decodeReadResponse(ask([query([M], START_MS + 1000, START_MS)], []).bytes)).toEqual([
      [],
    ]);
  });
});

describe('the server', () => {
  const options = {
    externalLabels: () => ({}),
    sampleCountMax: 0,
    frameSizeBytesMax: 1000,
    concurrencyMax: 1,
  };
  const page = (byte: number, isLast: boolean): ReadPage => ({
    bytes: Uint8Array.of(byte),
    isStreamed: true,
    next: isLast ? null : { query: 0, after: [String(byte)] },
  });

  test('asks for a page when the one before was taken', async () => {
    const asked: unknown[] = [];
    const answerPage = async ({ cursor }: ReadJob) => {
      asked.push(cursor.after);
      return page(asked.length, asked.length === 3);
    };
    const server = new ReadServer({ ...options, ask: answerPage, registry: new Registry() });
    const answer = await server.read(new Uint8Array(0), new AbortController().signal);
    expect(answer.contentType).toBe(
      'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
    );
    expect(asked).toEqual([null]);
    const bytes: number[] = [];
    for await (const chunk of answer.chunks) bytes.push(...chunk);
    expect(bytes).toEqual([1, 2, 3]);
    expect(asked).toEqual([null, ['1'], ['2']]);
  });

  test('lets so many work at a time, in order, and forgets who gave up', async () => {
    const begun: PromiseWithResolvers<ReadPage>[] = [];
    const answerPage = () => {
      const one = Promise.withResolvers<ReadPage>();
      begun.push(one);
      return one.promise;
    };
    const server = new ReadServer({ ...options, ask: answerPage, registry: new Registry() });
    const impatient = new AbortController();
    const { signal } = new AbortController();
    const first = server.read(new Uint8Array(0), signal);
    const second = server.read(new Uint8Array(0), impatient.signal);
    const third = server.read(new Uint8Array(0), signal);
    await expect.poll(() => begun.length).toBe(1);
    impatient.abort();
    await expect(second).rejects.toThrow();
    begun[0]!.resolve(page(1, true));
    await first;
    await expect.poll(() => begun.length).toBe(2);
    begun[1]!.reject(new Error('broken'));
    await expect(third).rejects.toThrow('broken');
    const fourth = server.read(new Uint8Array(0), signal);
    await expect.poll(() => begun.length).toBe(3);
    begun[2]!.resolve(page(1, true));
    await fourth;
  });
});
