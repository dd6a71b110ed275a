/** What becomes of each kind of protobuf metric. Outcomes and messages are those of Prometheus 3.14. */
import { describe, expect, test } from 'vitest';
import type { SeriesOptions } from '../../../scrape/series-options.ts';
import { writeFamilies, type WrittenHistogram } from '../support/family-writer.ts';
import { FedTarget } from '../support/scrape-once.ts';
import { shownSeries } from '../support/show.ts';

const NATIVE = { scrapeNativeHistograms: true };
const KEEP = { keepClassicHistograms: true };
const CONVERT = { convertClassicHistograms: true };

const native: WrittenHistogram = {
  count: 7,
  sum: 5,
  zeroThreshold: 0.001,
  zeroCount: 1,
  schema: 0,
  spans: [
    [0, 2],
    [1, 1],
  ],
  deltas: [1, 1, 1],
};
const classic: WrittenHistogram = {
  count: 4,
  sum: 5.5,
  buckets: [
    { upTo: 1, count: 1 },
    { upTo: 2, count: 3 },
  ],
};
const both = { ...native, buckets: classic.buckets! };
const NATIVE_SHOWN = 'h schema=0 count=7 sum=5 -0.001..0.001:1 0.5..1:1 1..2:2 4..8:3';
const CLASSIC_SHOWN = [
  'h_bucket{le="+Inf"} 4',
  'h_bucket{le="1.0"} 1',
  'h_bucket{le="2.0"} 3',
  'h_count 4',
  'h_sum 5.5',
];

function scrapeHistogram(
  histogram: WrittenHistogram,
  options: Partial<SeriesOptions> = {},
  type: 'histogram' | 'gaugehistogram' = 'histogram',
) {
  const target = new FedTarget(options);
  const body = writeFamilies({ name: 'h', type, metrics: [{ histogram }] });
  const error = target.scrape(body, 'protobuf');
  return { error, series: shownSeries(target.storage) };
}

test('counters, gauges, untyped metrics and summaries', () => {
  const target = new FedTarget();
  const body = writeFamilies(
    { name: 'c', type: 'counter', metrics: [{ counter: 5 }, { labels: { x: 'y' }, counter: 6 }] },
    { name: 'g', type: 'gauge', metrics: [{ gauge: 1.5, labels: { 'a.b': 'é' } }] },
    { name: 'u', type: 'untyped', metrics: [{ untyped: -1 }] },
    {
      name: 's',
      type: 'summary',
      metrics: [
        {
          summary: {
            count: 3,
            sum: 4,
            quantiles: [
              [0.5, 1],
              [1, 2],
            ],
          },
        },
      ],
    },
    { name: 'wrong', type: 'counter', metrics: [{ gauge: 1 }] },
  );
  expect(target.scrape(body, 'protobuf')).toBe('');
  expect(shownSeries(target.storage)).toEqual([
    'c 5',
    'c{x="y"} 6',
    'g{"a.b"="é"} 1.5',
    's_count 3',
    's_sum 4',
    's{quantile="0.5"} 1',
    's{quantile="1.0"} 2',
    'u -1',
    'wrong 0',
  ]);
});

