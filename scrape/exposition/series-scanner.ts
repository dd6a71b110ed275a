/**
 * The part of a line that names a series, in the text format and in OpenMetrics:
 *
 *   name                     name{label="value",…}
 *   {"name",label="value"}   name{"quoted label"="value"}
 *
 * The text format allows blanks between all units, newlines in values and lines such as
 * `a{b="c" d="e"}`; OpenMetrics allows none of it. Finds places and makes no texts: labels are
 * decoded only for series that are new.
 * Source: Prometheus exposition formats, OpenMetrics 1.0; behaviour of Prometheus 3.14 where
 * they are silent.
 */
import {
  BRACE_CLOSE,
  BRACE_OPEN,
  COMMA,
  EQUAL,
  labelNameEnd,
  metricNameEnd,
  NEWLINE,
  NO_BYTE,
  NUL,
  QUOTE,
  quotedEnd,
  skipBlanks,
} from './bytes.ts';
import {
  badEntry,
  type ExpositionError,
  type TokenKind,
  unexpectedToken,
} from './exposition-error.ts';

/** Entries per label in {@link SeriesScanner.labels}: name start and end, value start and end. */
const FIELDS = 4;

/** A place in the body; quotes are not part of it. */
type Unit = { kind: TokenKind; end: number };

export class SeriesScanner {
  readonly #openMetrics: boolean;
  bytes: Uint8Array = new Uint8Array(0);
  /** Just past the last byte that may be looked at. */
  end = 0;
  /** Where the entry begins; error messages quote from here. */
  entryStart = 0;

  #inExemplar = false;

