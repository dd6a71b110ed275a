/** Every encoding: what goes in comes out, within any bounds; broken chunks give a CorruptionError. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CorruptionError,
  type FloatHistogram,
  type Histogram,
  SampleBuffer,
  toFloatHistogram,
} from '../../../model/index.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import { chunkSampleCount, type Encoding } from '../../../tsdb/chunk/encoding.ts';
import { HistogramChunkReader } from '../../../tsdb/chunk/histogram-decoder.ts';
import { HistogramFit } from '../../../tsdb/chunk/histogram-buckets.ts';
import { HistogramEncoder } from '../../../tsdb/chunk/histogram-encoder.ts';
import { Xor2Encoder } from '../../../tsdb/chunk/xor2-encoder.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';
import {
  floatHistogramArbitrary,
  histogramArbitrary,
  staleOf,
  timesArbitrary,
  valueBits,
} from '../support/arbitraries.ts';

const PLACE = { file: '000001', offsetBytes: 8 };

type FloatSample = {
  readonly timestampMs: number;
  readonly bits: readonly [high: number, low: number];
  readonly startMs: number;
};

/** Values repeat, as real ones do; start times stay for a while and then change. */
const floatSamples: fc.Arbitrary<FloatSample[]> = timesArbitrary.chain((times) =>
  fc
    .tuple(
      fc.array(valueBits, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(5), { minLength: times.length, maxLength: times.length }),
      fc.array(fc.constantFrom(0, 0, times[0]! - 5000, times[0]! + 70_000), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.nat(times.length),
    )
    .map(([values, picks, starts, stretch]) =>
      times.map((timestampMs, i) => ({
        timestampMs,
        bits: values[picks[i]! % values.length]!,
        startMs: starts[Math.floor(i / (stretch + 1)) % starts.length]!,
      })),
    ),
);

function samplesOf(out: SampleBuffer): FloatSample[] {
  return Array.from({ length: out.count }, (_, i) => ({
    timestampMs: out.timestampsMs[i]!,
    bits: [out.valueHalves[i * 2 + 1]!, out.valueHalves[i * 2]!],
    startMs: out.startTimestampsMs?.[i] ?? 0,
  }));
}

function decode(encoding: Encoding, chunk: Uint8Array, minMs = -Infinity, maxMs = Infinity) {
  const out = new SampleBuffer(1);
  decodeChunk(encoding, chunk, 0, chunk.length, minMs, maxMs, out, PLACE);
  return out;
}

describe.each([
  { name: 'XOR', make: () => new XorEncoder(1), hasStarts: false },
  { name: 'XOR2', make: () => new Xor2Encoder(1), hasStarts: true },
])('a chunk of $name', ({ make, hasStarts }) => {
  test('gives back its samples bit for bit, cut to any range', () => {
    fc.assert(
      fc.property(floatSamples, fc.nat(), fc.nat(), (samples, a, b) => {
        const encoder = make();
        for (const { timestampMs, bits, startMs } of samples) {
          encoder.append(timestampMs, bits[0], bits[1], hasStarts ? startMs : 0);
        }
        const chunk = encoder.finish();
        expect(chunkSampleCount(encoder.encoding, chunk)).toBe(samples.length);
        const stored = samples.map((s) => (hasStarts ? s : { ...s, startMs: 0 }));
        expect(samplesOf(decode(encoder.encoding, chunk))).toEqual(stored);

        const bounds = [samples[a % samples.length]!, samples[b % samples.length]!];
        const minMs = Math.min(bounds[0]!.timestampMs, bounds[1]!.timestampMs);
        const maxMs = Math.max(bounds[0]!.timestampMs, bounds[1]!.timestampMs);
        expect(samplesOf(decode(encoder.encoding, chunk, minMs, maxMs))).toEqual(
          stored.filter(({ timestampMs: t }) => t >= minMs && t <= maxMs),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('cut off anywhere says so', () => {
    fc.assert(
      fc.property(floatSamples, fc.nat(), (samples, cut) => {
        const encoder = make();
        for (const { timestampMs, bits } of samples) encoder.append(timestampMs, bits[0], bits[1]);
        const chunk = encoder.finish();
        const short = chunk.slice(0, cut % chunk.length);
        expect(() => decode(encoder.encoding, short)).toThrow(CorruptionError);
      }),
    );
  });

  test('with any bytes in it does no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const out = decode(make().encoding, bytes);
          expect(out.count).toBeLessThanOrEqual(0xffff);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptionError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is appended behind what the buffer holds', () => {
    const encoder = make();
    encoder.append(1000, 0, 1);
    encoder.append(2000, 0, 2);
    const chunk = encoder.finish();
    const out = decode(encoder.encoding, chunk);
    decodeChunk(encoder.encoding, chunk, 0, chunk.length, 2000, 2000, out, PLACE);
    expect(samplesOf(out).map(({ timestampMs }) => timestampMs)).toEqual([1000, 2000, 2000]);
  });
});

type HistogramSample = {
  readonly timestampMs: number;
  readonly histogram: Histogram | FloatHistogram;
  readonly startMs: number;
};

function histogramSamples(isFloat: boolean): fc.Arbitrary<HistogramSample[]> {
  const base = isFloat ? floatHistogramArbitrary : histogramArbitrary;
  return fc
    .tuple(
      base,
      fc.array(fc.tuple(fc.nat(40), fc.nat(9), fc.nat(99)), { minLength: 1, maxLength: 30 }),
    )
    .map(([first, steps]) =>
      steps.map(([growth, kind, start], i) => ({
        timestampMs: 1_761_955_200_000 + i * 60_000 + (kind === 0 ? growth : 0),
        histogram: kind === 1 && i > steps.length / 2 ? staleOf(first) : grown(first, growth * i),
        startMs: start < 20 ? 1_761_955_000_000 : 0,
      })),
    );
}

/** The same buckets with other counts. */
function grown(histogram: Histogram | FloatHistogram, by: number): Histogram | FloatHistogram {
  const shared = { count: histogram.count + by, sum: histogram.sum + by / 8 };
  if (histogram.kind === 'float') {
    return { ...histogram, ...shared, positiveCounts: histogram.positiveCounts.map((c) => c + by) };
  }
  return {
    ...histogram,
    ...shared,
    positiveDeltas: histogram.positiveDeltas.map((d, i) => d + by * i),
  };
}

/** All histograms in order, in as many chunks as it takes. */
function encodeAll(samples: readonly HistogramSample[], isFloat: boolean, withStarts: boolean) {
  const chunks: { encoding: Encoding; bytes: Uint8Array }[] = [];
  let encoder = new HistogramEncoder(isFloat, withStarts);
  for (const { timestampMs, histogram, startMs } of samples) {
    if (encoder.fit(histogram) >= HistogramFit.Reset) {
      chunks.push({ encoding: encoder.encoding, bytes: encoder.finish() });
      encoder = new HistogramEncoder(isFloat, withStarts);
    }
    encoder.append(timestampMs, histogram, withStarts ? startMs : 0);
  }
  chunks.push({ encoding: encoder.encoding, bytes: encoder.finish() });
  return chunks;
}

/** Everything that a histogram says, bucket by bucket, whatever its spans. */
function meaning(histogram: Histogram | FloatHistogram): unknown {
  if (histogram.stale) return 'stale';
  const { positiveSpans, negativeSpans, positiveCounts, negativeCounts, hint, ...rest } =
    toFloatHistogram(histogram);
  const buckets: Record<string, number> = {};
  for (const [side, spans, counts] of [
    ['+', positiveSpans, positiveCounts],
    ['-', negativeSpans, negativeCounts],
  ] as const) {
    let index = 0;
    let at = 0;
    for (const { offset, length } of spans) {
      index += offset;
      for (let i = 0; i < length; i++, index++) {
        const count = counts[at++]!;
        if (count !== 0) buckets[`${side}${index}`] = count;
      }
    }
  }
  return { ...rest, isGauge: hint === 'gauge', buckets };
}

describe.each([
  { name: 'histograms', isFloat: false, withStarts: false },
  { name: 'float histograms', isFloat: true, withStarts: false },
  { name: 'histograms with start times', isFloat: false, withStarts: true },
  { name: 'float histograms with start times', isFloat: true, withStarts: true },
])('chunks of $name', ({ isFloat, withStarts }) => {
  test('give back what went in', () => {
    fc.assert(
      fc.property(histogramSamples(isFloat), (samples) => {
        const back: unknown[] = [];
        for (const { encoding, bytes } of encodeAll(samples, isFloat, withStarts)) {
          const reader = new HistogramChunkReader(encoding, bytes, 0, bytes.length, PLACE);
          while (reader.next()) {
            const { timestampMs, startMs } = reader;
            back.push({ timestampMs, startMs, histogram: meaning(reader.histogram()) });
          }
        }
        expect(back).toEqual(
          samples.map(({ timestampMs, startMs, histogram }) => ({
            timestampMs,
            startMs: withStarts ? startMs : 0,
            histogram: meaning(histogram),
          })),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('come out as floats for queries', () => {
    fc.assert(
      fc.property(histogramSamples(isFloat), (samples) => {
        const out = new SampleBuffer(1);
        for (const { encoding, bytes } of encodeAll(samples, isFloat, withStarts)) {
          decodeChunk(encoding, bytes, 0, bytes.length, -Infinity, Infinity, out, PLACE);
        }
        expect(out.count).toBe(samples.length);
        expect(out.histograms!.map((h) => meaning(h!))).toEqual(
          samples.map(({ histogram }) => meaning(histogram)),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('take in more buckets by being written anew', () => {
    const histogram: fc.Arbitrary<Histogram | FloatHistogram> = isFloat
      ? floatHistogramArbitrary
      : histogramArbitrary;
    fc.assert(
      fc.property(fc.array(histogram, { minLength: 2, maxLength: 8 }), (histograms) => {
        // Gauges of one schema: every set of buckets fits, and nothing counts as a reset.
        const samples = histograms.map((h, i) => ({
          timestampMs: 1000 * i,
          startMs: 0,
          histogram: {
            ...h,
            hint: 'gauge' as const,
            schema: 0,
            zeroThreshold: 0,
            customBounds: [],
          },
        }));
        const chunks = encodeAll(samples, isFloat, withStarts);
        expect(chunks).toHaveLength(1);
        const { encoding, bytes } = chunks[0]!;
        const reader = new HistogramChunkReader(encoding, bytes, 0, bytes.length, PLACE);
        const back: unknown[] = [];
        while (reader.next()) back.push(meaning(reader.histogram()));
        expect(back).toEqual(samples.map((sample) => meaning(sample.histogram)));
      }),
      { numRuns: 100 },
    );
  });

  test('go on where an encoder stopped', () => {
    fc.assert(
      fc.property(histogramSamples(isFloat), (samples) => {
        const whole = encodeAll(samples, isFloat, withStarts)[0]!;
        const reader = new HistogramChunkReader(
          whole.encoding,
          whole.bytes,
          0,
          whole.bytes.length,
          PLACE,
        );
        const resumed = new HistogramEncoder(isFloat, withStarts);
        resumed.resume(whole.bytes, 0, whole.bytes.length);
        expect(resumed.count).toBe(reader.sampleCount);
        expect(resumed.finish()).toEqual(whole.bytes);
      }),
      { numRuns: 50 },
    );
  });

  test('cut off or filled with any bytes say so or do no harm', () => {
    fc.assert(
      fc.property(
        histogramSamples(isFloat),
        fc.nat(),
        fc.nat(),
        fc.nat(255),
        (samples, cut, at, to) => {
          const { encoding, bytes } = encodeAll(samples, isFloat, withStarts)[0]!;
          const short = bytes.slice(0, cut % bytes.length);
          expect(() => decode(encoding, short)).toThrow(CorruptionError);
          const spoiled = bytes.with(at % bytes.length, to);
          try {
            decode(encoding, spoiled);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptionError);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('whether a histogram fits a chunk', () => {
  const first: Histogram = {
    kind: 'integer',
    hint: 'unknown',
    schema: 1,
    zeroThreshold: 0.5,
    zeroCount: 3,
    count: 10,
    sum: 5,
    stale: false,
    positiveSpans: [{ offset: 0, length: 2 }],
    negativeSpans: [],
    positiveDeltas: [3, 1],
    negativeDeltas: [],
    customBounds: [],
  };

  test.each([
    { change: 'nothing', next: {}, fit: HistogramFit.Fits },
    { change: 'a stale marker', next: { stale: true }, fit: HistogramFit.Fits },
    {
      change: 'a further bucket',
      next: { positiveSpans: [{ offset: 0, length: 3 }], positiveDeltas: [3, 1, 0], count: 14 },
      fit: HistogramFit.Wider,
    },
    { change: 'a smaller count', next: { count: 9 }, fit: HistogramFit.Reset },
    { change: 'a smaller bucket', next: { positiveDeltas: [2, 2] }, fit: HistogramFit.Reset },
    { change: 'a smaller zero bucket', next: { zeroCount: 2 }, fit: HistogramFit.Reset },
    {
      change: 'a bucket that is gone',
      next: { positiveSpans: [{ offset: 0, length: 1 }], positiveDeltas: [3] },
      fit: HistogramFit.Reset,
    },
    { change: 'the word of its sender', next: { hint: 'reset' as const }, fit: HistogramFit.Reset },
    { change: 'another schema', next: { schema: 2 }, fit: HistogramFit.Differs },
    { change: 'another zero threshold', next: { zeroThreshold: 1 }, fit: HistogramFit.Differs },
    { change: 'a gauge', next: { hint: 'gauge' as const }, fit: HistogramFit.Differs },
  ])('after $change: $fit', ({ next, fit }) => {
    const encoder = new HistogramEncoder(false, false);
    expect(encoder.fit(first)).toBe(HistogramFit.Fits);
    encoder.append(1000, first);
    expect(encoder.fit({ ...first, ...next })).toBe(fit);
  });

  test('only staleness goes behind staleness', () => {
    const encoder = new HistogramEncoder(false, false);
    encoder.append(1000, { ...first, stale: true });
    expect(encoder.fit(first)).toBe(HistogramFit.Differs);
    expect(encoder.fit({ ...first, stale: true })).toBe(HistogramFit.Fits);
  });
});
