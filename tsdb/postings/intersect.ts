/** The series in both lists. */
import { NO_POSTINGS, type Postings } from './label-index.ts';

/** From this ratio of lengths on it pays to leap through the longer list. */
const GALLOP_RATIO = 16;

export function intersect(a: Postings, b: Postings): Postings {
  if (a === b) return a;
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  if (few.length === 0) return NO_POSTINGS;
  const out = new Uint32Array(few.length);
  const count =
    many.length / few.length >= GALLOP_RATIO
      ? intersectGalloping(few, many, out)
      : intersectStepping(few, many, out);
  return count === out.length ? out : out.subarray(0, count);
}

function intersectStepping(a: Postings, b: Postings, out: Uint32Array): number {
  const aLength = a.length;
  const bLength = b.length;
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < aLength && j < bLength) {
    const x = a[i]!;
    const y = b[j]!;
    // Without branches on which is smaller: mispredicting them is what costs.
    out[count] = x;
    count += x === y ? 1 : 0;
    i += x <= y ? 1 : 0;
    j += y <= x ? 1 : 0;
  }
  return count;
}

function intersectGalloping(few: Postings, many: Postings, out: Uint32Array): number {
  let count = 0;
  let from = 0;
  for (let i = 0; i < few.length; i++) {
    const wanted = few[i]!;
    from = seek(many, from, wanted);
    if (from === many.length) break;
    if (many[from] === wanted) out[count++] = wanted;
  }
  return count;
}

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
