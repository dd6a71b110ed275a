/**
 * Go's fmt for the values of templates: `%v` and the other verbs, with flags, width and precision.
 * Source: Go package fmt, documentation.
 */
import { quoteText } from '../../../model/index.ts';
import {
  GoDuration,
  GoInt,
  GoStruct,
  GoText,
  GoTime,
  isList,
  isMap,
  sortedKeys,
  typeName,
  type Value,
} from './values.ts';

/** Enough for every tie between two roundings to show. */
const EXACT_DECIMALS = 100;

type Digits = { readonly digits: string; readonly exponent: number };

/** All digits of a finite number above 0, first one not 0; the point stands behind the first. */
function exactDigits(value: number): Digits {
  const [mantissa, exponent] = value.toExponential(EXACT_DECIMALS).split('e');
  return { digits: mantissa!.replace('.', ''), exponent: Number(exponent) };
}

/** To `count` digits, ties to even, as Go does it (JavaScript rounds ties up). */
function rounded(value: number, count: number): Digits {
  if (value === 0) return { digits: '0'.repeat(Math.max(count, 0)), exponent: 0 };
  const { digits, exponent } = exactDigits(value);
  if (count < 0) return { digits: '', exponent };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const isTie = /^50*$/.test(rest);
  const isOdd = count > 0 && Number(kept.at(-1)) % 2 === 1;
  const goesUp = isTie ? isOdd : rest >= '5';
  if (!goesUp) return { digits: kept, exponent };
  const up = String(BigInt(kept === '' ? '0' : kept) + 1n).padStart(count, '0');
  return up.length > count
    ? { digits: count === 0 ? '1' : up.slice(0, count), exponent: exponent + 1 }
    : { digits: up, exponent };
}

function exponentText(exponent: number): string {
  const sign = exponent < 0 ? '-' : '+';
  return `e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function scientific({ digits, exponent }: Digits): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${fraction}${exponentText(exponent)}`;
}

/** With `decimals` digits behind the point. */
function fixed(value: number, decimals: number): string {
  if (value === 0) return decimals > 0 ? `0.${'0'.repeat(decimals)}` : '0';
  const { exponent } = exactDigits(value);
  const { digits, exponent: e } = rounded(value, exponent + 1 + decimals);
  // `digits` ends at the last wanted place.
  const isNothing = digits === '';
  const whole = isNothing ? '0' : `${'0'.repeat(Math.max(0, -e))}${digits}`;
  const all = whole.padEnd(decimals + 1, '0');
  const point = isNothing ? 1 : Math.max(1, e + 1);
  return decimals > 0
    ? `${all.slice(0, point)}.${all.slice(point).padEnd(decimals, '0').slice(0, decimals)}`
    : all.slice(0, point);
}

function shortest(value: number): Digits {
  const [mantissa, exponent] = value.toExponential().split('e');
  return { digits: mantissa!.replace('.', ''), exponent: Number(exponent) };
}

function plain({ digits, exponent }: Digits): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return digits.length > exponent + 1 ? `${whole}.${digits.slice(exponent + 1)}` : whole;
}

/**
 * @param verb  one of e E f F g G
 * @param precision  -1: as many digits as tell the number from others
 */
export function formatGoFloat(value: number, verb: string, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  const text = unsignedFloat(size, verb.toLowerCase(), precision);
  return sign + (verb === 'E' || verb === 'G' ? text.toUpperCase() : text);
}

function unsignedFloat(size: number, verb: string, precision: number): string {
  if (verb === 'f') {
    if (precision >= 0) return fixed(size, precision);
    return size === 0 ? '0' : plain(shortest(size));
  }
  if (verb === 'e') {
    if (precision < 0) return size === 0 ? '0e+00' : scientific(shortest(size));
    return scientific(rounded(size, precision + 1));
  }
  if (size === 0) return '0';
  const isShortest = precision < 0;
  const count = precision === 0 ? 1 : precision;
  const parts = isShortest ? shortest(size) : rounded(size, count);
  const trimmed = { ...parts, digits: parts.digits.replace(/0+$/, '') || '0' };
  const exponentMax = isShortest ? 6 : count;
  const usesExponent = parts.exponent < -4 || parts.exponent >= exponentMax;
  return usesExponent ? scientific(trimmed) : plain(trimmed);
}

/** `%v` */
export function formatValue(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return formatGoFloat(value, 'g', -1);
  if (value instanceof GoInt) return String(value.value);
  if (value instanceof GoText) return value.text;
  if (value instanceof GoTime || value instanceof GoDuration) return value.toString();
  if (value instanceof GoStruct)
    return `{${[...value.fields.values()].map(formatValue).join(' ')}}`;
  if (isMap(value)) {
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${formatValue(value.get(key)!)}`)
      .join(' ')}]`;
  }
  return `[${value.map(formatValue).join(' ')}]`;
}