describe('a histogram', () => {
  test.each<[string, WrittenHistogram, Partial<SeriesOptions>, string[]]>([
    ['native only, not wanted', native, {}, ['h_bucket{le="+Inf"} 7', 'h_count 7', 'h_sum 5']],
    ['native only', native, NATIVE, [NATIVE_SHOWN]],
    ['native only, classic kept', native, { ...NATIVE, ...KEEP }, [NATIVE_SHOWN]],
    ['both', both, NATIVE, [NATIVE_SHOWN]],
    [
      'both, classic kept',
      both,
      { ...NATIVE, ...KEEP, ...CONVERT },
      [
        NATIVE_SHOWN,
        'h_bucket{le="+Inf"} 7',
        'h_bucket{le="1.0"} 1',
        'h_bucket{le="2.0"} 3',
        'h_count 7',
        'h_sum 5',
      ],
    ],
    [
      'both, native not wanted',
      both,
      CONVERT,
      ['h count=7 sum=5 -Infinity..1:1 1..2:2 2..Infinity:4'],
    ],
    ['classic only', classic, NATIVE, CLASSIC_SHOWN],
    [
      'classic only, converted',
      classic,
      CONVERT,
      ['h count=4 sum=5.5 -Infinity..1:1 1..2:2 2..Infinity:1'],
    ],
    [
      'classic only, converted and kept',
      classic,
      { ...CONVERT, ...KEEP },
      ['h count=4 sum=5.5 -Infinity..1:1 1..2:2 2..Infinity:1', ...CLASSIC_SHOWN],
    ],
    [
      'of floats',
      { countFloat: 4.5, sum: 2, buckets: [{ upTo: 1, countFloat: 1.5 }] },
      {},
      ['h_bucket{le="+Inf"} 4.5', 'h_bucket{le="1.0"} 1.5', 'h_count 4.5', 'h_sum 2'],
    ],
    [
      'of floats, converted',
      { countFloat: 4.5, sum: 2, buckets: [{ upTo: 1, countFloat: 1.5 }] },
      CONVERT,
      ['h float count=4.5 sum=2 -Infinity..1:1.5 1..Infinity:3'],
    ],
    [
      'of floats, native',
      {
        countFloat: 7,
        sum: 2,
        zeroThreshold: 0.1,
        zeroCountFloat: 1,
        spans: [[0, 2]],
        counts: [2.5, 3.5],
      },
      NATIVE,
      ['h float schema=0 count=7 sum=2 -0.1..0.1:1 0.5..1:2.5 1..2:3.5'],
    ],
    [
      'empty but marked by a span',
      { count: 0, sum: 0, spans: [[0, 0]] },
      NATIVE,
      ['h schema=0 count=0 sum=0'],
    ],
    [
      'empty but marked by a threshold',
      { count: 0, sum: 0, zeroThreshold: 1e-128 },
      NATIVE,
      ['h schema=0 count=0 sum=0'],
    ],
    [
      'without a mark',
      { count: 0, sum: 0, schema: 3 },
      NATIVE,
      ['h_bucket{le="+Inf"} 0', 'h_count 0', 'h_sum 0'],
    ],
    [
      'with too many buckets gets coarser ones',
      native,
      { ...NATIVE, nativeHistogramBucketLimit: 2 },
      ['h schema=-2 count=7 sum=5 -0.001..0.001:1 0.0625..1:1 1..16:5'],
    ],
    [
      'that is too fine gets coarser buckets',
      native,
      { ...NATIVE, nativeHistogramSchemaMax: -1 },
      ['h schema=-1 count=7 sum=5 -0.001..0.001:1 0.25..1:1 1..4:2 4..16:3'],
    ],
  ])('%s', (_, histogram, options, series) => {
    expect(scrapeHistogram(histogram, options)).toEqual({ error: '', series });
  });

  test('of gauges is marked', () => {
    const { series } = scrapeHistogram(native, NATIVE, 'gaugehistogram');
    expect(series).toEqual([NATIVE_SHOWN.replace('h ', 'h gauge ')]);
    expect(scrapeHistogram(classic, {}, 'gaugehistogram').series).toEqual(CLASSIC_SHOWN);
  });

  test.each<[WrittenHistogram, string]>([
    [
      { ...native, deltas: [1, 1] },
      'histogram "h": positive side: spans require 3 buckets, have 2',
    ],
    [
      { ...native, count: 5 },
      "7 observations found in buckets, but the Count field is 5: histogram's observation count " +
        'should equal the number of observations found in the buckets (in absence of NaN)',
    ],
    [
      { ...native, deltas: [1, -5, 1] },
      'positive side: bucket number 2 has observation count of -4: ' +
        'histogram has a bucket whose observation count is negative',
    ],
    [
      {
        ...native,
        spans: [
          [0, 2],
          [-1, 1],
        ],
      },
      'positive side: span number 2 with offset -1: histogram has a span whose offset is negative',
    ],
    [
      { ...native, schema: 10 },
      'histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, ' +
        'or -53 for custom buckets, got schema 10',
    ],
  ])('that contradicts itself fails the scrape: %j', (histogram, error) => {
    expect(scrapeHistogram(histogram, NATIVE)).toEqual({ error, series: [] });
  });

  test('that fits no resolution fails the scrape', () => {
    const wide: WrittenHistogram = {
      ...native,
      count: 6,
      zeroCount: 0,
      spans: [
        [0, 1],
        [1000, 1],
        [100_000, 1],
      ],
    };
    const error = 'histogram bucket limit exceeded';
    expect(scrapeHistogram(wide, { ...NATIVE, nativeHistogramBucketLimit: 2 }).error).toBe(error);
    expect(scrapeHistogram(classic, { ...CONVERT, nativeHistogramBucketLimit: 2 }).error).toBe(
      error,
    );
  });
});

