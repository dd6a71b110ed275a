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
 * is very large or small, V8 decides. What has few decimals, as most gauges do, is seen at once.
 *
 * Digits are stored four at a time: every writer takes the bytes and a view of the same memory.
 */
import { assert, formatFloat } from '../../model/index.ts';

assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'a little-endian machine is required');

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
/** `0000` … `9999`, each as one little-endian word. */
const QUADS = digitQuads();
/** Up to six decimals are tried first; with those the scaled value stays below 10¹⁵. */
const DECIMALS_SCALE = 1e6;
const FEW_DECIMALS_MAX = 1e9;
/** More than any float needs: sign, 17 digits, point, exponent. */
export const FLOAT_SIZE_MAX = 32;

const scratch = new Float64Array(1);
const scratchHalves = new Uint32Array(scratch.buffer);

function digitQuads(): Uint32Array {
  const quads = new Uint32Array(10_000);
  for (let i = 0; i < quads.length; i++) {
    const thousands = Math.floor(i / 1000);
    const hundreds = Math.floor(i / 100) % 10;
    const tens = Math.floor(i / 10) % 10;
    quads[i] = 0x30303030 + thousands + (hundreds << 8) + (tens << 16) + ((i % 10) << 24);
  }
  return quads;
}

/**
 * Writes `value` as the query API shows it, at `at`; returns the offset just past it. `out` must
 * have room for FLOAT_SIZE_MAX bytes.
 */
export function writeFloat(out: Uint8Array, view: DataView, at: number, value: number): number {
  const whole = Math.trunc(value);
  if (whole === value && whole < 1e15 && whole > -1e15 && (whole !== 0 || 1 / whole > 0)) {
    if (whole >= 0) return writeWhole(out, view, at, whole);
    out[at] = MINUS;
    return writeWhole(out, view, at + 1, -whole);
  }
  let magnitude = value;
  let position = at;
  if (value < 0) {
    magnitude = -value;
    out[position++] = MINUS;
  }
  if (magnitude >= 1e-5 && magnitude < 1e15) {
    // Dividing whole numbers rounds as reading a decimal does, and of two decimals with at most 15
    // digits only one can read back as the value.
    const scaled = Math.round(magnitude * DECIMALS_SCALE);
    if (scaled / DECIMALS_SCALE === magnitude && magnitude < FEW_DECIMALS_MAX) {
      return writeDecimals(out, view, position, scaled);
    }
    const end = writeFraction(out, view, position, magnitude);
    if (end > 0) return end;
  }
  return writeAscii(out, at, formatFloat(value));
}

export function writeAscii(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** A whole number from 0 up to 10¹⁵. */
export function writeWhole(out: Uint8Array, view: DataView, at: number, value: number): number {
  if (value < 1e8) return writeSmall(out, view, at, value | 0);
  const high = Math.floor(value / 1e8);
  const middle = writeSmall(out, view, at, high);
  writeEight(view, middle, value - high * 1e8);
  return middle + 8;
}

/** Below 10⁸, without leading zeros. */
function writeSmall(out: Uint8Array, view: DataView, at: number, value: number): number {
  if (value < 10_000) return writeQuad(out, view, at, value);
  const high = (value / 10_000) | 0;
  const end = writeQuad(out, view, at, high);
  view.setUint32(end, QUADS[value - high * 10_000]!, true);
  return end + 4;
}

/** Below 10⁴, without leading zeros. */
function writeQuad(out: Uint8Array, view: DataView, at: number, value: number): number {
  if (value < 10) {
    out[at] = ZERO + value;
    return at + 1;
  }
  const zeros = value < 100 ? 2 : value < 1000 ? 1 : 0;
  view.setUint32(at, QUADS[value]! >>> (zeros * 8), true);
  return at + 4 - zeros;
}

/** Below 10⁸, with leading zeros. */
function writeEight(view: DataView, at: number, value: number): void {
  const rest = value | 0;
  const high = (rest / 10_000) | 0;
  view.setUint32(at, QUADS[high]!, true);
  view.setUint32(at + 4, QUADS[rest - high * 10_000]!, true);
}

/** `scaled` millionths, of which not all are a whole number. */
function writeDecimals(out: Uint8Array, view: DataView, at: number, scaled: number): number {
  const whole = Math.floor(scaled / DECIMALS_SCALE);
  let end = writeWhole(out, view, at, whole);
  out[end++] = POINT;
  writeEight(view, end, (scaled - whole * DECIMALS_SCALE) * 100);
  end += 6;
  while (out[end - 1] === ZERO) end--;
  return end;
}

/** Returns 0, with nothing of use written, where this method cannot tell. */
function writeFraction(out: Uint8Array, view: DataView, at: number, value: number): number {
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
  return writeDigits(out, view, at, q, rounded, exponent);
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
function writeDigits(
  out: Uint8Array,
  view: DataView,
  at: number,
  q: number,
  r: number,
  exponent: number,
): number {
  let start = at;
  if (exponent < 0) {
    out[start++] = ZERO;
    out[start++] = POINT;
    for (let i = -1; i > exponent; i--) out[start++] = ZERO;
  } else {
    // One place to the right, so that the whole part can move away from the point.
    start++;
  }
  const first = (q / 1e8) | 0;
  out[start] = ZERO + first;
  writeEight(view, start + 1, q - first * 1e8);
  let end = start + 9;
  if (r !== 0) {
    writeEight(view, end, r);
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
