/**
 * Names for readers that know only the legacy character set. Each scheme rewrites what such a
 * reader could not parse; `allow-utf-8` leaves everything and quotes it where it must.
 * Source: Prometheus content negotiation documentation; the outcomes were compared with 3.14.
 */
import { isLegacyLabelName, isLegacyMetricName } from '../../model/index.ts';

export const ESCAPING_SCHEMES = ['underscores', 'dots', 'values', 'allow-utf-8'] as const;
export type EscapingScheme = (typeof ESCAPING_SCHEMES)[number];

/** Begins a name that {@link unescapeName} reads back. */
export const VALUES_PREFIX = 'U__';

const LEGACY_CHARACTER = /[a-zA-Z0-9_:]/;

export function escapeMetricName(name: string, scheme: EscapingScheme): string {
  return escapeName(name, scheme, isLegacyMetricName(name));
}

/** A colon is no legacy character of a label name, but it is left alone in an escaped one. */
export function escapeLabelName(name: string, scheme: EscapingScheme): string {
  return escapeName(name, scheme, isLegacyLabelName(name));
}

function escapeName(name: string, scheme: EscapingScheme, isLegacy: boolean): string {
  if (scheme === 'allow-utf-8' || name === '') return name;
  // The dots scheme doubles underscores of every name, so that it can be undone.
  if (isLegacy && (scheme !== 'dots' || !name.includes('_'))) return name;
  let escaped = scheme === 'values' ? VALUES_PREFIX : '';
  let isFirst = true;
  for (const char of name) {
    escaped += escapeCharacter(char, scheme, isFirst);
    isFirst = false;
  }
  return escaped;
}

function escapeCharacter(char: string, scheme: EscapingScheme, isFirst: boolean): string {
  const isDigitUpFront = isFirst && char >= '0' && char <= '9';
  const fits = LEGACY_CHARACTER.test(char) && !(isDigitUpFront && scheme !== 'values');
  switch (scheme) {
    case 'values':
      if (char === '_') return '__';
      return fits ? char : `_${char.codePointAt(0)!.toString(16)}_`;
    case 'dots':
      if (char === '_') return '__';
      if (char === '.') return '_dot_';
      return fits ? char : '__';
    case 'underscores':
    case 'allow-utf-8':
      return fits ? char : '_';
  }
}

/**
 * The name behind one that was escaped by the values scheme. Text that is no such name, or a
 * malformed one, is returned as it is.
 */
export function unescapeName(text: string): string {
  if (!text.startsWith(VALUES_PREFIX)) return text;
  let name = '';
  let rest = text.slice(VALUES_PREFIX.length);
  while (rest !== '') {
    const match = /^(?:([^_])|(__)|_([0-9a-fA-F]{1,6})_)/.exec(rest);
    if (match === null) return text;
    const [whole, plain, underscore, hex] = match;
    if (plain !== undefined) name += plain;
    if (underscore !== undefined) name += '_';
    if (hex !== undefined) {
      const codePoint = Number.parseInt(hex, 16);
      if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return text;
      name += String.fromCodePoint(codePoint);
    }
    rest = rest.slice(whole.length);
  }
  return name;
}
