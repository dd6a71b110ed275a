/**
 * Texts and labels that a reading thread has made of symbols, kept for the next query. Bounded:
 * when the young generation is full it becomes the old one, and what is still wanted moves back.
 *
 * A symbol's address may be used for another one after a collection of dead series, so those
 * caches are emptied when the head counts one. A series' ref is never used twice.
 */
import { Labels } from '../../model/index.ts';
import { Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import type { LabelProjection } from '../postings/label-projection.ts';
import { PAIR_NAME, PAIR_SIZE_BYTES, PAIR_VALUE } from './label-pairs.ts';
import * as Rec from './series-record.ts';
import { readSymbol } from './symbols.ts';

const SYMBOLS_PER_GENERATION = 65_536;
const LABELS_PER_GENERATION = 32_768;

export class TwoGenerations<V> {
  readonly #sizeMax: number;
  #young = new Map<number, V>();
  #old = new Map<number, V>();

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(key: number): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: number, value: V): void {
    if (this.#young.size >= this.#sizeMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

export class SymbolTexts {
  readonly #heap: Heap;
  readonly #texts = new TwoGenerations<string>(SYMBOLS_PER_GENERATION);
  readonly #labels = new TwoGenerations<Labels>(LABELS_PER_GENERATION);
  #collections = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Forgets addresses that may mean something else by now; true when it did. Call after `enter`. */
  refresh(): boolean {
    const collections = Atomics.load(this.#heap.u32, Word.Collections);
    if (collections === this.#collections) return false;
    this.#collections = collections;
    this.#texts.clear();
    return true;
  }

  text(symbol: number): string {
    let text = this.#texts.get(symbol);
    if (text === undefined) {
      text = readSymbol(this.#heap, symbol);
      this.#texts.set(symbol, text);
    }
    return text;
  }

  pairName(pair: number): string {
    this.#heap.cover(pair + PAIR_SIZE_BYTES);
    return this.text(this.#heap.u32[(pair >>> 2) + PAIR_NAME]!);
  }

  pairValue(pair: number): string {
    this.#heap.cover(pair + PAIR_SIZE_BYTES);
    return this.text(this.#heap.u32[(pair >>> 2) + PAIR_VALUE]!);
  }

  /** Those labels of a series that `projection` wants. Not kept: they cost next to nothing. */
  someLabels(record: number, projection: LabelProjection): Labels {
    const heap = this.#heap;
    const block = heap.u32[(record >>> 2) + Rec.LABELS]! >>> 2;
    const pairCount = heap.u32[block]!;
    projection.begin();
    for (let i = 0; i < pairCount; i++) {
      const pair = heap.u32[block + 1 + i]!;
      heap.cover(pair + PAIR_SIZE_BYTES);
      const word = pair >>> 2;
      projection.add(heap.u32[word + PAIR_NAME]!, heap.u32[word + PAIR_VALUE]!);
    }
    return projection.labels;
  }

  /** The labels of a series, given its record. */
  labels(record: number): Labels {
    const ref = this.#heap.u32[(record >>> 2) + Rec.REF]!;
    const known = this.#labels.get(ref);
    if (known !== undefined) return known;
    const labels = this.labelsForOnce(record);
    this.#labels.set(ref, labels);
    return labels;
  }

  /** The same for who goes through all series and asks for each once: not kept. */
  labelsForOnce(record: number): Labels {
    const { u32 } = this.#heap;
    const block = u32[(record >>> 2) + Rec.LABELS]! >>> 2;
    const pairCount = u32[block]!;
    const flat: string[] = [];
    for (let i = 0; i < pairCount; i++) {
      const pair = u32[block + 1 + i]!;
      flat.push(this.pairName(pair), this.pairValue(pair));
    }
    return Labels.fromSorted(flat);
  }
}
