/** Errors of a query text, worded and placed as Prometheus does it. */
import { NarthexError, type TextRange } from '../../model/index.ts';
import { formatPosition } from '../position.ts';

/** The query text is wrong; `range` lets the UI underline exactly the offending part. */
export class PromqlParseError extends NarthexError {
  readonly code = 'PROMQL_PARSE';
  /** The message without the position. */
  readonly what: string;
  readonly range: TextRange;

  constructor(what: string, query: string, range: TextRange) {
    const position = query === '' ? 'unknown position' : formatPosition(query, range.start);
    super(`${position}: parse error: ${what}`);
    this.what = what;
    this.range = range;
  }
}

/**
 * A duration expression has no usable value for this query's step and range. Prometheus reports it
 * by the byte offsets `start:end`, unlike everything else.
 */
export class PromqlDurationError extends NarthexError {
  readonly code = 'PROMQL_DURATION';
  readonly what: string;
  readonly range: TextRange;

  constructor(what: string, query: string, range: TextRange) {
    const startBytes = Buffer.byteLength(query.slice(0, range.start));
    const endBytes = Buffer.byteLength(query.slice(0, range.end));
    super(`${startBytes}:${endBytes}: ${what}`);
    this.what = what;
    this.range = range;
  }
}

/** Raises a parse error about a part of the query. */
export type Fail = (what: string, range: TextRange) => never;

/** Why a lexer or literal routine gives up; whoever knows the place turns it into a parse error. */
export class MalformedError extends Error {}
