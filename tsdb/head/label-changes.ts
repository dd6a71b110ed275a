/**
 * The labels of series on their way from whoever reads a log to whoever makes series of it. A series
 * mostly shares its labels with the one before, place by place, and comparing a text with what stood
 * there is cheaper than hashing it and looking it up; so only what changed is said.
 *
 *   word 0  ref, low half      word 1  ref, high half
 *   word 2  label count        word 3  hash of the labels
 *   word 4  how many labels follow, each as
 *           place · hash of the name · hash of the value · size of the name · size of the value,
 *           a word each; then the bytes of both, filled up to whole words
 *
 * Places that are not named are as in the series before. Only ever in memory.
 */
import { Labels } from '../../model/index.ts';
import type { SeriesCursor } from '../record/series.ts';
import type { LabelPairs } from './label-pairs.ts';
import { hashLabels } from './series-table.ts';
import { combineHashes, TextBytes } from './text-bytes.ts';

const SERIES_WORDS = 5;
const CHANGE_WORDS = 5;
/** Longer texts are not remembered, but said each time. */
const REMEMBERED_SIZE_BYTES_MAX = 64;
const NOT_REMEMBERED = -1;
const PLACE_COUNT = 32;
const TWO_TO_32 = 2 ** 32;

/** Instead of an end. */
export const NO_ROOM = -1;
/** Names do not ascend or a value is empty, as happens only in foreign logs. */
export const MALFORMED = -2;

/** The writing side. */
export class LabelChanges {
  readonly #texts = new TextBytes();
  /** Text i of the last series that had so many is `#bytes[i × 64, + #sizes[i])`. */
  #bytes = new Uint8Array(PLACE_COUNT * 2 * REMEMBERED_SIZE_BYTES_MAX);
  #sizes = new Int32Array(PLACE_COUNT * 2).fill(NOT_REMEMBERED);
  #hashes = new Uint32Array(PLACE_COUNT * 2);
  /** Whether text i of this series is the remembered one. */
  #isSame = new Uint8Array(PLACE_COUNT * 2);
  /** So many of the remembered names are known to ascend. */
  #ascendingCount = 0;

  /**
   * Writes the series that the cursor is at.
   *
   * @param words  the memory of `bytes`, from the same place on
   * @param at     where to begin, a multiple of 4
   * @returns where it ends; NO_ROOM or MALFORMED when nothing was written
   */
  encode(cursor: SeriesCursor, words: Uint32Array, bytes: Uint8Array, at: number): number {
    const { labelCount, ref } = cursor;
    if (at + encodedSizeMax(cursor) > bytes.length) return NO_ROOM;
    if (labelCount * 2 > this.#isSame.length) this.#grow(labelCount);
    if (!this.#compare(cursor)) return MALFORMED;
    const isSame = this.#isSame;
    const hashes = this.#hashes;
    let end = at + SERIES_WORDS * 4;
    let hash = labelCount * 2;
    let changeCount = 0;
    for (let place = 0; place < labelCount; place++) {
      const name = place * 2;
      if (isSame[name] === 0 || isSame[name + 1] === 0) {
        end = this.#encodeChange(cursor, place, words, bytes, end);
        changeCount++;
      }
      hash = combineHashes(combineHashes(hash, hashes[name]!), hashes[name + 1]!);
    }
    const word = at >>> 2;
    words[word] = ref % TWO_TO_32;
    words[word + 1] = Math.floor(ref / TWO_TO_32);
    words[word + 2] = labelCount;
    words[word + 3] = hash;
    words[word + 4] = changeCount;
    return end;
  }

  #encodeChange(
    cursor: SeriesCursor,
    place: number,
    words: Uint32Array,
    bytes: Uint8Array,
    at: number,
  ): number {
    const { record, textStarts, textEnds } = cursor;
    const texts = this.#texts;
    const name = place * 2;
    texts.clear();
    texts.addBytes(record, textStarts[name]!, textEnds[name]!);
    texts.addBytes(record, textStarts[name + 1]!, textEnds[name + 1]!);
    this.#remember(name, 0);
    this.#remember(name + 1, 1);
    const { starts, hashes } = texts;
    const word = at >>> 2;
    words[word] = place;
    words[word + 1] = hashes[0]!;
    words[word + 2] = hashes[1]!;
    words[word + 3] = starts[1]!;
    words[word + 4] = starts[2]! - starts[1]!;
    const from = texts.bytes;
    let to = at + CHANGE_WORDS * 4;
    for (let i = 0, end = starts[2]!; i < end; i++) bytes[to++] = from[i]!;
    return (to + 3) & ~3;
  }

  /** Fills `#isSame`; false when the labels are not as they should be. */
  #compare(cursor: SeriesCursor): boolean {
    const { labelCount, record, textStarts, textEnds } = cursor;
    const isSame = this.#isSame;
    const sizes = this.#sizes;
    const bytes = this.#bytes;
    let areNamesSame = labelCount <= this.#ascendingCount;
    for (let i = 0; i < labelCount * 2; i++) {
      const start = textStarts[i]!;
      const sizeBytes = textEnds[i]! - start;
      if ((i & 1) === 1 && sizeBytes === 0) return false;
      let same = sizeBytes === sizes[i];
      if (same) {
        const remembered = i * REMEMBERED_SIZE_BYTES_MAX;
        // From the end, where texts differ that differ at all: host-1, host-2.
        let last = sizeBytes - 1;
        while (last >= 0 && record[start + last] === bytes[remembered + last]) last--;
        same = last < 0;
      }
      isSame[i] = same ? 1 : 0;
      if (!same && (i & 1) === 0) areNamesSame = false;
    }
    if (areNamesSame) return true;
    for (let i = 2; i < labelCount * 2; i += 2) if (!ascends(cursor, i - 2, i)) return false;
    this.#ascendingCount = labelCount;
    return true;
  }

