/**
 * Every error that Narthex raises on purpose. `code` is stable and may be matched on; messages may
 * improve. Each kind says where to look: a file and byte, a place in a text, a limit and its flag.
 */
export abstract class NarthexError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** Bytes on disk are not what the format promises; says where to point a hex editor. */
export class CorruptionError extends NarthexError {
  readonly code = 'TSDB_CORRUPTION';
  readonly what: string;
  readonly place: { readonly file: string; readonly offsetBytes: number };

  constructor(what: string, place: CorruptionError['place'], options?: ErrorOptions) {
    super(`${what} (${place.file} @ byte ${place.offsetBytes})`, options);
    this.what = what;
    this.place = { file: place.file, offsetBytes: place.offsetBytes };
  }
}

/** UTF-16 offsets into a text, end exclusive. */
export type TextRange = { readonly start: number; readonly end: number };

/** A file written by a person (configuration, rules, targets) is wrong at a line and column. */
export class ConfigError extends NarthexError {
  readonly code = 'CONFIG';
  readonly file: string;
  readonly line: number;
  readonly column: number;

  /** `line` and `column` count from 1; 0 means that the whole file is meant. */
  constructor(what: string, file: string, line = 0, column = 0, options?: ErrorOptions) {
    super(line > 0 ? `${file}:${line}:${column}: ${what}` : `${file}: ${what}`, options);
    this.file = file;
    this.line = line;
    this.column = column;
  }
}

/** A bound stopped something. Names the limit, the value that met it, and the flag or key to change. */
export class LimitError extends NarthexError {
  readonly code = 'LIMIT';
  readonly limit: string;

  constructor(what: string, limit: string, options?: ErrorOptions) {
    super(what, options);
    this.limit = limit;
  }
}

/** The text of a value (duration, timestamp, number, label name, regular expression) is malformed. */
export class ValueError extends NarthexError {
  readonly code = 'VALUE';
}

/** Somebody asked for work to stop: a client went away, a deadline passed, the server shuts down. */
export class CanceledError extends NarthexError {
  readonly code = 'CANCELED';
}

/** The text of any thrown value, for logs and for wrapping. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
