/**
 * Some labels of many series. Series that agree in them share one label set, and a text is looked up
 * once for each different set, not once a series: what comes in are numbers of symbols.
 */
import { Labels } from '../../model/index.ts';

export class LabelProjection {
  readonly #names: readonly string[];
  readonly #textOf: (symbol: number) => string;
  /** Place of a name's symbol among the wanted names; -1 for others. */
  readonly #places = new Map<number, number>();
  // A tree: state 0 has no labels, every other one has one label more than the state it follows.
  readonly #next: Map<number, number>[] = [new Map()];
  readonly #labels: Labels[] = [Labels.EMPTY];
  #state = 0;

  constructor(names: readonly string[], textOf: (symbol: number) => string) {
    this.#names = names;
    this.#textOf = textOf;
  }

  /** Starts the next series. */
  begin(): void {
    this.#state = 0;
  }

  /** A label of the series; to be called in the order of names. */
  add(nameSymbol: number, valueSymbol: number): void {
    const place = this.#places.get(nameSymbol) ?? this.#place(nameSymbol);
    if (place < 0) return;
    const key = valueSymbol * this.#names.length + place;
    this.#state = this.#next[this.#state]!.get(key) ?? this.#extend(key, place, valueSymbol);
  }

  /** The wanted ones of the labels that were added. */
  get labels(): Labels {
    return this.#labels[this.#state]!;
  }

  #place(nameSymbol: number): number {
    const place = this.#names.indexOf(this.#textOf(nameSymbol));
    this.#places.set(nameSymbol, place);
    return place;
  }

  #extend(key: number, place: number, valueSymbol: number): number {
    const state = this.#labels.length;
    this.#next[this.#state]!.set(key, state);
    const { flat } = this.#labels[this.#state]!;
    const label = [this.#names[place]!, this.#textOf(valueSymbol)];
    this.#labels.push(Labels.fromSorted([...flat, ...label]));
    this.#next.push(new Map());
    return state;
  }
}