  /** That text `from` of `#texts` stands at `index` now. */
  #remember(index: number, from: number): void {
    const { starts, hashes, bytes: source } = this.#texts;
    const start = starts[from]!;
    const sizeBytes = starts[from + 1]! - start;
    this.#hashes[index] = hashes[from]!;
    this.#sizes[index] = NOT_REMEMBERED;
    if (sizeBytes > REMEMBERED_SIZE_BYTES_MAX) return;
    this.#sizes[index] = sizeBytes;
    const bytes = this.#bytes;
    const to = index * REMEMBERED_SIZE_BYTES_MAX;
    for (let i = 0; i < sizeBytes; i++) bytes[to + i] = source[start + i]!;
  }

  /** Also forgets what is remembered. */
  #grow(labelCount: number): void {
    const textCount = labelCount * 4;
    this.#bytes = new Uint8Array(textCount * REMEMBERED_SIZE_BYTES_MAX);
    this.#sizes = new Int32Array(textCount).fill(NOT_REMEMBERED);
    this.#hashes = new Uint32Array(textCount);
    this.#isSame = new Uint8Array(textCount);
    this.#ascendingCount = 0;
  }
}

/** What the series that the cursor is at may take at most. */
export function encodedSizeMax({ labelCount, textStarts, textEnds }: SeriesCursor): number {
  const textBytes = labelCount === 0 ? 0 : textEnds[labelCount * 2 - 1]! - textStarts[0]!;
  return (SERIES_WORDS + labelCount * (CHANGE_WORDS + 1)) * 4 + textBytes;
}

/** Whether text `second` of the record sorts behind text `first`. */
function ascends(cursor: SeriesCursor, first: number, second: number): boolean {
  const { record, textStarts, textEnds } = cursor;
  let a = textStarts[first]!;
  let b = textStarts[second]!;
  const aEnd = textEnds[first]!;
  const bEnd = textEnds[second]!;
  while (a < aEnd && b < bEnd && record[a] === record[b]) {
    a++;
    b++;
  }
  return b < bEnd && (a === aEnd || record[a]! < record[b]!);
}

/** The reading side: label pairs, made when they are new. */
export class ChangedLabels {
  /** Of the series read last: its label pairs, the first `pairCount`, and the hash of its labels. */
  pairs = new Uint32Array(PLACE_COUNT);
  pairCount = 0;
  hash = 0;
  ref = 0;
  readonly #table: LabelPairs;
  readonly #texts = new TextBytes();

  constructor(table: LabelPairs) {
    this.#table = table;
  }

  /** Reads a series that {@link LabelChanges} wrote; returns where it ends. */
  decode(words: Uint32Array, bytes: Uint8Array, at: number): number {
    let word = at >>> 2;
    this.ref = words[word + 1]! * TWO_TO_32 + words[word]!;
    const pairCount = words[word + 2]!;
    this.pairCount = pairCount;
    this.hash = words[word + 3]!;
    if (pairCount > this.pairs.length) this.#grow(pairCount);
    const { pairs } = this;
    const texts = this.#texts;
    const changeCount = words[word + 4]!;
    word += SERIES_WORDS;
    for (let i = 0; i < changeCount; i++) {
      const nameSize = words[word + 3]!;
      const valueSize = words[word + 4]!;
      const start = (word + CHANGE_WORDS) * 4;
      texts.adopt(bytes, start);
      texts.adoptNext(nameSize, words[word + 1]!);
      texts.adoptNext(valueSize, words[word + 2]!);
      pairs[words[word]!] = this.#table.intern(texts, 0, 0);
      word = (start + nameSize + valueSize + 3) >>> 2;
    }
    return word * 4;
  }

  /** Instead of `decode`: takes labels as they are, but in order and without empty values. */
  setAll(labels: Labels, ref: number): void {
    const { flat } = Labels.fromPairs(labels);
    const texts = new TextBytes();
    texts.clear();
    for (const text of flat) texts.add(text);
    this.ref = ref;
    this.pairCount = flat.length / 2;
    if (this.pairCount > this.pairs.length) this.#grow(this.pairCount);
    for (let i = 0; i < this.pairCount; i++) this.pairs[i] = this.#table.intern(texts, i * 2, 0);
    this.hash = hashLabels(texts);
  }

  #grow(pairCount: number): void {
    const pairs = new Uint32Array(pairCount * 2);
    pairs.set(this.pairs);
    this.pairs = pairs;
  }
}
