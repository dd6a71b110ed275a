import { formatFloat } from '../../model/index.ts';

/** With `digits` decimals and never an exponent, as `%.3f` prints it: `1.500`, `+Inf`. */
export function formatDecimals(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  if (Math.abs(value) < 1e21) return value.toFixed(digits);
  // toFixed would switch to an exponent; from 2⁵³ on the value is an integer anyway.
  return `${BigInt(value)}.${'0'.repeat(digits)}`;
}
