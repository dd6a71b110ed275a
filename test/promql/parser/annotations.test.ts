/** Texts that Prometheus 3.14's query API was seen to return. */
import { describe, expect, test } from 'vitest';
import * as annotations from '../../../promql/annotations.ts';
import { AnnotationSet } from '../../../promql/annotations.ts';

const QUERY = 'foo +\n"é" + bar';
const BAR = { start: QUERY.indexOf('bar'), end: QUERY.length };

describe('texts', () => {
  test.each([
    [
      annotations.invalidRatio(1.5, 1, BAR),
      'PromQL warning: ratio value should be between -1 and 1, got 1.5, capping to 1 (2:8)',
    ],
    [
      annotations.invalidQuantile(-1e-7, BAR),
      'PromQL warning: quantile value should be between 0 and 1, got -1e-07 (2:8)',
    ],
    [
      annotations.invalidQuantile(1761955260, BAR),
      'PromQL warning: quantile value should be between 0 and 1, got 1.76195526e+09 (2:8)',
    ],
    [
      annotations.invalidQuantile(Infinity, BAR),
      'PromQL warning: quantile value should be between 0 and 1, got +Inf (2:8)',
    ],
    [
      annotations.badBucketLabel('Hello', 'm', BAR),
      'PromQL warning: bucket label "le" is missing or has a malformed value of "Hello" for metric name "m" (2:8)',
    ],
    [
      annotations.badBucketLabel('', '', BAR),
      'PromQL warning: bucket label "le" is missing or has a malformed value of "" (2:8)',
    ],
    [
      annotations.mixedFloatsHistograms('m', BAR),
      'PromQL warning: encountered a mix of histograms and floats for metric name "m" (2:8)',
    ],
    [
      annotations.mixedFloatsHistogramsAggregation(BAR),
      'PromQL warning: encountered a mix of histograms and floats for aggregation (2:8)',
    ],
    [
      annotations.mixedClassicNativeHistograms('m', BAR),
      'PromQL warning: vector contains a mix of classic and native histograms for metric name "m" (2:8)',
    ],
    [
      annotations.nativeHistogramNotCounter('m', BAR),
      'PromQL warning: this native histogram metric is not a counter: "m" (2:8)',
    ],
    [
      annotations.nativeHistogramNotGauge('m', BAR),
      'PromQL warning: this native histogram metric is not a gauge: "m" (2:8)',
    ],
    [
      annotations.mixedExponentialCustomHistograms('m', BAR),
      'PromQL warning: vector contains a mix of histograms with exponential and custom buckets schemas for metric name "m" (2:8)',
    ],
    [
      annotations.incompatibleBucketLayout('+', BAR),
      'PromQL warning: incompatible bucket layout encountered for binary operator + (2:8)',
    ],
    [
      annotations.sortInRangeQuery(BAR),
      'PromQL warning: sort is ineffective for range queries since results are always ordered by labels (2:8)',
    ],
    [
      annotations.counterResetCollision('aggregation', BAR),
      'PromQL warning: conflicting counter resets during histogram aggregation (2:8)',
    ],
    [
      annotations.startTimeOverlap('m', BAR),
      'PromQL warning: sample has start time that overlaps with previous sample timestamp for metric "m" (2:8)',
    ],
    [
      annotations.possibleNonCounter('m', BAR),
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (2:8)',
    ],
    [
      annotations.possibleNonCounterLabel('m', 'x', BAR),
      'PromQL info: metric might not be a counter, __type__ label is not set to "counter" or "histogram", got "x": "m" (2:8)',
    ],
    [
      annotations.incompatibleTypesInBinary('float', '-', 'histogram', BAR),
      'PromQL info: incompatible sample types encountered for binary operator "-": float - histogram (2:8)',
    ],
    [
      annotations.histogramIgnoredInAggregation('max', BAR),
      'PromQL info: ignored histogram in max aggregation (2:8)',
    ],
    [
      annotations.histogramIgnoredInMixedRange('m', BAR),
      'PromQL info: ignored histograms in a range containing both floats and histograms for metric name "m" (2:8)',
    ],
    [
      annotations.nativeHistogramQuantileNaNResult('m', BAR),
      'PromQL info: input to histogram_quantile has NaN observations, result is NaN for metric name "m" (2:8)',
    ],
    [
      annotations.nativeHistogramQuantileNaNSkew('', BAR),
      'PromQL info: input to histogram_quantile has NaN observations, result is skewed higher (2:8)',
    ],
    [
      annotations.nativeHistogramFractionNaNs('', BAR),
      'PromQL info: input to histogram_fraction has NaN observations, which are excluded from all fractions (2:8)',
    ],
    [
      annotations.mismatchedCustomBuckets('subtraction', BAR),
      'PromQL info: mismatched custom buckets were reconciled during subtraction (2:8)',
    ],
  ])('%#', (annotation, text) => {
    expect(annotations.formatAnnotation(annotation, QUERY)).toBe(text);
  });
});

const repair = (name: string, at: number, difference: number, bounds: [number, number]) =>
  annotations.histogramQuantileForcedMonotonicity(
    name,
    { start: at, end: at },
    {
      lowestBound: bounds[0],
      highestBound: bounds[1],
      differenceMax: difference,
      sampleCount: 1,
      firstMs: 1_761_954_000_000 + at * 1000,
      lastMs: 1_761_954_000_000 + at * 1000,
    },
  );

describe('a set of annotations', () => {
  test('keeps equal messages once, at the later place', () => {
    const set = new AnnotationSet();
    set.add(annotations.possibleNonCounter('m', { start: 0, end: 3 }));
    set.add(annotations.possibleNonCounter('m', BAR));
    set.add(annotations.possibleNonCounter('n', { start: 0, end: 3 }));
    expect(set.texts(QUERY).infos.map((text) => text.slice(text.indexOf('"')))).toEqual([
      '"m" (2:8)',
      '"n" (1:1)',
    ]);
    expect(set.size).toBe(2);
  });

  test('merges repairs of buckets, at the earlier place', () => {
    const set = new AnnotationSet();
    set.addAll([repair('', 0, 4.9, [2, Infinity]), repair('', 6, 123.456, [0.25, 3])]);
    expect(set.texts(QUERY).infos).toEqual([
      'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see ' +
        'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)' +
        ', from buckets 0.25 to +Inf, with a max diff of 1.2e+02, over 2 samples' +
        ' from 2025-10-31T23:40:00Z to 2025-10-31T23:40:06Z (1:1)',
    ]);
  });

  test('shows ten of each level and counts the others', () => {
    const set = new AnnotationSet();
    for (let i = 0; i < 13; i++) set.add(annotations.invalidQuantile(100 + i, BAR));
    set.add(annotations.histogramIgnoredInAggregation('min', BAR));
    const { warnings, infos } = set.texts(QUERY);
    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)).toBe('3 more warning annotations omitted');
    expect(infos).toHaveLength(1);
    expect(set.texts(QUERY, 0).warnings).toHaveLength(13);
  });
});
