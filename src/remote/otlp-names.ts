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

type UnitWords = { readonly unit: string; readonly per: string };

function unitWords(text: string): UnitWords {
  const [first = '', second = ''] = text.split('/', 2).map((part) => part.trim());
  const word = (part: string, words: Readonly<Record<string, string>>) =>
    part.includes('{') || part.includes('}') ? '' : (words[part] ?? part);
  const per = second === '' ? '' : word(second, PER_UNITS);
  return { unit: word(first, UNITS), per: per === '' ? '' : `per_${per}` };
}

const isTotal = ({ kind, isMonotonic }: OtlpMetric) => kind === 'sum' && isMonotonic;
const isRatio = ({ kind, unit }: OtlpMetric) => kind === 'gauge' && unit === '1';

/** Suffixes go behind whatever the name is. */
function withSuffixes(metric: OtlpMetric): string {
  let { name } = metric;
  const { unit, per } = unitWords(metric.unit);
  const add = (word: string) => {
    if (word !== '' && !name.endsWith(word)) name += `_${word}`;
  };
  if (isTotal(metric) && name.endsWith('_total')) name = name.slice(0, -'_total'.length);
  add(unit);
  add(per);
  if (isTotal(metric)) name += '_total';
  if (isRatio(metric)) name += '_ratio';
  return name;
}

/** The name in words; a word that is there already is not added again. */
function fromTokens(metric: OtlpMetric): string {
  const wordsOf = (text: string) => text.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  let words = wordsOf(metric.name);
  const { unit, per } = unitWords(metric.unit);
  const unitPart = wordsOf(unit).join('_');
  const perPart = wordsOf(per).join('_');
  const has = (part: string) => words.includes(part) || words.join('_').endsWith(part);
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
  const escaped = name.replaceAll(/[^a-zA-Z0-9_:]+/g, '_');
  // What an escape left at the end says nothing.
  return notADigit(/[^a-zA-Z0-9_:]$/.test(name) ? escaped.replace(/_+$/, '') : escaped);
}

function notADigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** Empty when nothing of the name is left. */
export function labelName(key: string, rules: NameRules): string {
  const { strategy, sanitizesUnderscores, keepsMultipleUnderscores } = rules;
  if (strategy === 'NoTranslation' || strategy === 'NoUTF8EscapingWithSuffixes') return key;
  let name = Array.from(key, (c) => (/[a-zA-Z0-9_]/.test(c) ? c : '_')).join('');
  if (!keepsMultipleUnderscores) name = name.replaceAll(/_+/g, '_');
  if (/^[0-9]/.test(name)) return `key_${name}`;
  const isReserved = name.startsWith('__');
  return sanitizesUnderscores && name.startsWith('_') && !isReserved ? `key${name}` : name;
}
