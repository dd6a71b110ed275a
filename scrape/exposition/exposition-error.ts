import { NarthexError } from '../../model/index.ts';
import { quoteBytes } from './go-quote.ts';

/** A scraped body breaks its format. The message is Prometheus's; the rest says where. */
export class ExpositionError extends NarthexError {
  readonly code = 'EXPOSITION';
  /** Where in the body, counted from 0. */
  readonly offsetBytes: number;

  constructor(what: string, offsetBytes: number) {
    super(what);
    this.offsetBytes = offsetBytes;
  }
}

/** The names of the lexical units as error messages show them. */
export type TokenKind =
  | 'INVALID'
  | 'LINEBREAK'
  | 'LNAME'
  | 'QSTRING'
  | 'BOPEN'
  | 'BCLOSE'
  | 'EQUAL'
  | 'COMMA'
  | 'TIMESTAMP'
  | 'COMMENT'
  | 'EOF';

/**
 * `expected X, got "…" ("KIND") while parsing: "…"`. Both texts reach one byte past `tokenEnd`,
 * the byte that told the end of the unit, as people know it from Prometheus.
 */
export function unexpectedToken(
  expected: string,
  bytes: Uint8Array,
  entryStart: number,
  tokenStart: number,
  tokenEnd: number,
  kind: TokenKind,
): ExpositionError {
  const got = quoteBytes(bytes.subarray(tokenStart, tokenEnd + 1));
  const entry = quoteBytes(bytes.subarray(entryStart, tokenEnd + 1));
  return new ExpositionError(
    `expected ${expected}, got ${got} (${JSON.stringify(kind)}) while parsing: ${entry}`,
    tokenStart,
  );
}

/** `what while parsing: "…"` */
export function badEntry(
  what: string,
  bytes: Uint8Array,
  entryStart: number,
  entryEnd: number,
): ExpositionError {
  const entry = quoteBytes(bytes.subarray(entryStart, entryEnd));
  return new ExpositionError(`${what} while parsing: ${entry}`, entryStart);
}

/** Thrown at the end of a scrape that had too many samples. */
export class SampleLimitError extends ExpositionError {
  constructor() {
    super('sample limit exceeded', 0);
  }
}

/** A native histogram has more buckets than allowed in every resolution. */
export class BucketLimitError extends ExpositionError {
  constructor() {
    super('histogram bucket limit exceeded', 0);
  }
}
