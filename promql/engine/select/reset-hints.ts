/**
 * Histograms of which only count and sum will be asked for: Prometheus does not decode their
 * buckets, and tells from one sample to the next whether the counter was reset. That shows in
 * warnings about conflicting resets and in the number of samples counted.
 */
import {
  type CounterResetHint,
  type FloatHistogram,
  floatHistogram,
  isCounterReset,
  type SampleBuffer,
} from '../../../model/index.ts';

/** Replaces the histograms of `samples` by bare ones with hints that are known. */
export function toStatsOnly(samples: SampleBuffer): (FloatHistogram | null)[] {
  let previous: FloatHistogram | null = null;
  return samples.histograms!.map((histogram) => {
    if (histogram === null || histogram.stale) return histogram;
    const bare = floatHistogram({
      hint: resetHint(histogram, previous),
      schema: histogram.schema,
      count: histogram.count,
      sum: histogram.sum,
      zeroThreshold: histogram.zeroThreshold,
    });
    previous = histogram;
    return bare;
  });
}

function resetHint(histogram: FloatHistogram, previous: FloatHistogram | null): CounterResetHint {
  if (histogram.hint !== 'unknown') return histogram.hint;
  if (previous === null) return 'unknown';
  return isCounterReset(histogram, previous) ? 'reset' : 'not_reset';
}
