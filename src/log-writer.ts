/**
 * Log lines on stderr. Every thread writes its own lines, straight to the descriptor: what goes
 * through a worker's process.stderr would be lost when the process ends in a hurry.
 */
import { writeSync } from 'node:fs';
import {
  createLogger,
  formatJsonLine,
  formatLogfmt,
  type LogFields,
  type LogFormat,
  type Logger,
  type LogLevel,
} from '../model/index.ts';

const STDERR = 2;

export type LogOptions = { readonly level: LogLevel; readonly format: LogFormat };

export function createStderrLogger(options: LogOptions, fields: LogFields = {}): Logger {
  const format = options.format === 'json' ? formatJsonLine : formatLogfmt;
  return createLogger((record) => writeLine(`${format(record)}\n`), {
    level: options.level,
    nowMs: () => Date.now(),
    fields,
  });
}

/** A full pipe refuses at once when its other end made it non-blocking; wait a little, then drop. */
const ATTEMPT_COUNT_MAX = 50;
const waitCell = new Int32Array(new SharedArrayBuffer(4));

function writeLine(line: string): void {
  const bytes = Buffer.from(line);
  let written = 0;
  for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX && written < bytes.length; attempt++) {
    try {
      written += writeSync(STDERR, bytes, written);
    } catch (error) {
      // With nobody at the other end there is nobody to tell.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(waitCell, 0, 0, 2);
    }
  }
}
