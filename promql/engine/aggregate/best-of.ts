/**
 * The k largest (or smallest) of many values, in a heap whose root is the worst of those kept. A
 * NaN is worse than everything; of equal values the earlier stays.
 */
export class BestOf {
  readonly #capacity: number;
  readonly #isTop: boolean;
  readonly #values: number[] = [];
  readonly #rows: number[] = [];

  constructor(capacity: number, isTop: boolean) {
    this.#capacity = capacity;
    this.#isTop = isTop;
  }

  offer(value: number, row: number): void {
    if (this.#values.length < this.#capacity) {
      this.#values.push(value);
      this.#rows.push(row);
      this.#siftUp(this.#values.length - 1);
    } else if (this.#isWorse(this.#values[0]!, value)) {
      this.#values[0] = value;
      this.#rows[0] = row;
      this.#siftDown();
    }
  }

  /** Best first; equal values in the order in which they came. */
  rowsInOrder(): number[] {
    const order = Array.from(this.#rows.keys());
    order.sort((a, b) => {
      if (this.#isWorse(this.#values[a]!, this.#values[b]!)) return 1;
      if (this.#isWorse(this.#values[b]!, this.#values[a]!)) return -1;
      return this.#rows[a]! - this.#rows[b]!;
    });
    return order.map((i) => this.#rows[i]!);
  }

  #isWorse(a: number, b: number): boolean {
    if (a !== a) return b === b;
    return this.#isTop ? a < b : a > b;
  }

  /** Whether the entry at `a` should be thrown out before that at `b`. */
  #goesBefore(a: number, b: number): boolean {
    if (this.#isWorse(this.#values[a]!, this.#values[b]!)) return true;
    if (this.#isWorse(this.#values[b]!, this.#values[a]!)) return false;
    return this.#rows[a]! > this.#rows[b]!;
  }

  #siftUp(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#goesBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(): void {
    let at = 0;
    for (;;) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#values.length && this.#goesBefore(child, next)) next = child;
      }
      if (next === at) return;
      this.#swap(at, next);
      at = next;
    }
  }

  #swap(a: number, b: number): void {
    [this.#values[a], this.#values[b]] = [this.#values[b]!, this.#values[a]!];
    [this.#rows[a], this.#rows[b]] = [this.#rows[b]!, this.#rows[a]!];
  }
}
