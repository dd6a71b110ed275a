/** What the commands that look into a data directory share. */
import { createLogger, type Logger } from '../../model/index.ts';
import type { Out } from './command-line.ts';

export const DIRECTORY_DEFAULT = 'data/';

/** Says on the error channel what is left out. */
export function readOnlyLogger(err: Out): Logger {
  return createLogger(
    ({ message, fields }) => {
      const details = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
      err(`${[message, ...details].join(' ')}\n`);
    },
    { level: 'warn', nowMs: () => Date.now() },
  );
}
