/**
 * How long pieces of work took the last time they were done. Work that is new is likely to take as
 * long as other work of its shape: dashboards ask the same query about one instance after the other.
 */

/** Different pieces that are remembered, and different shapes. */
const KNOWN_COUNT_MAX = 1000;
/** What one shape has many of: quoted texts, and numbers at the end of names or within them. */
const VARYING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|(?<=[A-Za-z_])\d+/g;

export class WorkHistory {
  readonly #workMs = new RecentTimes();
  /** Of the piece of each shape that was new last. */
  readonly #shapeMs = new RecentTimes();

  /** Undefined for work that is new, or was done too long ago. */
  lastMs(key: string): number | undefined {
    return this.#workMs.get(key);
  }

  /** Tells how long work is likely to take, whenever it is called; undefined while nothing is known. */
  expectation(key: string): () => number | undefined {
    let shape: string | null = null;
    return () => this.#workMs.get(key) ?? this.#shapeMs.get((shape ??= shapeOf(key)));
  }

  note(key: string, workMs: number): void {
    if (this.#workMs.get(key) === undefined) this.#shapeMs.note(shapeOf(key), workMs);
    this.#workMs.note(key, workMs);
  }
}

function shapeOf(key: string): string {
  return key.replace(VARYING, '?');
}

/** A map that forgets what was noted longest ago. */
class RecentTimes {
  readonly #times = new Map<string, number>();

  get(key: string): number | undefined {
    return this.#times.get(key);
  }

  note(key: string, timeMs: number): void {
    this.#times.delete(key);
    this.#times.set(key, timeMs);
    if (this.#times.size <= KNOWN_COUNT_MAX) return;
    const [oldest] = this.#times.keys();
    this.#times.delete(oldest!);
  }
}
