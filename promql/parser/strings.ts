/**
 * String literals: "…" and '…' with Go's escapes, `…` without any.
 *
 * Escapes can produce bytes that are not UTF-8 (`"\xff"`). JavaScript text cannot hold such a byte,
 * so it becomes the lone surrogate U+DC00 + byte, which no valid text contains; `quoteText` prints
 * it as the byte it stands for, and encoding it gives U+FFFD, which is what Prometheus's JSON has.
 * Source: Prometheus querying basics, Go specification "String literals".
 */
import { MalformedError } from './errors.ts';

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
/** Digits and base of the numeric escapes; octal ones have no letter. */
const NUMERIC_ESCAPES: Readonly<Record<string, readonly [digitCount: number, base: number]>> = {
  x: [2, 16],
  u: [4, 16],
  U: [8, 16],
};

/** `end` is just behind the closing quote. */
type StringScan = { readonly value: string; readonly end: number };

/**
 * Reads the literal whose opening quote is at `start`.
 * @throws MalformedError when it is not terminated or has a wrong escape
 */
export function scanString(text: string, start: number): StringScan {
  const quote = text[start]!;
  if (quote === '`') return scanRawString(text, start);
  let value = '';
  let copied = start + 1;
  let at = start + 1;
  let bytes: number[] = [];
  for (;;) {
    const char = text[at];
    if (char === undefined || char === '\n') throw new MalformedError('unterminated quoted string');
    if (char === '\ufffd') throw new MalformedError('invalid UTF-8 rune');
    if (char === quote) break;
    if (char !== '\\') {
      at++;
      continue;
    }
    if (copied < at) {
      value += decodeBytes(bytes) + text.slice(copied, at);
      bytes = [];
    }
    const escape = scanEscape(text, at + 1, quote);
    at = copied = escape.end;
    if (escape.isByte) {
      bytes.push(escape.code);
    } else {
      value += decodeBytes(bytes) + String.fromCodePoint(escape.code);
      bytes = [];
    }
  }
  return { value: value + decodeBytes(bytes) + text.slice(copied, at), end: at + 1 };
}

function scanRawString(text: string, start: number): StringScan {
  const end = text.indexOf('`', start + 1);
  const value = text.slice(start + 1, end < 0 ? undefined : end);
  if (value.includes('\ufffd')) throw new MalformedError('invalid UTF-8 rune');
  if (end < 0) throw new MalformedError('unterminated raw string');
  return { value, end: end + 1 };
}

type EscapeScan = { readonly code: number; readonly isByte: boolean; readonly end: number };

/** `at` is behind the backslash. */
function scanEscape(text: string, at: number, quote: string): EscapeScan {
  const char = characterAt(text, at);
  if (char === undefined) throw new MalformedError('escape sequence not terminated');
  const simple = char === quote ? quote : SIMPLE_ESCAPES[char];
  if (simple !== undefined) return { code: simple.charCodeAt(0), isByte: false, end: at + 1 };

  const isOctal = char >= '0' && char <= '7';
  const numeric = isOctal ? ([3, 8] as const) : NUMERIC_ESCAPES[char];
  if (numeric === undefined) {
    throw new MalformedError(`unknown escape sequence ${describeCharacter(char)}`);
  }
  const [digitCount, base] = numeric;
  let end = isOctal ? at : at + 1;
  let code = 0;
  for (let i = 0; i < digitCount; i++) {
    const digit = characterAt(text, end);
    if (digit === undefined) throw new MalformedError('escape sequence not terminated');
    const value = /^[0-9a-fA-F]$/.test(digit) ? Number.parseInt(digit, 16) : base;
    if (value >= base) {
      const what = describeCharacter(digit);
      throw new MalformedError(`illegal character ${what} in escape sequence`);
    }
    code = code * base + value;
    end++;
  }
  const isByte = isOctal || char === 'x';
  const isInvalid = isByte ? code > 0xff : code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
  if (isInvalid) throw new MalformedError('escape sequence is an invalid Unicode code point');
  return { code, isByte: isByte && code >= 0x80, end };
}

function characterAt(text: string, at: number): string | undefined {
  const code = text.codePointAt(at);
  return code === undefined ? undefined : String.fromCodePoint(code);
}

/** `U+007A 'z'`; the character itself only when it can be printed. */
function describeCharacter(char: string): string {
  const hex = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char) ? `U+${hex} '${char}'` : `U+${hex}`;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 where it is valid; every other byte as its surrogate. */
function decodeBytes(bytes: readonly number[]): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i]!;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      text += strictUtf8.decode(Uint8Array.from(bytes.slice(i, i + length)));
      i += length;
    } catch {
      text += String.fromCharCode(0xdc00 + lead);
      i++;
    }
  }
  return text;
}

/** A character in single quotes, as error texts show it. */
export function quoteCharacter(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  const code = char.codePointAt(0)!;
  const named = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 92: '\\' }[code];
  if (named !== undefined) return `'\\${named}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) return `'${char}'`;
  if (code > 0xffff) return `'\\U${code.toString(16).padStart(8, '0')}'`;
  return `'\\u${code.toString(16).padStart(4, '0')}'`;
}
