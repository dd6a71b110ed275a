/** Histograms with custom bounds that differ are brought to the bounds they have in common. */
import { type BucketSide, remapSide } from './bucket-side.ts';
import { equalNumbers } from './float-histogram.ts';

export const sameBounds = equalNumbers;

/** The bounds that are in both lists; both ascend. */
export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const common: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i]! < b[j]!) i++;
    else if (a[i]! > b[j]!) j++;
    else {
      common.push(a[i]!);
      i++;
      j++;
    }
  }
  return common;
}

/** Moves the counts of custom buckets into the buckets of `target`, a subset of `bounds`. */
export function moveToBounds(
  side: BucketSide,
  bounds: readonly number[],
  target: readonly number[],
): BucketSide {
  if (bounds.length === target.length) return side;
  return remapSide(side, (index) => {
    if (index >= bounds.length) return target.length;
    const bound = bounds[index]!;
    let at = 0;
    while (at < target.length && target[at]! < bound) at++;
    return at;
  });
}
