/**
 * Running state of aggregations: one cell per group and step, group after group. Rows are added in
 * the order of their labels, as Prometheus does, which settles the last bit of sums.
 */
import { ABSENT, FLOAT, type RowBatch } from '../row-batch.ts';

export interface Accumulator {
  /** Takes in the floats of a row of `batch` for the cells from `cell` on. */
  addRow(batch: RowBatch, row: number, cell: number): void;
  /** Whether a cell has got a float; of those that histograms can be added beside. */
  has?(cell: number): boolean;
  /** Writes results and presence of all cells. */
  finish(values: Float64Array, present: Uint8Array): void;
}

/** sum: Neumaier's compensated sum. */
export class SumAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #losses: Float64Array;
  readonly #seen: Uint8Array;

  constructor(cellCount: number) {
    this.#sums = new Float64Array(cellCount);
    this.#losses = new Float64Array(cellCount);
    this.#seen = new Uint8Array(cellCount);
  }

  addRow(batch: RowBatch, row: number, cell: number): void {
    const { values, present, stepCount } = batch;
    const from = row * stepCount;
    const sums = this.#sums;
    const losses = this.#losses;
    const seen = this.#seen;
    for (let step = 0; step < stepCount; step++) {
      if (present[from + step] !== FLOAT) continue;
      const value = values[from + step]!;
      const at = cell + step;
      const sum = sums[at]!;
      const total = sum + value;
      if (total === Infinity || total === -Infinity) losses[at] = 0;
      else if (Math.abs(sum) >= Math.abs(value)) losses[at]! += sum - total + value;
      else losses[at]! += value - total + sum;
      sums[at] = total;
      seen[at] = FLOAT;
    }
  }

  has(cell: number): boolean {
    return this.#seen[cell] !== 0;
  }

  finish(values: Float64Array, present: Uint8Array): void {
    for (let i = 0; i < values.length; i++) {
      values[i] = this.#sums[i]! + this.#losses[i]!;
      present[i] = this.#seen[i]!;
    }
  }
}

/** avg: compensated sum by count, or a running mean from where the sum overflows. */
export class AvgAccumulator implements Accumulator {
  /** Sums, or means where `running` is set. */
  readonly #sums: Float64Array;
  readonly #losses: Float64Array;
  readonly #counts: Float64Array;
  readonly #running: Uint8Array;

  constructor(cellCount: number) {
    this.#sums = new Float64Array(cellCount);
    this.#losses = new Float64Array(cellCount);
    this.#counts = new Float64Array(cellCount);
    this.#running = new Uint8Array(cellCount);
  }

  addRow(batch: RowBatch, row: number, cell: number): void {
    const { values, present, stepCount } = batch;
    const from = row * stepCount;
    const sums = this.#sums;
    const losses = this.#losses;
    const counts = this.#counts;
    for (let step = 0; step < stepCount; step++) {
      if (present[from + step] !== FLOAT) continue;
      const value = values[from + step]!;
      const at = cell + step;
      const count = ++counts[at]!;
      if (count === 1) {
        sums[at] = value;
        continue;
      }
      if (this.#running[at] === 0) {
        const sum = sums[at]!;
        const total = sum + value;
        if (total !== Infinity && total !== -Infinity) {
          if (Math.abs(sum) >= Math.abs(value)) losses[at]! += sum - total + value;
          else losses[at]! += value - total + sum;
          sums[at] = total;
          continue;
        }
        this.#running[at] = 1;
        sums[at] = sum / (count - 1);
        losses[at]! /= count - 1;
      }
      this.#addToMean(at, value / count, (count - 1) / count);
    }
  }

