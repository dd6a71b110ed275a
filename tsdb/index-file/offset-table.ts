/**
 * The postings offset table of an index: label pair → where its list is. Sorted by name, then value,
 * by bytes; the first entry is the empty pair, whose list holds all series.
 *
 *   section content  ┌───────────────┬──────────────────────────────────────────────────────────┐
 *                    │ #entries u32  │ each: 2 u8, name, value (length uvarint and bytes),      │
 *                    │               │ offset of the list in the file, uvarint                  │
 *                    └───────────────┴──────────────────────────────────────────────────────────┘
 *
 * In memory, per name: where its entries begin and end, and every 32nd value. A look-up goes by
 * bisection over these and then reads at most 32 entries. Names that were read as a whole (for
 * regular expressions and value lists) stay decoded as long as they are not too many.
 * Page: docs/format/index.md. Source: Prometheus "Index Disk Format".
 */
import {
  ByteReader,
  ByteWriter,
  compareText,
  CorruptionError,
  decodeUtf8,
} from '../../model/index.ts';
import type { BufferedWriter } from '../io/buffered-writer.ts';
import type { WindowedFile } from '../io/file-window.ts';
import type { IndexVersion } from './layout.ts';
import { SectionWriter } from './section-writer.ts';
import { openSection } from './section.ts';

const SAMPLE_INTERVAL = 32;
const KEYS_PER_ENTRY = 2;
/** How many decoded values are kept in all. */
const DECODED_VALUE_COUNT_MAX = 20_000;
/** Enough for nearly every entry; longer ones are read again. */
const READ_AHEAD_SIZE_BYTES = 512;

/** The values of one name in order, and for each the offset of its postings list. */
export type NameValues = {
  readonly values: readonly string[];
  readonly offsets: Float64Array;
};

/** Where the entries of a name are. */
type NameRange = {
  readonly start: number;
  end: number;
  count: number;
  /** Every 32nd value and where its entry begins. */
  readonly sampleValues: string[];
  readonly sampleStarts: number[];
};

/** Writes the table entry by entry, in order. */
export class OffsetTableWriter {
  readonly #section: SectionWriter;

  constructor(out: BufferedWriter, entryCount: number) {
    this.#section = new SectionWriter(out);
    this.#section.piece.putUint32(entryCount);
  }

  add(name: string, value: string, listOffset: number): void {
    const { piece } = this.#section;
    piece.putByte(KEYS_PER_ENTRY);
    piece.putUvarintText(name);
    piece.putUvarintText(value);
    piece.putUvarint(listOffset);
    this.#section.settle();
  }

  finish(): void {
    this.#section.finish();
  }
}

export class OffsetTable {
  readonly #file: WindowedFile;
  readonly #end: number;
  readonly #ranges = new Map<string, NameRange>();
  readonly #decoded = new Map<string, NameValues>();
  #decodedValueCount = 0;
  /** Version 1 is not sorted, so there all is kept. */
  readonly #isWholeInMemory: boolean;

  // The entry that was read last: texts by place, so that most need not become strings.
  readonly #reader = new ByteReader();
  readonly #wanted = new ByteWriter(64);
  #bytes: Uint8Array = new Uint8Array(0);
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #listOffset = 0;

