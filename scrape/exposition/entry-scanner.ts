/**
 * One entry of a text body at a time: a line with a sample, or one with metadata.
 *
 *   text          series value [timestamp in ms]           # HELP|TYPE name text     # comment
 *   OpenMetrics   series value [timestamp in s] [# {labels} value [timestamp in s]]
 *                 # HELP|TYPE|UNIT name text                # EOF
 *
 * This is the complete reader that decides what is right and what is wrong. It finds places and
 * numbers; most lines of most scrapes never get here, see `text-ingest.ts`.
 * Source: Prometheus exposition formats, OpenMetrics 1.0; behaviour of Prometheus 3.14.
 */
import { METRIC_TYPES, type MetricType, quoteText } from '../../model/index.ts';
import {
  HASH,
  isDigit,
  labelNameEnd,
  metricNameEnd,
  NEWLINE,
  NUL,
  QUOTE,
  quotedEnd,
  skipBlanks,
  SPACE,
  TAB,
  BRACE_OPEN,
} from './bytes.ts';
import { OUT_OF_RANGE, parseNumber } from './decimal.ts';
import { badEntry, ExpositionError, type TokenKind } from './exposition-error.ts';
import { decodeStrict, quoteBytes } from './go-quote.ts';
import { SeriesScanner } from './series-scanner.ts';

export const EntryKind = { Sample: 0, Type: 1, Help: 2, Unit: 3, Comment: 4, End: 5 } as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** What the type line of a metric may say, and what it means. */
const TEXT_TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['summary', 'summary'],
  ['untyped', 'unknown'],
]);
const OPEN_METRICS_TYPES: ReadonlyMap<string, MetricType> = new Map(
  METRIC_TYPES.map((type) => [type, type]),
);

export class EntryScanner {
  readonly openMetrics: boolean;
  readonly series: SeriesScanner;
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  kind: EntryKind = EntryKind.End;
  /** Sample: the text that names the series. Otherwise: the line, without its newline. */
  start = 0;
  /** Just past that text. */
  textEnd = 0;
  value = 0;
  /** NaN when the line gives no time. */
  timestampMs = NaN;

  /** Offset just past the opening brace of an exemplar's labels; -1 when there is no exemplar. */
  exemplarStart = -1;
  exemplarValue = 0;
  /** NaN when the exemplar gives no time. */
  exemplarTimestampMs = NaN;

  /** Metadata: the metric's name without quotes, and the text after it. */
  nameStart = 0;
  nameEnd = 0;
  nameIsQuoted = false;
  metaStart = 0;
  metaEnd = 0;
  /** Of a type line. */
  type: MetricType = 'unknown';

  constructor(openMetrics: boolean) {
    this.openMetrics = openMetrics;
    this.series = new SeriesScanner(openMetrics);
  }

  /**
   * Takes another body. `bytes[end]` must be writable; in the text format, which may lack the last
   * newline, `bytes[end + 1]` too.
   * @returns where the body ends now
   */
  reset(bytes: Uint8Array, end: number): number {
    if (!this.openMetrics) bytes[end++] = NEWLINE;
    bytes[end] = NUL;
    this.#bytes = bytes;
    this.#end = end;
    this.series.reset(bytes, end);
    return end;
  }

  /**
   * Reads the entry at `at`, skipping empty lines in the text format.
   * @returns just past its line
   * @throws ExpositionError
   */
  next(at: number): number {
    const bytes = this.#bytes;
    let lineStart = at;
    if (!this.openMetrics) {
      at = skipBlanks(bytes, at);
      while (bytes[at] === NEWLINE) {
        lineStart = at + 1;
        at = skipBlanks(bytes, lineStart);
      }
    }
    this.start = at;
    this.series.entryStart = lineStart;
    // A NUL where an entry could begin ends the body, wherever it stands.
    if (at >= this.#end || (bytes[at] === NUL && !this.openMetrics)) {
      this.kind = EntryKind.End;
      if (this.openMetrics && at > 0) {
        throw new ExpositionError('data does not end with # EOF', at);
      }
      return at;
    }
    if (bytes[at] === HASH) return this.openMetrics ? this.#strictComment(at) : this.#comment(at);
    this.kind = EntryKind.Sample;
    this.textEnd = this.series.scan(at, lineStart);
    return this.openMetrics ? this.#strictSample() : this.#sample();
  }

