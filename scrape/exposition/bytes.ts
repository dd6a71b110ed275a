/** Bytes that mean something in the text formats. */

/** Stands for "none" where a byte is asked for. */
export const NO_BYTE = -1;
export const NUL = 0x00;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const DIGIT_ZERO = 0x30;
export const EQUAL = 0x3d;
export const BACKSLASH = 0x5c;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;

const NAME_START = 1;
const NAME_REST = 2;
const COLON = 4;
const CLASSES = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const char = String.fromCharCode(byte);
  if (/[a-zA-Z_]/.test(char)) CLASSES[byte] = NAME_START | NAME_REST;
  else if (/[0-9]/.test(char)) CLASSES[byte] = NAME_REST;
  else if (char === ':') CLASSES[byte] = COLON;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Just past the label name at `at`; `at` itself where none starts. */
export function labelNameEnd(bytes: Uint8Array, at: number): number {
  if ((CLASSES[bytes[at]!]! & NAME_START) === 0) return at;
  do at++;
  while ((CLASSES[bytes[at]!]! & NAME_REST) !== 0);
  return at;
}

/** Just past the metric name at `at`, colons allowed; `at` itself where none starts. */
export function metricNameEnd(bytes: Uint8Array, at: number): number {
  if ((CLASSES[bytes[at]!]! & (NAME_START | COLON)) === 0) return at;
  do at++;
  while ((CLASSES[bytes[at]!]! & (NAME_REST | COLON)) !== 0);
  return at;
}

/** Past spaces and tabs. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  return at;
}

/**
 * Just past the closing quote of the string whose opening quote is at `at`, or -1 - i where i is
 * the byte at which it cannot go on. `forbidden` names a byte that must not occur in it; a backslash
 * may never stand before a newline.
 */
export function quotedEnd(bytes: Uint8Array, at: number, end: number, forbidden: number): number {
  for (let i = at + 1; i < end; i++) {
    if (bytes[i] === QUOTE) return i + 1;
    if (bytes[i] === BACKSLASH && bytes[++i] === NEWLINE) return -1 - Math.min(i, end);
    if (bytes[i] === forbidden && i < end) return -1 - i;
  }
  return -1 - end;
}
