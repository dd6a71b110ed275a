/** What fast-check makes of series, samples and histograms. */
import * as fc from 'fast-check';
import { type FloatHistogram, type Histogram, Labels, type Span } from '../../../model/index.ts';

/** Few names and values, so that label sets share them. */
const labelName = fc.constantFrom(
  '__name__',
  'a',
  'b',
  'job',
  'instance',
  'ort/straße',
  '温度',
  'Z',
);
const labelValue = fc.oneof(
  fc.constantFrom('x', 'y', 'api', '0', '1', 'ü', '\u{1f600}', 'a"b\\c', 'x'.repeat(200)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
);

export const labelsArbitrary: fc.Arbitrary<Labels> = fc
  .array(fc.tuple(labelName, labelValue), { maxLength: 6 })
  .map((pairs) => Labels.fromPairs(pairs));

/** Halves of a float64: all kinds of numbers, and NaNs that only their bits tell apart. */
export const valueBits: fc.Arbitrary<readonly [high: number, low: number]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .oneof(fc.integer({ min: -1000, max: 1000 }), fc.double({ noNaN: true }))
      .map((value) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setFloat64(0, value);
        return [view.getUint32(0), view.getUint32(4)] as const;
      }),
  },
  { weight: 1, arbitrary: fc.constant([0x7ff00000, 2] as const) },
  { weight: 1, arbitrary: fc.constant([0x7ff80000, 1] as const) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)) },
);

/** Distances between samples: mostly regular, sometimes odd, sometimes huge. */
const stepMs = fc.oneof(
  { weight: 6, arbitrary: fc.constant(15_000) },
  { weight: 3, arbitrary: fc.integer({ min: 14_900, max: 15_100 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 2_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 42 }) },
);

/** Ascending times. */
export const timesArbitrary: fc.Arbitrary<number[]> = fc
  .tuple(
    fc.oneof(fc.constant(1_761_955_200_000), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
    fc.array(stepMs, { maxLength: 200 }),
  )
  .map(([first, steps]) => {
    let timestampMs = first;
    return [first, ...steps.map((step) => (timestampMs += step))];
  });

const spans: fc.Arbitrary<Span[]> = fc
  .array(
    fc.record({ offset: fc.integer({ min: 1, max: 9 }), length: fc.integer({ min: 1, max: 4 }) }),
    {
      maxLength: 3,
    },
  )
  .map((list) => list.map((span, i) => (i === 0 ? { ...span, offset: span.offset - 5 } : span)));

const bucketCount = (list: readonly Span[]) => list.reduce((sum, { length }) => sum + length, 0);
const many = <T>(item: fc.Arbitrary<T>, count: number) =>
  fc.array(item, { minLength: count, maxLength: count });
const bounds = fc
  .uniqueArray(
    fc.oneof(
      fc.integer({ min: 0, max: 99_999 }).map((n) => n / 1000),
      fc.double({ noNaN: true }),
    ),
    {
      maxLength: 5,
    },
  )
  .map((list) => list.map((bound) => bound + 0).sort((a, b) => a - b)); // no -0

/** Well-formed enough for every encoder: lists as long as their spans say. */
export const histogramArbitrary: fc.Arbitrary<Histogram> = fc
  .tuple(spans, spans, fc.boolean())
  .chain(([positiveSpans, negativeSpans, isCustom]) =>
    fc.record({
      kind: fc.constant('integer' as const),
      hint: fc.constantFrom('unknown' as const, 'not_reset' as const, 'gauge' as const),
      schema: isCustom ? fc.constant(-53) : fc.integer({ min: -4, max: 8 }),
      zeroThreshold: isCustom ? fc.constant(0) : fc.constantFrom(0, 2 ** -128, 0.001, 1e-128),
      zeroCount: isCustom ? fc.constant(0) : fc.nat(1000),
      count: fc.oneof(fc.nat(100_000), fc.nat(2 ** 50)),
      sum: fc.double({ noNaN: true }),
      stale: fc.constant(false),
      positiveSpans: fc.constant(positiveSpans),
      negativeSpans: fc.constant(isCustom ? [] : negativeSpans),
      positiveDeltas: many(fc.integer({ min: -9999, max: 9999 }), bucketCount(positiveSpans)),
      negativeDeltas: many(
        fc.integer({ min: -9999, max: 9999 }),
        isCustom ? 0 : bucketCount(negativeSpans),
      ),
      customBounds: isCustom ? bounds : fc.constant([]),
    }),
  );

export const floatHistogramArbitrary: fc.Arbitrary<FloatHistogram> = histogramArbitrary.chain(
  ({ positiveDeltas, negativeDeltas, ...rest }) =>
    fc
      .record({
        positiveCounts: many(fc.double({ noNaN: true }), positiveDeltas.length),
        negativeCounts: many(fc.double({ noNaN: true }), negativeDeltas.length),
        rest: fc.constant(rest),
      })
      .map(({ rest: shared, ...counts }) => ({ ...shared, ...counts, kind: 'float' as const })),
);

/** The end of a series. */
export function staleOf<T extends Histogram | FloatHistogram>(histogram: T): T {
  const lists =
    histogram.kind === 'float'
      ? { positiveCounts: [], negativeCounts: [] }
      : { positiveDeltas: [], negativeDeltas: [] };
  return {
    ...histogram,
    ...lists,
    stale: true,
    schema: 0,
    zeroThreshold: 0,
    count: 0,
    zeroCount: 0,
    positiveSpans: [],
    negativeSpans: [],
    customBounds: [],
  };
}
