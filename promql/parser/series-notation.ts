/**
 * The short notation for series in test scripts and rule unit tests:
 *
 *   requests{zone="a"}      10 20-5x3 _x2 stale {{schema:0 sum:7.5 count:4 buckets:[3 1]}}
 *   requests{zone="a"}@st   -1m -30s-1mx3 _x4
 *
 * The first line gives a value for each step; the second one gives start timestamps, relative to
 * the samples, to the series of the line that follows it.
 * Source: Prometheus documentation "Unit testing for rules"; native histogram literals as used by
 * the promqltest scripts.
 */
import {
  addHistograms,
  COUNTER_RESET_HINTS,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  EXPONENTIAL_SCHEMA_MAX,
  EXPONENTIAL_SCHEMA_MIN,
  type FloatHistogram,
  floatHistogram,
  Labels,
  METRIC_NAME,
  messageOf,
  newCombineNotes,
  parseDuration,
  parseFloatText,
  subtractHistograms,
  ValueError,
  withHint,
} from '../../model/index.ts';
import { MalformedError, PromqlParseError } from './errors.ts';
import { scanString } from './strings.ts';

/** A step: no sample (null), a number, the end of the series, or a native histogram. */
export type SequenceValue = null | number | 'stale' | FloatHistogram;

export type SeriesNotation = {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
};

export type StartTimestampNotation = {
  readonly labels: Labels;
  /** For each step the distance from the sample's timestamp, mostly negative; null for none. */
  readonly offsetsMs: readonly (number | null)[];
};

/** A run that is longer than this is a slip of the finger. */
const RUN_LENGTH_MAX = 10_000_000;

/** @throws PromqlParseError */
export function parseSeriesNotation(line: string): SeriesNotation {
  const { labels, end } = readMetric(line);
  return { labels, values: readValues(line, end) };
}

/** Only the values of a line, as rule unit tests hold them. @throws PromqlParseError */
export function parseSeriesValues(text: string): SequenceValue[] {
  return readValues(text, 0);
}

/** Only the metric: `name{a="b"}`. @throws PromqlParseError */
export function parseMetricNotation(text: string): Labels {
  const { labels, end } = readMetric(text);
  const rest = text.slice(end).trimStart();
  if (rest !== '') fail(`unexpected text behind the metric: ${rest}`, text, end);
  return labels;
}

/** Null when the line gives values rather than start timestamps. @throws PromqlParseError */
export function parseStartTimestamps(line: string): StartTimestampNotation | null {
  const { labels, end } = readMetric(line);
  if (!/^@st(?:\s|$)/.test(line.slice(end))) return null;
  const offsetsMs: (number | null)[] = [];
  for (const { text, at } of wordsOf(line, end + '@st'.length)) {
    for (const offsetMs of readOffsets(text, line, at)) offsetsMs.push(offsetMs);
  }
  return { labels, offsetsMs };
}

function fail(what: string, text: string, start: number, end = text.length): never {
  throw new PromqlParseError(what, text, { start, end });
}

// --- The metric ---

const METRIC = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const SPACE = /\s*/y;

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function readMetric(text: string): { labels: Labels; end: number } {
  const start = matchAt(SPACE, text, 0).length;
  const name = matchAt(METRIC, text, start);
  let at = start + name.length;
  const braceAt = at + matchAt(SPACE, text, at).length;
  const pairs: [name: string, value: string][] = name === '' ? [] : [[METRIC_NAME, name]];
  if (text[braceAt] === '{' && !text.startsWith('{{', braceAt)) {
    at = readBraces(text, braceAt + 1, pairs);
  } else if (name === '') {
    fail('a metric name or labels in braces expected', text, start);
  }
  return { labels: Labels.fromPairs(pairs), end: at };
}

