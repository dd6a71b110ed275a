/**
 * The series of an agent: which ref a label set has, and when its newest sample was. References go up
 * and are never given twice.
 */
import type { Labels } from '../../model/index.ts';

export class AgentSeries {
  /** Labels as one text → ref. */
  readonly #refs = new Map<string, number>();
  /** By ref; absent for those that are gone. */
  readonly #keys = new Map<number, string>();
  /** By ref: time of the newest sample. */
  #newestMs = new Float64Array(1024);
  #lastRef = 0;

  get count(): number {
    return this.#refs.size;
  }

  find(labels: Labels): number {
    return this.#refs.get(labels.key) ?? 0;
  }

  has(ref: number): boolean {
    return this.#keys.has(ref);
  }

  create(labels: Labels): number {
    const ref = this.#lastRef + 1;
    this.#put(ref, labels.key);
    return ref;
  }

  /**
   * A series as the log names it.
   * @returns the ref by which these labels are known: another one when they came under it before
   */
  restore(ref: number, labels: Labels): number {
    const { key } = labels;
    const known = this.#refs.get(key);
    // A number that is used up must not be given again.
    this.#lastRef = Math.max(this.#lastRef, ref);
    if (known !== undefined) return known;
    this.#put(ref, key);
    return ref;
  }

  /** -Infinity while there is no sample. */
  newestMs(ref: number): number {
    return this.#newestMs[ref]!;
  }

  noteTime(ref: number, timestampMs: number): void {
    if (timestampMs > this.#newestMs[ref]!) this.#newestMs[ref] = timestampMs;
  }

  /** Forgets series without a sample since `minMs`; returns their refs. */
  collect(minMs: number): number[] {
    const gone: number[] = [];
    for (const [ref, key] of this.#keys) {
      if (this.newestMs(ref) >= minMs) continue;
      this.#keys.delete(ref);
      this.#refs.delete(key);
      gone.push(ref);
    }
    return gone;
  }

  #put(ref: number, key: string): void {
    this.#lastRef = Math.max(this.#lastRef, ref);
    this.#refs.set(key, ref);
    this.#keys.set(ref, key);
    if (ref >= this.#newestMs.length) {
      const grown = new Float64Array(Math.max(ref + 1, this.#newestMs.length * 2));
      grown.set(this.#newestMs);
      this.#newestMs = grown;
    }
    this.#newestMs[ref] = -Infinity;
  }
}
