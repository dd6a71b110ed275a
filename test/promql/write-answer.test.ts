import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floatHistogram, formatFloat, Labels } from '../../model/index.ts';
import { type QueryAnswer, type QueryResult, writeQueryAnswer } from '../../promql/index.ts';
import { FLOAT_SIZE_MAX, writeFloat } from '../../promql/json/shortest-float.ts';

const decoder = new TextDecoder();

function floatText(value: number): string {
  const out = new Uint8Array(FLOAT_SIZE_MAX);
  const view = new DataView(out.buffer);
  return decoder.decode(out.subarray(0, writeFloat(out, view, 0, value)));
}

const NO_STATS: QueryAnswer['stats'] = {
  timings: {
    evalTotalTime: 0.5,
    resultSortTime: 0,
    queryPreparationTime: 1.5e-6,
    innerEvalTime: 0.25,
    execQueueTime: 0,
    execTotalTime: 0.5,
  },
  samples: { totalQueryableSamples: 3, samplesRead: 2, peakSamples: 1, perStep: null },
};

function textOf(result: QueryResult, more: Partial<QueryAnswer> = {}, stats = false): string {
  const answer = { result, warnings: [], infos: [], stats: NO_STATS, ...more };
  return decoder.decode(writeQueryAnswer(answer, { stats }));
}

