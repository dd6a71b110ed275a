/**
 * Float64 to text and back, as Prometheus does it (Go's strconv underneath).
 *
 * Three forms are in use: the API's ({@link formatFloat}), one that never shows an exponent
 * ({@link formatFloatPlain}: PromQL literals, count_values labels), and the one of exposition
 * formats and `le` labels ({@link formatFloatShort}: exponent from 1e+06 up and below 1e-04).
 */
import { ValueError } from './errors.ts';

/** As in API answers: `1`, `0.5`, `1e+21`, `1e-07`, `-0`, `NaN`, `+Inf`, `-Inf`. */
export function formatFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  // JavaScript switches to exponents where this format does, which gives them two digits.
  const text = String(value);
  return text.at(-3) === 'e' ? `${text.slice(0, -1)}0${text.at(-1)!}` : text;
}

/** Shortest digits that read back the same, never with an exponent. */
export function formatFloatPlain(value: number): string {
  const text = formatFloat(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign, first, rest = '', exponentText] = parts;
  const digits = first! + rest;
  const exponent = Number(exponentText);
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return sign! + digits.padEnd(exponent + 1, '0');
}

/** Shortest digits; exponent of at least two digits when it is below -4 or at least `largeExponent`. */
export function formatFloatShort(value: number, largeExponent = 6): string {
  if (value === 0 || !Number.isFinite(value)) return formatFloat(value);
  const parts = /^(-?\d(?:\.\d+)?)e([+-])(\d+)$/.exec(value.toExponential())!;
  const [, mantissa, sign, digits] = parts;
  const exponent = Number(sign + digits!);
  if (exponent >= -4 && exponent < largeExponent) return formatFloatPlain(value);
  return `${mantissa}e${sign}${digits!.padStart(2, '0')}`;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX_FLOAT =
  /^([+-]?)0[xX](?:([0-9a-fA-F]+)\.?([0-9a-fA-F]*)|\.([0-9a-fA-F]+))[pP]([+-]?\d+)$/;
const HEX_INTEGER = /^([+-]?)0[xX]([0-9a-fA-F]+)$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads a float as Go does: decimal, hexadecimal, `Inf`, `NaN` in any case; no white space.
 * @returns undefined when the text is none
 */
export function parseFloatText(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  if (/^nan$/i.test(text)) return NaN;
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const integer = HEX_INTEGER.exec(text);
  if (integer !== null) return (integer[1] === '-' ? -1 : 1) * Number(`0x${integer[2]}`);
  const hex = HEX_FLOAT.exec(text);
  if (hex === null) return undefined;
  const whole = hex[2] ?? '';
  const fraction = hex[3] || hex[4] || '';
  // Up to 13 hexadecimal digits are exact in a float64; more are cut, as rarely as they are written.
  const digits = (whole + fraction).slice(0, 13 + whole.length);
  const shift = Number(hex[5]) - 4 * (digits.length - whole.length);
  return (hex[1] === '-' ? -1 : 1) * Number(`0x${digits}`) * 2 ** shift;
}

/** {@link parseFloatText}, but malformed text is an error. */
export function requireFloat(text: string): number {
  const value = parseFloatText(text);
  if (value === undefined) throw new ValueError(`not a number: ${JSON.stringify(text)}`);
  return value;
}
