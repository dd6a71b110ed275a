/** How long pieces of work took the last time they were done. */

/** Different pieces that are remembered. */
const KNOWN_COUNT_MAX = 1000;

export class WorkHistory {
  /** The longest unused first. */
  readonly #workMs = new Map<string, number>();

  /** Undefined for work that is new, or was done too long ago. */
  lastMs(key: string): number | undefined {
    return this.#workMs.get(key);
  }

  note(key: string, workMs: number): void {
    this.#workMs.delete(key);
    this.#workMs.set(key, workMs);
    if (this.#workMs.size <= KNOWN_COUNT_MAX) return;
    const [oldest] = this.#workMs.keys();
    this.#workMs.delete(oldest!);
  }
}
