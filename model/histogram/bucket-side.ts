/**
 * One side of a histogram while it is computed with: a sorted list of bucket indexes beside their
 * counts and, where a compensated sum is kept, the compensations.
 */
import type { Span } from './histogram.ts';
import { coarserIndex, exponentialBound } from './bucket-bounds.ts';
import { spanIndexes } from './float-histogram.ts';

export type BucketSide = {
  readonly indexes: readonly number[];
  readonly counts: number[];
  /** What rounding lost of each count; null outside of compensated sums. */
  readonly losses: number[] | null;
};

/** A copy of the counts, so that they may be changed. */
export function sideOf(spans: readonly Span[], counts: readonly number[]): BucketSide {
  return { indexes: spanIndexes(spans), counts: counts.slice(), losses: null };
}

/** Gives every bucket another index; `map` must not fall. Buckets that meet are added up. */
export function remapSide(side: BucketSide, map: (index: number) => number): BucketSide {
  const indexes: number[] = [];
  const counts: number[] = [];
  const losses: number[] | null = side.losses === null ? null : [];
  for (let i = 0; i < side.indexes.length; i++) {
    const index = map(side.indexes[i]!);
    const last = indexes.length - 1;
    if (last >= 0 && indexes[last] === index) {
      counts[last]! += side.counts[i]!;
      if (losses !== null) losses[last]! += side.losses![i]!;
      continue;
    }
    indexes.push(index);
    counts.push(side.counts[i]!);
    losses?.push(side.losses![i]!);
  }
  return { indexes, counts, losses };
}

/** The same observations in the buckets of a coarser exponential schema. */
export function coarsenSide(side: BucketSide, schema: number, coarserSchema: number): BucketSide {
  if (schema === coarserSchema || side.indexes.length === 0) return side;
  return remapSide(side, (index) => coarserIndex(index, schema, coarserSchema));
}

/** Adds `sign` times the counts of `other`, bucket by bucket. */
export function mergeSides(side: BucketSide, other: BucketSide, sign: 1 | -1): BucketSide {
  if (other.indexes.length === 0) return side;
  if (sameIndexes(side.indexes, other.indexes)) {
    const { counts } = side;
    for (let i = 0; i < counts.length; i++) counts[i]! += sign * other.counts[i]!;
    return side;
  }
  const indexes: number[] = [];
  const counts: number[] = [];
  let a = 0;
  let b = 0;
  while (a < side.indexes.length || b < other.indexes.length) {
    const aIndex = a < side.indexes.length ? side.indexes[a]! : Infinity;
    const bIndex = b < other.indexes.length ? other.indexes[b]! : Infinity;
    let count = 0;
    if (aIndex <= bIndex) count = side.counts[a++]!;
    if (bIndex <= aIndex) count += sign * other.counts[b++]!;
    indexes.push(Math.min(aIndex, bIndex));
    counts.push(count);
  }
  return { indexes, counts, losses: null };
}

export function sameIndexes(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A zero bucket and what surrounds it. */
export type ZeroBucket = { threshold: number; count: number };

/**
 * The zero bucket after widening it to at least `threshold`: it swallows the buckets below, and
 * where the threshold falls into a populated bucket it grows to that bucket's end.
 */
export function widenedZeroBucket(
  zero: Readonly<ZeroBucket>,
  threshold: number,
  schema: number,
  sides: readonly BucketSide[],
): ZeroBucket {
  let reached = threshold;
  for (;;) {
    let count = zero.count;
    let next = reached;
    for (const { indexes, counts } of sides) {
      for (let i = 0; i < indexes.length; i++) {
        if (exponentialBound(indexes[i]! - 1, schema) >= next) break;
        count += counts[i]!;
        const end = exponentialBound(indexes[i]!, schema);
        if (end > next && counts[i] !== 0) next = end;
      }
    }
    if (next === reached) return { threshold: reached, count };
    reached = next;
  }
}

/**
 * Only the buckets from the first that reaches above the zero threshold on. Buckets below it should
 * not be there; what is added to others leaves them behind, as it does in Prometheus.
 */
export function skipInsideZeroBucket(
  side: BucketSide,
  threshold: number,
  schema: number,
): BucketSide {
  if (threshold === 0 || side.indexes.length === 0) return side;
  let first = 0;
  while (
    first < side.indexes.length &&
    exponentialBound(side.indexes[first]!, schema) <= threshold
  ) {
    first++;
  }
  return sliceSide(side, first);
}

function sliceSide(side: BucketSide, first: number): BucketSide {
  if (first === 0) return side;
  return {
    indexes: side.indexes.slice(first),
    counts: side.counts.slice(first),
    losses: side.losses?.slice(first) ?? null,
  };
}

/** Only the buckets that begin at or above the zero threshold. */
export function dropBelowThreshold(
  side: BucketSide,
  threshold: number,
  schema: number,
): BucketSide {
  let first = 0;
  while (
    first < side.indexes.length &&
    exponentialBound(side.indexes[first]! - 1, schema) < threshold
  ) {
    first++;
  }
  return sliceSide(side, first);
}