  /** Metric name, without quotes; -1 when the series has none. */
  nameStart = -1;
  nameEnd = -1;
  nameIsQuoted = false;
  labelCount = 0;
  /** `[nameStart, nameEnd, valueStart, valueEnd]` per label, quotes not included. */
  labels = new Int32Array(16 * FIELDS);
  /** 1 where the label's name was written in quotes. */
  labelIsQuoted = new Uint8Array(16);

  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics;
  }

  /** Other bytes. `bytes[end]` must not exist or must be NUL, which ends every unit. */
  reset(bytes: Uint8Array, end: number): void {
    this.bytes = bytes;
    this.end = end;
  }

  /**
   * Scans the series that begins at `at`, in an entry that begins at `entryStart`.
   * @returns just past it
   * @throws ExpositionError when no series is there or its labels are malformed
   */
  scan(at: number, entryStart = at): number {
    const { bytes } = this;
    this.entryStart = entryStart;
    this.labelCount = 0;
    this.nameIsQuoted = false;
    this.nameStart = at;
    this.nameEnd = metricNameEnd(bytes, at);
    if (this.nameEnd > at) {
      const open = this.#openMetrics ? this.nameEnd : skipBlanks(bytes, this.nameEnd);
      return bytes[open] === BRACE_OPEN ? this.#scanLabels(open + 1, false) : this.nameEnd;
    }
    this.nameStart = this.nameEnd = -1;
    if (bytes[at] !== BRACE_OPEN) throw this.unexpected('a valid start token', at, at, 'INVALID');
    return this.#scanLabels(at + 1, false);
  }

  /** Scans the labels of an exemplar; `at` is just past their opening brace. */
  scanExemplar(at: number, entryStart: number): number {
    this.entryStart = entryStart;
    this.labelCount = 0;
    return this.#scanLabels(at, true);
  }

  unexpected(expected: string, start: number, end: number, kind: TokenKind): ExpositionError {
    const bytes = this.bytes.subarray(0, this.end);
    const { entryStart } = this;
    if (start < this.end) return unexpectedToken(expected, bytes, entryStart, start, end, kind);
    // At the end of the body the whole entry is shown.
    return unexpectedToken(expected, bytes, entryStart, entryStart, end, 'EOF');
  }

  #scanLabels(at: number, inExemplar: boolean): number {
    this.#inExemplar = inExemplar;
    const { bytes } = this;
    const strict = this.#openMetrics;
    /** A comma is welcome after a label, not after a brace or another comma. */
    let afterLabel = false;
    for (;;) {
      if (!strict) at = skipBlanks(bytes, at);
      const byte = bytes[at];
      if (byte === BRACE_CLOSE) return at + 1;
      if (afterLabel) {
        if (byte === COMMA) {
          at++;
          afterLabel = false;
          continue;
        }
        if (strict) throw this.#unexpectedUnit('comma or brace close', at);
      }
      at = byte === QUOTE ? this.#quotedName(at) : this.#plainName(at);
      afterLabel = true;
    }
  }

  #plainName(at: number): number {
    const end = labelNameEnd(this.bytes, at);
    if (end === at) throw this.#unexpectedUnit('label name', at);
    const equal = this.#skip(end);
    if (this.bytes[equal] !== EQUAL) throw this.#unexpectedUnit('equal', equal);
    return this.#value(equal + 1, at, end, 0);
  }

  /** A name in quotes: with a value it is a label's, alone it is the metric's. */
  #quotedName(at: number): number {
    const { bytes } = this;
    const end = quotedEnd(bytes, at, this.end, this.#notInNames);
    if (end < 0) throw this.unexpected('label name', at, -1 - end, 'INVALID');
    const next = this.#skip(end);
    const byte = bytes[next];
    if (byte === EQUAL) return this.#value(next + 1, at + 1, end - 1, 1);
    if (byte !== COMMA && byte !== BRACE_CLOSE) throw this.#unexpectedUnit('equal', next);
    if (this.#inExemplar) throw this.#unexpectedUnit('label name', next);
    if (this.nameStart >= 0) {
      throw badEntry('metric name already set', bytes, this.entryStart, next + 1);
    }
    this.nameStart = at + 1;
    this.nameEnd = end - 1;
    this.nameIsQuoted = true;
    return next;
  }

  #value(at: number, nameStart: number, nameEnd: number, isQuoted: 0 | 1): number {
    const start = this.#skip(at);
    if (this.bytes[start] !== QUOTE) throw this.unexpected('label value', start, start, 'INVALID');
    const end = quotedEnd(this.bytes, start, this.end, this.#openMetrics ? NEWLINE : NO_BYTE);
    if (end < 0) throw this.unexpected('label value', start, -1 - end, 'INVALID');
    const index = this.labelCount++;
    if (index >= this.labelIsQuoted.length) this.#grow();
    const field = index * FIELDS;
    this.labels[field] = nameStart;
    this.labels[field + 1] = nameEnd;
    this.labels[field + 2] = start + 1;
    this.labels[field + 3] = end - 1;
    this.labelIsQuoted[index] = isQuoted;
    return end;
  }

  /** The byte that ends a quoted name before its time. */
  get #notInNames(): number {
    return this.#inExemplar ? NEWLINE : NUL;
  }

  #skip(at: number): number {
    return this.#openMetrics ? at : skipBlanks(this.bytes, at);
  }

  #grow(): void {
    const labels = new Int32Array(this.labels.length * 2);
    labels.set(this.labels);
    this.labels = labels;
    const quoted = new Uint8Array(this.labelIsQuoted.length * 2);
    quoted.set(this.labelIsQuoted);
    this.labelIsQuoted = quoted;
  }

  #unexpectedUnit(expected: string, at: number): ExpositionError {
    const { kind, end } = this.#unitAt(at);
    return this.unexpected(expected, at, end, kind);
  }

  #unitAt(at: number): Unit {
    switch (this.bytes[at]!) {
      case BRACE_CLOSE:
        return { kind: 'BCLOSE', end: at + 1 };
      case COMMA:
        return { kind: 'COMMA', end: at + 1 };
      case EQUAL:
        return { kind: 'EQUAL', end: at + 1 };
      case QUOTE: {
        const end = quotedEnd(this.bytes, at, this.end, this.#notInNames);
        return end < 0 ? { kind: 'INVALID', end: -1 - end } : { kind: 'QSTRING', end };
      }
      default: {
        const end = labelNameEnd(this.bytes, at);
        return end > at ? { kind: 'LNAME', end } : { kind: 'INVALID', end: at };
      }
    }
  }
}
