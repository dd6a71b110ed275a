/**
 * Every text that occurs as a label name or value, once, in shared memory. A symbol is the address
 * of its block:
 *
 *   word 0  hash      word 1  size in bytes      word 2  how many label pairs use it
 *   byte 12 …         UTF-8
 *
 * A symbol that no pair uses any more is taken out by the collection of dead series.
 */
import type { Allocator } from '../memory/allocator.ts';
import { Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import { addressOf, EMPTY, isOther, PointerTable } from '../memory/pointer-table.ts';
import type { Retired } from '../memory/retired.ts';
import type { TextBytes } from './text-bytes.ts';

const HASH = 0;
const SIZE = 1;
const USE_COUNT = 2;
const HEADER_BYTES = 12;

/** The writer's side. */
export class Symbols {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  readonly #table: PointerTable;
  #textBytes = 0;

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#table = new PointerTable(heap, allocator, retired, Word.Symbols, HASH);
  }

  get count(): number {
    return this.#table.entryCount;
  }

  /** Bytes of all texts. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** The symbol of text `index` of `texts`, made when it is new. The caller counts its use. */
  intern(texts: TextBytes, index: number): number {
    const found = findSymbol(this.#heap, texts, index);
    if (found !== 0) return found;
    const start = texts.starts[index]!;
    const end = texts.starts[index + 1]!;
    const symbol = this.#allocator.allocate(HEADER_BYTES + end - start);
    const { u32, u8 } = this.#heap;
    u32[(symbol >>> 2) + HASH] = texts.hashes[index]!;
    u32[(symbol >>> 2) + SIZE] = end - start;
    u32[(symbol >>> 2) + USE_COUNT] = 0;
    const { bytes } = texts;
    for (let i = start, to = symbol + HEADER_BYTES; i < end; i++, to++) u8[to] = bytes[i]!;
    this.#textBytes += end - start;
    this.#table.insert(symbol);
    return symbol;
  }

  use(symbol: number): void {
    this.#heap.u32[(symbol >>> 2) + USE_COUNT]! += 1;
  }

  /** Ends one use; the last one removes the symbol. */
  release(symbol: number): void {
    const { u32 } = this.#heap;
    const uses = u32[(symbol >>> 2) + USE_COUNT]! - 1;
    u32[(symbol >>> 2) + USE_COUNT] = uses;
    if (uses > 0) return;
    const sizeBytes = u32[(symbol >>> 2) + SIZE]!;
    this.#textBytes -= sizeBytes;
    this.#table.remove(symbol);
    this.#retired.add(symbol, HEADER_BYTES + sizeBytes);
  }
}

/** The symbol of text `index` of `texts`, or 0. In any thread. */
export function findSymbol(heap: Heap, texts: TextBytes, index: number): number {
  const hash = texts.hashes[index]!;
  const table = Atomics.load(heap.u32, Word.Symbols);
  heap.cover(table + 4);
  const mask = heap.u32[table >>> 2]!;
  heap.cover(table + 8 + mask * 4);
  const slots = (table >>> 2) + 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = heap.u32[slots + slot]!;
    if (entry === EMPTY) return 0;
    if (isOther(entry, hash)) continue;
    const symbol = addressOf(entry);
    heap.cover(symbol + HEADER_BYTES);
    if (heap.u32[symbol >>> 2] === hash && symbolEquals(heap, symbol, texts, index)) return symbol;
  }
}

/** Whether the symbol is text `index` of `texts`. */
export function symbolEquals(heap: Heap, symbol: number, texts: TextBytes, index: number): boolean {
  const start = texts.starts[index]!;
  const sizeBytes = texts.starts[index + 1]! - start;
  heap.cover(symbol + HEADER_BYTES + sizeBytes);
  const { u8, u32 } = heap;
  if (u32[(symbol >>> 2) + HASH] !== texts.hashes[index]) return false;
  if (u32[(symbol >>> 2) + SIZE] !== sizeBytes) return false;
  const { bytes } = texts;
  const from = symbol + HEADER_BYTES;
  for (let i = 0; i < sizeBytes; i++) if (u8[from + i] !== bytes[start + i]) return false;
  return true;
}

/** Longer texts go through the decoder; for shorter ones the call costs more than the loop. */
const LOOP_SIZE_MAX = 24;

/** Adds the bytes of a symbol to `texts`. In any thread. */
export function copySymbol(heap: Heap, symbol: number, texts: TextBytes): void {
  heap.cover(symbol + HEADER_BYTES);
  const start = symbol + HEADER_BYTES;
  const end = start + heap.u32[(symbol >>> 2) + SIZE]!;
  heap.cover(end);
  texts.addBytes(heap.u8, start, end);
}

/** The text of a symbol. In any thread; callers keep what they get (see symbol-texts.ts). */
export function readSymbol(heap: Heap, symbol: number): string {
  heap.cover(symbol + HEADER_BYTES);
  const sizeBytes = heap.u32[(symbol >>> 2) + SIZE]!;
  const start = symbol + HEADER_BYTES;
  heap.cover(start + sizeBytes);
  const { u8 } = heap;
  if (sizeBytes <= LOOP_SIZE_MAX) {
    let text = '';
    let i = 0;
    for (; i < sizeBytes; i++) {
      const code = u8[start + i]!;
      if (code >= 0x80) break;
      text += String.fromCharCode(code);
    }
    if (i === sizeBytes) return text;
  }
  return Buffer.from(u8.buffer, start, sizeBytes).toString('utf8');
}
