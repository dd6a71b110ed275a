/**
 * Durations and timestamps as Prometheus writes them.
 * Source: Prometheus configuration documentation (`<duration>`), HTTP API documentation.
 */
import { ValueError } from './errors.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;
/** A year is always 365 days here. */
export const YEAR_MS = 365 * DAY_MS;

/** Longest first, the only order in which units may follow one another. */
const UNITS: readonly (readonly [name: string, sizeMs: number])[] = [
  ['y', YEAR_MS],
  ['w', WEEK_MS],
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];
const PART = /(\d+)(\D*)/y;
/** Go counts durations in signed 64-bit nanoseconds; what does not fit there is refused. */
const DURATION_MS_MAX = 2 ** 63 / 1e6;

/**
 * Milliseconds of a duration such as `1h30m`; a bare `0` is allowed, a sign is not.
 * @throws ValueError with Prometheus's words
 */
export function parseDuration(text: string): number {
  if (text === '') throw new ValueError('empty duration string');
  if (text === '0') return 0;
  const invalid = () => new ValueError(`not a valid duration string: ${JSON.stringify(text)}`);
  let totalMs = 0;
  let unitIndexMin = 0;
  for (let at = 0; at < text.length; ) {
    PART.lastIndex = at;
    const part = PART.exec(text);
    if (part === null || Number(part[1]) >= 2 ** 64) throw invalid();
    at = PART.lastIndex;
    const [, digits, name] = part;
    const unitIndex = UNITS.findIndex((unit) => unit[0] === name);
    if (unitIndex < 0) {
      if (name === '') throw invalid();
      const quoted = JSON.stringify(name);
      throw new ValueError(`unknown unit ${quoted} in duration ${JSON.stringify(text)}`);
    }
    // Longest first, and each unit once.
    if (unitIndex < unitIndexMin) throw invalid();
    unitIndexMin = unitIndex + 1;
    totalMs += Number(digits) * UNITS[unitIndex]![1];
    if (totalMs >= DURATION_MS_MAX) throw new ValueError('duration out of range');
  }
  return totalMs;
}

/** Exact text: years and weeks only where nothing smaller remains beside them (`8d`, `1d12h`). */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let text = durationMs < 0 ? '-' : '';
  let restMs = Math.abs(Math.trunc(durationMs));
  for (const [name, sizeMs] of UNITS) {
    const wholeOnly = sizeMs >= WEEK_MS;
    if (restMs < sizeMs || (wholeOnly && restMs % sizeMs !== 0)) continue;
    text += `${Math.floor(restMs / sizeMs)}${name}`;
    restMs %= sizeMs;
  }
  return text;
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** Milliseconds of an RFC 3339 time with offset, or undefined when the text is none. */
export function parseRfc3339(text: string): number | undefined {
  const m = RFC3339.exec(text);
  if (m === null) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) {
    return undefined;
  }
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day) return undefined; // 31 February and its kin
  date.setUTCHours(hour, minute, second);
  const fractionMs = m[7] === undefined ? 0 : Math.floor(Number(`0.${m[7]}`) * 1000 + 1e-9);
  const offsetMinutes = m[8] === undefined ? 0 : Number(m[9]) * 60 + Number(m[10]);
  const sign = m[8] === '-' ? 1 : -1;
  return date.getTime() + fractionMs + sign * offsetMinutes * MINUTE_MS;
}
