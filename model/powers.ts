/**
 * Powers and logarithms to the last bit that Prometheus shows. JavaScript's own are as good, but
 * round differently, and a number may become the text of a label.
 * Found by comparing thousands of answers with Prometheus 3.14.
 */
import { fromBits, highBits, lowBits } from './value.ts';

const EXPONENT_SHIFT = 20;
const EXPONENT_MASK = 0x7ff;
/** Exponent field of floats in [0.5, 1). */
const HALF_EXPONENT = 1022;
const NORMAL_MIN = 2.2250738585072014e-308;

/** value = mantissa · 2^exponent with a mantissa in [0.5, 1). Positive and finite values only. */
function split(value: number): { mantissa: number; exponent: number } {
  const scale = value < NORMAL_MIN ? 64 : 0;
  const scaled = value * 2 ** scale;
  const high = highBits(scaled);
  const field = (high >>> EXPONENT_SHIFT) & EXPONENT_MASK;
  const mantissaHigh = (high & 0x800f_ffff) | (HALF_EXPONENT << EXPONENT_SHIFT);
  return {
    mantissa: fromBits(mantissaHigh >>> 0, lowBits(scaled)),
    exponent: field - HALF_EXPONENT - scale,
  };
}

/** Exact for powers of two. */
export function log2(value: number): number {
  if (!(value > 0) || value === Infinity) return Math.log2(value);
  const { mantissa, exponent } = split(value);
  if (mantissa === 0.5) return exponent - 1;
  return exponent + Math.log(mantissa) * (1 / Math.LN2);
}

const LN2_HIGH = 0.69314718036912381649;
const LN2_LOW = 1.90821492927058770002e-10;
/** Of the rational approximation of exp near 0. */
const EXP_TERMS = [
  1.66666666666666657415e-1, -2.77777777770155933842e-3, 6.61375632143793436117e-5,
  -1.6533902205465251539e-6, 4.13813679705723846039e-8,
] as const;

/**
 * 2^exponent, by the method of fdlibm's exp with ln 2 in two parts.
 * Source: "The Freely Distributable C Math Library", e_exp.c.
 */
export function exp2(exponent: number): number {
  // Beyond, the scale is not an ordinary power of two.
  if (!(Math.abs(exponent) < 1000)) return 2 ** exponent;
  const scale = Math.trunc(exponent > 0 ? exponent + 0.5 : exponent - 0.5);
  const rest = exponent - scale;
  const high = rest * LN2_HIGH;
  const low = -rest * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const [p1, p2, p3, p4, p5] = EXP_TERMS;
  const c = r - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))));
  return (1 - (low - (r * c) / (2 - c) - high)) * 2 ** scale;
}

export function log10(value: number): number {
  return Math.log(value) * Math.LOG10E;
}

/**
 * base^exponent: the whole part of the exponent by squaring, with the scale kept apart; the rest
 * through the logarithm. 1 to any power is 1, and so is -1 to an infinite one.
 */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1;
  const isOrdinary = base > 0 && base !== Infinity && Math.abs(exponent) < 2 ** 53;
  if (!isOrdinary || exponent === 0) return specialPower(base, exponent);
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent === -0.5) return 1 / Math.sqrt(base);
  let whole = Math.floor(Math.abs(exponent));
  let rest = Math.abs(exponent) - whole;
  let result = 1;
  if (rest > 0) {
    if (rest > 0.5) {
      rest--;
      whole++;
    }
    result = Math.exp(rest * Math.log(base));
  }
  let { mantissa, exponent: scale } = split(base);
  let resultScale = 0;
  for (; whole > 0; whole = Math.floor(whole / 2)) {
    if (Math.abs(scale) > 4096) return base ** exponent;
    if (whole % 2 === 1) {
      result *= mantissa;
      resultScale += scale;
    }
    mantissa *= mantissa;
    scale *= 2;
    if (mantissa < 0.5) {
      mantissa *= 2;
      scale--;
    }
  }
  if (exponent < 0) {
    result = 1 / result;
    resultScale = -resultScale;
  }
  if (Math.abs(resultScale) > 1000) return base ** exponent;
  return result * 2 ** resultScale;
}

/** Negative whole bases are positive ones with a sign; the rest is as IEEE 754 has it. */
function specialPower(base: number, exponent: number): number {
  if (
    base < 0 &&
    base !== -Infinity &&
    Number.isInteger(exponent) &&
    Math.abs(exponent) < 2 ** 53
  ) {
    const magnitude = power(-base, exponent);
    return exponent % 2 === 0 ? magnitude : -magnitude;
  }
  return base ** exponent;
}