  // ---- text format ----

  #sample(): number {
    const bytes = this.#bytes;
    const start = skipBlanks(bytes, this.textEnd);
    let at = start;
    while (!endsTextValue(bytes[at]!)) at++;
    const found = at > start || bytes[at] !== BRACE_OPEN ? at : at + 1;
    this.#requireName(found);
    if (at === start) throw this.#noValue(start, found);
    this.value = this.#number(start, at);
    this.timestampMs = NaN;
    this.exemplarStart = -1;

    at = skipBlanks(bytes, at);
    if (isDigit(bytes[at]!)) {
      const end = digitsEnd(bytes, at);
      this.timestampMs = this.#integer(at, end);
      at = skipBlanks(bytes, end);
      if (bytes[at] !== NEWLINE) {
        const stop = digitsEnd(bytes, at);
        const kind = stop > at ? 'TIMESTAMP' : 'INVALID';
        throw this.#unexpected('next entry after timestamp', at, stop, kind);
      }
    } else if (bytes[at] !== NEWLINE) {
      throw this.#unexpected('timestamp or new record', at, at, 'INVALID');
    }
    return at + 1;
  }

  #comment(at: number): number {
    const bytes = this.#bytes;
    const keyword = skipBlanks(bytes, at + 1);
    const afterKeyword = keyword + 4;
    let kind: EntryKind = EntryKind.Comment;
    if (keyword > at + 1 && isBlank(bytes[afterKeyword]!)) {
      if (matches(bytes, keyword, 'HELP')) kind = EntryKind.Help;
      else if (matches(bytes, keyword, 'TYPE')) kind = EntryKind.Type;
    }
    this.kind = kind;
    if (kind === EntryKind.Comment) {
      this.textEnd = lineEnd(bytes, at, this.#end);
      return this.textEnd + 1;
    }
    const nameEnd = this.#metadataName(skipBlanks(bytes, afterKeyword), false);
    const end = lineEnd(bytes, nameEnd, this.#end);
    // Exactly one byte stands between name and text, whatever it is.
    this.#metadata(Math.min(nameEnd + 1, end), end);
    return end + 1;
  }

  // ---- OpenMetrics ----

  #strictSample(): number {
    const bytes = this.#bytes;
    let at = this.#strictNumberEnd(this.textEnd);
    this.#requireName(at < 0 ? -1 - at : at);
    if (at < 0) {
      const open = bytes[this.textEnd] === BRACE_OPEN;
      throw this.#noValue(this.textEnd, open ? this.textEnd + 1 : -1 - at);
    }
    this.value = this.#number(this.textEnd + 1, at);
    this.timestampMs = NaN;
    this.exemplarStart = -1;

    if (bytes[at] === NEWLINE || at >= this.#end) return at + 1;
    if (!this.#exemplarStartsAt(at)) {
      if (matches(bytes, at, ' # ')) throw this.#badTail(at + 3);
      const end = this.#strictNumberEnd(at);
      if (end < 0) throw this.#badTail(-1 - end);
      this.timestampMs = this.#seconds(at + 1, end, 'timestamp');
      at = end;
      if (bytes[at] === NEWLINE || at >= this.#end) return at + 1;
      if (!this.#exemplarStartsAt(at)) throw this.#unexpectedTail('next entry after timestamp', at);
    }
    return this.#exemplar(at + 4);
  }

  /** Reads an exemplar whose labels' opening brace was passed. */
  #exemplar(start: number): number {
    const bytes = this.#bytes;
    this.exemplarStart = start;
    const labelsEnd = this.series.scanExemplar(start, this.start);
    let at = this.#strictNumberEnd(labelsEnd);
    if (at < 0) {
      throw this.#unexpected('value after exemplar labels', labelsEnd, -1 - at, 'INVALID');
    }
    this.exemplarValue = this.#number(labelsEnd + 1, at);
    this.exemplarTimestampMs = NaN;
    if (bytes[at] === NEWLINE || at >= this.#end) return at + 1;
    const end = this.#strictNumberEnd(at);
    if (end < 0) throw this.#unexpected('timestamp or comment', at, -1 - end);
    this.exemplarTimestampMs = this.#seconds(at + 1, end, 'exemplar timestamp');
    at = end;
    if (bytes[at] === NEWLINE || at >= this.#end) return at + 1;
    const stop = this.#strictNumberEnd(at);
    const kind = stop >= 0 ? 'TIMESTAMP' : 'INVALID';
    throw this.#unexpected(
      'next entry after exemplar timestamp',
      at,
      stop >= 0 ? stop : -1 - stop,
      kind,
    );
  }

  #strictComment(at: number): number {
    const bytes = this.#bytes;
    if (matches(bytes, at, '# EOF')) {
      const end = at + 5;
      this.kind = EntryKind.End;
      if (end < this.#end && (bytes[end] !== NEWLINE || end + 1 < this.#end)) {
        throw new ExpositionError('unexpected data after # EOF', end);
      }
      return this.#end;
    }
    if (matches(bytes, at, '# HELP ')) this.kind = EntryKind.Help;
    else if (matches(bytes, at, '# TYPE ')) this.kind = EntryKind.Type;
    else if (matches(bytes, at, '# UNIT ')) this.kind = EntryKind.Unit;
    else {
      const known = ['# HELP ', '# TYPE ', '# UNIT ', '# EOF'];
      const stop = at + Math.max(...known.map((text) => commonPrefix(bytes, at, text)));
      throw this.#unexpected('a valid start token', at, stop, 'INVALID');
    }
    const nameEnd = this.#metadataName(at + 7, true);
    if (bytes[nameEnd] !== SPACE) {
      throw new ExpositionError(`expected text in ${this.#keyword()}`, nameEnd);
    }
    const end = lineEnd(bytes, nameEnd, this.#end);
    if (end === this.#end) throw new ExpositionError(`expected text in ${this.#keyword()}`, end);
    this.#metadata(nameEnd + 1, end);
    return end + 1;
  }

  /** Just past the ` number` at `at`, or -1 - i where i is the byte at which it cannot go on. */
  #strictNumberEnd(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== SPACE || at >= this.#end) return -1 - at;
    let end = at + 1;
    while (end < this.#end && !endsStrictNumber(bytes[end]!)) end++;
    return end > at + 1 ? end : -1 - end;
  }

  #exemplarStartsAt(at: number): boolean {
    return matches(this.#bytes, at, ' # {');
  }

  /** Prometheus ends the entry before a tail it cannot read and then fails at that tail. */
  #badTail(at: number): ExpositionError {
    this.series.entryStart = at;
    const expected = 'a valid start token';
    if (this.#exemplarStartsAt(at)) return this.#unexpected(expected, at, at + 4, 'COMMENT');
    if (matches(this.#bytes, at, ' # ')) return this.#unexpected(expected, at, at + 3);
    const end = this.#strictNumberEnd(at);
    if (this.#bytes[at] === NEWLINE) {
      return this.#unexpected(expected, at, at + 1, 'LINEBREAK');
    }
    if (end >= 0) return this.#unexpected(expected, at, end, 'TIMESTAMP');
    return this.#unexpected(expected, at, -1 - end);
  }

  #unexpectedTail(expected: string, at: number): ExpositionError {
    if (matches(this.#bytes, at, ' # ')) return this.#unexpected(expected, at, at + 3, 'INVALID');
    const end = this.#strictNumberEnd(at);
    return end >= 0
      ? this.#unexpected(expected, at, end, 'TIMESTAMP')
      : this.#unexpected(expected, at, -1 - end, 'INVALID');
  }

  // ---- both ----

  /** Reads the name that metadata is about and returns just past it. */
  #metadataName(at: number, strict: boolean): number {
    const bytes = this.#bytes;
    let end = metricNameEnd(bytes, at);
    this.nameIsQuoted = bytes[at] === QUOTE;
    if (this.nameIsQuoted) {
      end = quotedEnd(bytes, at, this.#end, NUL);
      if (end < 0) throw this.#unexpected(`metric name after ${this.#keyword()}`, at, -1 - end);
      this.nameStart = at + 1;
      this.nameEnd = end - 1;
      return end;
    }
    if (end === at) {
      const expected = `metric name after ${this.#keyword()}`;
      throw this.#unexpected(expected, at, strict ? labelNameEnd(bytes, at) : at);
    }
    this.nameStart = at;
    this.nameEnd = end;
    return end;
  }

  #metadata(start: number, end: number): void {
    this.metaStart = start;
    this.metaEnd = end;
    this.textEnd = end;
    const text = this.#bytes.subarray(start, end);
    if (this.kind === EntryKind.Help) {
      if (decodeStrict(text) !== null) return;
      throw new ExpositionError(`help text ${quoteBytes(text)} is not a valid utf8 string`, start);
    }
    if (this.kind === EntryKind.Type) {
      const types = this.openMetrics ? OPEN_METRICS_TYPES : TEXT_TYPES;
      const type = types.get(decodeStrict(text) ?? '');
      if (type === undefined) {
        throw new ExpositionError(`invalid metric type ${quoteBytes(text)}`, start);
      }
      this.type = type;
      return;
    }
    this.#checkUnit(text);
  }

  #checkUnit(unit: Uint8Array): void {
    if (unit.length === 0) return;
    const name = decodeStrict(this.#bytes.subarray(this.nameStart, this.nameEnd)) ?? '';
    const text = decodeStrict(unit);
    if (text !== null && name.endsWith(`_${text}`)) return;
    throw new ExpositionError(
      `unit ${quoteBytes(unit)} not a suffix of metric ${quoteText(name)}`,
      this.metaStart,
    );
  }

  #noValue(start: number, end: number): ExpositionError {
    const kind = this.#bytes[start] === BRACE_OPEN ? 'BOPEN' : 'INVALID';
    return this.#unexpected('value after metric', start, end, kind);
  }

  #requireName(entryEnd: number): void {
    if (this.series.nameStart >= 0) return;
    throw badEntry('metric name not set', this.#bytes, this.series.entryStart, entryEnd);
  }

  #number(start: number, end: number): number {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]! | 0x20;
      if (byte === 0x70 || bytes[at] === 0x5f) {
        throw badEntry('unsupported character in float', bytes, this.series.entryStart, end);
      }
    }
    const number = parseNumber(bytes, start, end);
    if (typeof number === 'number') return number;
    throw this.#badNumber('ParseFloat', number, start, end);
  }

  #integer(start: number, end: number): number {
    const value = Number(decodeStrict(this.#bytes.subarray(start, end)));
    if (value <= 2 ** 63) return value;
    throw this.#badNumber('ParseInt', OUT_OF_RANGE, start, end);
  }

  /** A time in seconds, as milliseconds. */
  #seconds(start: number, end: number, what: string): number {
    const seconds = this.#number(start, end);
    if (Number.isFinite(seconds)) return Math.trunc(seconds * 1000);
    const text = seconds !== seconds ? 'NaN' : seconds > 0 ? '+Inf' : '-Inf';
    throw new ExpositionError(`invalid ${what} ${text}`, start);
  }

  #badNumber(reader: string, reason: string, start: number, end: number): ExpositionError {
    const text = quoteBytes(this.#bytes.subarray(start, end));
    const what = `strconv.${reader}: parsing ${text}: ${reason}`;
    return badEntry(what, this.#bytes, this.series.entryStart, end);
  }

  #unexpected(
    expected: string,
    start: number,
    end: number,
    kind: TokenKind = 'INVALID',
  ): ExpositionError {
    return this.series.unexpected(expected, start, end, kind);
  }

  #keyword(): string {
    if (this.kind === EntryKind.Help) return 'HELP';
    return this.kind === EntryKind.Type ? 'TYPE' : 'UNIT';
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function endsTextValue(byte: number): boolean {
  return isBlank(byte) || byte === NEWLINE || byte === BRACE_OPEN || byte === NUL;
}

function endsStrictNumber(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === NUL;
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  while (isDigit(bytes[at]!)) at++;
  return at;
}

function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  const found = bytes.indexOf(NEWLINE, at);
  return found < 0 || found > end ? end : found;
}

function matches(bytes: Uint8Array, at: number, text: string): boolean {
  return commonPrefix(bytes, at, text) === text.length;
}

function commonPrefix(bytes: Uint8Array, at: number, text: string): number {
  let length = 0;
  while (length < text.length && bytes[at + length] === text.charCodeAt(length)) length++;
  return length;
}
