/**
 * The shortest decimal that reads back as the same float, written as bytes.
 *
 * V8's own conversion makes a string, which then has to be copied; for millions of points that is
 * most of the time an answer takes. Here the float is scaled to 17 digits with an exact product:
 *
 *   value · 10^(16-e) = q · 10^8 + r        q: 9 digits, r: 8 digits and a fraction
 *
 * and r is rounded to 15, 16 or 17 digits in all, whichever is the first to stay closer to the value
 * than half the distance to its neighbouring floats. Where that is too close to call, or the number
 * is very large or small, V8 decides.
 */
import { formatFloat } from '../../model/index.ts';

/** 2²⁷ + 1, which splits a float into two halves whose products are exact (Dekker). */
const SPLITTER = 134_217_729;
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Half the distance between neighbouring floats, as a share of either. */
const HALF_GAP_RATIO_MIN = 2 ** -54;
const HALF_GAP_RATIO_MAX = 2 ** -53;
/** Decimal exponents for which the scaling power is an exact float. */
const EXPONENT_MIN = -6;
const EXPONENT_MAX = 15;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;
/** `00` … `99` as byte pairs. */
const PAIRS = digitPairs();
/** More than any float needs: sign, 17 digits, point, exponent. */
export const FLOAT_SIZE_MAX = 32;

const scratch = new Float64Array(1);
const scratchHalves = new Uint32Array(scratch.buffer);

function digitPairs(): Uint8Array {
  const pairs = new Uint8Array(200);
  for (let i = 0; i < 100; i++) {
    pairs[i * 2] = ZERO + Math.floor(i / 10);
    pairs[i * 2 + 1] = ZERO + (i % 10);
  }
  return pairs;
}

/**
 * Writes `value` as the query API shows it, at `at`; returns the offset just past it. `out` must
 * have room for FLOAT_SIZE_MAX bytes.
 */
export function writeFloat(out: Uint8Array, at: number, value: number): number {
  const whole = Math.trunc(value);
  if (whole === value && whole < 1e15 && whole > -1e15 && (whole !== 0 || 1 / whole > 0)) {
    if (whole >= 0) return writeWhole(out, at, whole);
    out[at] = MINUS;
    return writeWhole(out, at + 1, -whole);
  }
  let magnitude = value;
  let position = at;
  if (value < 0) {
    magnitude = -value;
    out[position++] = MINUS;
  }
  if (magnitude >= 1e-5 && magnitude < 1e15) {
    const end = writeFraction(out, position, magnitude);
    if (end > 0) return end;
  }
  return writeAscii(out, at, formatFloat(value));
}

export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** A whole number from 0 up to 10¹⁵. */
export function writeWhole(out: Uint8Array, at: number, value: number): number {
  if (value < 1e8) return writeSmall(out, at, value);
  const high = Math.floor(value / 1e8);
  const middle = writeSmall(out, at, high);
  writeEight(out, middle, value - high * 1e8);
  return middle + 8;
}

/** Below 10⁸, without leading zeros. */
function writeSmall(out: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    out[at] = ZERO + value;
    return at + 1;
  }
  let size = 2;
  for (let limit = 100; value >= limit; limit *= 10) size++;
  let rest = value | 0;
  let position = at + size;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) * 2;
    out[--position] = PAIRS[pair + 1]!;
    out[--position] = PAIRS[pair]!;
    rest = next;
  }
  if (rest >= 10) {
    out[--position] = PAIRS[rest * 2 + 1]!;
    out[--position] = PAIRS[rest * 2]!;
  } else {
    out[--position] = ZERO + rest;
  }
  return at + size;
}

/** Below 10⁸, with leading zeros. */
function writeEight(out: Uint8Array, at: number, value: number): void {
  let rest = value | 0;
  for (let position = at + 6; position >= at; position -= 2) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) * 2;
    out[position] = PAIRS[pair]!;
    out[position + 1] = PAIRS[pair + 1]!;
    rest = next;
  }
}

