/**
 * The scalar types of the configuration. What a plain scalar means depends on the type wanted, as
 * in Go's YAML library: `yes` is true for a boolean and a text for a string; `0x10`, `010`, `1_000`
 * and `1e3` are integers; a number where a text is wanted keeps its spelling.
 */
import path from 'node:path';
import {
  compileRegex,
  formatDuration,
  isValidLabelName,
  parseDuration,
  quoteText,
} from '../../model/index.ts';
import { formatSize, parseSize } from '../flags/values.ts';
import { isNull, type ScalarNode } from './document.ts';
import { orNull, TEXT_SCHEMA } from './json-schema.ts';
import { checkAt, type Place, type Type } from './type.ts';

function scalarOf(place: Place, expected: string): ScalarNode {
  return place.node.kind === 'scalar' ? place.node : place.failExpecting(expected);
}

/** The text at `place`; null is the empty text. */
function textOf(place: Place, expected: string, what = 'text'): string {
  const node = scalarOf(place, expected);
  if (node.notUtf8 !== undefined) place.fail(`${node.notUtf8} is not a valid ${what}`);
  return isNull(node) ? '' : node.text;
}

export const string: Type<string> = {
  expected: 'a text',
  read(place) {
    return textOf(place, this.expected);
  },
  print: (value) => value,
  schema: () => TEXT_SCHEMA,
};

/** A file name; relative ones are meant from the folder of the file that they stand in. */
export const filePath: Type<string> = {
  ...string,
  expected: 'a file name',
  read(place) {
    const text = string.read(place);
    if (text === '' || path.isAbsolute(text)) return text;
    return path.join(place.document.folder, text);
  },
};

/** Shown as `<secret>` when set. */
export const secret: Type<string> = {
  ...string,
  print: (value) => (value === '' ? null : '<secret>'),
};

export const bool: Type<boolean> = {
  expected: 'true or false',
  read(place) {
    const { text, plain } = scalarOf(place, this.expected);
    if (plain) {
      if (/^(?:true|True|TRUE|y|Y|yes|Yes|YES|on|On|ON)$/.test(text)) return true;
      if (/^(?:false|False|FALSE|n|N|no|No|NO|off|Off|OFF)$/.test(text)) return false;
      if (isNull(place.node)) return false;
    }
    return place.failExpecting(this.expected);
  },
  print: (value) => value,
  schema: () => ({ type: orNull('boolean') }),
};

/** The number that Go's library makes of a plain scalar, or undefined. */
function numberOf(node: ScalarNode): number | undefined {
  if (!node.plain) return undefined;
  const text = node.text.replaceAll('_', '');
  const [, sign, digits] = /^([-+]?)(.*)$/s.exec(text)!;
  const signed = (value: number) => (sign === '-' ? -value : value);
  if (/^0x[0-9a-fA-F]+$|^0b[01]+$|^0o[0-7]+$/.test(digits!)) return signed(Number(digits));
  if (/^0[0-7]+$/.test(digits!)) return signed(Number.parseInt(digits!, 8));
  if (/^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(digits!)) return signed(Number(digits));
  if (/^\.(?:inf|Inf|INF)$/.test(digits!)) return signed(Infinity);
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return NaN;
  return undefined;
}

function integerBetween(min: number, max: number, expected: string): Type<number> {
  return {
    expected,
    read(place) {
      const node = scalarOf(place, expected);
      if (isNull(node)) return 0;
      const value = Math.trunc(numberOf(node) ?? NaN);
      return value >= min && value <= max ? value : place.failExpecting(expected);
    },
    print: (value) => value,
    schema: () => ({ type: orNull('integer'), ...(min === 0 ? { minimum: 0 } : {}) }),
  };
}

export const int = integerBetween(-(2 ** 63), 2 ** 63 - 1, 'an integer');
export const uint = integerBetween(0, 2 ** 64 - 1, 'an integer of at least 0');

