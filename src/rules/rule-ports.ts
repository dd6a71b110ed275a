/** What rules need from the server: somebody to ask, somebody to write to, somebody to tell. */
import type { FloatHistogram, Labels } from '../../model/index.ts';

/** What a rule's expression gives: one row per series. */
export type RuleVector = {
  readonly labels: readonly Labels[];
  /** Meaningless where there is a histogram. */
  readonly values: Float64Array;
  /** Null while there are only floats; otherwise null where a float is. */
  readonly histograms: readonly (FloatHistogram | null)[] | null;
};

/** The newest sample of each series, staleness markers left out. */
export type LatestSamples = {
  readonly labels: readonly Labels[];
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

export type LatestRequest = {
  readonly metric: string;
  readonly alertName: string;
  readonly minMs: number;
  readonly maxMs: number;
};

export type RuleGroupName = { readonly file: string; readonly name: string };

export interface RuleQueries {
  /** Evaluates `query` at one instant. Rejects with what is wrong. */
  vector(
    query: string,
    timeMs: number,
    signal: AbortSignal,
    group?: RuleGroupName,
  ): Promise<RuleVector>;
  /** Of the series `metric{alertname="alertName"}`. */
  latest(request: LatestRequest, signal: AbortSignal): Promise<LatestSamples>;
}

/** One batch, stored together. */
export type RuleSamples = {
  readonly labels: readonly Labels[];
  readonly values: Float64Array;
  readonly histograms: readonly (FloatHistogram | null)[] | null;
  readonly timestampMs: number;
  /** Series that end here, because the rule gives them no longer. */
  readonly ended: readonly Labels[];
};

export interface RuleSink {
  /** An AppendOutcome for each of `labels`. */
  append(samples: RuleSamples): Promise<Uint8Array>;
}
