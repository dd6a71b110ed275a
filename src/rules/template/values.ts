/**
 * The values that templates compute with, kept apart as Go keeps them apart, because how a value is
 * printed and where it may be put depends on its type. Source: Go package text/template and fmt.
 *
 * | Go                     | here           |
 * | ---------------------- | -------------- |
 * | string, bool, float64  | string, boolean, number |
 * | int                    | {@link GoInt}  |
 * | nil                    | null           |
 * | map                    | Map            |
 * | slice                  | array          |
 * | struct                 | {@link GoStruct} |
 * | time.Time              | {@link GoTime} |
 * | time.Duration          | {@link GoDuration} |
 * | something with String  | {@link GoText} |
 */
import { compareText, NarthexError } from '../../../model/index.ts';

export class GoInt {
  readonly value: number;
  constructor(value: number) {
    this.value = Math.trunc(value);
  }
}

export class GoStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;
  constructor(name: string, fields: Readonly<Record<string, Value>>) {
    this.typeName = name;
    this.fields = new Map(Object.entries(fields));
  }
}

export class GoTime {
  readonly unixMs: number;
  constructor(unixMs: number) {
    this.unixMs = unixMs;
  }
  /** `2015-11-10 23:45:08.5 +0000 UTC` */
  toString(): string {
    const whole = new Date(Math.floor(this.unixMs / 1000) * 1000).toISOString();
    const millis = ((this.unixMs % 1000) + 1000) % 1000;
    const fraction = millis === 0 ? '' : `.${String(millis).padStart(3, '0').replace(/0+$/, '')}`;
    return `${whole.slice(0, 10)} ${whole.slice(11, 19)}${fraction} +0000 UTC`;
  }
}

export class GoDuration {
  readonly seconds: number;
  constructor(seconds: number) {
    this.seconds = seconds;
  }
  /** `1h2m3.5s`, `1.5ms`, `0s` */
  toString(): string {
    const nanos = Math.trunc(Math.abs(this.seconds) * 1e9);
    const sign = this.seconds < 0 ? '-' : '';
    if (nanos === 0) return '0s';
    if (nanos < 1e3) return `${sign}${nanos}ns`;
    if (nanos < 1e6) return `${sign}${nanos / 1e3}µs`;
    if (nanos < 1e9) return `${sign}${nanos / 1e6}ms`;
    const minutes = Math.floor(nanos / 60e9);
    const seconds = `${(nanos - minutes * 60e9) / 1e9}s`;
    if (minutes === 0) return sign + seconds;
    if (minutes < 60) return `${sign}${minutes}m${seconds}`;
    return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
  }
}

/** Something that is only ever printed, such as a native histogram. */
export class GoText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Goes into a page as it is. */
export class SafeHtml extends GoText {}

export type Value =
  | string
  | boolean
  | number
  | null
  | GoInt
  | GoStruct
  | GoTime
  | GoDuration
  | GoText
  | ReadonlyMap<string, Value>
  | readonly Value[];

/** A template that cannot be parsed or executed. The text is what Go says. */
export class TemplateError extends NarthexError {
  readonly code = 'TEMPLATE';
}

/** What a function says about its arguments; the executor adds where. */
export class CallError extends Error {}

/** `map[string]string`: an absent key is the empty text. */
export class TextMap extends Map<string, string> {}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Keys in the order in which Go ranges over a map and prints it. */
export function sortedKeys(map: ReadonlyMap<string, Value>): string[] {
  return [...map.keys()].sort(compareText);
}

export function isTrue(value: Value): boolean {
  if (value === null || value === false || value === '' || value === 0) return false;
  if (value instanceof GoInt) return value.value !== 0;
  if (value instanceof GoDuration) return value.seconds !== 0;
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  // Structs, times and NaN are true.
  return true;
}

export function typeName(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof GoInt) return 'int';
  if (value instanceof GoTime) return '*time.Time';
  if (value instanceof GoDuration) return '*time.Duration';
  if (value instanceof GoText) return '*histogram.FloatHistogram';
  if (value instanceof GoStruct) return value.typeName;
  if (value instanceof TextMap) return 'map[string]string';
  if (isMap(value)) return 'map[string]interface {}';
  return value.length > 0 && value[0] instanceof GoStruct
    ? 'template.queryResult'
    : '[]interface {}';
}
