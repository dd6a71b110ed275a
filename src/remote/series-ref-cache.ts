/**
 * Label set → series reference, for senders that repeat their series in every request. A label set
 * is known by its fingerprint, so an entry takes 18 bytes, whatever its labels.
 *
 *   slot   a  b  c  ref      four words, open addressing by a; ref 0: free
 *   hours  when the slot was used last, in hours (mod 2¹⁶)
 */
import { NO_SERIES, type SeriesRef } from '../../model/index.ts';
import type { Fingerprint } from './fingerprint.ts';

const SLOT_WORDS = 4;
/** A power of two. */
const SLOT_COUNT_MIN = 256;
/** What was not used for so long is forgotten when the table has to grow. */
const UNUSED_HOURS_MAX = 2;
/** Signed words are faster than unsigned ones, and half of the references will do. */
const REF_MAX = 0x7fff_ffff;
const HOUR_MS = 3_600_000;

export class SeriesRefCache {
  #slots = new Int32Array(SLOT_COUNT_MIN * SLOT_WORDS);
  #hours = new Uint16Array(SLOT_COUNT_MIN);
  #count = 0;
  #hour = 0;

  /** Label sets known. */
  get count(): number {
    return this.#count;
  }

  /** Tells the time, once per request. */
  tell(nowMs: number): void {
    this.#hour = Math.floor(nowMs / HOUR_MS) & 0xffff;
  }

  find(print: Fingerprint): SeriesRef {
    const slot = this.#slotOf(print);
    const ref = this.#slots[slot * SLOT_WORDS + 3]!;
    if (ref !== 0) this.#hours[slot] = this.#hour;
    return ref as SeriesRef;
  }

  /** Replaces what is there. */
  set(print: Fingerprint, ref: SeriesRef): void {
    if (ref === NO_SERIES || ref > REF_MAX) return;
    let slot = this.#slotOf(print);
    if (this.#slots[slot * SLOT_WORDS + 3] === 0) {
      // At most three quarters full.
      if ((this.#count + 1) * 4 > this.#hours.length * 3) {
        this.#rebuild();
        slot = this.#slotOf(print);
      }
      this.#count++;
    }
    const word = slot * SLOT_WORDS;
    this.#slots[word] = print.a;
    this.#slots[word + 1] = print.b;
    this.#slots[word + 2] = print.c;
    this.#slots[word + 3] = ref;
    this.#hours[slot] = this.#hour;
  }

  /** Where it is, or the free slot where it belongs. */
  #slotOf({ a, b, c }: Fingerprint): number {
    const slots = this.#slots;
    const mask = this.#hours.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const word = slot * SLOT_WORDS;
      if (slots[word + 3] === 0) return slot;
      if (slots[word] === a && slots[word + 1] === b && slots[word + 2] === c) {
        return slot;
      }
    }
  }

  /** Into a table of twice the size that the entries still in use need. */
  #rebuild(): void {
    const slots = this.#slots;
    const hours = this.#hours;
    const live: number[] = [];
    for (let slot = 0; slot < hours.length; slot++) {
      const unusedHours = (this.#hour - hours[slot]!) & 0xffff;
      if (slots[slot * SLOT_WORDS + 3] !== 0 && unusedHours <= UNUSED_HOURS_MAX) live.push(slot);
    }
    let slotCount = SLOT_COUNT_MIN;
    while (slotCount < live.length * 2) slotCount *= 2;
    this.#slots = new Int32Array(slotCount * SLOT_WORDS);
    this.#hours = new Uint16Array(slotCount);
    const mask = slotCount - 1;
    for (const from of live) {
      const fromWord = from * SLOT_WORDS;
      let slot = slots[fromWord]! & mask;
      while (this.#slots[slot * SLOT_WORDS + 3] !== 0) slot = (slot + 1) & mask;
      this.#slots.set(slots.subarray(fromWord, fromWord + SLOT_WORDS), slot * SLOT_WORDS);
      this.#hours[slot] = hours[from]!;
    }
    this.#count = live.length;
  }
}
