/** The functions that every Go template has. Source: Go package text/template, "Functions". */
import { compareText } from '../../../model/index.ts';
import type { ParameterKind, TemplateFunction } from './execute.ts';
import { formatValue, sprint, sprintf } from './go-format.ts';
import { escapeQuery } from '../table-link.ts';
import {
  CallError,
  GoDuration,
  GoInt,
  isList,
  isMap,
  isTrue,
  TextMap,
  typeName,
  type Value,
} from './values.ts';

export function define(
  parameters: readonly ParameterKind[],
  call: TemplateFunction['call'],
  rest: ParameterKind | null = null,
): TemplateFunction {
  return { parameters, rest, call };
}

type Ordered = 'number' | 'text' | 'bool' | 'other';

function orderOf(value: Value): Ordered {
  if (typeof value === 'number' || value instanceof GoInt || value instanceof GoDuration) {
    return 'number';
  }
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'bool' : 'other';
}

function numberOf(value: Value): number {
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoDuration) return value.seconds;
  return value as number;
}

/** Numbers of different types cannot be compared, not even equal ones. */
function requireComparable(a: Value, b: Value): void {
  if (a === null || b === null) return;
  const [left, right] = [typeName(a), typeName(b)];
  if (left !== right) {
    throw new CallError(`incompatible types for comparison: ${left} and ${right}`);
  }
}

function isEqual(a: Value, b: Value): boolean {
  requireComparable(a, b);
  if (a === null || b === null) return a === b;
  if (isMap(a) || isList(a))
    throw new CallError(`non-comparable type ${formatValue(a)}: ${typeName(a)}`);
  if (orderOf(a) === 'number') return numberOf(a) === numberOf(b);
  return orderOf(a) === 'other' ? formatValue(a) === formatValue(b) : a === b;
}

function isLess(a: Value, b: Value): boolean {
  if (a === null || b === null) throw new CallError('invalid type for comparison');
  requireComparable(a, b);
  if (orderOf(a) === 'number') return numberOf(a) < numberOf(b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b) < 0;
  throw new CallError('invalid type for comparison');
}

function indexed(value: Value, key: Value): Value {
  if (value === null) throw new CallError('index of untyped nil');
  if (isMap(value)) {
    if (typeof key !== 'string') {
      throw new CallError(`value has type ${typeName(key)}; should be string`);
    }
    return value.get(key) ?? (value instanceof TextMap ? '' : null);
  }
  const isText = typeof value === 'string';
  if (!isList(value) && !isText) {
    throw new CallError(`can't index item of type ${typeName(value)}`);
  }
  if (!(key instanceof GoInt)) {
    throw new CallError(`cannot index slice/array with type ${typeName(key)}`);
  }
  const bytes = isText ? Buffer.from(value) : null;
  const length = bytes?.length ?? (value as readonly Value[]).length;
  if (key.value < 0 || key.value >= length) {
    throw new CallError(`index out of range: ${key.value}`);
  }
  return bytes === null ? (value as readonly Value[])[key.value]! : new GoInt(bytes[key.value]!);
}

function sliced(value: Value, bounds: readonly Value[]): Value {
  if (value === null) throw new CallError('slice of untyped nil');
  const isText = typeof value === 'string';
  if (!isText && !isList(value)) throw new CallError(`can't slice item of type ${typeName(value)}`);
  const source = isText ? Buffer.from(value) : value;
  const { length } = source;
  const at = (index: number, otherwise: number) => {
    const bound = bounds[index];
    if (bound === undefined) return otherwise;
    if (!(bound instanceof GoInt)) {
      throw new CallError(`cannot index slice/array with type ${typeName(bound)}`);
    }
    if (bound.value < 0 || bound.value > length) {
      throw new CallError(`index out of range: ${bound.value}`);
    }
    return bound.value;
  };
  const start = at(0, 0);
  const end = at(1, length);
  if (start > end) throw new CallError(`invalid slice index: ${start} > ${end}`);
  if (Buffer.isBuffer(source)) return source.subarray(start, end).toString('utf8');
  return source.slice(start, end);
}

function lengthOf(value: Value): GoInt {
  if (typeof value === 'string') return new GoInt(Buffer.byteLength(value));
  if (isMap(value)) return new GoInt(value.size);
  if (isList(value)) return new GoInt(value.length);
  if (value === null) throw new CallError('len of untyped nil');
  throw new CallError(`len of type ${typeName(value)}`);
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/["'&<>\0]/g, (character) => HTML_ESCAPES[character]!);
}

const JS_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(text: string): string {
  return text.replaceAll(
    /[\\'"<>&=\x00-\x1f]/g,
    (character) =>
      JS_ESCAPES[character] ??
      `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

const comparison = (holds: (a: Value, b: Value) => boolean) =>
  define(['any', 'any'], ([a, b]) => holds(a!, b!));

export const BUILTINS: Readonly<Record<string, TemplateFunction>> = {
  // `and` and `or` are done by the executor, which may leave arguments out.
  and: define(['any'], ([value]) => value!, 'any'),
  or: define(['any'], ([value]) => value!, 'any'),
  not: define(['any'], ([value]) => !isTrue(value!)),
  len: define(['any'], ([value]) => lengthOf(value!)),
  index: define(['any'], ([value, ...keys]) => keys.reduce(indexed, value!), 'any'),
  slice: define(['any'], ([value, ...bounds]) => sliced(value!, bounds), 'any'),
  print: define([], (args) => sprint(args), 'any'),
  println: define([], (args) => `${args.map(formatValue).join(' ')}\n`, 'any'),
  printf: define(['string'], ([format, ...args]) => sprintf(format as string, args), 'any'),
  html: define([], (args) => escapeHtml(sprint(args)), 'any'),
  js: define([], (args) => escapeJs(sprint(args)), 'any'),
  urlquery: define([], (args) => escapeQuery(sprint(args)), 'any'),
  call: define(
    ['any'],
    ([value]) => {
      throw new CallError(`non-function ${formatValue(value!)} of type ${typeName(value!)}`);
    },
    'any',
  ),
  eq: define(
    ['any'],
    ([first, ...others]) => {
      if (others.length === 0) throw new CallError('missing argument for comparison');
      return others.some((other) => isEqual(first!, other));
    },
    'any',
  ),
  ne: comparison((a, b) => !isEqual(a, b)),
  lt: comparison(isLess),
  le: comparison((a, b) => isLess(a, b) || isEqual(a, b)),
  gt: comparison((a, b) => !isLess(a, b) && !isEqual(a, b)),
  ge: comparison((a, b) => !isLess(a, b)),
};
