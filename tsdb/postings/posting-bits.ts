/**
 * A set of references as a bit per reference of its span: membership costs the same whatever the order
 * of the questions, where stepping through two irregular lists side by side mispredicts at every step.
 */
import type { Postings } from './label-index.ts';
import { seek } from './seek.ts';

/** With fewer references per bit of the span, clearing the bits costs more than they save. */
const BITS_PER_REF_MAX = 64;

/** Of lists that are gone through once: a shorter one is done with before its bits are filled. */
export const BITS_LENGTH_MIN = 2048;

export class PostingBits {
  readonly #words: Uint32Array;
  readonly #min: number;
  readonly #max: number;

  private constructor(refs: Postings) {
    this.#min = refs[0]!;
    this.#max = refs[refs.length - 1]!;
    this.#words = new Uint32Array(((this.#max - this.#min) >>> 5) + 1);
    const words = this.#words;
    const min = this.#min;
    for (let i = 0; i < refs.length; i++) {
      const bit = refs[i]! - min;
      words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  /** Null where a list is the better form: it is empty, or sparse. */
  static of(refs: Postings): PostingBits | null {
    if (refs.length === 0) return null;
    const span = refs[refs.length - 1]! - refs[0]! + 1;
    return span > refs.length * BITS_PER_REF_MAX ? null : new PostingBits(refs);
  }

  /** Writes those of `list` that are in the set into `out`; returns how many. */
  keep(list: Postings, out: Uint32Array): number {
    const words = this.#words;
    const min = this.#min;
    const start = seek(list, 0, min);
    const end = seek(list, start, this.#max + 1);
    let count = 0;
    for (let i = start; i < end; i++) {
      const bit = list[i]! - min;
      out[count] = list[i]!;
      count += (words[bit >>> 5]! >>> (bit & 31)) & 1;
    }
    return count;
  }

  /** Writes those of `list` that are not in the set into `out`; returns how many. */
  drop(list: Postings, out: Uint32Array): number {
    const words = this.#words;
    const min = this.#min;
    const start = seek(list, 0, min);
    const end = seek(list, start, this.#max + 1);
    out.set(list.subarray(0, start));
    let count = start;
    for (let i = start; i < end; i++) {
      const bit = list[i]! - min;
      out[count] = list[i]!;
      count += ((words[bit >>> 5]! >>> (bit & 31)) & 1) ^ 1;
    }
    out.set(list.subarray(end), count);
    return count + list.length - end;
  }

  /** Whether any of `list` is in the set. */
  hasAny(list: Postings): boolean {
    const words = this.#words;
    const min = this.#min;
    const start = seek(list, 0, min);
    const end = seek(list, start, this.#max + 1);
    for (let i = start; i < end; i++) {
      const bit = list[i]! - min;
      if (((words[bit >>> 5]! >>> (bit & 31)) & 1) === 1) return true;
    }
    return false;
  }
}
