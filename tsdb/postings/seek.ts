/** Finding a place in a list without looking at all that lies before it. */
import type { Postings } from './label-index.ts';

/** From this ratio of lengths on it pays to leap through the longer of two lists. */
export const GALLOP_RATIO = 16;

/** Index of the first entry ≥ `wanted` at or after `from`: leaps of doubling size, then bisection. */
export function seek(list: Postings, from: number, wanted: number): number {
  let step = 1;
  let low = from;
  let high = from;
  while (high < list.length && list[high]! < wanted) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  if (high > list.length) high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
