/** The buckets of a histogram in ascending order, as the query API shows them. */
import { lowerBound, upperBound } from './bucket-bounds.ts';
import { type FloatHistogram, spanIndexes, usesCustomBuckets } from './float-histogram.ts';

/**
 * Columns of buckets. Which ends belong to a bucket follows from its sign: positive ones hold their
 * upper bound, negative ones their lower bound, the zero bucket (which spans 0) both.
 */
export type BucketList = {
  size: number;
  readonly lowers: number[];
  readonly uppers: number[];
  readonly counts: number[];
};

export function newBucketList(): BucketList {
  return { size: 0, lowers: [], uppers: [], counts: [] };
}

/**
 * Replaces the content of `out` by the buckets of `histogram`: negative ones, the zero bucket where
 * its count is above zero, positive ones. Buckets that reach into the zero bucket are cut there,
 * unless `uncut`.
 */
export function listBuckets(histogram: FloatHistogram, out: BucketList, uncut = false): void {
  out.size = 0;
  const { schema, customBounds, zeroThreshold, zeroCount } = histogram;
  const nearest = uncut ? 0 : zeroThreshold;
  if (histogram.negativeSpans.length > 0) {
    const indexes = spanIndexes(histogram.negativeSpans);
    for (let i = indexes.length - 1; i >= 0; i--) {
      const index = indexes[i]!;
      const near = Math.max(lowerBound(index, schema, customBounds), nearest);
      push(out, -upperBound(index, schema, customBounds), -near, histogram.negativeCounts[i]!);
    }
  }
  if (zeroCount > 0) push(out, -zeroThreshold, zeroThreshold, zeroCount);
  const custom = usesCustomBuckets(histogram);
  if (histogram.positiveSpans.length > 0) {
    const indexes = spanIndexes(histogram.positiveSpans);
    for (let i = 0; i < indexes.length; i++) {
      const lower = lowerBound(indexes[i]!, schema, customBounds);
      push(
        out,
        custom ? lower : Math.max(lower, nearest),
        upperBound(indexes[i]!, schema, customBounds),
        histogram.positiveCounts[i]!,
      );
    }
  }
}

function push(out: BucketList, lower: number, upper: number, count: number): void {
  const at = out.size++;
  out.lowers[at] = lower;
  out.uppers[at] = upper;
  out.counts[at] = count;
}
