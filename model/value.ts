/**
 * Special float64 values. Two NaNs matter to Prometheus, and only their bits tell them apart:
 * the ordinary one (what parsing "NaN" gives) and the staleness marker (the series has ended).
 * JavaScript may change NaN bits when a number passes through plain variables, so whoever must
 * keep them copies bytes or uses the 32-bit halves here.
 * Source: Prometheus storage documentation, staleness; observed WAL and chunk bytes.
 */
import { assert } from './assert.ts';

/** Staleness marker 0x7ff0000000000002. */
export const STALE_NAN_HIGH = 0x7ff00000;
export const STALE_NAN_LOW = 0x00000002;
/** Ordinary NaN 0x7ff8000000000001. */
export const NORMAL_NAN_HIGH = 0x7ff80000;
export const NORMAL_NAN_LOW = 0x00000001;

assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'a little-endian machine is required');

const scratch = new Float64Array(1);
const scratchHalves = new Uint32Array(scratch.buffer);

/** Puts the staleness marker at `values[index]`. */
export function writeStaleNaN(values: Float64Array, index: number): void {
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  halves[index * 2] = STALE_NAN_LOW;
  halves[index * 2 + 1] = STALE_NAN_HIGH;
}

/** Whether `values[index]` is the staleness marker; needs no allocation for ordinary numbers. */
export function isStaleAt(values: Float64Array, index: number): boolean {
  const value = values[index]!;
  if (value === value) return false;
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  return halves[index * 2] === STALE_NAN_LOW && halves[index * 2 + 1] === STALE_NAN_HIGH;
}

/** High half of a float64's bits. Low half: {@link lowBits}. NaN payloads survive only via arrays. */
export function highBits(value: number): number {
  scratch[0] = value;
  return scratchHalves[1]!;
}

export function lowBits(value: number): number {
  scratch[0] = value;
  return scratchHalves[0]!;
}

/** Puts two halves together. A NaN result must go straight into a typed array to keep its payload. */
export function fromBits(high: number, low: number): number {
  scratchHalves[0] = low;
  scratchHalves[1] = high;
  return scratch[0]!;
}
