/**
 * Number and duration literals: where they end, and what they are worth.
 * Source: PromQL documentation "Float literals and time durations"; the odd corners (which half
 * numbers are refused, and how far the refused text reaches) were observed on Prometheus 3.14.
 */
import { messageOf, parseDuration, ValueError } from '../../model/index.ts';
import { MalformedError } from './errors.ts';

// `0`, a dot and a digit open a number; then come digits, lone underscores between digits, at most
// one dot and at most one exponent. An exponent or underscore may not be the last of the text.
const UNDERSCORE = '_(?![._eE]|$)';
const EXPONENT = '[eE](?:[+-](?![._eE]|$)|(?![-+._eE]|$))';
const DIGITS = `(?:\\d+|${UNDERSCORE})*`;
const DOT = '\\.(?![_.])';
const DECIMAL = new RegExp(
  `0?\\.?\\d?${DIGITS}(?:${DOT}${DIGITS}(?:${EXPONENT}${DIGITS})?` +
    `|${EXPONENT}${DIGITS}(?:${DOT}${DIGITS})?)?`,
  'y',
);
// An `e` behind a hexadecimal digit is taken for an exponent: `0xe` and `0x1e1` are fine, `0x1e`
// is not. A quirk of Prometheus that queries may rely on no less than that they may stumble over.
const HEX_DIGITS = `(?:[0-9a-dA-DfF][0-9a-fA-F]*|${UNDERSCORE})*`;
const HEXADECIMAL = new RegExp(
  `0[xX]_?\\.?[0-9a-fA-F]?${HEX_DIGITS}(?:${EXPONENT}${HEX_DIGITS})?`,
  'y',
);
/** What stopped the number, as far as a refusal quotes it. */
const REFUSED_PART = /\.[_.]?|[eE][+-]?[._eE]?|_[._eE]?/y;
const DURATION_TAIL = /[smhdwy]s?(?:\d+[smhdw]s?)*/y;
const MORE_DIGITS = /\d+/y;
const WORD = /[a-zA-Z0-9_]/;

type NumberScan = { readonly kind: 'Number' | 'Duration'; readonly end: number };

/**
 * Finds the end of the number or duration at `start`.
 * @throws MalformedError when it is neither
 */
export function scanNumber(text: string, start: number): NumberScan {
  const x = text.charCodeAt(start + 1) | 0x20;
  const isHex = text.charCodeAt(start) === 0x30 && x === 0x78;
  const pattern = isHex ? HEXADECIMAL : DECIMAL;
  let end = match(pattern, text, start);
  const refusedEnd = refusedPartEnd(text, start, end, isHex);
  if (refusedEnd === end && !isWordAt(text, end)) return { kind: 'Number', end };

  end = refusedEnd;
  const tailEnd = match(DURATION_TAIL, text, end);
  if (tailEnd > end) {
    const digitsEnd = match(MORE_DIGITS, text, tailEnd);
    if (digitsEnd === tailEnd && !isWordAt(text, tailEnd))
      return { kind: 'Duration', end: tailEnd };
    end = digitsEnd > tailEnd ? digitsEnd : tailEnd + 1;
  }
  const quoted = JSON.stringify(text.slice(start, end));
  throw new MalformedError(`bad number or duration syntax: ${quoted}`);
}

function refusedPartEnd(text: string, start: number, end: number, isHex: boolean): number {
  const next = text[end];
  if (next !== '.' && next !== '_' && next !== 'e' && next !== 'E') return end;
  const body = text.slice(start, end).replace(/^0?\.?/, '');
  // A second dot or exponent is refused at once, without a look at what follows it.
  const isRepeated = next === '.' ? body.includes('.') : next !== '_' && /e/i.test(body);
  if (isRepeated && !isHex) return end + 1;
  return match(REFUSED_PART, text, end);
}

/** The end of a sticky match, or `at` when there is none. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function isWordAt(text: string, at: number): boolean {
  return at < text.length && WORD.test(text[at]!);
}

const INTEGER_MAX = 2n ** 63n - 1n;
const DECIMAL_FLOAT = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const PLAIN_INTEGER = /^[1-9]\d{0,14}$|^0$/;

/**
 * The value of a number literal as {@link scanNumber} delimits it.
 * @throws MalformedError with the words of Prometheus (Go's strconv underneath)
 */
export function parseNumber(image: string): number {
  if (PLAIN_INTEGER.test(image)) return Number(image);
  const lower = image.toLowerCase();
  if (lower === 'inf') return Infinity;
  if (lower === 'nan') return NaN;
  const integer = parseInteger(lower);
  if (integer !== undefined) return integer;
  const plain = image.replace(/(?<=\d)_(?=\d)/g, '');
  const failed = (why: string) =>
    new MalformedError(
      `error parsing number: strconv.ParseFloat: parsing ${JSON.stringify(image)}: ${why}`,
    );
  if (!DECIMAL_FLOAT.test(plain)) throw failed('invalid syntax');
  const value = Number(plain);
  if (value === Infinity) throw failed('value out of range');
  return value;
}

/** Hexadecimal and, with a leading zero, octal integers up to 2⁶³ − 1. */
function parseInteger(lower: string): number | undefined {
  const isHex = /^0x(?:_?[0-9a-f])+$/.test(lower);
  if (!isHex && !/^0(?:_?[0-7])+$/.test(lower)) return undefined;
  const digits = lower.replaceAll('_', '');
  const value = BigInt(isHex ? digits : `0o${digits.slice(1)}`);
  return value > INTEGER_MAX ? undefined : Number(value);
}

/**
 * Seconds of a duration literal such as `1h30m`.
 * @throws MalformedError with the words of Prometheus
 */
export function parseDurationSeconds(image: string): number {
  try {
    const durationMs = parseDuration(image);
    const wholeSeconds = Math.floor(durationMs / 1000);
    return wholeSeconds + ((durationMs % 1000) * 1e6) / 1e9;
  } catch (error) {
    if (error instanceof ValueError) throw new MalformedError(messageOf(error), { cause: error });
    throw error;
  }
}
