/**
 * What one target sent last time, so that nothing of it has to be understood again.
 *
 * An entry is one text (the part of a line that names a series, or a whole metadata line) and the
 * reference of its series. Entries are columns of numbers; their texts lie in one arena:
 *
 *   text    … h t t p _ r e q u e s t s { c o d e = " 2 0 0 " } …
 *             ↑ starts[e]                                     ↑ starts[e] + lengths[e]
 *   next    entry that followed e in the last scrape that had it    (guess for the coming line)
 *   table   hash of a text → entry                                  (when the guess was wrong)
 *
 * A target repeats its lines in the same order, so the guess is right nearly always and a line
 * costs one comparison of bytes. About 33 bytes per entry beside its text, and no objects.
 */
import type { SeriesRef } from '../model/index.ts';

export const EntryFlag = {
  /** A metadata line; `refs` holds the code of its type, if it is a type line. */
  Comment: 1,
  /** Metric relabelling drops the series. */
  Dropped: 2,
  /** The newest sample came with its own time, so its absence means nothing. */
  OwnTime: 4,
  /** The labels were stored with `le` in canonical form … */
  Le: 8,
  /** … or `quantile`. */
  Quantile: 16,
  /** The series holds native histograms. */
  Histogram: 32,
  /** Part of a classic histogram that is stored as a native one. */
  ClassicPart: 64,
  /** Storage refused the series for want of memory. */
  Refused: 128,
} as const;

/** No entry. */
export const NO_ENTRY = -1;

/** No text is as long, so nothing that compares lengths first finds such an entry. */
const LENGTH_OF_NO_TEXT = 0xffff_ffff;
/** Smallest number of slots; a power of two. */
const SLOT_COUNT_MIN = 64;
/** The table is at most three quarters full. */
const SLOTS_PER_ENTRY = 4 / 3;
const EMPTY_SLOT = -1;
/** So many entries with one text: a search must stay short whatever a target repeats. */
const COPIES_MAX = 64;
/** Differs from process to process, so that a target cannot prepare colliding texts. */
const HASH_SEED = (Math.random() * 0x1_0000_0000) | 0;

export class SeriesCache {
  /** How many entries there are, dead ones included. */
  count = 0;
  text = new Uint8Array(1024);
  textView = new DataView(this.text.buffer);
  textLength = 0;
  starts = new Uint32Array(16);
  lengths = new Uint32Array(16);
  refs = new Float64Array(16);
  flags = new Uint8Array(16);
  /** Number of the scrape that had the entry last. */
  seen = new Uint32Array(16);
  next = new Int32Array(16);
  #hashes = new Int32Array(16);
  #slots = new Int32Array(SLOT_COUNT_MIN).fill(EMPTY_SLOT);

  /**
   * The entry with this text, or NO_ENTRY.
   * @param except  leaves out entries that this scrape has had already, unless there are too many
   */
  find(bytes: Uint8Array, start: number, end: number, except = -1): number {
    const hash = hashBytes(bytes, start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let copies = 0;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === EMPTY_SLOT) return NO_ENTRY;
      if (this.#hashes[entry] !== hash) continue;
      if (this.seen[entry] === except && ++copies < COPIES_MAX) continue;
      if (this.isTextOf(entry, bytes, start, end)) return entry;
    }
  }

