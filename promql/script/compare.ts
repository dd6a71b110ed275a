/** Whether values are what a script expects. */
import { compactHistogram, type FloatHistogram, spanIndexes } from '../../model/index.ts';

const TOLERANCE = 1e-6;
const NORMAL_MIN = 2.2250738585072014e-308;

/** Equal, both NaN, or nearly equal. */
export function isNearlyEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const total = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || total < NORMAL_MIN) return difference < TOLERANCE * NORMAL_MIN;
  return difference / Math.min(total, Number.MAX_VALUE) < TOLERANCE;
}

/** Layout exactly, numbers nearly, the hint where it matters. */
export function areHistogramsAlike(
  expected: FloatHistogram,
  actual: FloatHistogram,
  checksHint: boolean,
): boolean {
  const a = compactHistogram(expected);
  const b = compactHistogram(actual);
  return (
    a.schema === b.schema &&
    isNearlyEqual(a.count, b.count) &&
    isNearlyEqual(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    isNearlyEqual(a.zeroCount, b.zeroCount) &&
    areSame(a.customBounds, b.customBounds) &&
    areSame(spanIndexes(a.positiveSpans), spanIndexes(b.positiveSpans)) &&
    areSame(spanIndexes(a.negativeSpans), spanIndexes(b.negativeSpans)) &&
    areAlike(a.positiveCounts, b.positiveCounts) &&
    areAlike(a.negativeCounts, b.negativeCounts) &&
    (!checksHint || a.hint === b.hint)
  );
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function areAlike(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => isNearlyEqual(value, b[i]!));
}
