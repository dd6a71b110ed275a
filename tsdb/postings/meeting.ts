/** Whether lists have something in common with one list, asked for many of them. */
import type { Postings } from './label-index.ts';
import { PostingBits } from './posting-bits.ts';
import { GALLOP_RATIO, seek } from './seek.ts';

/** A test of whether a list has any of `refs`. */
export function meeting(refs: Postings): (list: Postings) => boolean {
  const bits = PostingBits.of(refs);
  return (list) =>
    bits === null || list.length > refs.length * GALLOP_RATIO
      ? haveCommon(list, refs)
      : bits.hasAny(list);
}

function haveCommon(a: Postings, b: Postings): boolean {
  let at = 0;
  const [few, many] = a.length < b.length ? [a, b] : [b, a];
  for (let i = 0; i < few.length; i++) {
    at = seek(many, at, few[i]!);
    if (at === many.length) return false;
    if (many[at] === few[i]) return true;
  }
  return false;
}
