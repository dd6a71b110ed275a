import type { CounterResetHint, Span } from './histogram.ts';

/** Float form: absolute bucket counts. What queries compute with. */
export type FloatHistogram = {
  readonly kind: 'float';
  readonly hint: CounterResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly positiveCounts: readonly number[];
  readonly negativeCounts: readonly number[];
  /** Upper bounds of custom buckets, ascending, without +Inf; empty for exponential schemas. */
  readonly customBounds: readonly number[];
  /** True for the end of a series; then nothing else counts. */
  readonly stale: boolean;
};
