/**
 * Adds up many histograms with compensation: every count and the sum carry what rounding lost
 * (Neumaier's variant of Kahan's summation), so that the order of series hardly matters.
 */
import {
  type BucketSide,
  coarsenSide,
  dropBelowThreshold,
  sameIndexes,
  sideOf,
  skipInsideZeroBucket,
  widenedZeroBucket,
} from './bucket-side.ts';
import {
  combineHints,
  type CombineNotes,
  type ExponentialParts,
  exponentialParts,
  widenZeroBucket,
} from './combine.ts';
import { commonBounds, moveToBounds, sameBounds } from './custom-bounds.ts';
import { type FloatHistogram, spansOf, usesCustomBuckets } from './float-histogram.ts';
import { type CounterResetHint, CUSTOM_BUCKETS_SCHEMA } from './histogram.ts';

export class HistogramSum {
  #hint: CounterResetHint;
  #schema: number;
  #customBounds: readonly number[];
  #zeroThreshold: number;
  #zeroCount: number;
  #zeroLoss = 0;
  #count: number;
  #countLoss = 0;
  #sum: number;
  #sumLoss = 0;
  #positive: BucketSide;
  #negative: BucketSide;

  constructor(first: FloatHistogram) {
    this.#hint = first.hint;
    this.#schema = first.schema;
    this.#customBounds = first.customBounds;
    this.#zeroThreshold = first.zeroThreshold;
    this.#zeroCount = first.zeroCount;
    this.#count = first.count;
    this.#sum = first.sum;
    this.#positive = withLosses(sideOf(first.positiveSpans, first.positiveCounts));
    this.#negative = withLosses(sideOf(first.negativeSpans, first.negativeCounts));
  }

  /** Adds `other`; false, and nothing changed, where one has custom bounds and the other has not. */
  add(other: FloatHistogram, notes: CombineNotes): boolean {
    const custom = this.#schema === CUSTOM_BUCKETS_SCHEMA;
    if (custom !== usesCustomBuckets(other)) return false;
    this.#hint = combineHints(this.#hint, other.hint, notes);
    if (custom) {
      this.#addCustomBuckets(other, notes);
    } else {
      this.#addExponentialBuckets(other);
    }
    const { count, sum } = other;
    this.#countLoss = lossOf(count, this.#count, this.#countLoss);
    this.#count += count;
    this.#sumLoss = lossOf(sum, this.#sum, this.#sumLoss);
    this.#sum += sum;
    return true;
  }

