/**
 * The symbol table of an index: every label name and value once, sorted by bytes.
 *
 *   section content  ┌───────────────┬───────────────────────────────────────────┐
 *                    │ #symbols u32  │ each: length uvarint, UTF-8 bytes         │
 *                    └───────────────┴───────────────────────────────────────────┘
 *
 * Elsewhere symbols are named by their number (version 1: by their byte offset in the section).
 * In memory only the place of every 32nd is kept, and the texts that were asked for lately.
 * Page: docs/format/index.md. Source: Prometheus "Index Disk Format".
 */
import { assert, compareText, CorruptionError, decodeUtf8 } from '../../model/index.ts';
import type { BufferedWriter } from '../io/buffered-writer.ts';
import type { Window, WindowedFile } from '../io/file-window.ts';
import type { IndexVersion } from './layout.ts';
import { SectionWriter } from './section-writer.ts';
import { openSection, SECTION_LENGTH_SIZE_BYTES, uint32At } from './section.ts';

const SAMPLE_INTERVAL = 32;
const SAMPLE_SHIFT = 5;
const CACHE_SLOT_COUNT_MAX = 1 << 15;
/** Read ahead for a symbol whose length is not known yet. */
const READ_AHEAD_SIZE_BYTES = 256;

/**
 * Writes the table and returns the number of each symbol.
 * @param symbols  sorted by bytes, without duplicates
 */
export function writeSymbols(out: BufferedWriter, symbols: Iterable<string>): Map<string, number> {
  const numbers = new Map<string, number>();
  let previous: string | null = null;
  for (const symbol of symbols) {
    assert(previous === null || compareText(previous, symbol) < 0, 'symbols out of order');
    previous = symbol;
    numbers.set(symbol, numbers.size);
  }
  const section = new SectionWriter(out);
  section.piece.putUint32(numbers.size);
  for (const symbol of numbers.keys()) {
    section.piece.putUvarintText(symbol);
    section.settle();
  }
  section.finish();
  return numbers;
}

/** The symbols of an open index. */
export class SymbolTable {
  readonly count: number;
  readonly #file: WindowedFile;
  readonly #version: IndexVersion;
  readonly #sectionStart: number;
  readonly #end: number;
  /** Where symbol 0, 32, 64, … begins. */
  readonly #samples: Float64Array;
  // A direct-mapped cache: slot → reference and its text.
  readonly #cacheMask: number;
  readonly #cachedRefs: Float64Array;
  readonly #cachedTexts: string[] = [];
  #textStart = 0;

  /** Walks the table once. @throws CorruptionError */
  constructor(file: WindowedFile, offsetBytes: number, version: IndexVersion) {
    const { contentStart, contentEnd } = openSection(file, offsetBytes, 'symbol table');
    this.#file = file;
    this.#version = version;
    this.#sectionStart = offsetBytes;
    this.#end = contentEnd;
    if (contentEnd - contentStart < 4) this.#fail('symbol table has no count', contentStart);
    this.count = uint32At(file, contentStart);
    if (this.count > contentEnd - contentStart) this.#fail('too many symbols', contentStart);
    let slotCount = 1;
    while (slotCount < this.count && slotCount < CACHE_SLOT_COUNT_MAX) slotCount *= 2;
    this.#cacheMask = slotCount - 1;
    this.#cachedRefs = new Float64Array(slotCount).fill(-1);
    this.#samples = new Float64Array((this.count + SAMPLE_INTERVAL - 1) >>> SAMPLE_SHIFT);
    let at = contentStart + 4;
    for (let i = 0; i < this.count; i++) {
      if (i % SAMPLE_INTERVAL === 0) this.#samples[i >>> SAMPLE_SHIFT] = at;
      at = this.#skip(at);
    }
  }

  /** @throws CorruptionError when there is no such symbol */
  text(ref: number): string {
    const slot = ref & this.#cacheMask;
    if (this.#cachedRefs[slot] === ref) return this.#cachedTexts[slot]!;
    const text = this.#version === 1 ? this.#read(this.#sectionStart + ref) : this.#lookUp(ref);
    // Filled up to the slot first, so that the array never has holes.
    while (this.#cachedTexts.length <= slot) this.#cachedTexts.push('');
    this.#cachedRefs[slot] = ref;
    this.#cachedTexts[slot] = text;
    return text;
  }

  /** All symbols in order. */
  *[Symbol.iterator](): Generator<string> {
    let at = this.#samples[0] ?? this.#end;
    for (let i = 0; i < this.count; i++) {
      const next = this.#skip(at);
      yield this.#read(at);
      at = next;
    }
  }

  #lookUp(ref: number): string {
    if (ref >= this.count) this.#fail(`unknown symbol offset ${ref}`, this.#sectionStart);
    let at = this.#samples[ref >>> SAMPLE_SHIFT]!;
    for (let skips = ref % SAMPLE_INTERVAL; skips > 0; skips--) at = this.#skip(at);
    return this.#read(at);
  }

  /** Where the symbol after the one at `at` begins; `#textStart` is then where its text does. */
  #skip(at: number): number {
    const { bytes, startBytes } = this.#window(at);
    let i = at - startBytes;
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = bytes[i++] ?? 0;
      length += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    this.#textStart = startBytes + i;
    const next = this.#textStart + length;
    if (next > this.#end) this.#fail('symbol leaves the table', at);
    return next;
  }

  #read(at: number): string {
    const next = this.#skip(at);
    const textStart = this.#textStart;
    const { bytes, startBytes } = this.#file.window(textStart, next - textStart);
    return decodeUtf8(bytes.subarray(textStart - startBytes, next - startBytes));
  }

  #window(at: number): Window {
    if (at < this.#sectionStart + SECTION_LENGTH_SIZE_BYTES || at >= this.#end) {
      this.#fail('symbol lies outside the table', at);
    }
    return this.#file.windowUpTo(at, READ_AHEAD_SIZE_BYTES);
  }

  #fail(what: string, offsetBytes: number): never {
    throw new CorruptionError(what, { file: this.#file.path, offsetBytes });
  }
}