describe('a float in JSON', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [1, '1'],
    [-42, '-42'],
    [0.1, '0.1'],
    [84.30606481481482, '84.30606481481482'],
    [1e-7, '1e-07'],
    [0.000001, '0.000001'],
    [1e21, '1e+21'],
    [123456789012345680, '123456789012345680'],
    [999999999999999.9, '999999999999999.9'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
  ])('%d is %s', (value, text) => {
    expect(floatText(value)).toBe(text);
  });

  // Bits at random hardly ever give the numbers that people measure, so those come extra.
  const measured = fc.oneof(
    fc.double(),
    fc.tuple(fc.integer(), fc.integer({ min: 1, max: 10_000 })).map(([a, b]) => a / b),
    fc.tuple(fc.integer(), fc.integer({ min: -22, max: 22 })).map(([a, e]) => a * 10 ** e),
    fc.integer({ min: -1074, max: 1023 }).map((e) => 2 ** e),
    fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -3, max: 3 })).map(([e, n]) => {
      const bits = new BigInt64Array(Float64Array.of(2 ** e).buffer);
      bits[0]! += BigInt(n);
      return new Float64Array(bits.buffer)[0]!;
    }),
  );

  test('is the shortest text that reads back the same', () => {
    fc.assert(
      fc.property(measured, (value) => {
        expect(floatText(value)).toBe(formatFloat(value));
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('the answer to a query', () => {
  test('holds a vector with escaped labels', () => {
    const labels = Labels.fromObject({ __name__: 'x', a: '<>&"\\\n\t\u0001\u2028é😀' });
    const entries = [{ labels, value: 1e-7, histogram: null }];
    expect(textOf({ kind: 'vector', timestampMs: 1_763_000_000_123, entries })).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x",' +
        '"a":"<>&\\"\\\\\\n\\t\\u0001\u2028é😀"},"value":[1763000000.123,"1e-07"]}]}}',
    );
  });

  test('shows times with as many places as they need', () => {
    const at = (timestampMs: number) => textOf({ kind: 'scalar', timestampMs, value: 1 });
    expect(at(-12_050)).toContain('[-12.05,"1"]');
    expect(at(1)).toContain('[0.001,"1"]');
    expect(at(5000)).toContain('[5,"1"]');
  });

  test('escapes strings as HTML wants it', () => {
    const text = textOf({ kind: 'string', timestampMs: 0, value: 'a<b>"é' });
    expect(text).toContain('"result":[0,"a\\u003cb\\u003e\\"é"]');
  });

  test('shows histograms with the ends that belong to their buckets', () => {
    const histogram = floatHistogram({
      count: 7,
      sum: 2.5,
      zeroCount: 1,
      zeroThreshold: 0.001,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveCounts: [2, 0],
      negativeSpans: [{ offset: 1, length: 1 }],
      negativeCounts: [4],
    });
    const entries = [{ labels: Labels.EMPTY, value: 0, histogram }];
    expect(textOf({ kind: 'vector', timestampMs: 0, entries })).toContain(
      '"histogram":[0,{"count":"7","sum":"2.5","buckets":' +
        '[[1,"-2","-1","4"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}]',
    );
  });

  test('divides the samples of a series into values and histograms', () => {
    const series = {
      labels: Labels.EMPTY,
      count: 2,
      timestampsMs: Float64Array.of(1000, 2000),
      values: Float64Array.of(5, 0),
      histograms: [null, floatHistogram({ count: 3, sum: 1 })],
    };
    expect(textOf({ kind: 'matrix', series: [series] })).toContain(
      '"values":[[1,"5"]],"histograms":[[2,{"count":"3","sum":"1"}]]}',
    );
  });

  test('writes series with shared and with own times alike', () => {
    const shared = Float64Array.of(1000, 2500, 3000);
    const series = (timestampsMs: Float64Array) => ({
      labels: Labels.EMPTY,
      count: 3,
      timestampsMs,
      values: Float64Array.of(1, 0.25, NaN),
      histograms: null,
    });
    const all = [series(shared), series(shared), series(shared.slice()), series(shared)];
    const text = textOf({ kind: 'matrix', series: all });
    expect(text.split('[[1,"1"],[2.5,"0.25"],[3,"NaN"]]')).toHaveLength(5);
    expect(JSON.parse(text)).toBeTruthy();
  });

  test('says what is to be said, in the order of the original', () => {
    const result = { kind: 'vector', timestampMs: 0, entries: [] } as const;
    const text = textOf(result, { warnings: ['w <'], infos: ['i'] }, true);
    expect(text).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[],"stats":{"timings":' +
        '{"evalTotalTime":0.5,"resultSortTime":0,"queryPreparationTime":0.0000015,' +
        '"innerEvalTime":0.25,"execQueueTime":0,"execTotalTime":0.5},"samples":' +
        '{"totalQueryableSamples":3,"samplesRead":2,"peakSamples":1}}},' +
        '"warnings":["w \\u003c"],"infos":["i"]}',
    );
  });

  test('is given up when nobody wants it any more', () => {
    const series = {
      labels: Labels.EMPTY,
      count: 0,
      timestampsMs: new Float64Array(0),
      values: new Float64Array(0),
      histograms: null,
    };
    const answer = {
      result: { kind: 'matrix', series: [series] } as const,
      warnings: [],
      infos: [],
      stats: NO_STATS,
    };
    expect(() => writeQueryAnswer(answer, { isCanceled: () => true })).toThrow('canceled');
  });

  test('of many megabytes is whole, also after one that was given up halfway', () => {
    const count = 5000;
    const timestampsMs = Float64Array.from({ length: count }, (_, i) => i * 15_000);
    const series = Array.from({ length: 60 }, (_series, row) => ({
      labels: Labels.fromObject({ row: String(row) }),
      count,
      timestampsMs,
      values: Float64Array.from({ length: count }, (_, i) => i / (row + 1)),
      histograms: null,
    }));
    const answer = {
      result: { kind: 'matrix', series } as const,
      warnings: [],
      infos: [],
      stats: NO_STATS,
    };
    let askedCount = 0;
    const isCanceled = () => ++askedCount > 50;
    expect(() => writeQueryAnswer(answer, { isCanceled })).toThrow('canceled');
    const first = writeQueryAnswer(answer);
    const second = writeQueryAnswer(answer);
    expect(first.byteLength).toBe(first.buffer.byteLength);
    expect(first.byteLength).toBeGreaterThan(6_000_000);
    expect(Buffer.compare(first, second)).toBe(0);
    const shown = JSON.parse(decoder.decode(first)) as {
      data: { result: { metric: object; values: [number, string][] }[] };
    };
    expect(shown.data.result).toHaveLength(60);
    shown.data.result.forEach(({ metric, values }, row) => {
      expect(metric).toEqual({ row: String(row) });
      expect(values).toHaveLength(count);
      const wrong = values.findIndex(
        ([seconds, value], i) => seconds !== i * 15 || Number(value) !== i / (row + 1),
      );
      expect(wrong).toBe(-1);
    });
    expect(textOf({ kind: 'scalar', timestampMs: 0, value: 1 })).toContain('[0,"1"]');
  });
});