  isTextOf(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = this.lengths[entry]!;
    if (length !== end - start) return false;
    const { text } = this;
    const textStart = this.starts[entry]!;
    for (let i = 0; i < length; i++) if (text[textStart + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Adds an entry. Only of metadata lines may there be several with the same text. */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    ref: SeriesRef | number,
    flags: number,
    scrape: number,
  ): number {
    if (this.count === this.starts.length) this.#resizeColumns(grown(this.count));
    const length = end - start;
    if (this.textLength + length > this.text.length) {
      this.#resizeText(Math.max(grown(this.text.length), this.textLength + length));
    }
    const entry = this.count++;
    this.text.set(bytes.subarray(start, end), this.textLength);
    this.starts[entry] = this.textLength;
    this.lengths[entry] = length;
    this.textLength += length;
    this.refs[entry] = ref;
    this.flags[entry] = flags;
    this.seen[entry] = scrape;
    this.next[entry] = NO_ENTRY;
    this.#hashes[entry] = hashBytes(bytes, start, end);
    if (this.count * SLOTS_PER_ENTRY > this.#slots.length) this.#rebuildSlots();
    else this.#fillSlot(entry);
    return entry;
  }

  /** Makes an entry unfindable, so that its text may be added anew; it goes with the next tidying. */
  detach(entry: number): void {
    this.#hashes[entry] = ~this.#hashes[entry]!;
    this.lengths[entry] = LENGTH_OF_NO_TEXT;
    this.seen[entry] = 0;
  }

  /** A view of an entry's text; the next `add` or `keep` may invalidate it. */
  textOf(entry: number): Uint8Array {
    const start = this.starts[entry]!;
    return this.text.subarray(start, start + this.lengths[entry]!);
  }

  /**
   * Forgets the entries that were last seen before scrape `oldest`, and gives memory back.
   * @returns for each entry the number it has now, or NO_ENTRY
   */
  forgetBefore(oldest: number): Int32Array {
    const { starts, lengths, refs, flags, seen, next } = this;
    const hashes = this.#hashes;
    const moved = new Int32Array(this.count).fill(NO_ENTRY);
    let kept = 0;
    let keptBytes = 0;
    for (let e = 0; e < this.count; e++) {
      if (seen[e]! < oldest) continue;
      this.text.copyWithin(keptBytes, starts[e]!, starts[e]! + lengths[e]!);
      starts[kept] = keptBytes;
      keptBytes += lengths[e]!;
      lengths[kept] = lengths[e]!;
      refs[kept] = refs[e]!;
      flags[kept] = flags[e]!;
      seen[kept] = seen[e]!;
      next[kept] = next[e]!;
      hashes[kept] = hashes[e]!;
      moved[e] = kept++;
    }
    for (let e = 0; e < kept; e++) if (next[e] !== NO_ENTRY) next[e] = moved[next[e]!]!;
    this.count = kept;
    this.textLength = keptBytes;
    this.fit();
    this.#rebuildSlots();
    return moved;
  }

  /** Cuts storage down to what is used. */
  fit(): void {
    this.#resizeColumns(Math.max(16, this.count));
    this.#resizeText(Math.max(64, this.textLength));
  }

  /** How many metrics metadata is remembered of, and how much. */
  metadataSize(): { entryCount: number; sizeBytes: number } {
    let entryCount = 0;
    let sizeBytes = 0;
    let last: Uint8Array = NO_BYTES;
    for (let entry = 0; entry < this.count; entry++) {
      if ((this.flags[entry]! & EntryFlag.Comment) === 0) continue;
      const text = this.textOf(entry);
      sizeBytes += text.length;
      // Type and help of a metric stand next to each other.
      const name = metricOfMetadata(text);
      if (Buffer.compare(name, last) !== 0) entryCount++;
      last = name;
    }
    return { entryCount, sizeBytes };
  }

  /** Bytes of memory, for measurements. */
  get sizeBytes(): number {
    const { starts, lengths, refs, flags, seen, next, text } = this;
    const columns = [starts, lengths, refs, flags, seen, next, text, this.#hashes, this.#slots];
    return columns.reduce((sum, column) => sum + column.byteLength, 0);
  }

  #fillSlot(entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#hashes[entry]! & mask;
    while (slots[slot] !== EMPTY_SLOT) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }

  #rebuildSlots(): void {
    let size = SLOT_COUNT_MIN;
    while (size < this.count * SLOTS_PER_ENTRY) size *= 2;
    this.#slots = resized(this.#slots, size, Int32Array).fill(EMPTY_SLOT);
    for (let e = 0; e < this.count; e++) this.#fillSlot(e);
  }

  #resizeColumns(capacity: number): void {
    if (capacity === this.starts.length) return;
    this.starts = resized(this.starts, capacity, Uint32Array);
    this.lengths = resized(this.lengths, capacity, Uint32Array);
    this.refs = resized(this.refs, capacity, Float64Array);
    this.flags = resized(this.flags, capacity, Uint8Array);
    this.seen = resized(this.seen, capacity, Uint32Array);
    this.next = resized(this.next, capacity, Int32Array);
    this.#hashes = resized(this.#hashes, capacity, Int32Array);
  }

  #resizeText(capacity: number): void {
    if (capacity === this.text.length) return;
    this.text = resized(this.text, capacity, Uint8Array);
    this.textView = new DataView(this.text.buffer);
  }
}

/**
 * A column of another length with the same content, in place of `column`, which is empty then: its
 * memory is given back at once. Left to the garbage collector the outgrown columns of many new
 * targets would stay for minutes, twice as large together as what is in use.
 */
function resized<T>(
  column: { readonly buffer: ArrayBuffer; readonly BYTES_PER_ELEMENT: number },
  length: number,
  Column: new (buffer: ArrayBuffer) => T,
): T {
  return new Column(column.buffer.transfer(length * column.BYTES_PER_ELEMENT));
}

function grown(size: number): number {
  return Math.ceil(size * 1.5);
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_SEED;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
}

const NO_BYTES = new Uint8Array(0);
const NUL = 0;
const SPACE = 0x20;
const HASH = 0x23;
/** Before the name in the text of protobuf's metadata: a mark and the type. */
const PROTOBUF_HEAD_LENGTH = 2;

/** The metric's name in a line `# TYPE name …`, or in what protobuf's reader keeps in its place. */
function metricOfMetadata(text: Uint8Array): Uint8Array {
  if (text[0] !== HASH) {
    const end = text.indexOf(NUL, PROTOBUF_HEAD_LENGTH);
    return text.subarray(PROTOBUF_HEAD_LENGTH, end);
  }
  let at = 1;
  const skip = (isBlank: boolean) => {
    while (at < text.length && text[at]! <= SPACE === isBlank) at++;
  };
  skip(true);
  skip(false);
  skip(true);
  const start = at;
  skip(false);
  return text.subarray(start, at);
}
