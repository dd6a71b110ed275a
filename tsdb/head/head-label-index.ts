/** What matching asks of the head: label pairs to series, straight from shared memory. */
import { compareText } from '../../model/index.ts';
import type { Heap } from '../memory/heap.ts';
import { type LabelIndex, NO_POSTINGS, type Postings } from '../postings/label-index.ts';
import { merge } from '../postings/merge.ts';
import { findPair, PAIR_NAME, readNames, readPairsOfName, readPostings } from './label-pairs.ts';
import * as Rec from './series-record.ts';
import { findPairByText, findRecord, forEachRecord } from './series-table.ts';
import type { SymbolTexts } from './symbol-texts.ts';
import { findSymbol } from './symbols.ts';
import { TextBytes } from './text-bytes.ts';

/** Only used between `enter` and `leave` of a reader; so are the views that it hands out. */
export class HeadLabelIndex implements LabelIndex {
  readonly #heap: Heap;
  readonly #texts: SymbolTexts;
  readonly #scratch = new TextBytes();
  /** Series with higher refs are younger than the query and may lie beyond our views. */
  refMax = 0;

  constructor(heap: Heap, texts: SymbolTexts) {
    this.#heap = heap;
    this.#texts = texts;
  }

  allPostings(): Postings {
    const refs: number[] = [];
    forEachRecord(this.#heap, (_, ref) => {
      refs.push(ref);
    });
    return Uint32Array.from(refs);
  }

  postings(name: string, value: string): Postings {
    const pair = this.#findPair(name, value);
    return pair === 0 ? NO_POSTINGS : readPostings(this.#heap, pair);
  }

  postingsCount(name: string, value: string): number {
    return this.postings(name, value).length;
  }

  postingsMatching(name: string, test: (value: string) => boolean, prefix: string): Postings {
    const lists: Postings[] = [];
    for (const pair of this.#pairsOf(name)) {
      const value = this.#texts.pairValue(pair);
      if (value.startsWith(prefix) && test(value)) lists.push(readPostings(this.#heap, pair));
    }
    return merge(lists);
  }

  postingsWithName(name: string): Postings {
    return this.postingsMatching(name, () => true, '');
  }

  labelNames(): readonly string[] {
    const names: string[] = [];
    for (const block of readNames(this.#heap)) names.push(this.#texts.pairName(block));
    return names.sort(compareText);
  }

  labelValues(name: string): readonly string[] {
    const values: string[] = [];
    for (const pair of this.#pairsOf(name)) values.push(this.#texts.pairValue(pair));
    return values.sort(compareText);
  }

  labelValueCount(name: string): number {
    return this.#pairsOf(name).length;
  }

  filter(refs: Postings, name: string, test: (value: string) => boolean): Postings {
    const { u32 } = this.#heap;
    const { refMax } = this;
    const scratch = this.#scratch;
    scratch.clear();
    const symbol = findSymbol(this.#heap, scratch, scratch.add(name));
    const passesWithout = test('');
    /** What was found out about a pair: few differ among the series. */
    const verdicts = new Map<number, boolean>();
    const verdictOf = (pair: number): boolean => {
      let verdict = verdicts.get(pair);
      if (verdict === undefined) {
        verdict = test(this.#texts.pairValue(pair));
        verdicts.set(pair, verdict);
      }
      return verdict;
    };
    const out = new Uint32Array(refs.length);
    let count = 0;
    for (let i = 0; i < refs.length; i++) {
      if (refs[i]! > refMax) break;
      const record = findRecord(this.#heap, refs[i]!);
      if (record === 0) continue;
      const block = u32[(record >>> 2) + Rec.LABELS]! >>> 2;
      const pairCount = u32[block]!;
      let passes = passesWithout;
      for (let p = 1; p <= pairCount; p++) {
        const pair = u32[block + p]!;
        if (u32[(pair >>> 2) + PAIR_NAME] !== symbol) continue;
        passes = verdictOf(pair);
        break;
      }
      if (passes) out[count++] = refs[i]!;
    }
    return out.subarray(0, count);
  }

  #findPair(name: string, value: string): number {
    const scratch = this.#scratch;
    scratch.clear();
    scratch.add(name);
    scratch.add(value);
    return findPairByText(this.#heap, scratch, 0);
  }

  #pairsOf(name: string): Uint32Array {
    const scratch = this.#scratch;
    scratch.clear();
    const symbol = findSymbol(this.#heap, scratch, scratch.add(name));
    return symbol === 0
      ? NO_POSTINGS
      : readPairsOfName(this.#heap, findPair(this.#heap, symbol, 0));
  }
}
