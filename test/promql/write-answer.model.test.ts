import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { floatHistogram, Labels } from '../../model/index.ts';
import { type MatrixSeries, type QueryResult, writeQueryAnswer } from '../../promql/index.ts';

const STATS = {
  timings: {
    evalTotalTime: 0.5,
    resultSortTime: 0,
    queryPreparationTime: 0,
    innerEvalTime: 0.25,
    execQueueTime: 0,
    execTotalTime: 0.5,
  },
  samples: { totalQueryableSamples: 3, samplesRead: 2, peakSamples: 1, perStep: null },
};

function answerOf(result: QueryResult) {
  return { result, warnings: ['a "warning"'], infos: [], stats: STATS };
}

const labels = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 3 })
  .map((values) => Labels.fromObject(Object.fromEntries(values.map((v, i) => [`l${i}`, v]))));
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1, NaN));
const histogram = value.map((sum) => floatHistogram({ count: 3, sum }));
const times = fc.uniqueArray(fc.integer({ min: -5000, max: 5000 }), { maxLength: 20 }).map((ms) =>
  Float64Array.from(
    ms.sort((a, b) => a - b),
    (t) => t * 250,
  ),
);

const matrix = fc
  .record({
    shared: times,
    rows: fc.array(
      fc.record({ labels, own: fc.option(times), values: fc.array(value), kinds: fc.nat() }),
      { maxLength: 12 },
    ),
    histograms: fc.array(histogram, { minLength: 1, maxLength: 3 }),
  })
  .map(({ shared, rows, histograms }): QueryResult => {
    const series = rows.map((row): MatrixSeries => {
      const timestampsMs = row.own ?? shared;
      const count = timestampsMs.length;
      const isAt = (i: number) => ((row.kinds >> (i % 8)) & 1) === 1;
      return {
        labels: row.labels,
        count,
        timestampsMs,
        values: Float64Array.from({ length: count }, (_, i) => row.values[i] ?? 0.1),
        histograms:
          row.kinds % 3 === 0
            ? Array.from({ length: count }, (_, i) =>
                isAt(i) ? histograms[i % histograms.length]! : null,
              )
            : null,
      };
    });
    return { kind: 'matrix', series };
  });
const vector = fc
  .array(fc.record({ labels, value, histogram: fc.option(histogram) }))
  .map((entries): QueryResult => ({ kind: 'vector', timestampMs: 1500, entries }));

test('pieces of any size, one behind the other, are what is written at once', () => {
  fc.assert(
    fc.property(fc.oneof(matrix, vector), fc.integer({ min: 1, max: 3000 }), (result, sizeMin) => {
      const pieces: Uint8Array[] = [];
      const take = (piece: Uint8Array) => {
        expect(piece.byteLength).toBeGreaterThanOrEqual(sizeMin);
        expect(piece.byteLength).toBe(piece.buffer.byteLength);
        pieces.push(piece);
      };
      const answer = answerOf(result);
      const rest = writeQueryAnswer(answer, {
        stats: true,
        taker: { sizeBytesMin: sizeMin, take },
      });
      expect(rest.byteLength).toBeGreaterThan(0);
      const whole = writeQueryAnswer(answer, { stats: true });
      expect(Buffer.concat([...pieces, rest]).equals(whole)).toBe(true);
      if (whole.byteLength < sizeMin) expect(pieces).toHaveLength(0);
      JSON.parse(Buffer.from(whole).toString());
    }),
  );
});

test.each([8191, 8192, 8193, 30_000])('a series of %d points is whole, and in pieces', (count) => {
  const timestampsMs = Float64Array.from({ length: count }, (_, i) => i * 1000 + 0.5);
  const values = Float64Array.from({ length: count }, (_, i) => Math.floor(i / 3) / 7);
  const one = { labels: Labels.EMPTY, count, timestampsMs, values, histograms: null };
  // Alone it has its times to itself, with another one they are shared.
  for (const series of [[one], [one, one]]) {
    const sizes: number[] = [];
    const texts: string[] = [];
    const decoder = new TextDecoder();
    const take = (piece: Uint8Array) => {
      sizes.push(piece.byteLength);
      texts.push(decoder.decode(piece));
    };
    const answer = answerOf({ kind: 'matrix', series });
    const rest = writeQueryAnswer(answer, { taker: { sizeBytesMin: 1000, take } });
    const { data } = JSON.parse(texts.join('') + decoder.decode(rest)) as {
      data: { result: { values: [number, string][] }[] };
    };
    expect(data.result).toHaveLength(series.length);
    for (const shown of data.result) {
      expect(shown.values.map((point) => Number(point[1]))).toEqual([...values]);
    }
    expect(sizes.length).toBeGreaterThanOrEqual(series.length * Math.floor(count / 8192));
    expect(Math.max(...sizes)).toBeLessThan(8192 * 50);
  }
});
