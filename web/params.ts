/**
 * Typed parameters of the API: times, durations, limits, truth values. Every error names the
 * parameter and repeats the text, in Prometheus's words.
 * Source: Prometheus HTTP API documentation; edge cases were compared with 3.14.
 */
import { parseDuration, parseFloatText, parseRfc3339, SECOND_MS } from '../model/index.ts';
import { ApiError, toApiError } from './api-error.ts';
import type { Form } from './form.ts';
import type { TimeRange } from './ports.ts';

/** Stand for "since ever" and "for ever"; whole, so that arithmetic on them stays exact. */
export const TIME_MS_MIN = Number.MIN_SAFE_INTEGER;
export const TIME_MS_MAX = Number.MAX_SAFE_INTEGER;
/** Texts for the ends of time, which clients may send back to us. */
const TIME_TEXT_MIN = '-292273086-05-16T16:47:06Z';
const TIME_TEXT_MAX = '292277025-08-18T07:12:54.999999999Z';

/** Times and durations count in signed 64-bit nanoseconds there. */
const NANOSECONDS_PER_MS = 1_000_000n;
const NANOSECOND_TIME_MS_MAX = 9_223_372_036_854;
const DURATION_SECONDS_LIMIT = 2 ** 63 / 1e9;

/** For routes that refuse a form of which a part had to be dropped, as they do in Prometheus. */
export function requireWellFormed(form: Form): void {
  if (form.fault === null) return;
  throw new ApiError('bad_data', `error parsing form values: ${form.fault}`);
}

export function badParameter(name: string, what: string): ApiError {
  return new ApiError('bad_data', `invalid parameter ${JSON.stringify(name)}: ${what}`);
}

/**
 * Unix seconds with decimals, or RFC 3339, to whole milliseconds; undefined when it is neither.
 * Seconds are rounded, RFC 3339 fractions are cut. May lie far outside of any sensible time.
 */
export function parseTime(text: string): number | undefined {
  const seconds = parseSeconds(text);
  if (seconds !== undefined) return timeOfSeconds(seconds);
  if (text === TIME_TEXT_MIN) return TIME_MS_MIN;
  if (text === TIME_TEXT_MAX) return TIME_MS_MAX;
  // RFC 3339 knows lower case and any number of decimals; Go's parser wants capitals, takes an hour
  // of one digit, and ignores what is finer than it counts.
  const match = /^(\d{4}-\d\d-\d\dT)(\d?\d)(:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, date, hour, minutes, fraction = '', zone] = match;
  if (zone !== 'Z' && (Number(zone!.slice(1, 3)) > 24 || Number(zone!.slice(4)) > 60)) {
    return undefined;
  }
  return parseRfc3339(`${date}${hour!.padStart(2, '0')}${minutes}${fraction.slice(0, 10)}${zone}`);
}

/** A Go float: underscores between digits are allowed, hexadecimal needs an exponent. */
function parseSeconds(text: string): number | undefined {
  if (/^[+-]?0[xX][^pP]*$/.test(text)) return undefined;
  let digits = text;
  if (text.includes('_')) {
    // An underscore stands between two digits, or behind the prefix 0x.
    if (/_(?![0-9a-fA-F])|(?<![0-9a-fA-FxX])_/.test(text)) return undefined;
    digits = text.replaceAll('_', '');
  }
  const seconds = parseFloatText(digits);
  const isWord = /^[+-]?(?:inf|infinity|nan)$/i.test(digits);
  return seconds !== undefined && !Number.isFinite(seconds) && !isWord ? undefined : seconds;
}

/** NaN, infinities and what exceeds 64 bits come out as the conversion to an integer leaves them. */
function timeOfSeconds(seconds: number): number {
  if (!Number.isFinite(seconds)) return -NANOSECOND_TIME_MS_MAX;
  const whole = Math.abs(seconds) < 2 ** 63 ? Math.trunc(seconds) : -(2 ** 63);
  const fractionMs = Math.round((seconds - Math.trunc(seconds)) * SECOND_MS);
  return whole * SECOND_MS + fractionMs;
}

/** A time beyond the years 1678…2262 wraps around in the engine's nanoseconds; so it does here. */
export function wrapEngineTime(timeMs: number): number {
  if (Math.abs(timeMs) <= NANOSECOND_TIME_MS_MAX) return timeMs;
  return Number(BigInt.asIntN(64, BigInt(timeMs) * NANOSECONDS_PER_MS) / NANOSECONDS_PER_MS);
}

