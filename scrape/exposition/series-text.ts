/**
 * From the scanned text of a series to raw labels: texts decoded, escapes resolved, nothing
 * checked yet. Also the canonical form of `le` and `quantile`.
 */
import {
  formatFloatShort,
  METRIC_NAME,
  type MetricType,
  parseFloatText,
} from '../../model/index.ts';
import { ExpositionError } from './exposition-error.ts';
import { quoteBytes } from './go-quote.ts';
import { textOf } from './known-texts.ts';
import type { SeriesScanner } from './series-scanner.ts';

/** `[name, value, name, value, …]` in the order of the text, the metric name first; names may repeat. */
export type RawLabels = string[];

/** Which label holds a number that is to be brought into canonical form. */
export const BoundLabel = { None: 0, Le: 1, Quantile: 2 } as const;
export type BoundLabel = (typeof BoundLabel)[keyof typeof BoundLabel];

export function boundLabelOf(type: MetricType): BoundLabel {
  if (type === 'histogram') return BoundLabel.Le;
  return type === 'summary' ? BoundLabel.Quantile : BoundLabel.None;
}

const BOUND_LABEL_NAMES = ['', 'le', 'quantile'] as const;

/**
 * @param bound  the label whose value is a bound, by the type of the metric
 * @throws ExpositionError when a text is not UTF-8
 */
export function readRawLabels(scanner: SeriesScanner, bound: BoundLabel): RawLabels {
  const { bytes, nameStart, nameEnd, nameIsQuoted } = scanner;
  const raw: RawLabels = [METRIC_NAME, readName(bytes, nameStart, nameEnd, nameIsQuoted)];
  appendPairs(scanner, raw);
  if (bound !== BoundLabel.None) normaliseBound(raw, BOUND_LABEL_NAMES[bound]);
  return raw;
}

/** The labels of an exemplar, in the order of the text. */
export function readExemplarLabels(scanner: SeriesScanner): RawLabels {
  const raw: RawLabels = [];
  appendPairs(scanner, raw);
  return raw;
}

function appendPairs(scanner: SeriesScanner, raw: RawLabels): void {
  const { bytes, labels, labelCount, labelIsQuoted } = scanner;
  for (let i = 0; i < labelCount; i++) {
    const at = i * 4;
    raw.push(
      readName(bytes, labels[at]!, labels[at + 1]!, labelIsQuoted[i] === 1),
      readValue(bytes, labels[at + 2]!, labels[at + 3]!),
    );
  }
}

export function readName(bytes: Uint8Array, start: number, end: number, quoted: boolean): string {
  const text = textOf(bytes, start, end);
  if (text === null) {
    const name = quoteBytes(bytes.subarray(start, end));
    throw new ExpositionError(`invalid metric name or label names: ${name}`, start);
  }
  return quoted ? unescape(text) : text;
}

function readValue(bytes: Uint8Array, start: number, end: number): string {
  const text = textOf(bytes, start, end);
  if (text === null) {
    // The value is quoted with its quotes, as people know the message from Prometheus.
    const inner = quoteBytes(bytes.subarray(start, end)).slice(1, -1);
    throw new ExpositionError(`invalid UTF-8 label value: "\\"${inner}\\""`, start);
  }
  return unescape(text);
}

/** `\n`, `\"` and `\\`; any other backslash stands for itself. */
export function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([n"\\])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function normaliseBound(raw: RawLabels, label: string): void {
  for (let i = 2; i < raw.length; i += 2) {
    if (raw[i] === label) raw[i + 1] = canonicalBound(raw[i + 1]!);
  }
}

/**
 * A bound as it is stored whatever the target wrote: `1` and `1e0` are `1.0`. What is no number
 * stays as it is.
 */
export function canonicalBound(text: string): string {
  const value = parseFloatText(text.replace(/(?<=\d)_(?=\d)/g, ''));
  if (value === undefined || (Math.abs(value) === Infinity && /\d/.test(text))) return text;
  return formatBound(value);
}

/** A number that always shows to be a float: `1.0`, `1e+06`, `+Inf`. */
export function formatBound(value: number): string {
  if (value === 0) return '0.0';
  const text = formatFloatShort(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