export const float: Type<number> = {
  expected: 'a number',
  read(place) {
    const node = scalarOf(place, this.expected);
    if (isNull(node)) return 0;
    return numberOf(node) ?? place.failExpecting(this.expected);
  },
  print: (value) => value,
  schema: () => ({ type: orNull('number') }),
};

/** Milliseconds. */
export const duration: Type<number> = {
  expected: 'a duration such as 15s or 1h30m',
  read(place) {
    const text = textOf(place, this.expected);
    try {
      return parseDuration(text);
    } catch {
      const problem = text === '' ? 'empty duration string' : 'not a valid duration string';
      return place.fail(`${problem}: ${JSON.stringify(text)}, expected ${this.expected}`);
    }
  },
  print: formatDuration,
  schema: () => ({
    type: ['string', 'number', 'null'],
    pattern: '^(?:0|(?:\\d+(?:y|w|d|h|ms|m|s))+)$',
    description: 'A duration such as 15s or 1h30m',
  }),
};

/** Bytes. */
export const size: Type<number> = {
  expected: 'a size with unit such as 512MB',
  read(place) {
    const text = textOf(place, this.expected);
    return text === '' ? 0 : checkAt(place, () => parseSize(text));
  },
  print: (value) => (value === 0 ? 0 : formatSize(value)),
  schema: () => ({ ...TEXT_SCHEMA, description: 'A size with unit such as 512MB' }),
};

/** One of a few texts. @param complain  what to say about another one */
export function choice<const C extends string>(
  choices: readonly C[],
  complain: (text: string) => string = (text) =>
    `is ${JSON.stringify(text)}, expected ${choices.map((c) => JSON.stringify(c)).join(' or ')}`,
): Type<C> {
  return {
    expected: choices.map((c) => JSON.stringify(c)).join(' or '),
    read(place) {
      const text = textOf(place, this.expected);
      return choices.find((known) => known === text) ?? place.fail(complain(text));
    },
    print: (value) => value,
    schema: () => ({ enum: [...choices, null] }),
  };
}

/** Where null means "as elsewhere": keeps the null. */
export function orUnset<T>(type: Type<T>): Type<T | null> {
  return {
    expected: type.expected,
    readsNull: true,
    read: (place) => (isNull(place.node) ? null : type.read(place)),
    print: (value) => (value === null ? null : type.print(value)),
    schema: () => type.schema(),
  };
}

/** An absolute URL; its password is not shown. */
export const url: Type<string> = {
  expected: 'a URL such as http://host:port/path',
  read(place) {
    const text = textOf(place, this.expected);
    const hasBadScheme = /^[^/?#]*:/.test(text) && !/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text);
    if (hasBadScheme || /[\x00-\x1f\x7f]/.test(text)) {
      place.fail(`invalid URL ${JSON.stringify(text)}, expected ${this.expected}`);
    }
    return text;
  },
  print: (value) => value.replace(/^([^/?#]*:\/\/[^/?#:@]*):[^/?#@]*@/, '$1:xxxxx@'),
  schema: () => ({ type: orNull('string') }),
};

/** An RE2 expression. */
export const regex: Type<string> = {
  expected: 'a regular expression',
  readsNull: true,
  read(place) {
    const text = textOf(place, this.expected);
    checkAt(place, () => compileRegex(text));
    return text;
  },
  print: (value) => value,
  schema: () => TEXT_SCHEMA,
};

export const labelName: Type<string> = {
  expected: 'a label name',
  read(place) {
    const text = textOf(place, this.expected, 'label name');
    if (!isValidLabelName(text)) place.fail(`${quoteText(text)} is not a valid label name`);
    return text;
  },
  print: (value) => value,
  schema: () => TEXT_SCHEMA,
};

export const labelValue: Type<string> = {
  expected: 'a label value',
  read(place) {
    return textOf(place, this.expected, 'label value');
  },
  print: (value) => value,
  schema: () => TEXT_SCHEMA,
};