/** A time that must be there; its error differs from that of an optional one. */
export function requiredTime(form: Form, name: string): number {
  const text = form.first(name);
  const timeMs = parseTime(text);
  if (timeMs === undefined) {
    throw badParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }
  return timeMs;
}

export function optionalTime(form: Form, name: string, absentMs: number): number {
  const text = form.first(name);
  if (text === '') return absentMs;
  const timeMs = parseTime(text);
  if (timeMs === undefined) {
    const what = `cannot parse ${JSON.stringify(text)} to a valid timestamp`;
    throw badParameter(name, `invalid time value for '${name}': ${what}`);
  }
  return timeMs;
}

/** `start` and `end`, open where absent. */
export function timeRange(form: Form): TimeRange {
  return {
    minMs: clampTime(optionalTime(form, 'start', TIME_MS_MIN)),
    maxMs: clampTime(optionalTime(form, 'end', TIME_MS_MAX)),
  };
}

function clampTime(timeMs: number): number {
  return Math.min(Math.max(timeMs, TIME_MS_MIN), TIME_MS_MAX);
}

/**
 * Seconds as a float, or a duration such as `1h30m`, to milliseconds with decimals.
 * @throws ApiError without the parameter's name
 */
export function parseDurationMs(text: string): number {
  const what = `cannot parse ${JSON.stringify(text)} to a valid duration`;
  const seconds = parseSeconds(text);
  if (seconds !== undefined) {
    if (Math.abs(seconds) >= DURATION_SECONDS_LIMIT) {
      throw new ApiError('bad_data', `${what}. It overflows int64`);
    }
    return Number.isNaN(seconds) ? Number.NEGATIVE_INFINITY : seconds * SECOND_MS;
  }
  try {
    return parseDuration(text);
  } catch (error) {
    throw new ApiError('bad_data', what, { cause: error });
  }
}

/** Null when absent. */
export function optionalDuration(form: Form, name: string): number | null {
  return form.first(name) === '' ? null : requiredDuration(form, name);
}

export function requiredDuration(form: Form, name: string): number {
  try {
    return parseDurationMs(form.first(name));
  } catch (error) {
    throw error instanceof ApiError ? badParameter(name, error.message) : error;
  }
}

/**
 * A whole number, as Go's strconv.Atoi takes it: a sign is allowed, white space is not, and so is
 * what fits into the bits. What is beyond our exact numbers becomes the last of these.
 */
export function parseInteger(
  text: string,
  goFunction: 'Atoi' | 'ParseInt',
  bitCount: 32 | 64 = 64,
): number {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?\d+$/.test(text)) {
    throw new ApiError('bad_data', `strconv.${goFunction}: parsing ${quoted}: invalid syntax`);
  }
  const integer = BigInt(text.replace(/^\+/, ''));
  if (BigInt.asIntN(bitCount, integer) !== integer) {
    throw new ApiError('bad_data', `strconv.${goFunction}: parsing ${quoted}: value out of range`);
  }
  const number = Number(integer);
  return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** `limit`: 0 (no limit) when absent; negative ones are refused. */
export function limitParameter(form: Form): number {
  const text = form.first('limit');
  if (text === '') return 0;
  let limit: number;
  try {
    limit = parseInteger(text, 'Atoi');
  } catch (error) {
    throw error instanceof ApiError ? badParameter('limit', error.message) : error;
  }
  if (limit < 0) throw badParameter('limit', 'limit must be non-negative');
  return limit;
}

/** A number without further conditions, for endpoints whose error is a plain sentence. */
export function plainInteger(form: Form, name: string, absent: number): number {
  const text = form.first(name);
  if (text === '') return absent;
  try {
    return parseInteger(text, 'Atoi');
  } catch (error) {
    throw new ApiError('bad_data', `${name} must be a number`, { cause: error });
  }
}

const TRUE_TEXTS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_TEXTS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export function isTrue(text: string): boolean {
  return TRUE_TEXTS.has(text);
}

export function isFalse(text: string): boolean {
  return FALSE_TEXTS.has(text);
}

/** False when absent. `what` stands in the error before Go's words. */
export function booleanParameter(form: Form, name: string, what: string): boolean {
  const text = form.first(name);
  if (text === '' || isFalse(text)) return false;
  if (isTrue(text)) return true;
  const quoted = JSON.stringify(text);
  throw badParameter(name, `${what}: strconv.ParseBool: parsing ${quoted}: invalid syntax`);
}

/** Puts the parameter's name before what the language had to say about its text. */
export async function namingParameter<T>(name: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { errorType, message } = toApiError(error);
    throw errorType === 'bad_data' ? badParameter(name, message) : error;
  }
}