  #addToMean(at: number, value: number, share: number): void {
    const mean = share * this.#sums[at]!;
    let loss = share * this.#losses[at]!;
    const total = mean + value;
    if (total === Infinity || total === -Infinity) loss = 0;
    else if (Math.abs(mean) >= Math.abs(value)) loss += mean - total + value;
    else loss += value - total + mean;
    this.#sums[at] = total;
    this.#losses[at] = loss;
  }

  has(cell: number): boolean {
    return this.#counts[cell]! > 0;
  }

  finish(values: Float64Array, present: Uint8Array): void {
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i]!;
      present[i] = count > 0 ? FLOAT : ABSENT;
      values[i] = this.#running[i]
        ? this.#sums[i]! + this.#losses[i]!
        : this.#sums[i]! / count + this.#losses[i]! / count;
    }
  }
}

/** min (`sign` 1) and max (-1). A NaN gives way to anything. */
export class ExtremeAccumulator implements Accumulator {
  readonly #best: Float64Array;
  readonly #seen: Uint8Array;
  readonly #isMax: boolean;

  constructor(cellCount: number, isMax: boolean) {
    this.#best = new Float64Array(cellCount);
    this.#seen = new Uint8Array(cellCount);
    this.#isMax = isMax;
  }

  addRow(batch: RowBatch, row: number, cell: number): void {
    const { values, present, stepCount } = batch;
    const from = row * stepCount;
    const best = this.#best;
    const seen = this.#seen;
    for (let step = 0; step < stepCount; step++) {
      if (present[from + step] !== FLOAT) continue;
      const value = values[from + step]!;
      const at = cell + step;
      const known = best[at]!;
      const better = this.#isMax ? known < value : known > value;
      if (seen[at] === 0 || better || known !== known) best[at] = value;
      seen[at] = FLOAT;
    }
  }

  finish(values: Float64Array, present: Uint8Array): void {
    values.set(this.#best);
    present.set(this.#seen);
  }
}

/** stddev and stdvar: Welford's method. */
export class VarianceAccumulator implements Accumulator {
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly #counts: Float64Array;
  readonly #isDeviation: boolean;

  constructor(cellCount: number, isDeviation: boolean) {
    this.#means = new Float64Array(cellCount);
    this.#squares = new Float64Array(cellCount);
    this.#counts = new Float64Array(cellCount);
    this.#isDeviation = isDeviation;
  }

  addRow(batch: RowBatch, row: number, cell: number): void {
    const { values, present, stepCount } = batch;
    const from = row * stepCount;
    const means = this.#means;
    const squares = this.#squares;
    const counts = this.#counts;
    for (let step = 0; step < stepCount; step++) {
      if (present[from + step] !== FLOAT) continue;
      const value = values[from + step]!;
      const at = cell + step;
      const count = ++counts[at]!;
      if (count === 1) {
        means[at] = value;
        squares[at] = value - value; // NaN for infinite and NaN values, else 0
        continue;
      }
      const delta = value - means[at]!;
      means[at]! += delta / count;
      squares[at]! += delta * (value - means[at]!);
    }
  }

  finish(values: Float64Array, present: Uint8Array): void {
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i]!;
      present[i] = count > 0 ? FLOAT : ABSENT;
      const variance = this.#squares[i]! / count;
      values[i] = this.#isDeviation ? Math.sqrt(variance) : variance;
    }
  }
}

/** count and group: floats and histograms alike. */
export class CountAccumulator implements Accumulator {
  readonly #counts: Float64Array;
  readonly #isGroup: boolean;

  constructor(cellCount: number, isGroup: boolean) {
    this.#counts = new Float64Array(cellCount);
    this.#isGroup = isGroup;
  }

  addRow(batch: RowBatch, row: number, cell: number): void {
    const { present, stepCount } = batch;
    const from = row * stepCount;
    for (let step = 0; step < stepCount; step++) {
      if (present[from + step] !== ABSENT) this.#counts[cell + step]!++;
    }
  }

  finish(values: Float64Array, present: Uint8Array): void {
    for (let i = 0; i < values.length; i++) {
      const count = this.#counts[i]!;
      present[i] = count > 0 ? FLOAT : ABSENT;
      values[i] = this.#isGroup ? 1 : count;
    }
  }
}
