/** Logging as a port, and the two formats that Prometheus writes. Who writes them out is src. */

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'logfmt' | 'json';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

export type LogRecord = {
  readonly timeMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
};

/** A Logger over a function that takes finished records; drops what lies below `level`. */
export function createLogger(
  write: (record: LogRecord) => void,
  options: { level: LogLevel; nowMs: () => number; fields?: LogFields },
): Logger {
  const { nowMs, fields: base = {} } = options;
  const floor = LOG_LEVELS.indexOf(options.level);
  const at = (level: LogLevel) => {
    if (LOG_LEVELS.indexOf(level) < floor) return () => {};
    return (message: string, fields?: LogFields) =>
      write({ timeMs: nowMs(), level, message, fields: fields ? { ...base, ...fields } : base });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLogger(write, { ...options, fields: { ...base, ...fields } }),
  };
}

/** Says nothing. The default of every part that takes a logger. */
export const SILENT_LOGGER: Logger = createLogger(() => {}, { level: 'error', nowMs: () => 0 });

/** One line, without newline: `time=… level=INFO msg="…" key=value`, as Prometheus 3 writes it. */
export function formatLogfmt(record: LogRecord): string {
  let line = `time=${timeText(record.timeMs)} level=${record.level.toUpperCase()}`;
  line += ` msg=${logfmtValue(record.message)}`;
  for (const [key, value] of Object.entries(record.fields)) {
    if (value !== undefined) line += ` ${key}=${logfmtValue(valueText(value))}`;
  }
  return line;
}

/** The same record as one JSON object. */
export function formatJsonLine(record: LogRecord): string {
  const { timeMs, level, message, fields } = record;
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    plain[key] = value instanceof Error ? value.message : value;
  }
  return JSON.stringify({
    time: timeText(timeMs),
    level: level.toUpperCase(),
    msg: message,
    ...plain,
  });
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function valueText(value: unknown): string {
  if (value instanceof Error) return value.message;
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function logfmtValue(text: string): string {
  if (text === '') return '""';
  return /[\s"=\\]|[^\x20-\x7e]/.test(text) ? JSON.stringify(text) : text;
}
