/** What becomes of requests: texts and counts are those that Prometheus 3.14 answers with. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CUSTOM_BUCKETS_SCHEMA,
  floatHistogram,
  type Histogram,
  isStaleAt,
  Matcher,
  ProtobufWriter,
  SampleBuffer,
} from '../../../model/index.ts';
import type { WriteVersion } from '../../../src/remote/write-batch.ts';
import {
  encodeV1,
  encodeV2,
  packed,
  type Pairs,
  type SentSeries,
  writeStale,
} from './support/messages.ts';
import { NOW_MS, RemoteStore } from './support/store.ts';

const T = NOW_MS - 60_000;
const HOUR_MS = 3_600_000;

let store: RemoteStore;
beforeEach(() => (store = new RemoteStore()));
afterEach(() => store.remove());

function named(name: string, ...others: Pairs): Pairs {
  return [['__name__', name], ...others];
}

function floats(labels: Pairs, ...samples: (readonly [number, number])[]): SentSeries {
  return { labels, samples: samples.map(([t, v]) => ({ t, v })) };
}

function histogram(changes: Partial<Histogram> = {}): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 3,
    zeroThreshold: 0.001,
    zeroCount: 2,
    count: 5,
    sum: 8,
    positiveSpans: [{ offset: 0, length: 2 }],
    negativeSpans: [],
    positiveDeltas: [1, 1],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
    ...changes,
  };
}

function histograms(name: string, ...changes: Partial<Histogram>[]): SentSeries {
  return {
    labels: named(name),
    histograms: changes.map((change, i) => ({ t: T + i, h: histogram(change) })),
  };
}

const OBSERVATIONS =
  "5 observations found in buckets, but the Count field is 9: histogram's observation count " +
  'should equal the number of observations found in the buckets (in absence of NaN)';

describe.each([1, 2] as const)('a request of version %s', (version: WriteVersion) => {
  const send = (...series: SentSeries[]) => store.send(version, series);

  test('stores its samples', () => {
    const report = send(
      floats(named('a', ['x', '1']), [T, 1], [T + 1, 2.5]),
      floats(named('b'), [T, -3]),
    );
    expect(report).toEqual({
      samplesWritten: 3,
      histogramsWritten: 0,
      exemplarsWritten: 0,
      rejection: null,
    });
    expect(store.stored()).toEqual({
      '{__name__="a", x="1"}': [
        [T, 1],
        [T + 1, 2.5],
      ],
      '{__name__="b"}': [[T, -3]],
    });
  });

  test('may repeat what is there', () => {
    send(floats(named('a'), [T, 1]));
    expect(send(floats(named('a'), [T, 1])).rejection).toBeNull();
  });

  test.each([
    ['late', T - 1000, 2, 'out of order sample'],
    ['before all blocks', T - 5 * HOUR_MS, 2, 'out of bounds'],
    ['from the future', NOW_MS + 601_000, 2, 'out of bounds: timestamp is too far in the future'],
    ['from 1970', 1000, 2, 'out of bounds'],
    [
      'another value',
      T,
      0.1,
      `duplicate sample for timestamp ${T}; overrides not allowed: existing 1.5e+300, new value 0.1`,
    ],
    [
      'no number',
      T,
      NaN,
      `duplicate sample for timestamp ${T}; overrides not allowed: existing 1.5e+300, new value NaN`,
    ],
  ])('that brings something %s stores the rest', (_, timestampMs, value, reason) => {
    send(floats(named('a', ['x', '1']), [T, 1.5e300]));
    const report = send(
      floats(named('a', ['x', '1']), [timestampMs, value]),
      floats(named('good'), [T, 7]),
    );
    expect(report.rejection).toBe(`${reason} for series {__name__="a", x="1"}`);
    expect(report.samplesWritten).toBe(1);
    expect(store.stored('good', '=')).toEqual({ '{__name__="good"}': [[T, 7]] });
    expect(store.stored('a', '=')).toEqual({ '{__name__="a", x="1"}': [[T, 1.5e300]] });
  });

  test('takes what is a little ahead', () => {
    expect(send(floats(named('a'), [NOW_MS + 599_000, 1])).rejection).toBeNull();
  });

  test('names every sample that was refused, and counts them when they are many', () => {
    send(floats(named('a'), [T, 1]));
    const late = Array.from({ length: 70 }, (_, i): [number, number] => [T - 100 + i, i]);
    const { rejection, samplesWritten } = send(floats(named('a'), ...late, [T, 2]));
    const lines = rejection!.split('\n');
    expect(lines).toHaveLength(51);
    expect(lines[49]).toBe('out of order sample for series {__name__="a"}');
    expect(lines[50]).toBe(
      'and 21 more; in all 70 × out of order sample, 1 × duplicate sample for timestamp',
    );
    expect(samplesWritten).toBe(0);
  });

  test('has its samples judged by what it brought before', () => {
    const report = send(floats(named('a'), [T, 1], [T, 2], [T - 1, 3], [T + 1, 4]));
    expect(report.samplesWritten).toBe(2);
    expect(report.rejection).toBe(
      `duplicate sample for timestamp ${T}; overrides not allowed: existing 1, new value 2 ` +
        'for series {__name__="a"}\nout of order sample for series {__name__="a"}',
    );
  });

  test('has new series refused when memory is used up', async () => {
    await store.remove();
    store = new RemoteStore({ headMemoryLimitBytes: 1 });
    const report = send(floats(named('a'), [T, 1]), histograms('h', {}));
    expect(report).toMatchObject({ samplesWritten: 0, histogramsWritten: 0 });
    const reason =
      /^new series refused: the memory budget of the head .* for series \{__name__="a"\}/;
    expect(report.rejection).toMatch(reason);
    expect(store.db.status(1).head.refusedSeriesCount.memory_limit).toBe(2);
  });

  test('may come late within the window', async () => {
    await store.remove();
    store = new RemoteStore({ outOfOrderWindowMs: 600_000 });
    send(floats(named('a'), [T, 1]));
    expect(send(floats(named('a'), [T - 1000, 2])).rejection).toBeNull();
    expect(send(floats(named('a'), [T - 700_000, 2])).rejection).toBe(
      'too old sample for series {__name__="a"}',
    );
  });

  test('may have its labels in any order', () => {
    send(
      floats(
        [
          ['x', '1'],
          ['__name__', 'a'],
          ['b', '2'],
        ],
        [T, 1],
      ),
    );
    send(
      floats(
        [
          ['b', '2'],
          ['x', '1'],
          ['__name__', 'a'],
        ],
        [T + 1, 2],
      ),
    );
    expect(store.stored()).toEqual({
      '{__name__="a", b="2", x="1"}': [
        [T, 1],
        [T + 1, 2],
      ],
    });
  });

  test('has labels without value left out', () => {
    send(floats(named('a', ['x', '']), [T, 1]));
    expect(Object.keys(store.stored())).toEqual(['{__name__="a"}']);
  });

  test.each<[string, Pairs, string]>([
    ['no name', [['x', '1']], 'invalid metric name or labels, got {x="1"}'],
    ['no labels', [], 'invalid metric name or labels, got {}'],
    ['an empty name', [['__name__', '']], 'invalid metric name or labels, got {__name__=""}'],
    [
      'a label without name',
      named('a', ['', 'x']),
      'invalid metric name or labels, got {""="x", __name__="a"}',
    ],
    [
      'a label twice',
      named('a', ['x', '1'], ['x', '2']),
      'invalid labels for series, labels {__name__="a", x="1", x="2"}, duplicated label x',
    ],
  ])('leaves out a series with %s', (_, labels, reason) => {
    const report = send(floats(labels, [T, 1], [T + 1, 2]), floats(named('good'), [T, 7]));
    expect(report.samplesWritten).toBe(1);
    // Senders of the first version are not told of it.
    expect(report.rejection).toBe(version === 1 ? null : reason);
    expect(Object.keys(store.stored())).toEqual(['{__name__="good"}']);
    expect(store.seriesCount).toBe(1);
    const [family] = store.registry.snapshot();
    expect(family!.samples[0]!.value).toBe(2);
  });

  test('keeps the order of floats and histograms of a series', () => {
    const report = send(
      { labels: named('m'), histograms: [{ t: T, h: histogram() }] },
      floats(named('other'), [T, 1]),
      floats(named('m'), [T + 1, 5]),
      { labels: named('m'), histograms: [{ t: T + 2, h: histogram({ sum: 9 }) }] },
    );
    expect(report).toMatchObject({ samplesWritten: 2, histogramsWritten: 2, rejection: null });
    expect(store.stored('m', '=')).toEqual({
      '{__name__="m"}': [
        [T, 'histogram 8'],
        [T + 1, 5],
        [T + 2, 'histogram 9'],
      ],
    });
  });

  test('keeps that order when something is taken out', () => {
    const report = send(
      floats(named('ahead'), [NOW_MS + HOUR_MS, 1]),
      { labels: named('m'), histograms: [{ t: T, h: histogram() }] },
      floats(named('m'), [T + 1, 5]),
      { labels: named('m'), histograms: [{ t: T + 2, h: histogram() }] },
    );
    expect(report).toMatchObject({ samplesWritten: 1, histogramsWritten: 2 });
    expect(store.stored('m', '=')['{__name__="m"}']).toHaveLength(3);
  });

  test.each<[string, Partial<Histogram>, string]>([
    ['a wrong count', { count: 9 }, OBSERVATIONS],
    [
      'too few buckets',
      { positiveDeltas: [1] },
      'positive side: spans need 2 buckets, have 1 buckets: ' +
        'histogram spans specify different number of buckets than provided',
    ],
    [
      'an unknown schema',
      { schema: 53 },
      'histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, ' +
        'or -53 for custom buckets, got schema 53',
    ],
  ])('leaves out a histogram with %s', (_, change, reason) => {
    const report = send(histograms('h', change), floats(named('good'), [T, 1]));
    expect(report).toMatchObject({ samplesWritten: 1, histogramsWritten: 0 });
    expect(report.rejection).toBe(`${reason} for series {__name__="h"}`);
  });

  test('refuses a histogram in the place of another', () => {
    send(histograms('h', {}));
    expect(send(histograms('h', { sum: 9 })).rejection).toBe(
      'duplicate sample for timestamp for series {__name__="h"}',
    );
    expect(send(histograms('h', {})).rejection).toBeNull();
    expect(send(floats(named('h'), [T, 1])).rejection).toBe(
      `duplicate sample for timestamp ${T}; overrides not allowed: existing is a histogram, ` +
        'new value 1 for series {__name__="h"}',
    );
  });

  test('takes histograms of every kind', () => {
    const report = send(
      histograms('fine', { schema: 20 }),
      histograms('custom', {
        schema: CUSTOM_BUCKETS_SCHEMA,
        zeroThreshold: 0,
        zeroCount: 0,
        count: 3,
        customBounds: [1, 2],
      }),
      {
        labels: named('float'),
        histograms: [
          {
            t: T,
            h: floatHistogram({
              schema: 3,
              count: 3.5,
              sum: 4,
              positiveSpans: [{ offset: -2, length: 2 }],
              positiveCounts: [1, 2.5],
            }),
          },
        ],
      },
    );
    expect(report).toMatchObject({ histogramsWritten: 3, rejection: null });
    const read = new SampleBuffer();
    const querier = store.db.querier(T, T);
    const find = (name: string) => {
      const found = querier.select([new Matcher('__name__', '=', name)], { minMs: T, maxMs: T });
      found.read(0, T, T, read);
      return read.histograms![0]!;
    };
    expect(find('fine')).toMatchObject({ schema: 8, count: 5 });
    expect(find('custom')).toMatchObject({ customBounds: [1, 2], positiveCounts: [1, 2] });
    expect(find('float')).toMatchObject({
      count: 3.5,
      positiveSpans: [{ offset: -2, length: 2 }],
      positiveCounts: [1, 2.5],
    });
    querier.close();
  });

  test('brings exemplars, with samples or alone', () => {
    const exemplar = (id: string, t: number) => ({ labels: [['id', id]] as Pairs, v: 1, t });
    const labels = named('e');
    expect(
      send({ labels, samples: [{ t: T, v: 1 }], exemplars: [exemplar('a', T)] }).exemplarsWritten,
    ).toBe(1);
    expect(send({ labels, exemplars: [exemplar('b', T + 1)] })).toMatchObject({
      exemplarsWritten: 1,
      rejection: null,
    });
    const late = send({ labels, exemplars: [exemplar('c', T - 10)] });
    expect(late.exemplarsWritten).toBe(0);
    expect(late.rejection).toBe(
      version === 1 ? null : 'out of order exemplar for series {__name__="e"}',
    );
    const long = send({ labels, exemplars: [exemplar('x'.repeat(127), T + 2)] });
    expect(long).toMatchObject({ exemplarsWritten: 0, rejection: null });
    expect(store.exemplars.map((e) => e.labels)).toEqual(['{id="a"}', '{id="b"}']);
  });

  test('without anything stores nothing', () => {
    expect(send()).toMatchObject({ samplesWritten: 0, rejection: null });
    const report = send({ labels: named('empty') });
    expect(report.rejection).toBe(
      version === 1
        ? null
        : 'TimeSeries must contain at least one sample or histogram for series {__name__="empty"}',
    );
    expect(store.seriesCount).toBe(0);
  });

  test('finds its series again after storage has dropped them', () => {
    const { db } = store;
    const original = db.appender.bind(db);
    // What the cache holds once a series was dropped: a reference that storage does not know.
    const dropped = () => 999_999;
    db.appender = () =>
      new Proxy(original(), {
        get: (target, key) => {
          if (key === 'series') return dropped;
          const value = Reflect.get(target, key) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    expect(send(floats(named('a'), [T, 1])).samplesWritten).toBe(0);
    db.appender = original;
    const labels = named('a');
    const report = send(
      { ...floats(labels, [T, 1]), exemplars: [{ labels: [['id', 'x']], v: 1, t: T }] },
      histograms('h', {}),
    );
    expect(report).toMatchObject({ samplesWritten: 1, exemplarsWritten: 1, rejection: null });
    expect(store.stored('a', '=')).toEqual({ '{__name__="a"}': [[T, 1]] });
  });

  test('that cannot be unpacked is an error', () => {
    const write = (body: Uint8Array) => () => store.receiver.write(version, body);
    expect(write(new Uint8Array(0))).toThrow('s2: corrupt input');
    expect(write(new TextEncoder().encode('hello'))).toThrow('s2: corrupt input');
    const good = packed(encodeV1([floats(named('a'), [T, 1])]));
    expect(write(good.subarray(0, 10))).toThrow('s2: corrupt input');
    const huge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0);
    expect(write(huge)).toThrow('decoded size exceeds the 33554432 bytes limit');
  });

  test.each([
    [
      'an illegal tag',
      [0x00, 1],
      `proto: ${version === 1 ? 'WriteRequest' : 'Request'}: illegal tag 0 (wire type 0)`,
    ],
    [
      'a wrong wire type',
      [version === 1 ? 0x08 : 0x28, 1],
      'proto: wrong wireType = 0 for field Timeseries',
    ],
    ['an end in the middle', [version === 1 ? 0x0a : 0x2a, 50, 1], 'unexpected EOF'],
  ])('with %s is refused as a whole', (_, bytes, reason) => {
    const sent = [floats(named('a'), [T, 1])];
    const good = version === 1 ? encodeV1(sent) : encodeV2(sent);
    const report = store.receiver.write(version, packed(Uint8Array.from([...good, ...bytes])));
    expect(report).toEqual({
      samplesWritten: 0,
      histogramsWritten: 0,
      exemplarsWritten: 0,
      rejection: reason,
    });
    expect(store.seriesCount).toBe(0);
  });

  test('may have fields that nobody knows', () => {
    const unknown = [0x78, 1];
    const sent = [floats(named('a'), [T, 1])];
    const good = version === 1 ? encodeV1(sent) : encodeV2(sent);
    const report = store.receiver.write(version, packed(Uint8Array.from([...unknown, ...good])));
    expect(report).toMatchObject({ samplesWritten: 1, rejection: null });
  });
});

describe('a request of version 1', () => {
  test('may have something between its labels', () => {
    const out = new ProtobufWriter();
    const label = (name: string, value: string) =>
      out.message(1, () => {
        out.text(1, name);
        out.text(2, value);
      });
    out.message(1, () => {
      label('__name__', 'a');
      out.message(2, () => {
        out.int64(2, T);
        out.double(1, 4);
      });
      label('x', '1');
    });
    for (let i = 0; i < 2; i++) store.receiver.write(1, packed(out.view()));
    expect(store.stored()).toEqual({ '{__name__="a", x="1"}': [[T, 4]] });
  });

  test('keeps staleness markers, and times before 1970', () => {
    const out = new ProtobufWriter();
    out.message(1, () => {
      out.message(1, () => {
        out.text(1, '__name__');
        out.text(2, 'a');
      });
      out.message(2, () => {
        writeStale(out, 1);
        out.int64(2, -5);
      });
    });
    store.receiver.write(1, packed(out.view()));
    const querier = store.db.querier(-10, 0);
    const read = new SampleBuffer();
    const found = querier.select([new Matcher('__name__', '=', 'a')], { minMs: -10, maxMs: 0 });
    found.read(0, -10, 0, read);
    querier.close();
    expect(read.timestampsMs[0]).toBe(-5);
    expect(isStaleAt(read.values, 0)).toBe(true);
  });

  test('with a label that is cut off inside creates no series', () => {
    const good = encodeV1([floats(named('a'), [T, 1])]);
    // A series whose label says that its name has 50 bytes.
    const bad = [0x0a, 4, 0x0a, 2, 0x0a, 50];
    const report = store.receiver.write(1, packed(Uint8Array.from([...good, ...bad])));
    expect(report).toMatchObject({ samplesWritten: 0, rejection: 'unexpected EOF' });
    expect(store.seriesCount).toBe(0);
  });

  test('passes metadata of metrics over', () => {
    const plain = encodeV1(
      [floats(named('a'), [T, 1])],
      [{ metric: 'a', type: 'counter', help: 'Help.', unit: 'u' }],
    );
    expect(store.receiver.write(1, packed(plain))).toMatchObject({
      samplesWritten: 1,
      rejection: null,
    });
  });
});

describe('a request of version 2', () => {
  test('may bring metadata and start timestamps', () => {
    const report = store.send(2, [
      {
        labels: named('a'),
        samples: [{ t: T, v: 1, startMs: T - 1000 }],
        metadata: { type: 'counter', help: 'Help.', unit: 'seconds' },
      },
    ]);
    expect(report).toMatchObject({ samplesWritten: 1, rejection: null });
  });

  test.each([
    ['an odd number of refs', [0], 'parsing labels for series [0]: invalid labelRefs length 1'],
    [
      'refs without symbols',
      [7, 8],
      'parsing labels for series [7 8]: labelRefs 7 (name) = 8 (value) outside of symbols table (size 3)',
    ],
  ])('leaves out a series with %s', (_, refs, reason) => {
    const out = new ProtobufWriter();
    for (const text of ['', '__name__', 'good']) out.text(4, text);
    const series = (labelRefs: number[]) =>
      out.message(5, () => {
        out.bytes(1, Uint8Array.from(labelRefs));
        out.message(2, () => {
          out.double(1, 1);
          out.int64(2, T);
        });
      });
    series(refs);
    series([1, 2]);
    const report = store.receiver.write(2, packed(out.view()));
    expect(report).toMatchObject({ samplesWritten: 1, rejection: reason });
    expect(Object.keys(store.stored())).toEqual(['{__name__="good"}']);
  });

  test('is told once of a series whose labels and exemplars are both wrong', () => {
    const out = new ProtobufWriter();
    for (const text of ['', '__name__', 'good']) out.text(4, text);
    out.message(5, () => {
      out.bytes(1, Uint8Array.of(7, 8));
      out.message(2, () => out.int64(2, T));
      out.message(4, () => out.bytes(1, Uint8Array.of(9, 9)));
    });
    const report = store.receiver.write(2, packed(out.view()));
    expect(report.rejection).toMatch(/^parsing labels for series \[7 8\]: [^\n]*$/);
  });

  test('shows labels as they were sent', () => {
    const labels = [
      ['__name__', 'a'],
      ['x', ''],
    ] as const;
    const report = store.send(2, [
      {
        labels,
        samples: [
          { t: T - 1e9, v: 1 },
          { t: 0, v: 1 },
        ],
      },
    ]);
    expect(report.rejection).toContain('for series {__name__="a", x=""}');
  });

  test('shows bytes that are no text', () => {
    const out = new ProtobufWriter();
    for (const text of ['', '__name__', 'a', 'x']) out.text(4, text);
    out.bytes(4, Uint8Array.of(0x79, 0xff, 0xc3, 0xa4));
    out.message(5, () => {
      out.bytes(1, Uint8Array.of(1, 2, 3, 4));
      out.message(2, () => out.int64(2, T));
    });
    expect(store.receiver.write(2, packed(out.view())).rejection).toBe(
      'invalid metric name or labels, got {__name__="a", x="y\\xffä"}',
    );
  });
});
