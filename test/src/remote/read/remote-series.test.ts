/** Answers to remote reads, as made by our own server side, read back; and broken ones. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { floatHistogram, SampleBuffer } from '../../../../model/index.ts';
import { remoteSeries } from '../../../../src/remote/read/remote-series.ts';
import { answerRead } from '../../../../src/remote/read-answer.ts';
import { encodeReadRequest } from '../support/read-messages.ts';
import { NOW_MS, RemoteStore } from '../support/store.ts';

const STREAMED = 1;
const SAMPLED = 0;
const START_MS = NOW_MS - 600_000;

let store: RemoteStore;
beforeAll(() => {
  store = new RemoteStore();
  const histogram = floatHistogram({
    count: 3,
    sum: 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveCounts: [3],
  });
  const floats = Array.from({ length: 300 }, (_, k) => ({ t: START_MS + k * 1000, v: k / 7 }));
  store.send(1, [
    {
      labels: [
        ['__name__', 'm'],
        ['i', '2'],
      ],
      samples: floats,
    },
    {
      labels: [
        ['__name__', 'm'],
        ['i', '1'],
      ],
      samples: floats.slice(0, 3),
    },
    {
      labels: [['__name__', 'h']],
      histograms: [0, 1, 2].map((k) => ({ t: START_MS + k * 1000, h: histogram })),
    },
  ]);
  // A series that changes from one kind to the other.
  store.send(1, [{ labels: [['__name__', 'mixed']], samples: floats.slice(0, 2) }]);
  store.send(1, [{ labels: [['__name__', 'mixed']], histograms: [{ t: NOW_MS, h: histogram }] }]);
});
afterAll(() => store.remove());

function answer(type: number, frameSizeBytesMax = 1 << 20): Uint8Array {
  const matchers = [['!=', '__name__', '']] as const;
  const query = { startMs: START_MS, endMs: NOW_MS, matchers };
  return answerRead(
    store.db,
    {
      body: encodeReadRequest([query], [type]),
      cursor: { query: 0, after: null },
      externalLabels: { cluster: 'c' },
      sampleCountMax: 0,
      frameSizeBytesMax,
    },
    () => false,
  ).bytes;
}

function dump(body: Uint8Array, isStreamed: boolean, dropped: string[], minMs = -1e15): unknown {
  const series = remoteSeries(body, isStreamed, dropped);
  const out = new SampleBuffer();
  return series.labels.map((labels, row) => {
    series.read(row, minMs, 1e15, out);
    const samples = Array.from({ length: out.count }, (_, i) => [
      out.timestampsMs[i]! - START_MS,
      out.histograms?.[i] == null ? out.values[i] : `histogram ${out.histograms[i].sum}`,
    ]);
    return [labels.toString(), samples];
  });
}

const isStreamed = (type: number) => type === STREAMED;
const cases = [
  ['sampled', SAMPLED, 1 << 20],
  ['streamed', STREAMED, 1 << 20],
  ['streamed in small frames', STREAMED, 1],
] as const;

test.each(cases)('%s', (_name, type, frameSize) => {
  const found = dump(answer(type, frameSize), isStreamed(type), ['cluster']);
  const stored = store.stored('.*', '=~', START_MS, NOW_MS);
  const wanted = Object.entries(stored).map(([labels, samples]) => [
    labels,
    samples.map(([at, value]) => [at - START_MS, value]),
  ]);
  expect(found).toEqual(wanted.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  expect(wanted).toHaveLength(4);
});

test('labels that were not added stay; times are bounds', () => {
  const all = dump(answer(SAMPLED), false, [], NOW_MS) as [string, unknown[]][];
  expect(all.map(([labels, samples]) => [labels, samples.length])).toEqual([
    ['{__name__="h", cluster="c"}', 0],
    ['{__name__="m", cluster="c", i="1"}', 0],
    ['{__name__="m", cluster="c", i="2"}', 0],
    ['{__name__="mixed", cluster="c"}', 1],
  ]);
});

test('a broken answer is an error, whatever is broken', () => {
  expect(() => remoteSeries(new Uint8Array([0xff, 0xff]), false, [])).toThrow('snappy');
  const frames = answer(STREAMED);
  expect(() => remoteSeries(frames.subarray(0, frames.length - 1), true, [])).toThrow('EOF');
  expect(() => remoteSeries(frames.with(20, frames[20]! ^ 1), true, [])).toThrow('checksum');
  const sampled = answer(SAMPLED);
  for (let at = 0; at < sampled.length; at += 7) {
    const broken = sampled.with(at, sampled[at]! ^ 0x55);
    // It may go unseen, but never end in anything but an error of ours.
    try {
      remoteSeries(broken, false, []);
    } catch (error) {
      expect((error as Error).constructor.name).toMatch(
        /^(?:ValueError|CorruptionError|WireError)$/,
      );
    }
  }
});
