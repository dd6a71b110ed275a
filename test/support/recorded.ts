/**
 * The answers that a real Prometheus 3.14 gave to thousands of random queries, the data they were
 * asked about, and what counts as the same answer.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { MemoryStorage } from '../../promql/script/memory-storage.ts';
import { decodeWriteRequest } from './remote-write.ts';

export type ApiAnswer = {
  status: 'success' | 'error';
  data?: { resultType: string; result: unknown[] };
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
};

export type RecordedQuery = {
  form: 'instant' | 'range';
  params: Record<string, string>;
  status: number;
  answer: ApiAnswer;
  /** Two original servers did not agree. */
  amb?: boolean;
};

/** The recorded data set, sample by sample. */
export function loadRecordedStorage(directory: string): MemoryStorage {
  const storage = new MemoryStorage();
  const bytes = gunzipSync(readFileSync(path.join(directory, 'writes.bin.gz')));
  for (let at = 0; at < bytes.length; ) {
    const sizeBytes = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + 4, at + 4 + sizeBytes);
    at += 4 + sizeBytes;
    for (const { labels, samples, histograms } of decodeWriteRequest(body)) {
      for (const { timestampMs, value, stale } of samples) {
        storage.append(labels, timestampMs, stale ? 'stale' : value);
      }
      for (const { timestampMs, histogram } of histograms) {
        storage.append(labels, timestampMs, histogram);
      }
    }
  }
  return storage;
}

export function loadRecordedQueries(directory: string): RecordedQuery[] {
  const lines = gunzipSync(readFileSync(path.join(directory, 'queries.jsonl.gz'))).toString();
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedQuery);
}

/** Milliseconds of a time parameter: seconds, or RFC 3339. */
export function parseTimeParam(text: string): number {
  const seconds = Number(text);
  return Number.isNaN(seconds) ? Date.parse(text) : Math.round(seconds * 1000);
}

/** Milliseconds of a duration parameter: seconds, or with units. */
export function parseDurationParam(text: string): number {
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) return Math.round(seconds * 1000);
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let totalMs = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    totalMs += Number(digits) * units[unit!]!;
  }
  return totalMs;
}

const TIES = /\b(?:topk|bottomk|limitk|limit_ratio)\b/i;
const SORTED = /^\s*\(*\s*sort(?:_desc|_by_label|_by_label_desc)?\s*\(/i;
const TOLERANCE = 1e-9;

/** What differs between the recorded answer and ours; null when nothing that counts. */
export function differenceOf(recorded: RecordedQuery, ours: ApiAnswer): string | null {
  const { answer: theirs, params } = recorded;
  if (theirs.status !== ours.status) {
    return `status: ${theirs.status} ${theirs.error ?? ''} | ${ours.status} ${ours.error ?? ''}`;
  }
  if (theirs.status === 'error') {
    if (theirs.errorType !== ours.errorType) return `error type: ${theirs.error} | ${ours.error}`;
    return sameError(theirs.error!, ours.error!) ? null : `error: ${theirs.error} | ${ours.error}`;
  }
  const query = params.query!;
  if (recorded.amb || TIES.test(query)) return null;
  const values = dataDifference(theirs, ours, recorded.form === 'instant' && SORTED.test(query));
  return (
    values ??
    annotationDifference('warnings', theirs.warnings, ours.warnings) ??
    annotationDifference('infos', theirs.infos, ours.infos)
  );
}

/** The pair of series in an error about duplicates is chosen at random. */
function sameError(theirs: string, ours: string): boolean {
  const plain = (text: string): string =>
    text
      .replace(/^invalid parameter "query": /, '')
      .replace(/: \[.*\];/, ': […];')
      .replace(/match group \{.*?\} on/, 'match group … on');
  return plain(theirs) === plain(ours);
}

type Series = {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
  histogram?: [number, unknown];
  histograms?: [number, unknown][];
};

function dataDifference(theirs: ApiAnswer, ours: ApiAnswer, ordered: boolean): string | null {
  const a = theirs.data!;
  const b = ours.data!;
  if (a.resultType !== b.resultType) return `type: ${a.resultType} | ${b.resultType}`;
  if (a.resultType === 'scalar' || a.resultType === 'string') {
    return sameValue(a.result, b.result) ? null : `${a.resultType}: ${show(a)} | ${show(b)}`;
  }
  const key = ({ metric }: Series): string =>
    JSON.stringify(Object.entries(metric).sort(([x], [y]) => (x < y ? -1 : 1)));
  const left = a.result as Series[];
  const right = b.result as Series[];
  const byKey = new Map(right.map((series) => [key(series), series]));
  if (left.length !== right.length || byKey.size !== right.length) {
    return `series: ${left.length} | ${right.length}`;
  }
  for (const [i, series] of left.entries()) {
    const match = byKey.get(key(series));
    if (match === undefined) return `missing series ${key(series)}`;
    if (ordered && right[i] !== match && !sameSample(series, right[i]!)) return 'order of series';
    const { metric: _a, ...theirSamples } = series;
    const { metric: _b, ...ourSamples } = match;
    if (!sameValue(theirSamples, ourSamples)) {
      return `${key(series)}: ${show(theirSamples)} | ${show(ourSamples)}`;
    }
  }
  return null;
}

/** Ties may come in any order. */
function sameSample(a: Series, b: Series): boolean {
  return sameValue(a.value, b.value);
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 200);
}

/** Numbers, as text or not, within the tolerance; everything else exactly. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b || sameNumber(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  }
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const x = a as Record<string, unknown>;
    const y = b as Record<string, unknown>;
    const keys = Object.keys(x);
    return (
      keys.length === Object.keys(y).length && keys.every((name) => sameValue(x[name], y[name]))
    );
  }
  return a === b;
}

function sameNumber(a: string, b: string): boolean {
  const read = (text: string): number =>
    text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : text === '' ? NaN : Number(text);
  const x = read(a);
  const y = read(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  return x === y || Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y));
}

function annotationDifference(
  kind: string,
  theirs: readonly string[] = [],
  ours: readonly string[] = [],
): string | null {
  const plain = (texts: readonly string[]): string[] =>
    texts.map((text) => text.replace(/ \(\d+:\d+\)$/, '')).sort();
  const a = plain(theirs);
  const b = plain(ours);
  if (a.length === b.length && (a.length > 10 || a.every((text, i) => text === b[i]))) return null;
  return `${kind}: ${show(a)} | ${show(b)}`;
}
