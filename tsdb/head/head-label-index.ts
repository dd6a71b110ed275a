/** What matching asks of the head: label pairs to series, straight from shared memory. */
import { compareText } from '../../model/index.ts';
import type { Heap } from '../memory/heap.ts';
import { type LabelIndex, NO_POSTINGS, type Postings } from '../postings/label-index.ts';
import { meeting } from '../postings/meeting.ts';
import { merge } from '../postings/merge.ts';
import { findPair, PAIR_NAME, readNames, readPairsOfName, readPostings } from './label-pairs.ts';
import * as Rec from './series-record.ts';
import { findPairByText, findRecord, forEachRecord } from './series-table.ts';
import type { SymbolTexts } from './symbol-texts.ts';
import { findSymbol } from './symbols.ts';
import { TextBytes } from './text-bytes.ts';

/** Looking at a series costs about as much as looking whether so many values have a match. */
const SERIES_PER_VALUE = 8;

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
    let refs = new Uint32Array(1024);
    let count = 0;
    forEachRecord(this.#heap, (_, ref) => {
      if (count === refs.length) {
        const longer = new Uint32Array(count * 2);
        longer.set(refs);
        refs = longer;
      }
      refs[count++] = ref;
    });
    return refs.subarray(0, count);
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

  /** The names of the labels of these series, in no order. */
  namesOf(refs: Postings): string[] {
    const { u32 } = this.#heap;
    const symbols = new Set<number>();
    /** What the series before had in each place: mostly the same. */
    const before: number[] = [];
    for (let i = 0; i < refs.length; i++) {
      const block = this.#labelsOf(refs[i]!);
      const pairCount = block === 0 ? 0 : u32[block]!;
      for (let p = 1; p <= pairCount; p++) {
        const symbol = u32[(u32[block + p]! >>> 2) + PAIR_NAME]!;
        if (before[p - 1] === symbol) continue;
        before[p - 1] = symbol;
        symbols.add(symbol);
      }
    }
    return Array.from(symbols, (symbol) => this.#texts.text(symbol));
  }

  /** The values that these series have for a name, in no order. */
  valuesOf(refs: Postings, name: string): string[] {
    const { u32 } = this.#heap;
    const known = this.#pairsOf(name);
    if (refs.length > known.length * SERIES_PER_VALUE) {
      const meets = meeting(refs);
      const met = known.filter((pair) => meets(readPostings(this.#heap, pair)));
      return Array.from(met, (pair) => this.#texts.pairValue(pair));
    }
    const scratch = this.#scratch;
    scratch.clear();
    const symbol = findSymbol(this.#heap, scratch, scratch.add(name));
    const pairs = new Set<number>();
    for (let i = 0; i < refs.length; i++) {
      const block = this.#labelsOf(refs[i]!);
      const pairCount = block === 0 ? 0 : u32[block]!;
      for (let p = 1; p <= pairCount; p++) {
        const pair = u32[block + p]!;
        if (u32[(pair >>> 2) + PAIR_NAME] !== symbol) continue;
        pairs.add(pair);
        break;
      }
    }
    return Array.from(pairs, (pair) => this.#texts.pairValue(pair));
  }

  /** Word of a series' label list; 0 when it is gone or younger than the query. */
  #labelsOf(ref: number): number {
    if (ref > this.refMax) return 0;
    const record = findRecord(this.#heap, ref);
    return record === 0 ? 0 : this.#heap.u32[(record >>> 2) + Rec.LABELS]! >>> 2;
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
