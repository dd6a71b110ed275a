/**
 * What is done with the start timestamps that come with samples: when a counter began to count.
 * Source: Prometheus 3.14 feature flags.
 */
import type { FloatHistogram, Histogram } from '../../model/index.ts';

export type StartTimestampUse = {
  /** `--enable-feature=st-storage`: kept with each sample, in the log and in chunks. */
  readonly isStored: boolean;
  /** `histograms-st-encoding`: chunks of histograms hold them too, not only the log. */
  readonly isInHistogramChunks: boolean;
  /**
   * `created-timestamp-zero-ingestion`: a sample of zero is stored at the start, where that lies
   * between the newest sample of the series and the one that tells of it.
   */
  readonly isZeroSample: boolean;
};

export const START_TIMESTAMPS_IGNORED: StartTimestampUse = {
  isStored: false,
  isInHistogramChunks: false,
  isZeroSample: false,
};

/** What a native histogram was when it began: of the same layout, without an observation. */
export function emptyHistogram(histogram: Histogram | FloatHistogram): Histogram | FloatHistogram {
  const empty = {
    hint: histogram.hint,
    schema: histogram.schema,
    zeroThreshold: histogram.zeroThreshold,
    zeroCount: 0,
    count: 0,
    sum: 0,
    positiveSpans: [],
    negativeSpans: [],
    customBounds: histogram.customBounds,
    stale: false,
  };
  return histogram.kind === 'float'
    ? { ...empty, kind: 'float', positiveCounts: [], negativeCounts: [] }
    : { ...empty, kind: 'integer', positiveDeltas: [], negativeDeltas: [] };
}
