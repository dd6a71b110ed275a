/**
 * The newest exemplars of all series together, a fixed number of them: a ring whose oldest entry
 * makes room. The entries of one series are chained, oldest first.
 *
 * An exemplar must be newer than the last one of its series. With an out-of-order window an older
 * one is taken when it lies inside of the window; the chain stays sorted by time.
 */
import { compareLabels, type Exemplar, type Labels } from '../../model/index.ts';
import type { ExemplarRow } from '../record/exemplars.ts';

export const ExemplarVerdict = { Added: 0, Repeated: 1, OutOfOrder: 2, Disabled: 3 } as const;
export type ExemplarVerdict = (typeof ExemplarVerdict)[keyof typeof ExemplarVerdict];

export class ExemplarRing {
  #capacity: number;
  #ring: (ExemplarRow | undefined)[] = [];
  #next = 0;
  /** The entries of each series that has any, ascending by time. */
  readonly #bySeries = new Map<number, ExemplarRow[]>();
  appendedCount = 0;
  outOfOrderCount = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  get count(): number {
    let count = 0;
    for (const entries of this.#bySeries.values()) count += entries.length;
    return count;
  }

  get seriesCount(): number {
    return this.#bySeries.size;
  }

  /** Newest timestamp of all; 0 while there is none. */
  get newestMs(): number {
    let newest = -Infinity;
    for (const entries of this.#bySeries.values()) {
      newest = Math.max(newest, entries.at(-1)!.timestampMs);
    }
    return newest === -Infinity ? 0 : newest;
  }

  /** What would become of the exemplar; nothing changes. */
  judge(
    ref: number,
    exemplar: Exemplar,
    timestampMs: number,
    outOfOrderWindowMs: number,
  ): ExemplarVerdict {
    if (this.#capacity <= 0) return ExemplarVerdict.Disabled;
    const newest = this.#bySeries.get(ref)?.at(-1);
    if (newest === undefined || timestampMs > newest.timestampMs) return ExemplarVerdict.Added;
    const isRepeated =
      timestampMs === newest.timestampMs &&
      Object.is(exemplar.value, newest.value) &&
      exemplar.labels.equals(newest.labels);
    if (isRepeated) return ExemplarVerdict.Repeated;
    if (
      timestampMs < newest.timestampMs &&
      timestampMs >= newest.timestampMs - outOfOrderWindowMs
    ) {
      return outOfOrderWindowMs > 0 ? ExemplarVerdict.Added : ExemplarVerdict.OutOfOrder;
    }
    return ExemplarVerdict.OutOfOrder;
  }

  add(ref: number, labels: Labels, value: number, timestampMs: number): void {
    if (this.#capacity <= 0) return;
    const entry: ExemplarRow = { ref, labels, value, timestampMs };
    this.#drop(this.#ring[this.#next]);
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#capacity;
    const entries = this.#bySeries.get(ref);
    this.appendedCount++;
    if (entries === undefined) {
      this.#bySeries.set(ref, [entry]);
      return;
    }
    let at = entries.length;
    while (at > 0 && entries[at - 1]!.timestampMs > timestampMs) at--;
    entries.splice(at, 0, entry);
  }

  /** Keeps as many of the newest as fit. */
  resize(capacity: number): void {
    const inOrder = this.inOrder();
    const appended = this.appendedCount;
    this.#capacity = capacity;
    this.clear();
    for (const e of inOrder.slice(-Math.max(0, capacity) || inOrder.length)) {
      this.add(e.ref, e.labels, e.value, e.timestampMs);
    }
    this.appendedCount = appended;
  }

  clear(): void {
    this.#ring = [];
    this.#next = 0;
    this.#bySeries.clear();
  }

  /** All of them in the order in which they came. */
  inOrder(): ExemplarRow[] {
    const rows: ExemplarRow[] = [];
    for (let i = 0; i < this.#capacity; i++) {
      const entry = this.#ring[(this.#next + i) % this.#capacity];
      if (entry !== undefined) rows.push(entry);
    }
    return rows;
  }

  /** The series that have exemplars. */
  refs(): Iterable<number> {
    return this.#bySeries.keys();
  }

  /** The exemplars of a series in [minMs, maxMs], ascending. */
  select(ref: number, minMs: number, maxMs: number): Exemplar[] {
    const entries = this.#bySeries.get(ref) ?? [];
    return entries
      .filter((e) => e.timestampMs >= minMs && e.timestampMs <= maxMs)
      .map(({ labels, value, timestampMs }) => ({ labels, value, timestampMs }));
  }

  removeSeries(ref: number): void {
    const entries = this.#bySeries.get(ref);
    if (entries === undefined) return;
    this.#bySeries.delete(ref);
    const gone = new Set(entries);
    for (let i = 0; i < this.#ring.length; i++) {
      const entry = this.#ring[i];
      if (entry !== undefined && gone.has(entry)) this.#ring[i] = undefined;
    }
  }

  #drop(entry: ExemplarRow | undefined): void {
    if (entry === undefined) return;
    const entries = this.#bySeries.get(entry.ref)!;
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length === 0) this.#bySeries.delete(entry.ref);
  }
}

/** For answers: series in label order. */
export function sortByLabels<T extends { readonly series: Labels }>(rows: T[]): T[] {
  return rows.sort((a, b) => compareLabels(a.series, b.series));
}
