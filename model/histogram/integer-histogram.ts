/**
 * Queries compute with float histograms, and hand them out as such. Most were integer ones when they
 * came in, which is the form that other servers expect and that takes less room.
 */
import type { FloatHistogram } from './float-histogram.ts';
import type { Histogram } from './histogram.ts';

/** The same histogram in integer form where all its counts are whole numbers. */
export function toIntegerHistogram(histogram: FloatHistogram): Histogram | FloatHistogram {
  const { positiveCounts, negativeCounts, kind: _, ...shared } = histogram;
  const isWhole =
    isCount(shared.count) &&
    isCount(shared.zeroCount) &&
    positiveCounts.every(isCount) &&
    negativeCounts.every(isCount);
  if (!isWhole) return histogram;
  return {
    kind: 'integer',
    ...shared,
    positiveDeltas: deltasOf(positiveCounts),
    negativeDeltas: deltasOf(negativeCounts),
  };
}

function isCount(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}

function deltasOf(counts: readonly number[]): number[] {
  return counts.map((count, i) => count - (counts[i - 1] ?? 0));
}
