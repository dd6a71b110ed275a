/**
 * What waits in one shard, oldest first: a ring of columns. Takes a little more than its capacity
 * where a record of the log goes beyond it.
 */
import type { Exemplar, FloatHistogram, Histogram } from '../../../model/index.ts';
import { compareKeys, type LogKey } from './log-key.ts';

/** What is sent beside floats. */
export type Special = Histogram | FloatHistogram | (Exemplar & { readonly kind: 'exemplar' });

export type Counts = { samples: number; histograms: number; exemplars: number };

const CAPACITY_MIN = 256;

export class SendQueue {
  count = 0;
  /** The ring index of the oldest entry. */
  head = 0;
  series = new Uint32Array(CAPACITY_MIN);
  timestampsMs = new Float64Array(CAPACITY_MIN);
  /** Low and high half of the value at 2i, 2i + 1. */
  valueHalves = new Uint32Array(2 * CAPACITY_MIN);
  startsMs = new Float64Array(CAPACITY_MIN);
  /** Null for floats. */
  specials: (Special | null)[] = new Array<Special | null>(CAPACITY_MIN).fill(null);
  #keys = new Uint32Array(3 * CAPACITY_MIN);
  readonly waiting: Counts = { samples: 0, histograms: 0, exemplars: 0 };

  /** Ring index of the entry at `position`, counted from the oldest. */
  at(position: number): number {
    return (this.head + position) & (this.series.length - 1);
  }

  add(
    series: number,
    timestampMs: number,
    low: number,
    high: number,
    startMs: number,
    special: Special | null,
    key: LogKey,
  ): void {
    if (this.count === this.series.length) this.#grow();
    const i = this.at(this.count++);
    this.series[i] = series;
    this.timestampsMs[i] = timestampMs;
    this.valueHalves[i * 2] = low;
    this.valueHalves[i * 2 + 1] = high;
    this.startsMs[i] = startMs;
    this.specials[i] = special;
    this.#keys[i * 3] = key.segment;
    this.#keys[i * 3 + 1] = key.offset;
    this.#keys[i * 3 + 2] = key.index;
    this.#tally(special, 1);
  }

  key(position: number): LogKey {
    const i = this.at(position) * 3;
    return { segment: this.#keys[i]!, offset: this.#keys[i + 1]!, index: this.#keys[i + 2]! };
  }

  /** How many of the oldest entries stand at `key` or before. */
  countUpTo(key: LogKey): number {
    let count = 0;
    while (count < this.count && compareKeys(this.key(count), key) <= 0) count++;
    return count;
  }

  /** Removes the oldest `count` entries. */
  remove(count: number): void {
    for (let position = 0; position < count; position++) {
      const i = this.at(position);
      this.#tally(this.specials[i]!, -1);
      this.specials[i] = null;
    }
    this.head = this.at(count);
    this.count -= count;
  }

  /** What the oldest `count` entries are: those before `minMs` and the others. */
  countsOf(count: number, minMs: number): { readonly old: Counts; readonly young: Counts } {
    const old = { samples: 0, histograms: 0, exemplars: 0 };
    const young = { samples: 0, histograms: 0, exemplars: 0 };
    for (let position = 0; position < count; position++) {
      const i = this.at(position);
      const counts = this.timestampsMs[i]! < minMs ? old : young;
      counts[kindOf(this.specials[i]!)]++;
    }
    return { old, young };
  }

  /** Series have new numbers. */
  renumber(moved: Int32Array): void {
    for (let position = 0; position < this.count; position++) {
      const i = this.at(position);
      this.series[i] = moved[this.series[i]!]!;
    }
  }

  #tally(special: Special | null, by: number): void {
    this.waiting[kindOf(special)] += by;
  }

  #grow(): void {
    const before = this.series.length;
    const capacity = before * 2;
    const unrolled = <T extends Uint32Array | Float64Array>(from: T, to: T, per: number): T => {
      to.set(from.subarray(this.head * per));
      to.set(from.subarray(0, this.head * per), (before - this.head) * per);
      return to;
    };
    this.series = unrolled(this.series, new Uint32Array(capacity), 1);
    this.timestampsMs = unrolled(this.timestampsMs, new Float64Array(capacity), 1);
    this.valueHalves = unrolled(this.valueHalves, new Uint32Array(2 * capacity), 2);
    this.startsMs = unrolled(this.startsMs, new Float64Array(capacity), 1);
    this.#keys = unrolled(this.#keys, new Uint32Array(3 * capacity), 3);
    this.specials = [...this.specials.slice(this.head), ...this.specials.slice(0, this.head)];
    for (let i = before; i < capacity; i++) this.specials.push(null);
    this.head = 0;
  }
}

function kindOf(special: Special | null): keyof Counts {
  if (special === null) return 'samples';
  return special.kind === 'exemplar' ? 'exemplars' : 'histograms';
}
