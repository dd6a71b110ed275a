/** The series in any of the lists. */
import { NO_POSTINGS, type Postings } from './label-index.ts';

/** Below this many references for each bit of the span, sorting beats a bitmap. */
const SPAN_PER_REF_MAX = 256;

export function merge(lists: readonly Postings[]): Postings {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length === 0) return NO_POSTINGS;
  if (filled.length === 1) return filled[0]!;
  let total = 0;
  let min = 0xffff_ffff;
  let max = 0;
  for (const list of filled) {
    total += list.length;
    min = Math.min(min, list[0]!);
    max = Math.max(max, list[list.length - 1]!);
  }
  const span = max - min + 1;
  return span / total <= SPAN_PER_REF_MAX
    ? mergeByBitmap(filled, total, min, span)
    : mergeBySorting(filled, total);
}

/** Many short lists: a bit per reference, then read off in order. */
function mergeByBitmap(
  lists: readonly Postings[],
  total: number,
  min: number,
  span: number,
): Postings {
  const words = new Uint32Array((span + 31) >>> 5);
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const bit = list[i]! - min;
      words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }
  const out = new Uint32Array(total);
  let count = 0;
  for (let w = 0; w < words.length; w++) {
    let word = words[w]!;
    while (word !== 0) {
      const lowest = word & -word;
      out[count++] = min + (w << 5) + (31 - Math.clz32(lowest));
      word ^= lowest;
    }
  }
  return count === total ? out : out.subarray(0, count);
}

function mergeBySorting(lists: readonly Postings[], total: number): Postings {
  const out = new Uint32Array(total);
  let end = 0;
  for (const list of lists) {
    out.set(list, end);
    end += list.length;
  }
  out.sort();
  let count = 1;
  for (let i = 1; i < total; i++) {
    if (out[i] !== out[count - 1]) out[count++] = out[i]!;
  }
  return count === total ? out : out.subarray(0, count);
}
