/** Log files that the configuration names: JSON lines, opened anew at every reload. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createLogger, formatJsonLine, type Logger } from '../model/index.ts';

type LogFile = { descriptor: number | null; readonly logger: Logger };

export class FileLoggers {
  readonly #files = new Map<string, LogFile>();
  readonly #onFailure: () => void;

  /** @param onFailure  hears of every line that could not be written */
  constructor(onFailure: () => void = () => {}) {
    this.#onFailure = onFailure;
  }

  /** The logger into `file`; always the same for the same name. */
  open(file: string): Logger {
    const known = this.#files.get(file);
    if (known !== undefined) return known.logger;
    const logFile: LogFile = {
      descriptor: null,
      logger: createLogger((record) => this.#append(file, logFile, `${formatJsonLine(record)}\n`), {
        level: 'debug',
        nowMs: () => Date.now(),
      }),
    };
    this.#files.set(file, logFile);
    return logFile.logger;
  }

  /** After somebody moved a file away: the next line begins a new one. */
  reopen(): void {
    this.close();
  }

  close(): void {
    for (const logFile of this.#files.values()) {
      if (logFile.descriptor !== null) closeSync(logFile.descriptor);
      logFile.descriptor = null;
    }
  }

  #append(file: string, logFile: LogFile, line: string): void {
    try {
      logFile.descriptor ??= openSync(file, 'a');
      writeSync(logFile.descriptor, line);
    } catch {
      // A full disk must not fail the query that is logged.
      this.#onFailure();
    }
  }
}
