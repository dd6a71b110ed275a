/** Values between two samples, for `smoothed` selectors. */
import {
  addHistograms,
  combineHints,
  type FloatHistogram,
  isCounterReset,
  multiplyHistogram,
  newCombineNotes,
  subtractHistograms,
  usesCustomBuckets,
  withHint,
} from '../../../model/index.ts';

/**
 * The float at `timeMs` between two samples, on the straight line. A counter that fell started at
 * zero right after the first.
 */
export function interpolateFloats(
  leftMs: number,
  left: number,
  rightMs: number,
  right: number,
  timeMs: number,
  isCounter: boolean,
): number {
  const from = isCounter && right < left ? 0 : left;
  return from + ((right - from) * (timeMs - leftMs)) / (rightMs - leftMs);
}

/**
 * Likewise for histograms; null where one has custom bounds and the other has not.
 * @param onReconciled  told which operation had to find custom bounds that both sides share
 */
export function interpolateHistograms(
  leftMs: number,
  left: FloatHistogram,
  rightMs: number,
  right: FloatHistogram,
  timeMs: number,
  isCounter: boolean,
  onReconciled: (operation: 'addition' | 'subtraction') => void,
): FloatHistogram | null {
  if (usesCustomBuckets(left) !== usesCustomBuckets(right)) return null;
  const share = (timeMs - leftMs) / (rightMs - leftMs);
  if (isCounter && isCounterReset(right, left)) return multiplyHistogram(right, share);
  const notes = newCombineNotes();
  const difference = subtractHistograms(right, left, notes);
  if (difference === null) return null;
  if (notes.boundsReconciled) onReconciled('subtraction');
  notes.boundsReconciled = false;
  // In this order, as it matters for buckets that lie within the zero bucket.
  const histogram = addHistograms(multiplyHistogram(difference, share), left, notes);
  if (notes.boundsReconciled) onReconciled('addition');
  return histogram && withHint(histogram, combineHints(left.hint, right.hint, notes));
}
