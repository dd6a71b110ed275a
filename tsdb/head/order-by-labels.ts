/**
 * Sorts series by their labels without comparing texts pair by pair: rows are sorted position by
 * position of their label lists. Where all rows of a group have the same pair, which is the common
 * case, nothing is done; else the different pairs (few) are sorted by text and rows by their rank.
 */
import { compareText } from '../../model/index.ts';
import type { Heap } from '../memory/heap.ts';
import * as Rec from './series-record.ts';
import type { SymbolTexts } from './symbol-texts.ts';

/** Rows are numbered below this inside of a sort key, ranks above. */
const ROW_FACTOR = 2 ** 26;

/**
 * The order in which `records[0, count)` must be taken to be sorted by labels.
 * Only between `enter` and `leave`.
 */
export function orderByLabels(
  heap: Heap,
  texts: SymbolTexts,
  records: Uint32Array,
  count: number,
): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const sorter = new LabelSorter(heap, texts, records, order);
  sorter.sort(0, count, 0);
  return order;
}

class LabelSorter {
  readonly #u32: Uint32Array;
  readonly #texts: SymbolTexts;
  /** Word of the label list of each row. */
  readonly #lists: Float64Array;
  readonly #order: Uint32Array;
  readonly #keys: Float64Array;

  constructor(heap: Heap, texts: SymbolTexts, records: Uint32Array, order: Uint32Array) {
    const { u32 } = heap;
    this.#u32 = u32;
    this.#texts = texts;
    this.#order = order;
    this.#lists = new Float64Array(order.length);
    for (let i = 0; i < order.length; i++) {
      this.#lists[i] = u32[(records[i]! >>> 2) + Rec.LABELS]! >>> 2;
    }
    this.#keys = new Float64Array(order.length);
  }

  /** Sorts the rows `order[first, last)`, which agree in all labels before `position`. */
  sort(first: number, last: number, position: number): void {
    if (last - first <= 1) return;
    for (; ; position++) {
      const shared = this.#pairAt(this.#order[first]!, position);
      let i = first + 1;
      while (i < last && this.#pairAt(this.#order[i]!, position) === shared) i++;
      if (i < last) break;
      if (shared === 0) return; // no labels left: the same series twice
    }
    this.#sortAt(first, last, position);
    for (let from = first; from < last; ) {
      const pair = this.#pairAt(this.#order[from]!, position);
      let to = from + 1;
      while (to < last && this.#pairAt(this.#order[to]!, position) === pair) to++;
      if (to - from > 1 && pair !== 0) this.sort(from, to, position + 1);
      from = to;
    }
  }

  /** The pair at a position of a row's labels; 0 behind the last one. */
  #pairAt(row: number, position: number): number {
    const list = this.#lists[row]!;
    return position < this.#u32[list]! ? this.#u32[list + 1 + position]! : 0;
  }

  #sortAt(first: number, last: number, position: number): void {
    const ranks = new Map<number, number>();
    let before = -1;
    for (let i = first; i < last; i++) {
      // Series that were made together are neighbours and mostly share their pairs.
      const pair = this.#pairAt(this.#order[i]!, position);
      if (pair !== before) ranks.set(pair, 0);
      before = pair;
    }
    const texts = this.#texts;
    const pairs = [...ranks.keys()].map((pair) =>
      // Fewer labels come first.
      pair === 0
        ? { pair, name: '', value: '' }
        : { pair, name: texts.pairName(pair), value: texts.pairValue(pair) },
    );
    pairs.sort((a, b) =>
      a.name === b.name ? compareText(a.value, b.value) : compareText(a.name, b.name),
    );
    for (let rank = 0; rank < pairs.length; rank++) ranks.set(pairs[rank]!.pair, rank);
    const keys = this.#keys.subarray(first, last);
    before = -1;
    let base = 0;
    for (let i = first; i < last; i++) {
      const row = this.#order[i]!;
      const pair = this.#pairAt(row, position);
      if (pair !== before) base = ranks.get(pair)! * ROW_FACTOR;
      before = pair;
      keys[i - first] = base + row;
    }
    keys.sort();
    for (let i = first; i < last; i++) this.#order[i] = keys[i - first]! % ROW_FACTOR;
  }
}