test('exemplars stay with what they were sent for', () => {
  const one = { labels: { id: '1' }, value: 0.5, timeMs: 1_000_500 };
  const two = { labels: { id: '2' }, value: 1.5, timeMs: 1_000_600 };
  const exemplarsOf = (histogram: WrittenHistogram) => {
    const target = new FedTarget(NATIVE);
    target.scrape(
      writeFamilies({ name: 'h', type: 'histogram', metrics: [{ histogram }] }),
      'protobuf',
    );
    return target.storage
      .all()
      .flatMap(({ labels, exemplars }) =>
        exemplars.map(
          ({ labels: sent }) => `${labels.get('__name__')}${labels.get('le')} ${sent.get('id')}`,
        ),
      );
  };
  const buckets = [
    { upTo: 1, count: 1, exemplar: one },
    { upTo: 2, count: 3, exemplar: two },
  ];
  expect(exemplarsOf({ ...classic, buckets })).toEqual(['h_bucket1.0 1', 'h_bucket2.0 2']);
  // A native histogram takes those of its buckets only when it has none of its own.
  expect(exemplarsOf({ ...native, buckets })).toEqual(['h 1', 'h 2']);
  expect(exemplarsOf({ ...native, buckets, exemplars: [two] })).toEqual(['h 2']);
  const { timeMs: _, ...timeless } = one;
  expect(exemplarsOf({ ...native, exemplars: [timeless] })).toEqual([]);
});

describe('a broken body', () => {
  const good = writeFamilies({ name: 'a', type: 'gauge', metrics: [{ gauge: 1 }] });

  test.each<[string, Uint8Array, string]>([
    [
      'ends too early',
      Uint8Array.of(...good, 200, 1, 1),
      'clientpb: insufficient length of buffer, expected at least 202 bytes, got 3 bytes',
    ],
    ['has a field that ends too late', Uint8Array.of(5, 10, 200, 1, 1, 1), 'unexpected EOF'],
    [
      'has an endless length',
      new Uint8Array(12).fill(0xff),
      'clientpb: invalid varint encountered',
    ],
    [
      'has a field of another kind',
      Uint8Array.of(2, 0x08, 1),
      'proto: wrong wireType = 0 for field Name',
    ],
    [
      'has no metric name',
      writeFamilies({ name: '', type: 'gauge', metrics: [{ gauge: 1 }] }),
      'invalid metric name: ',
    ],
    [
      'names a label twice',
      writeFamilies({
        name: 'a',
        type: 'gauge',
        metrics: [{ labels: { __name__: 'q' }, gauge: 1 }],
      }),
      'label name "__name__" is not unique: invalid sample',
    ],
  ])('that %s fails the scrape', (_, body, error) => {
    const target = new FedTarget();
    target.scrape(good, 'protobuf');
    expect(target.scrape(body, 'protobuf')).toBe(error);
    expect(target.storage.find('a')!.values).toEqual([1, 'stale']);
  });

  test('of whatever bytes never does more than fail', () => {
    let state = 1;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    const body = writeFamilies(
      {
        name: 'h',
        type: 'histogram',
        help: 'text',
        metrics: [{ labels: { a: 'b' }, histogram: both }],
      },
      {
        name: 'c',
        type: 'counter',
        metrics: [{ counter: 5, exemplar: { labels: { i: '1' }, value: 1 } }],
      },
    );
    const target = new FedTarget(NATIVE);
    let failures = 0;
    for (let i = 0; i < 3000; i++) {
      const spoiled = body.slice(0, body.length - (random() % 4));
      for (let n = random() % 4; n >= 0; n--) spoiled[random() % spoiled.length] = random() >>> 16;
      if (target.scrape(spoiled, 'protobuf') !== '') failures++;
    }
    expect(failures).toBeGreaterThan(1000);
    expect(target.scrape(body, 'protobuf')).toBe('');
  });
});

test('a body that repeats is recognised, metadata included', () => {
  const target = new FedTarget(NATIVE);
  const body = (value: number) =>
    writeFamilies(
      { name: 'c', help: 'A count.', unit: 's', type: 'counter', metrics: [{ counter: value }] },
      { name: 'h', type: 'histogram', metrics: [{ histogram: native }] },
    );
  target.scrape(body(1), 'protobuf');
  const { lookups } = target.storage;
  target.scrape(body(2), 'protobuf');
  expect(target.storage.lookups).toBe(lookups);
  expect(target.storage.find('c')!.values).toEqual([1, 2]);
  expect(target.storage.find('h')!.values).toEqual([7, 7]);
  expect(target.metadata().get('c')).toEqual({ type: 'counter', unit: 's', help: 'A count.' });
  target.scrape(writeFamilies(), 'protobuf');
  expect(target.storage.find('h')!.values).toEqual([7, 7, 'stale']);
});
