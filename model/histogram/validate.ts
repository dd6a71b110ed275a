/**
 * Whether a histogram that came from outside makes sense. The texts are those that senders of
 * Prometheus know. Source: Prometheus native histogram specification; answers of 3.14.
 */
import { ValueError } from '../errors.ts';
import type { FloatHistogram } from './float-histogram.ts';
import {
  CUSTOM_BUCKETS_SCHEMA,
  EXPONENTIAL_SCHEMA_MAX,
  EXPONENTIAL_SCHEMA_MIN,
  type Histogram,
  type Span,
} from './histogram.ts';

/** @throws ValueError that says what is wrong */
export function validateHistogram(histogram: Histogram | FloatHistogram): void {
  if (histogram.stale) return;
  validateLayout(histogram);
  const positive = sideTotal('positive', histogram);
  const negative = sideTotal('negative', histogram);
  const inBuckets = positive + negative + histogram.zeroCount;
  if (histogram.kind === 'float') {
    if (histogram.zeroCount < 0) {
      throw new ValueError(
        `zero bucket has observation count of ${histogram.zeroCount}: ` +
          'histogram has a bucket whose observation count is negative',
      );
    }
    if (histogram.count < 0) {
      throw new ValueError(
        `observation count is  ${histogram.count}: histogram's observation count is negative`,
      );
    }
    return;
  }
  // NaN observations count, but lie in no bucket.
  if (Number.isNaN(histogram.sum)) {
    if (inBuckets > histogram.count) {
      throw new ValueError(
        `${inBuckets} observations found in buckets, but the Count field is ${histogram.count}: ` +
          "histogram's observation count should be at least the number of observations found in " +
          'the buckets',
      );
    }
  } else if (inBuckets !== histogram.count) {
    throw new ValueError(
      `${inBuckets} observations found in buckets, but the Count field is ${histogram.count}: ` +
        "histogram's observation count should equal the number of observations found in the " +
        'buckets (in absence of NaN)',
    );
  }
}

function validateLayout(histogram: Histogram | FloatHistogram): void {
  const { schema, customBounds } = histogram;
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    validateCustomBounds(customBounds);
    const { positiveSpans } = histogram;
    validateSpans('custom buckets', positiveSpans, sideCounts('positive', histogram).length);
    const bucketReach = spanLength(positiveSpans);
    if (bucketReach > customBounds.length + 1) {
      throw new ValueError(
        `custom buckets: only ${customBounds.length} custom bounds defined which is insufficient ` +
          `to cover total span length of ${bucketReach}: histogram custom bounds are too few`,
      );
    }
    if (histogram.zeroCount !== 0) {
      throw new ValueError('custom buckets: must have zero count of 0');
    }
    if (histogram.zeroThreshold !== 0) {
      throw new ValueError('custom buckets: must have zero threshold of 0');
    }
    if (histogram.negativeSpans.length > 0) {
      throw new ValueError('custom buckets: must not have negative spans');
    }
    if (sideCounts('negative', histogram).length > 0) {
      throw new ValueError('custom buckets: must not have negative buckets');
    }
  } else if (schema >= EXPONENTIAL_SCHEMA_MIN && schema <= EXPONENTIAL_SCHEMA_MAX) {
    if (customBounds.length > 0) {
      throw new ValueError('histogram with exponential schema must not have custom bounds');
    }
  } else {
    throw new ValueError(
      'histogram has an invalid schema, which must be between ' +
        `${EXPONENTIAL_SCHEMA_MIN} and ${EXPONENTIAL_SCHEMA_MAX} for exponential buckets, ` +
        `or ${CUSTOM_BUCKETS_SCHEMA} for custom buckets, got schema ${schema}`,
    );
  }
  for (const side of ['positive', 'negative'] as const) {
    const spans = side === 'positive' ? histogram.positiveSpans : histogram.negativeSpans;
    validateSpans(`${side} side`, spans, sideCounts(side, histogram).length);
  }
}

function validateCustomBounds(bounds: readonly number[]): void {
  let previous = -Infinity;
  for (const bound of bounds) {
    if (Number.isNaN(bound)) {
      throw new ValueError('custom buckets: histogram custom bounds must not be NaN');
    }
    if (bound <= previous) {
      throw new ValueError(
        `custom buckets: previous bound is ${previous.toFixed(6)} and current is ` +
          `${bound.toFixed(6)}: histogram custom bounds must be in strictly increasing order`,
      );
    }
    previous = bound;
  }
  if (bounds.at(-1) === Infinity) {
    throw new ValueError(
      'custom buckets: last +Inf bound must not be explicitly defined: ' +
        'histogram custom bounds must be finite',
    );
  }
}

/** How many bucket indexes the spans reach over, gaps included. */
function spanLength(spans: readonly Span[]): number {
  let reach = 0;
  for (const { offset, length } of spans) reach += offset + length;
  return reach;
}

/** @param where  custom buckets begin at zero, others anywhere */
function validateSpans(where: string, spans: readonly Span[], bucketCount: number): void {
  let covered = 0;
  for (const [i, { offset, length }] of spans.entries()) {
    if (offset < 0 && (i > 0 || where === 'custom buckets')) {
      throw new ValueError(
        `${where}: span number ${i + 1} with offset ${offset}: ` +
          'histogram has a span whose offset is negative',
      );
    }
    covered += length;
  }
  if (covered !== bucketCount) {
    throw new ValueError(
      `${where}: spans need ${covered} buckets, have ${bucketCount} buckets: ` +
        'histogram spans specify different number of buckets than provided',
    );
  }
}

type Side = 'positive' | 'negative';

function sideCounts(side: Side, histogram: Histogram | FloatHistogram): readonly number[] {
  if (histogram.kind === 'integer') {
    return side === 'positive' ? histogram.positiveDeltas : histogram.negativeDeltas;
  }
  return side === 'positive' ? histogram.positiveCounts : histogram.negativeCounts;
}

/** Observations in the buckets of a side. */
function sideTotal(side: Side, histogram: Histogram | FloatHistogram): number {
  let total = 0;
  let count = 0;
  for (const [i, entry] of sideCounts(side, histogram).entries()) {
    count = histogram.kind === 'integer' ? count + entry : entry;
    if (count < 0) {
      throw new ValueError(
        `${side} side: bucket number ${i + 1} has observation count of ${count}: ` +
          'histogram has a bucket whose observation count is negative',
      );
    }
    total += count;
  }
  return total;
}
