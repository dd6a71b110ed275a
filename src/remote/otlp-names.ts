/**
 * Names of OTLP metrics and attributes as names of Prometheus's metrics and labels, by the four
 * strategies of the configuration. Units become words and suffixes; what names may not contain
 * becomes underscores, where it is not kept.
 * Source: OpenTelemetry's specification of Prometheus compatibility; answers of 3.14.
 */
import type { OtlpMetric } from './otlp-data.ts';

export type Strategy =
  | 'UnderscoreEscapingWithSuffixes'
  | 'UnderscoreEscapingWithoutSuffixes'
  | 'NoUTF8EscapingWithSuffixes'
  | 'NoTranslation';

export type NameRules = {
  readonly strategy: Strategy;
  /** Whether a label that begins with one underscore gets `key` in front of it. */
  readonly sanitizesUnderscores: boolean;
  readonly keepsMultipleUnderscores: boolean;
};

/** UCUM units and the words for them. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};
/** The same behind a slash. */
const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** Empty when nothing of the name is left. */
export function metricName(metric: OtlpMetric, { strategy }: NameRules): string {
  switch (strategy) {
    case 'NoTranslation':
      return metric.name;
    case 'NoUTF8EscapingWithSuffixes':
      return withSuffixes(metric);
    case 'UnderscoreEscapingWithoutSuffixes':
      return escapedMetric(metric.name);
    case 'UnderscoreEscapingWithSuffixes':
      return fromTokens(metric);
  }
}

/** `per` without the word itself. */
type UnitWords = { readonly unit: string; readonly per: string };

function unitWords(text: string): UnitWords {
  const slash = text.includes('/') ? text.indexOf('/') : text.length;
  const first = text.slice(0, slash).trim();
  const second = text.slice(slash + 1).trim();
  const word = (part: string, words: Readonly<Record<string, string>>) =>
    part.includes('{') || part.includes('}') ? '' : (words[part] ?? part);
  return { unit: word(first, UNITS), per: second === '' ? '' : word(second, PER_UNITS) };
}

const isTotal = ({ kind, isMonotonic }: OtlpMetric) => kind === 'sum' && isMonotonic;
const isRatio = ({ kind, unit }: OtlpMetric) => kind === 'gauge' && unit === '1';

/** Suffixes go behind whatever the name is. */
function withSuffixes(metric: OtlpMetric): string {
  let { name } = metric;
  const { unit, per } = unitWords(metric.unit);
  const ends = [
    ...(per === '' ? [] : [`per_${per}`]),
    ...(isTotal(metric) ? ['total'] : []),
    ...(isRatio(metric) ? ['ratio'] : []),
  ];
  // What stands before it goes with it, whatever it is: `requests.total` is `requests_total`.
  for (const end of ends.toReversed()) {
    const lengthLeft = name.length - end.length - 1;
    if (name.endsWith(end) && lengthLeft > 0) name = name.slice(0, lengthLeft);
  }
  if (unit !== '' && !name.endsWith(unit)) name += `_${unit}`;
  return [name, ...ends].join('_');
}

function cleanUnit(unit: string): string {
  return unit.replaceAll(/[^a-zA-Z0-9:]+/g, '_').replace(/^_/, '');
}

/** The name in words; a word that is there already is not added again. */
function fromTokens(metric: OtlpMetric): string {
  const wordsOf = (text: string) => text.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  let words = wordsOf(metric.name);
  const { unit, per } = unitWords(metric.unit);
  const unitPart = cleanUnit(unit);
  const cleanPer = cleanUnit(per).replace(/_$/, '');
  const perPart = cleanPer === '' ? '' : `per_${cleanPer}`;
  const has = (part: string) => words.includes(part);
  if (unitPart !== '' && !has(unitPart)) words.push(unitPart);
  if (perPart !== '' && !has(perPart)) words.push(perPart);
  const moveToEnd = (suffix: string) => {
    words = [...words.filter((word) => word !== suffix), suffix];
  };
  if (isTotal(metric)) moveToEnd('total');
  if (isRatio(metric)) moveToEnd('ratio');
  return notADigit(words.join('_'));
}

function escapedMetric(name: string): string {
  // What an escape would leave at an end says nothing.
  const inner = name.replaceAll(/^[^a-zA-Z0-9_:]+|[^a-zA-Z0-9_:]+$/g, '');
  const escaped = notADigit(inner.replaceAll(/[^a-zA-Z0-9_:]+/g, '_'));
  return escaped !== name && /^_+$/.test(escaped) ? '' : escaped;
}

function notADigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function joined(name: string): string {
  return name.replaceAll(/_+/g, '_');
}

/** Empty when nothing of the name is left. */
export function labelName(key: string, rules: NameRules): string {
  const { strategy, sanitizesUnderscores, keepsMultipleUnderscores } = rules;
  if (strategy === 'NoTranslation' || strategy === 'NoUTF8EscapingWithSuffixes') return key;
  let name = Array.from(key, (c) => (/[a-zA-Z0-9_]/.test(c) ? c : '_')).join('');
  if (!keepsMultipleUnderscores) {
    const framed = /^__(.*)__$/s.exec(key);
    name = framed === null ? joined(name) : `__${joined(name.slice(2, -2))}__`;
  }
  if (/^[0-9]/.test(name)) return `key_${name}`;
  const isReserved = name.startsWith('__');
  return sanitizesUnderscores && name.startsWith('_') && !isReserved ? `key${name}` : name;
}
