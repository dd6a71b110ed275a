/**
 * Bounds of exponential buckets. Bucket i of schema s ends at 2^(i · 2^-s).
 *
 * The bounds must be the very floats that Prometheus uses, or answers would differ in the last
 * digit. What it uses, read off its API for every bucket of every schema, is the product of the
 * roots below for the bits of the fraction, largest first; the first root is one unit in the last
 * place below the nearest float to √2.
 */
import { CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMA_MAX } from './histogram.ts';

const FRACTION_COUNT = 1 << EXPONENTIAL_SCHEMA_MAX;
const ROOTS = rootsOfTwo();
/** 2^(i/256) / 2 for i in 0…255. Schema s uses every 2^(8-s)th. */
const FRACTIONS = makeFractions();

function rootsOfTwo(): number[] {
  // oxlint-disable-next-line approx-constant -- bounds are to equal the reference to the bit, and it has this
  const roots = [1.414213562373095];
  while (roots.length < EXPONENTIAL_SCHEMA_MAX) roots.push(Math.sqrt(roots.at(-1)!));
  return roots;
}

function makeFractions(): Float64Array {
  const fractions = new Float64Array(FRACTION_COUNT);
  for (let i = 0; i < FRACTION_COUNT; i++) {
    let fraction = 0.5;
    for (let bit = 0; bit < EXPONENTIAL_SCHEMA_MAX; bit++) {
      if ((i & (FRACTION_COUNT >> (bit + 1))) !== 0) fraction *= ROOTS[bit]!;
    }
    fractions[i] = fraction;
  }
  return fractions;
}

/**
 * Upper bound of the positive bucket `index`; its lower bound is that of `index - 1`. Beyond the
 * largest float lies one more bucket, which ends at that float, and then one that ends at +Inf.
 */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const fractionMask = (1 << schema) - 1;
  const fraction = FRACTIONS[(index & fractionMask) << (EXPONENTIAL_SCHEMA_MAX - schema)]!;
  const exponent = (index >> schema) + 1;
  if (fraction === 0.5 && exponent === 1025) return Number.MAX_VALUE;
  return scaleByPowerOfTwo(fraction, exponent);
}

/** In two steps where one would overflow although the product does not. */
function scaleByPowerOfTwo(fraction: number, exponent: number): number {
  if (exponent > 1000) return fraction * 2 ** 1000 * 2 ** (exponent - 1000);
  return fraction * 2 ** exponent;
}

/** Upper bound of the bucket `index` of a positive side, whatever the schema. */
export function upperBound(index: number, schema: number, customBounds: readonly number[]): number {
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return exponentialBound(index, schema);
  return index < customBounds.length ? customBounds[index]! : Infinity;
}

/** Lower bound, likewise. The first custom bucket begins at -Inf. */
export function lowerBound(index: number, schema: number, customBounds: readonly number[]): number {
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return exponentialBound(index - 1, schema);
  return index > 0 ? customBounds[index - 1]! : -Infinity;
}

/** The bucket of a coarser schema that takes in bucket `index`. */
export function coarserIndex(index: number, schema: number, coarserSchema: number): number {
  return ((index - 1) >> (schema - coarserSchema)) + 1;
}