/** Returns 0, with nothing of use written, where this method cannot tell. */
function writeFraction(out: Uint8Array, at: number, value: number): number {
  const exponent = decimalExponent(value);
  if (exponent < EXPONENT_MIN || exponent > EXPONENT_MAX) return 0;
  const power = POWERS[16 - exponent]!;

  // value · power as an exact sum of two floats.
  const product = value * power;
  let carry = SPLITTER * value;
  const valueHigh = carry - (carry - value);
  const valueLow = value - valueHigh;
  carry = SPLITTER * power;
  const powerHigh = carry - (carry - power);
  const powerLow = power - powerHigh;
  const error =
    valueLow * powerLow -
    (product - valueHigh * powerHigh - valueLow * powerHigh - valueHigh * powerLow);

  let q = Math.floor(product / 1e8);
  let r = product - q * 1e8 + error;
  if (r < 0) {
    q--;
    r += 1e8;
  }
  // 15 digits, then 16, then 17, which always suffice.
  let rounded = Math.floor(r / 100 + 0.5) * 100;
  let closeness = judgeDistance(Math.abs(rounded - r), product, value, power);
  if (closeness === UNSURE) return 0;
  if (closeness === FAR) {
    rounded = Math.floor(r / 10 + 0.5) * 10;
    const distance = Math.abs(rounded - r);
    closeness = judgeDistance(distance, product, value, power);
    // Two neighbours equally near: leave the choice to V8.
    if (closeness === UNSURE || Math.abs(distance - 5) < 1e-3) return 0;
    if (closeness === FAR) {
      rounded = Math.floor(r + 0.5);
      if (Math.abs(Math.abs(rounded - r) - 0.5) < 1e-3) return 0;
    }
  }
  if (rounded >= 1e8) {
    rounded -= 1e8;
    q++;
    if (q >= 1e9) return 0;
  }
  return writeDigits(out, at, q, rounded, exponent);
}

const CLOSE = 0;
const FAR = 1;
const UNSURE = 2;

/**
 * Whether a decimal at `distance` from the scaled value reads back as that value: when it is nearer
 * than half the gap to the next float. That is between 2^-54 and 2^-53 of the value, which mostly
 * tells already.
 */
function judgeDistance(distance: number, product: number, value: number, power: number): number {
  if (distance < product * HALF_GAP_RATIO_MIN) return CLOSE;
  if (distance > product * HALF_GAP_RATIO_MAX) return FAR;
  scratch[0] = value;
  const high = scratchHalves[1]!;
  // Just above a power of two the floats below lie closer than those above.
  if (scratchHalves[0] === 0 && (high & 0xf_ffff) === 0) return UNSURE;
  scratchHalves[0] = 0;
  scratchHalves[1] = (high & 0x7ff0_0000) - (53 << 20);
  const halfGap = scratch[0] * power;
  if (Math.abs(distance - halfGap) < halfGap * 1e-6) return UNSURE;
  return distance < halfGap ? CLOSE : FAR;
}

/** e with 10^e ≤ value < 10^(e+1). */
function decimalExponent(value: number): number {
  if (value >= 1) {
    let exponent = 0;
    while (value >= POWERS[exponent + 1]!) exponent++;
    return exponent;
  }
  let exponent = -1;
  let scaled = value * 10;
  while (scaled < 1) {
    scaled *= 10;
    exponent--;
  }
  return exponent;
}

/** Writes the number with the 17 digits of q (9) and r (8), the first of them at 10^exponent. */
function writeDigits(out: Uint8Array, at: number, q: number, r: number, exponent: number): number {
  let start = at;
  if (exponent < 0) {
    out[start++] = ZERO;
    out[start++] = POINT;
    for (let i = -1; i > exponent; i--) out[start++] = ZERO;
  } else {
    // One place to the right, so that the whole part can move away from the point.
    start++;
  }
  const first = Math.floor(q / 1e8);
  out[start] = ZERO + first;
  writeEight(out, start + 1, q - first * 1e8);
  let end = start + 9;
  if (r !== 0) {
    writeEight(out, end, r);
    end += 8;
  }
  while (out[end - 1] === ZERO) end--;
  if (exponent < 0) return end;
  const point = at + exponent + 1;
  // A whole number may have lost zeros that belong to it.
  while (end <= point) out[end++] = ZERO;
  for (let i = at; i < point; i++) out[i] = out[i + 1]!;
  out[point] = POINT;
  return end === point + 1 ? point : end;
}
