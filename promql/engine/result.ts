/** What a query gives. */
import type { FloatHistogram, Labels } from '../../model/index.ts';
import type { QueryStats } from './stats.ts';

/** One series of an instant vector. */
export type VectorEntry = {
  readonly labels: Labels;
  /** Meaningless where there is a histogram. */
  readonly value: number;
  readonly histogram: FloatHistogram | null;
};

/** One series of a matrix: columns of its samples, which ascend in time. */
export type MatrixSeries = {
  readonly labels: Labels;
  readonly count: number;
  /** Series with a sample at every step share one array. */
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  /** Null where all samples are floats; else null where a float is. */
  readonly histograms: readonly (FloatHistogram | null)[] | null;
};

export type QueryResult =
  | { readonly kind: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly kind: 'string'; readonly timestampMs: number; readonly value: string }
  | {
      readonly kind: 'vector';
      readonly timestampMs: number;
      readonly entries: readonly VectorEntry[];
    }
  | { readonly kind: 'matrix'; readonly series: readonly MatrixSeries[] };

/** A result with all that is to be said about it. */
export type QueryAnswer = {
  readonly result: QueryResult;
  /** As the API shows them: with positions, the overflow counted. Storage's warnings come first. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
};
