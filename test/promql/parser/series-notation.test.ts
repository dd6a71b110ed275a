import { describe, expect, test } from 'vitest';
import { floatHistogram } from '../../../model/index.ts';
import {
  parseMetricNotation,
  parseSeriesNotation,
  parseSeriesValues,
  parseStartTimestamps,
} from '../../../promql/parser/series-notation.ts';
import { isMissing, scriptLines } from './support/conformance.ts';

describe('series notation', () => {
  test.each([
    ['1 2.5 -3 1e3 .5 Inf -Inf', [1, 2.5, -3, 1000, 0.5, Infinity, -Infinity]],
    ['5x2', [5, 5, 5]],
    ['1+2x3', [1, 3, 5, 7]],
    ['20-5x3', [20, 15, 10, 5]],
    ['-1-1x1', [-1, -2]],
    ['0x3', [0, 0, 0, 0]],
    ['1e+2-1e-1x1', [100, 99.9]],
    ['_ 1 _x2', [null, 1, null, null]],
    ['1 stale 2', [1, 'stale', 2]],
    ['stalex1', ['stale', 'stale']],
    ['NaN', [NaN]],
    ['', []],
  ])('reads the values %j', (text, values) => {
    expect(parseSeriesValues(text)).toEqual(values);
  });

  test('adds steps up, so that rounding accumulates as scripts expect', () => {
    expect(parseSeriesValues('0+0.1x3')).toEqual([0, 0.1, 0.2, 0.1 + 0.1 + 0.1]);
  });

  test.each([
    ['up', { __name__: 'up' }],
    ['a:b{x="1", y=\'2\',}', { __name__: 'a:b', x: '1', y: '2' }],
    ['{"odd name", "l b"=`c\\d`}', { __name__: 'odd name', 'l b': 'c\\d' }],
    ['{a="", b="\\x41"}', { b: 'A' }],
    ['{}', {}],
  ])('reads the metric %j', (text, labels) => {
    expect(parseMetricNotation(text).toObject()).toEqual(labels);
  });

  test('reads a line with white space inside histograms', () => {
    const { labels, values } = parseSeriesNotation(
      'h{a="b"}\t{{schema:1 sum:7.5 count:4 z_bucket:1 z_bucket_w:0.1 offset:2 buckets:[3 1]}} 5',
    );
    expect(labels.toObject()).toEqual({ __name__: 'h', a: 'b' });
    expect(values).toEqual([
      floatHistogram({
        schema: 1,
        sum: 7.5,
        count: 4,
        zeroCount: 1,
        zeroThreshold: 0.1,
        positiveSpans: [{ offset: 2, length: 2 }],
        positiveCounts: [3, 1],
      }),
      5,
    ]);
  });

  test('repeats and adds histograms; a hint of the step counts for the whole run', () => {
    const sums = (text: string) =>
      parseSeriesValues(text).map((value) => [
        (value as { sum: number }).sum,
        (value as { hint: string }).hint,
      ]);
    expect(sums('{{sum:2}}x1')).toEqual([
      [2, 'unknown'],
      [2, 'unknown'],
    ]);
    expect(sums('{{sum:2}}+{{sum:1 counter_reset_hint:gauge}}x2')).toEqual([
      [2, 'gauge'],
      [3, 'gauge'],
      [4, 'gauge'],
    ]);
    expect(sums('{{sum:2}}-{{sum:1}}x1').map(([sum]) => sum)).toEqual([2, 1]);
  });

  test('reads start timestamps', () => {
    expect(parseStartTimestamps('m{a="b"}@st _ -30s-1mx2 1m 0 _x2')).toEqual({
      labels: parseMetricNotation('m{a="b"}'),
      offsetsMs: [null, -30_000, -90_000, -150_000, 60_000, 0, null, null],
    });
    expect(parseStartTimestamps('m 1 2')).toBeNull();
  });

  test.each([
    ['up{', '1:4: parse error: unexpected end of input inside braces'],
    ['up{a}', '1:5: parse error: expected "=" behind a label name'],
    ['up{a="b', '1:6: parse error: unterminated quoted string'],
    ['up 1 2x', '1:6: parse error: not a value: 2x'],
    ['up 1 0x1f', '1:6: parse error: not a value: 0x1f'],
    ['up {{schema:9}}', '1:4: parse error: no such histogram schema: 9'],
    ['up {{count:1 count:2}}', '1:4: parse error: duplicate histogram field: count'],
    ['up {{what:1}}', '1:4: parse error: unknown histogram field: what'],
    ['up {{buckets:3}}', '1:4: parse error: wrong kind of value for buckets'],
    ['up {{counter_reset_hint:maybe}}', '1:4: parse error: no such hint: maybe'],
    [
      'up {{schema:1}}+{{schema:0}}x1',
      '1:4: parse error: error combining histograms: cannot merge from schema 0 to 1',
    ],
    ['up 1x99999999999', '1:4: parse error: a run of 99999999999 values is longer than 10000000'],
    ['5', '1:1: parse error: a metric name or labels in braces expected'],
  ])('refuses %j and says where', (line, message) => {
    expect(() => parseSeriesNotation(line)).toThrow(message);
  });
});

describe.skipIf(isMissing('promqltest'))('series of the promqltest scripts', () => {
  test('can all be read, and start timestamps have as many positions as values', () => {
    let count = 0;
    let isLoad = false;
    let startTimestamps: ReturnType<typeof parseStartTimestamps> = null;
    for (const { line, place } of scriptLines()) {
      if (line === '' || line.startsWith('#')) isLoad = false;
      else if (line.startsWith('load')) isLoad = true;
      else if (isLoad) {
        count++;
        const offsets = parseStartTimestamps(line);
        if (offsets === null) {
          const { values } = parseSeriesNotation(line);
          if (startTimestamps !== null) {
            expect(values.length, place).toBe(startTimestamps.offsetsMs.length);
          }
        }
        startTimestamps = offsets;
      }
    }
    console.info(`${count} lines`);
    expect(count).toBeGreaterThan(1000);
  });
});