  #addCustomBuckets(other: FloatHistogram, notes: CombineNotes): void {
    let side = sideOf(other.positiveSpans, other.positiveCounts);
    if (!sameBounds(this.#customBounds, other.customBounds)) {
      notes.boundsReconciled = true;
      const common = commonBounds(this.#customBounds, other.customBounds);
      this.#positive = moveToBounds(this.#positive, this.#customBounds, common);
      side = moveToBounds(side, other.customBounds, common);
      this.#customBounds = common;
    }
    this.#positive = mergeWithLosses(this.#positive, side);
  }

  #addExponentialBuckets(other: FloatHistogram): void {
    let parts: ExponentialParts | null = null;
    if (other.zeroThreshold !== this.#zeroThreshold) {
      parts = exponentialParts(other);
      this.#reconcileZeroBuckets(parts);
    }
    let positive = parts?.positive ?? sideOf(other.positiveSpans, other.positiveCounts);
    let negative = parts?.negative ?? sideOf(other.negativeSpans, other.negativeCounts);
    const zeroCount = parts?.zero.count ?? other.zeroCount;
    if (other.schema < this.#schema) {
      this.#positive = coarsenSide(this.#positive, this.#schema, other.schema);
      this.#negative = coarsenSide(this.#negative, this.#schema, other.schema);
      this.#schema = other.schema;
    } else if (other.schema > this.#schema) {
      positive = coarsenSide(positive, other.schema, this.#schema);
      negative = coarsenSide(negative, other.schema, this.#schema);
    }
    positive = skipInsideZeroBucket(positive, this.#zeroThreshold, this.#schema);
    negative = skipInsideZeroBucket(negative, this.#zeroThreshold, this.#schema);
    this.#positive = mergeWithLosses(this.#positive, positive);
    this.#negative = mergeWithLosses(this.#negative, negative);
    this.#zeroLoss = lossOf(zeroCount, this.#zeroCount, this.#zeroLoss);
    this.#zeroCount += zeroCount;
  }

  #reconcileZeroBuckets(other: ExponentialParts): void {
    while (this.#zeroThreshold !== other.zero.threshold) {
      if (this.#zeroThreshold < other.zero.threshold) this.#widenZeroBucket(other.zero.threshold);
      else widenZeroBucket(other, this.#zeroThreshold);
    }
  }

  #widenZeroBucket(threshold: number): void {
    const sides = [this.#positive, this.#negative];
    const zero = { threshold: this.#zeroThreshold, count: this.#zeroCount };
    const widened = widenedZeroBucket(zero, threshold, this.#schema, sides);
    this.#zeroThreshold = widened.threshold;
    this.#zeroCount = widened.count;
    for (const side of sides) {
      const keptCount = dropBelowThreshold(side, widened.threshold, this.#schema).indexes.length;
      const droppedCount = side.indexes.length - keptCount;
      for (let i = 0; i < droppedCount; i++) this.#zeroLoss += side.losses![i]!;
    }
    this.#positive = dropBelowThreshold(this.#positive, widened.threshold, this.#schema);
    this.#negative = dropBelowThreshold(this.#negative, widened.threshold, this.#schema);
  }

  /** Whether any number has left the range of floats. */
  get overflows(): boolean {
    return (
      isInfinite(this.#count) ||
      isInfinite(this.#sum) ||
      isInfinite(this.#zeroCount) ||
      this.#positive.counts.some(isInfinite) ||
      this.#negative.counts.some(isInfinite)
    );
  }

  /** Multiplies everything; for running means. */
  multiply(factor: number): void {
    this.#scale((value) => value * factor);
  }

  divide(divisor: number): void {
    this.#scale((value) => value / divisor);
  }

  #scale(change: (value: number) => number): void {
    this.#zeroCount = change(this.#zeroCount);
    this.#zeroLoss = change(this.#zeroLoss);
    this.#count = change(this.#count);
    this.#countLoss = change(this.#countLoss);
    this.#sum = change(this.#sum);
    this.#sumLoss = change(this.#sumLoss);
    for (const { counts, losses } of [this.#positive, this.#negative]) {
      for (let i = 0; i < counts.length; i++) {
        counts[i] = change(counts[i]!);
        losses![i] = change(losses![i]!);
      }
    }
  }

  /** A copy that goes its own way. */
  clone(): HistogramSum {
    const copy = new HistogramSum(this.#plain());
    copy.#zeroLoss = this.#zeroLoss;
    copy.#countLoss = this.#countLoss;
    copy.#sumLoss = this.#sumLoss;
    copy.#positive = copySide(this.#positive);
    copy.#negative = copySide(this.#negative);
    return copy;
  }

  /** The sum with the compensations added, without empty buckets. */
  result(): FloatHistogram {
    const positive = finishedSide(this.#positive);
    const negative = finishedSide(this.#negative);
    return {
      ...this.#plain(),
      zeroCount: this.#zeroCount + this.#zeroLoss,
      count: this.#count + this.#countLoss,
      sum: this.#sum + this.#sumLoss,
      positiveSpans: spansOf(positive.indexes),
      positiveCounts: positive.counts,
      negativeSpans: spansOf(negative.indexes),
      negativeCounts: negative.counts,
    };
  }

  #plain(): FloatHistogram {
    return {
      kind: 'float',
      hint: this.#hint,
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: this.#zeroCount,
      count: this.#count,
      sum: this.#sum,
      positiveSpans: [],
      negativeSpans: [],
      positiveCounts: [],
      negativeCounts: [],
      customBounds: this.#customBounds,
      stale: false,
    };
  }
}

/** What is lost in all when `value` is added to `sum`, of which `loss` was lost before. */
function lossOf(value: number, sum: number, loss: number): number {
  const total = sum + value;
  if (total === Infinity || total === -Infinity) return 0;
  return Math.abs(sum) >= Math.abs(value)
    ? loss + (sum - total + value)
    : loss + (value - total + sum);
}

function isInfinite(value: number): boolean {
  return value === Infinity || value === -Infinity;
}

function withLosses(side: BucketSide): BucketSide {
  return { ...side, losses: side.counts.map(() => 0) };
}

function copySide(side: BucketSide): BucketSide {
  return {
    indexes: side.indexes,
    counts: side.counts.slice(),
    losses: side.losses?.slice() ?? null,
  };
}

function mergeWithLosses(side: BucketSide, other: BucketSide): BucketSide {
  if (other.indexes.length === 0) return side;
  if (sameIndexes(side.indexes, other.indexes)) {
    const { counts } = side;
    const losses = side.losses!;
    for (let i = 0; i < counts.length; i++) {
      losses[i] = lossOf(other.counts[i]!, counts[i]!, losses[i]!);
      counts[i]! += other.counts[i]!;
    }
    return side;
  }
  const indexes: number[] = [];
  const counts: number[] = [];
  const losses: number[] = [];
  let a = 0;
  let b = 0;
  while (a < side.indexes.length || b < other.indexes.length) {
    const aIndex = a < side.indexes.length ? side.indexes[a]! : Infinity;
    const bIndex = b < other.indexes.length ? other.indexes[b]! : Infinity;
    let count = 0;
    let loss = 0;
    if (aIndex <= bIndex) {
      loss = side.losses![a]!;
      count = side.counts[a++]!;
    }
    if (bIndex <= aIndex) {
      const value = other.counts[b++]!;
      loss = lossOf(value, count, loss);
      count += value;
    }
    indexes.push(Math.min(aIndex, bIndex));
    counts.push(count);
    losses.push(loss);
  }
  return { indexes, counts, losses };
}

function finishedSide({ indexes, counts, losses }: BucketSide) {
  const kept = { indexes: [] as number[], counts: [] as number[] };
  for (let i = 0; i < indexes.length; i++) {
    const count = counts[i]! + losses![i]!;
    if (count === 0) continue;
    kept.indexes.push(indexes[i]!);
    kept.counts.push(count);
  }
  return kept;
}
