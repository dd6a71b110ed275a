/**
 * Numbers from bytes, exactly: what `Number(text)` gives, without making a text.
 *
 * Up to 15 digits fit a double as they are, and powers of ten up to 10²² too, so one multiplication
 * or division rounds once and correctly. Up to 19 digits (what programs print that want every bit
 * back) are carried as a sum of two doubles; the rare result that lies too close to the middle
 * between two doubles to be sure of, and everything longer, goes through text.
 * Source: W. D. Clinger, "How to read floating point numbers accurately"; T. J. Dekker,
 * "A floating-point technique for extending the available precision".
 */
import { parseFloatText } from '../../model/index.ts';

/** 10⁰ … 10²², all exact. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const DIGITS_MAX = 19;
const HEAD_DIGITS = 15;
const latin1 = new TextDecoder('latin1');

/** The bytes are not a number, or one that no double can hold. */
export const NOT_A_NUMBER = 'invalid syntax';
export const OUT_OF_RANGE = 'value out of range';

/**
 * The number that `bytes[start…end)` spell, in any way Go reads; ordinary NaN for `NaN`.
 * Hexadecimal numbers and underscores are not allowed in expositions.
 * @returns a text when it fails: {@link NOT_A_NUMBER} or {@link OUT_OF_RANGE}
 */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number | string {
  const fast = parseDecimal(bytes, start, end);
  if (fast === fast) return fast;
  const text = latin1.decode(bytes.subarray(start, end));
  if (/^[+-]nan$|0x/i.test(text)) return NOT_A_NUMBER;
  const value = parseFloatText(text);
  if (value === undefined) return NOT_A_NUMBER;
  return Math.abs(value) === Infinity && /\d/.test(text) ? OUT_OF_RANGE : value;
}

/**
 * A plain decimal number with at most 19 significant digits.
 * @returns NaN when the bytes are anything else, or when the rounding cannot be told
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let byte = bytes[at]!;
  const negative = byte === 0x2d;
  if (negative || byte === 0x2b) at++;

  /** The first 15 digits, then up to 4 more; both exact. */
  let head = 0;
  let tail = 0;
  let digitCount = 0;
  let exponent = 0;
  let sawDigit = false;
  let sawPoint = false;
  for (; at < end; at++) {
    byte = bytes[at]!;
    if (byte === 0x2e) {
      if (sawPoint) return NaN;
      sawPoint = true;
      continue;
    }
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9) break;
    sawDigit = true;
    if (sawPoint) exponent--;
    if (digitCount === 0 && digit === 0) continue; // leading zeros are not significant
    if (digitCount < HEAD_DIGITS) head = head * 10 + digit;
    else if (digitCount < DIGITS_MAX) tail = tail * 10 + digit;
    else return NaN;
    digitCount++;
  }
  if (!sawDigit) return NaN;
  if (at < end) {
    if (byte !== 0x65 && byte !== 0x45) return NaN;
    at++;
    const sign = bytes[at]!;
    if (sign === 0x2d || sign === 0x2b) at++;
    if (at >= end || end - at > 3) return NaN;
    let written = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return NaN;
      written = written * 10 + digit;
    }
    exponent += sign === 0x2d ? -written : written;
  }

  let magnitude: number;
  if (digitCount === 0) magnitude = 0;
  else if (digitCount <= HEAD_DIGITS) magnitude = scale(head, exponent);
  else magnitude = scaleLong(head, tail, digitCount - HEAD_DIGITS, exponent);
  return negative ? -magnitude : magnitude;
}

function scale(digits: number, exponent: number): number {
  if (exponent === 0) return digits;
  if (exponent < 0) return exponent >= -22 ? digits / POWERS_OF_TEN[-exponent]! : NaN;
  return exponent <= 22 ? digits * POWERS_OF_TEN[exponent]! : NaN;
}

/** (head · 10^tailDigits + tail) · 10^exponent, or NaN when the rounding is not certain. */
function scaleLong(head: number, tail: number, tailDigits: number, exponent: number): number {
  if (exponent < -22 || exponent > 22) return NaN;
  // The digits as high + low, exactly: every product below stays within 53 bits.
  const power = POWERS_OF_TEN[tailDigits]!;
  const headHigh = Math.floor(head / 0x400_0000);
  const headLow = head - headHigh * 0x400_0000;
  const big = headHigh * power * 0x400_0000;
  const small = headLow * power + tail;
  const high = big + small;
  const low = small - (high - big);

  let result: number;
  let rest: number;
  const scaleBy = POWERS_OF_TEN[Math.abs(exponent)]!;
  if (exponent < 0) {
    result = high / scaleBy;
    const product = result * scaleBy;
    rest = (high - product - productError(result, scaleBy, product) + low) / scaleBy;
  } else {
    result = high * scaleBy;
    rest = productError(high, scaleBy, result) + low * scaleBy;
  }
  // `rest` is known to about 2^-100 of the result. Where that decides, somebody else must.
  const doubt = result * 2 ** -97;
  const rounded = result + (rest - doubt);
  return rounded === result + (rest + doubt) ? rounded : NaN;
}

/** a·b - product, exactly, where `product` is the rounded a·b. */
function productError(a: number, b: number, product: number): number {
  const SPLITTER = 0x800_0001; // 2²⁷ + 1
  const aScaled = a * SPLITTER;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLITTER;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