/** `at` is behind the brace; the result is behind the closing one. */
function readBraces(text: string, start: number, pairs: [string, string][]): number {
  let at = start;
  const skip = () => (at += matchAt(SPACE, text, at).length);
  for (;;) {
    skip();
    if (text[at] === '}') return at + 1;
    if (at >= text.length) fail('unexpected end of input inside braces', text, at);
    const isQuoted = /["'`]/.test(text[at]!);
    let label: string;
    if (isQuoted) {
      ({ value: label, end: at } = readString(text, at));
    } else {
      label = matchAt(LABEL, text, at);
      if (label === '') fail(`unexpected character inside braces: '${text[at]}'`, text, at);
      at += label.length;
    }
    skip();
    if (text[at] === '=') {
      at++;
      skip();
      const { value, end } = readString(text, at);
      pairs.push([label, value]);
      at = end;
    } else if (isQuoted) {
      pairs.push([METRIC_NAME, label]);
    } else {
      fail('expected "=" behind a label name', text, at);
    }
    skip();
    if (text[at] === ',') at++;
    else if (text[at] !== '}') fail('expected "," or "}"', text, at);
  }
}

function readString(text: string, at: number): { value: string; end: number } {
  if (!/["'`]/.test(text[at] ?? '')) fail('expected a string', text, at);
  try {
    return scanString(text, at);
  } catch (error) {
    if (error instanceof MalformedError) fail(error.message, text, at);
    throw error;
  }
}

// --- Values ---

type Word = { readonly text: string; readonly at: number };

/** Separated by white space, which does not count inside `{{…}}`. */
function* wordsOf(line: string, start: number): Iterable<Word> {
  const word = /(?:\{\{[^}]*\}\}|[^\s{]|\{)+/gy;
  for (let at = start; ; ) {
    at += matchAt(SPACE, line, at).length;
    if (at >= line.length) return;
    word.lastIndex = at;
    const text = word.exec(line)![0];
    yield { text, at };
    at += text.length;
  }
}

const NUMBER =
  '(?:\\d+\\.?\\d*(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?|[iI][nN][fF]|[nN][aA][nN])';
const FLOATS = new RegExp(`^([+-]?${NUMBER})(?:(?:([+-])(${NUMBER}))?x(\\d+))?$`);
const OMITTED = /^_(?:x(\d+))?$/;
const STALE = /^stale(?:x(\d+))?$/;
const HISTOGRAMS = /^\{\{([^}]*)\}\}(?:(?:([+-])\{\{([^}]*)\}\})?x(\d+))?$/;

function readValues(line: string, start: number): SequenceValue[] {
  const values: SequenceValue[] = [];
  for (const word of wordsOf(line, start)) {
    for (const value of readRun(word, line)) values.push(value);
  }
  return values;
}

function* readRun(word: Word, line: string): Iterable<SequenceValue> {
  const { text, at } = word;
  const length = (digits: string | undefined) => runLength(digits, word, line);
  const omitted = OMITTED.exec(text);
  if (omitted !== null) {
    const count = omitted[1] === undefined ? 1 : length(omitted[1]);
    for (let i = 0; i < count; i++) yield null;
    return;
  }
  const stale = STALE.exec(text);
  if (stale !== null) {
    for (let i = length(stale[1]); i >= 0; i--) yield 'stale';
    return;
  }
  const floats = FLOATS.exec(text);
  if (floats !== null) {
    const [, first, sign, step, digits] = floats;
    let value = parseFloatText(first!)!;
    const by = step === undefined ? 0 : parseFloatText(step)!;
    yield value;
    for (let i = length(digits); i > 0; i--) {
      // Added up rather than multiplied, so that results carry the rounding that scripts expect.
      if (by !== 0) value = sign === '-' ? value - by : value + by;
      yield value;
    }
    return;
  }
  const histograms = HISTOGRAMS.exec(text);
  if (histograms === null) fail(`not a value: ${text}`, line, at, at + text.length);
  yield* readHistogramRun(histograms, word, line);
}

/** How many values follow the first one. */
function runLength(digits: string | undefined, { text, at }: Word, line: string): number {
  if (digits === undefined) return 0;
  const length = Number(digits);
  if (length > RUN_LENGTH_MAX) {
    fail(`a run of ${digits} values is longer than ${RUN_LENGTH_MAX}`, line, at, at + text.length);
  }
  return length;
}

// --- Native histograms ---

type HistogramLiteral = { readonly histogram: FloatHistogram; readonly hasHint: boolean };

function* readHistogramRun(
  [, first, sign, step, digits]: RegExpExecArray,
  word: Word,
  line: string,
): Iterable<FloatHistogram> {
  const start = readHistogram(first!, word, line);
  const count = runLength(digits, word, line);
  if (step === undefined) {
    for (let i = 0; i <= count; i++) yield start.histogram;
    return;
  }
  const by = readHistogram(step, word, line);
  if (start.histogram.schema > by.histogram.schema) {
    const what = `cannot merge from schema ${by.histogram.schema} to ${start.histogram.schema}`;
    fail(`error combining histograms: ${what}`, line, word.at, word.at + word.text.length);
  }
  const combine = sign === '-' ? subtractHistograms : addHistograms;
  let histogram = by.hasHint ? withHint(start.histogram, by.histogram.hint) : start.histogram;
  yield histogram;
  for (let i = 0; i < count; i++) {
    const next = combine(histogram, by.histogram, newCombineNotes());
    if (next === null) fail('these histograms do not combine', line, word.at);
    histogram = withHint(next, by.hasHint ? by.histogram.hint : histogram.hint);
    yield histogram;
  }
}

const FIELD = /\s*([a-z_]+):(?:\[([^\]]*)\]|(\S+))\s*/y;

function readHistogram(body: string, { text, at }: Word, line: string): HistogramLiteral {
  const refuse = (what: string): never => fail(what, line, at, at + text.length);
  const number = (image: string): number =>
    parseFloatText(image) ?? refuse(`not a number in a histogram: ${image}`);
  const numbers = (list: string): number[] => list.split(/\s+/).filter(Boolean).map(number);
  const fields = new Map<string, number | number[] | CounterResetHint>();
  for (let from = 0; from < body.length && body.trim() !== ''; from = FIELD.lastIndex) {
    FIELD.lastIndex = from;
    const field = FIELD.exec(body);
    if (field === null) return refuse(`not a histogram field: ${body.slice(from).trim()}`);
    const [, key, list, image] = field;
    if (fields.has(key!)) refuse(`duplicate histogram field: ${key}`);
    const kind = HISTOGRAM_FIELDS.get(key!) ?? refuse(`unknown histogram field: ${key}`);
    if ((kind === 'list') !== (image === undefined)) refuse(`wrong kind of value for ${key}`);
    if (kind === 'list') fields.set(key!, numbers(list!));
    else if (kind === 'hint') fields.set(key!, hintOf(image!) ?? refuse(`no such hint: ${image}`));
    else fields.set(key!, number(image!));
  }
  const value = (key: string) => (fields.get(key) as number | undefined) ?? 0;
  const list = (key: string) => (fields.get(key) as number[] | undefined) ?? [];
  const schema = value('schema');
  const isExponential = schema >= EXPONENTIAL_SCHEMA_MIN && schema <= EXPONENTIAL_SCHEMA_MAX;
  if (!Number.isInteger(schema) || (!isExponential && schema !== CUSTOM_BUCKETS_SCHEMA)) {
    refuse(`no such histogram schema: ${schema}`);
  }
  const hint = fields.get('counter_reset_hint') as CounterResetHint | undefined;
  const histogram = floatHistogram({
    hint: hint ?? 'unknown',
    schema,
    count: value('count'),
    sum: value('sum'),
    zeroCount: value('z_bucket'),
    zeroThreshold: value('z_bucket_w'),
    positiveSpans: spansFrom(value('offset'), list('buckets')),
    positiveCounts: list('buckets'),
    negativeSpans: spansFrom(value('n_offset'), list('n_buckets')),
    negativeCounts: list('n_buckets'),
    customBounds: list('custom_values'),
  });
  return { histogram, hasHint: hint !== undefined };
}

const HISTOGRAM_FIELDS: ReadonlyMap<string, 'number' | 'list' | 'hint'> = new Map([
  ['schema', 'number'],
  ['count', 'number'],
  ['sum', 'number'],
  ['z_bucket', 'number'],
  ['z_bucket_w', 'number'],
  ['offset', 'number'],
  ['n_offset', 'number'],
  ['buckets', 'list'],
  ['n_buckets', 'list'],
  ['custom_values', 'list'],
  ['counter_reset_hint', 'hint'],
]);

function hintOf(text: string): CounterResetHint | undefined {
  return COUNTER_RESET_HINTS.find((hint) => hint === text);
}

function spansFrom(offset: number, counts: readonly number[]): FloatHistogram['positiveSpans'] {
  return counts.length === 0 ? [] : [{ offset, length: counts.length }];
}

// --- Start timestamps ---

const DURATION = '(?:0|(?:\\d+(?:ms|[ywdhms]))+)';
const OFFSETS = new RegExp(`^([+-]?)(${DURATION})(?:(?:([+-])(${DURATION}))?x(\\d+))?$`);

function* readOffsets(text: string, line: string, at: number): Iterable<number | null> {
  const word = { text, at };
  const omitted = OMITTED.exec(text);
  if (omitted !== null) {
    const count = omitted[1] === undefined ? 1 : runLength(omitted[1], word, line);
    for (let i = 0; i < count; i++) yield null;
    return;
  }
  const parts = OFFSETS.exec(text);
  if (parts === null) return fail(`not an offset: ${text}`, line, at, at + text.length);
  const [, sign, first, stepSign, step, digits] = parts;
  let offsetMs = durationOf(first!, word, line) * (sign === '-' ? -1 : 1);
  const stepMs = step === undefined ? 0 : durationOf(step, word, line);
  yield offsetMs;
  for (let i = runLength(digits, word, line); i > 0; i--) {
    offsetMs += stepSign === '-' ? -stepMs : stepMs;
    yield offsetMs;
  }
}

function durationOf(image: string, { text, at }: Word, line: string): number {
  try {
    return parseDuration(image);
  } catch (error) {
    if (error instanceof ValueError) fail(messageOf(error), line, at, at + text.length);
    throw error;
  }
}
