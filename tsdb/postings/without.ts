/** The series of one list that are not in the other. */
import type { Postings } from './label-index.ts';
import { BITS_LENGTH_MIN, PostingBits } from './posting-bits.ts';
import { GALLOP_RATIO, seek } from './seek.ts';

export function without(from: Postings, removed: Postings): Postings {
  if (removed.length === 0 || from.length === 0) return from;
  const out = new Uint32Array(from.length);
  const count = withoutInto(from, removed, out);
  return count === out.length ? out : out.subarray(0, count);
}

function withoutInto(from: Postings, removed: Postings, out: Uint32Array): number {
  if (removed.length / from.length >= GALLOP_RATIO) return withoutMany(from, removed, out);
  if (from.length / removed.length >= GALLOP_RATIO) return withoutFew(from, removed, out);
  const bits = removed.length >= BITS_LENGTH_MIN ? PostingBits.of(removed) : null;
  return bits === null ? withoutStepping(from, removed, out) : bits.drop(from, out);
}

function withoutMany(from: Postings, removed: Postings, out: Uint32Array): number {
  let count = 0;
  let j = 0;
  for (let i = 0; i < from.length; i++) {
    const x = from[i]!;
    j = seek(removed, j, x);
    if (removed[j] !== x) out[count++] = x;
  }
  return count;
}

/** What lies between two that go is copied as a whole. */
function withoutFew(from: Postings, removed: Postings, out: Uint32Array): number {
  let count = 0;
  let kept = 0;
  const keepUntil = (end: number) => {
    out.set(from.subarray(kept, end), count);
    count += end - kept;
  };
  for (let i = 0; i < removed.length && kept < from.length; i++) {
    const at = seek(from, kept, removed[i]!);
    keepUntil(at);
    kept = from[at] === removed[i] ? at + 1 : at;
  }
  keepUntil(from.length);
  return count;
}

function withoutStepping(from: Postings, removed: Postings, out: Uint32Array): number {
  let count = 0;
  let j = 0;
  for (let i = 0; i < from.length; i++) {
    const x = from[i]!;
    while (j < removed.length && removed[j]! < x) j++;
    if (j === removed.length || removed[j] !== x) out[count++] = x;
  }
  return count;
}