  /** Walks the table once. @throws CorruptionError */
  constructor(file: WindowedFile, offsetBytes: number, version: IndexVersion) {
    const section = openSection(file, offsetBytes, 'postings offset table');
    this.#file = file;
    this.#end = section.contentEnd;
    this.#isWholeInMemory = version === 1;
    const entriesStart = section.contentStart + 4;
    if (entriesStart > section.contentEnd) this.#fail('no count', offsetBytes);
    if (this.#isWholeInMemory) this.#readWhole(entriesStart);
    else this.#sample(entriesStart);
  }

  /** All names in order; the empty one, which stands for all series, is left out. */
  names(): string[] {
    return [...this.#ranges.keys()].filter((name) => name !== '');
  }

  valueCount(name: string): number {
    return this.#ranges.get(name)?.count ?? 0;
  }

  /** Offset of the list of a pair; -1 when no series has it. */
  find(name: string, value: string): number {
    const range = this.#ranges.get(name);
    if (range === undefined) return -1;
    const decoded = this.#decoded.get(name);
    if (decoded !== undefined) return findDecoded(decoded, value);
    const { sampleValues, sampleStarts } = range;
    let low = 0;
    let high = sampleValues.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(sampleValues[middle]!, value) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return -1;
    let at = sampleStarts[low - 1]!;
    const end = sampleStarts[low] ?? range.end;
    const wanted = this.#wanted;
    wanted.clear();
    wanted.putText(value);
    while (at < end) {
      at = this.#readEntry(at);
      const order = this.#compareValue(wanted.bytes, wanted.length);
      if (order === 0) return this.#listOffset;
      if (order > 0) return -1;
    }
    return -1;
  }

  /** All values of a name with their lists' offsets; null when no series has the name. */
  values(name: string): NameValues | null {
    const range = this.#ranges.get(name);
    if (range === undefined) return null;
    const known = this.#decoded.get(name);
    if (known !== undefined) return known;
    const values: string[] = [];
    const offsets = new Float64Array(range.count);
    for (let at = range.start; at < range.end; ) {
      at = this.#readEntry(at);
      offsets[values.length] = this.#listOffset;
      values.push(this.#valueText());
    }
    const decoded = { values, offsets };
    this.#keep(name, decoded);
    return decoded;
  }

  #keep(name: string, decoded: NameValues): void {
    if (decoded.values.length > DECODED_VALUE_COUNT_MAX / 2) return;
    if (this.#decodedValueCount + decoded.values.length > DECODED_VALUE_COUNT_MAX) {
      this.#decoded.clear();
      this.#decodedValueCount = 0;
    }
    this.#decoded.set(name, decoded);
    this.#decodedValueCount += decoded.values.length;
  }

  #sample(entriesStart: number): void {
    let range: NameRange | null = null;
    let name = new Uint8Array(0);
    for (let at = entriesStart; at < this.#end; ) {
      const next = this.#readEntry(at);
      if (range === null || !this.#isName(name)) {
        name = this.#bytes.slice(this.#nameStart, this.#nameEnd);
        range = { start: at, end: at, count: 0, sampleValues: [], sampleStarts: [] };
        this.#ranges.set(decodeUtf8(name), range);
      }
      if (range.count % SAMPLE_INTERVAL === 0) {
        range.sampleValues.push(this.#valueText());
        range.sampleStarts.push(at);
      }
      range.count++;
      range.end = next;
      at = next;
    }
  }

  #readWhole(entriesStart: number): void {
    const byName = new Map<string, { value: string; offset: number }[]>();
    for (let at = entriesStart; at < this.#end; ) {
      at = this.#readEntry(at);
      const name = decodeUtf8(this.#bytes.subarray(this.#nameStart, this.#nameEnd));
      const entries = byName.get(name) ?? [];
      entries.push({ value: this.#valueText(), offset: this.#listOffset });
      byName.set(name, entries);
    }
    for (const name of [...byName.keys()].sort(compareText)) {
      const entries = byName.get(name)!.sort((a, b) => compareText(a.value, b.value));
      const offsets = Float64Array.from(entries, (entry) => entry.offset);
      this.#decoded.set(name, { values: entries.map((entry) => entry.value), offsets });
      const count = entries.length;
      this.#ranges.set(name, { start: 0, end: 0, count, sampleValues: [], sampleStarts: [] });
      // Counted as nothing, so that it is never thrown away to make room.
    }
    this.#decodedValueCount = Number.NEGATIVE_INFINITY;
  }

  /** Reads the entry at `at` into the fields; returns where the next one begins. */
  #readEntry(at: number): number {
    const size = Math.min(READ_AHEAD_SIZE_BYTES, this.#end - at);
    return this.#decodeEntry(at, size) ?? this.#decodeEntry(at, this.#end - at)!;
  }

  #decodeEntry(at: number, size: number): number | null {
    const { bytes, startBytes } = this.#file.window(at, size);
    const reader = this.#reader;
    reader.reset(bytes, at - startBytes, Math.min(bytes.length, this.#end - startBytes));
    const keyCount = reader.takeByte();
    if (keyCount !== KEYS_PER_ENTRY) this.#fail(`unexpected number of keys ${keyCount}`, at);
    const nameLength = reader.takeUvarint();
    this.#nameStart = reader.position;
    reader.position += nameLength;
    this.#nameEnd = reader.position;
    const valueLength = reader.takeUvarint();
    this.#valueStart = reader.position;
    reader.position += valueLength;
    this.#valueEnd = reader.position;
    this.#listOffset = reader.takeUvarint();
    this.#bytes = bytes;
    if (!reader.failed && reader.position <= reader.end) return startBytes + reader.position;
    if (at + size >= this.#end) this.#fail('entry is cut off', at);
    return null;
  }

  #valueText(): string {
    return decodeUtf8(this.#bytes.subarray(this.#valueStart, this.#valueEnd));
  }

  #isName(name: Uint8Array): boolean {
    if (this.#nameEnd - this.#nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[this.#nameStart + i] !== name[i]) return false;
    }
    return true;
  }

  /** Negative when the current entry's value comes before `wanted`. */
  #compareValue(wanted: Uint8Array, wantedLength: number): number {
    const length = this.#valueEnd - this.#valueStart;
    const common = Math.min(length, wantedLength);
    for (let i = 0; i < common; i++) {
      const difference = this.#bytes[this.#valueStart + i]! - wanted[i]!;
      if (difference !== 0) return difference;
    }
    return length - wantedLength;
  }

  #fail(what: string, offsetBytes: number): never {
    const place = { file: this.#file.path, offsetBytes };
    throw new CorruptionError(`postings offset table: ${what}`, place);
  }
}

function findDecoded({ values, offsets }: NameValues, value: string): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(values[middle]!, value) < 0) low = middle + 1;
    else high = middle;
  }
  return values[low] === value ? offsets[low]! : -1;
}