/** `print`: a space between operands when neither is a text. */
export function sprint(values: readonly Value[]): string {
  let out = '';
  values.forEach((value, index) => {
    const isText = typeof value === 'string';
    if (index > 0 && !isText && typeof values[index - 1] !== 'string') out += ' ';
    out += formatValue(value);
  });
  return out;
}

type Spec = {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  readonly verb: string;
};

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.|$)/gsu;

/** `printf` */
export function sprintf(format: string, values: readonly Value[]): string {
  let next = 0;
  const star = (text: string | undefined): number | null => {
    if (text === undefined) return null;
    if (text !== '*') return Number(text);
    const value = values[next++];
    return value instanceof GoInt ? value.value : 0;
  };
  const out = format.replaceAll(
    VERB,
    (_, flags: string, widthText?: string, precisionText?: string, verb = '') => {
      if (verb === '') return '%!(NOVERB)';
      if (verb === '%') return '%';
      const width = star(widthText) ?? 0;
      const precision = star(precisionText);
      if (next >= values.length) return `%!${verb}(MISSING)`;
      return formatOne({ flags, width, precision, verb }, values[next++]!);
    },
  );
  if (next >= values.length) return out;
  const extra = values.slice(next).map((value) => `${typeName(value)}=${formatValue(value)}`);
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

function formatOne(spec: Spec, value: Value): string {
  const text = verbText(spec, value);
  if (text === null) {
    return `%!${spec.verb}(${value === null ? '<nil>' : `${typeName(value)}=${formatValue(value)}`})`;
  }
  return pad(text, spec, typeof value === 'number' || value instanceof GoInt);
}

function pad(text: string, { flags, width }: Spec, isNumber: boolean): string {
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !/^[-+ ]?[\d.]/.test(text)) return ' '.repeat(missing) + text;
  const sign = isNumber && /^[-+ ]/.test(text) ? text[0]! : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

/** Null when the verb is not for such a value. */
function verbText({ flags, precision, verb }: Spec, value: Value): string | null {
  const signed = (text: string) => {
    if (/^[-+]/.test(text))
      return text.startsWith('+') && !flags.includes('+') && text !== '+Inf' ? text.slice(1) : text;
    if (flags.includes('+')) return `+${text}`;
    return flags.includes(' ') ? ` ${text}` : text;
  };
  if (verb === 'T') return typeName(value);
  if (typeof value === 'number') {
    if (verb === 'v') return signed(formatGoFloat(value, 'g', precision ?? -1));
    if (!/^[eEfFgG]$/.test(verb)) return null;
    const digits = precision ?? (/[gG]/.test(verb) ? -1 : 6);
    return signed(formatGoFloat(value, verb, digits));
  }
  if (value instanceof GoInt) return intText(verb, value.value, flags, signed);
  if (typeof value === 'boolean') return verb === 't' || verb === 'v' ? String(value) : null;
  if (value === null) return verb === 'v' ? '<nil>' : null;
  if (verb === 'v' && typeof value !== 'string') return formatValue(value);
  const isScalarText =
    typeof value === 'string' ||
    value instanceof GoText ||
    value instanceof GoTime ||
    value instanceof GoDuration;
  if (isScalarText) return stringText(verb, formatValue(value), precision, flags);
  // Lists, maps and structs: the verb is for what they hold.
  const inner = (item: Value) => formatOne({ flags, width: 0, precision, verb }, item);
  if (isList(value)) return `[${value.map(inner).join(' ')}]`;
  if (value instanceof GoStruct) return `{${[...value.fields.values()].map(inner).join(' ')}}`;
  const pairs = sortedKeys(value).map((key) => `${inner(key)}:${inner(value.get(key)!)}`);
  return `map[${pairs.join(' ')}]`;
}

function intText(
  verb: string,
  value: number,
  flags: string,
  signed: (text: string) => string,
): string | null {
  const prefixed = (prefix: string, text: string) =>
    flags.includes('#') ? text.replace(/^-?/, (sign) => sign + prefix) : text;
  switch (verb) {
    case 'd':
    case 'v':
      return signed(String(value));
    case 'x':
      return prefixed('0x', value.toString(16));
    case 'X':
      return prefixed('0X', value.toString(16).toUpperCase());
    case 'o':
      return prefixed('0', value.toString(8));
    case 'b':
      return value.toString(2);
    case 'c':
      return String.fromCodePoint(value);
    case 'q':
      return `'${String.fromCodePoint(value)}'`;
    case 'U':
      return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    default:
      return null;
  }
}

function stringText(
  verb: string,
  text: string,
  precision: number | null,
  flags: string,
): string | null {
  const cut = precision === null ? text : Array.from(text).slice(0, precision).join('');
  switch (verb) {
    case 's':
    case 'v':
      return cut;
    case 'q':
      return flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : quoteText(cut);
    case 'x':
      return Buffer.from(cut).toString('hex');
    case 'X':
      return Buffer.from(cut).toString('hex').toUpperCase();
    default:
      return null;
  }
}
