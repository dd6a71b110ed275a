/**
 * Native histograms as they are stored and sent: sparse buckets whose bounds follow from a schema.
 *
 *   schema -4…8  exponential: bucket i of the positive side covers (b^(i-1), b^i], b = 2^(2^-schema)
 *   schema -53   custom bounds (NHCB): bucket i covers (customBounds[i-1], customBounds[i]]
 *
 * Buckets are listed span by span: a span skips `offset` bucket indexes and then covers `length`.
 * The first span's offset is the absolute index of the first bucket.
 * Source: Prometheus native histogram specification.
 */
export const CUSTOM_BUCKETS_SCHEMA = -53;
export const EXPONENTIAL_SCHEMA_MIN = -4;
export const EXPONENTIAL_SCHEMA_MAX = 8;

export type Span = { readonly offset: number; readonly length: number };

export const COUNTER_RESET_HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const;
/** What is known about a counter reset between the sample before and this one. */
export type CounterResetHint = (typeof COUNTER_RESET_HINTS)[number];

/** Integer form: bucket counts as differences to the bucket before. */
export type Histogram = {
  readonly kind: 'integer';
  readonly hint: CounterResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  /** A stale marker is a histogram whose sum is the staleness NaN: see `stale`. */
  readonly sum: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly positiveDeltas: readonly number[];
  readonly negativeDeltas: readonly number[];
  /** Upper bounds of custom buckets, ascending, without +Inf; empty for exponential schemas. */
  readonly customBounds: readonly number[];
  /** True for the end of a series; then nothing else counts. */
  readonly stale: boolean;
};
