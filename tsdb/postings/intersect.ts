/** The series in both lists. */
import { NO_POSTINGS, type Postings } from './label-index.ts';
import { BITS_LENGTH_MIN, PostingBits } from './posting-bits.ts';
import { GALLOP_RATIO, seek } from './seek.ts';

export function intersect(a: Postings, b: Postings): Postings {
  if (a === b) return a;
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  if (few.length === 0) return NO_POSTINGS;
  const within = withinRun(few, many);
  if (within !== null) return within;
  const out = new Uint32Array(few.length);
  const count = intersectInto(few, many, out);
  return count === out.length ? out : out.subarray(0, count);
}

function intersectInto(few: Postings, many: Postings, out: Uint32Array): number {
  if (many.length / few.length >= GALLOP_RATIO) return intersectGalloping(few, many, out);
  const bits = few.length >= BITS_LENGTH_MIN ? PostingBits.of(few) : null;
  return bits === null ? intersectStepping(few, many, out) : bits.keep(many, out);
}

/**
 * What of `few` lies in `many` when that has no gaps, as the lists of labels do that all series have;
 * null when it has some.
 */
function withinRun(few: Postings, many: Postings): Postings | null {
  const first = many[0]!;
  const last = many[many.length - 1]!;
  if (last - first + 1 !== many.length) return null;
  if (few[0]! >= first && few[few.length - 1]! <= last) return few;
  return few.subarray(seek(few, 0, first), seek(few, 0, last + 1));
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
