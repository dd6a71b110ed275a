/**
 * Whether a counter started over between two histograms of a series.
 * Source: PromQL function documentation (`resets`), native histogram specification.
 */
import { type BucketSide, coarsenSide, sideOf, skipInsideZeroBucket } from './bucket-side.ts';
import { exponentialParts, widenZeroBucket } from './combine.ts';
import { commonBounds, moveToBounds, sameBounds } from './custom-bounds.ts';
import { type FloatHistogram, usesCustomBuckets } from './float-histogram.ts';

/**
 * True when any count fell from `previous` to `current`, or the layout changed in a way that only
 * a new start explains. The hint of `current` decides where it knows.
 */
export function isCounterReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.hint === 'reset') return true;
  if (current.hint === 'not_reset') return false;
  if (current.count < previous.count) return true;
  if (usesCustomBuckets(current) !== usesCustomBuckets(previous)) return true;
  return usesCustomBuckets(current)
    ? customBucketsFell(current, previous)
    : exponentialBucketsFell(current, previous);
}

function customBucketsFell(current: FloatHistogram, previous: FloatHistogram): boolean {
  let now = sideOf(current.positiveSpans, current.positiveCounts);
  let before = sideOf(previous.positiveSpans, previous.positiveCounts);
  if (!sameBounds(current.customBounds, previous.customBounds)) {
    const common = commonBounds(current.customBounds, previous.customBounds);
    now = moveToBounds(now, current.customBounds, common);
    before = moveToBounds(before, previous.customBounds, common);
  }
  return anyCountFell(now, before);
}

function exponentialBucketsFell(current: FloatHistogram, previous: FloatHistogram): boolean {
  const { schema, zeroThreshold } = current;
  // Resolution and zero bucket may only get coarser in the life of a counter.
  if (schema > previous.schema || zeroThreshold < previous.zeroThreshold) return true;
  const before = exponentialParts(previous);
  if (zeroThreshold > previous.zeroThreshold) {
    widenZeroBucket(before, zeroThreshold);
    // The new threshold cuts a populated bucket: no merging leads there.
    if (before.zero.threshold !== zeroThreshold) return true;
  }
  if (current.zeroCount < before.zero.count) return true;
  const fell = (now: BucketSide, then: BucketSide): boolean =>
    anyCountFell(
      skipInsideZeroBucket(now, zeroThreshold, schema),
      skipInsideZeroBucket(coarsenSide(then, previous.schema, schema), zeroThreshold, schema),
    );
  return (
    fell(sideOf(current.positiveSpans, current.positiveCounts), before.positive) ||
    fell(sideOf(current.negativeSpans, current.negativeCounts), before.negative)
  );
}

/** A bucket that is no longer listed has fallen to zero. */
function anyCountFell(now: BucketSide, before: BucketSide): boolean {
  let at = 0;
  for (let i = 0; i < before.indexes.length; i++) {
    const index = before.indexes[i]!;
    while (at < now.indexes.length && now.indexes[at]! < index) at++;
    const count = now.indexes[at] === index ? now.counts[at]! : 0;
    if (count < before.counts[i]!) return true;
  }
  return false;
}
