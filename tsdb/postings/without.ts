/** The series of one list that are not in the other. */
import { seek } from './intersect.ts';
import type { Postings } from './label-index.ts';

const GALLOP_RATIO = 16;

export function without(from: Postings, removed: Postings): Postings {
  if (removed.length === 0 || from.length === 0) return from;
  const out = new Uint32Array(from.length);
  let count = 0;
  if (removed.length / from.length >= GALLOP_RATIO) {
    let j = 0;
    for (let i = 0; i < from.length; i++) {
      const x = from[i]!;
      j = seek(removed, j, x);
      if (removed[j] !== x) out[count++] = x;
    }
  } else {
    let j = 0;
    for (let i = 0; i < from.length; i++) {
      const x = from[i]!;
      while (j < removed.length && removed[j]! < x) j++;
      if (j === removed.length || removed[j] !== x) out[count++] = x;
    }
  }
  return count === out.length ? out : out.subarray(0, count);
}
