/** The text of a configuration file of any kind: UTF-8, all of it. */
import { readFileSync } from 'node:fs';
import { ConfigError, messageOf } from '../../model/index.ts';

/** @throws ConfigError naming the file, and where it is not UTF-8 the place */
export function readConfigText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new ConfigError(readProblem(file, error), file, 0, 0, { cause: error });
  }
  const text = bytes.toString('utf8');
  const invalidAt = Buffer.from(text, 'utf8').equals(bytes) ? -1 : text.indexOf('\ufffd');
  if (invalidAt >= 0) {
    const before = text.slice(0, invalidAt).split('\n');
    const column = before.at(-1)!.length + 1;
    throw new ConfigError('yaml: invalid UTF-8', file, before.length, column);
  }
  return text;
}

/** Why `file` could not be read, in Prometheus's words where they are known. */
export function readProblem(file: string, error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return isMissing ? `open ${file}: no such file or directory` : messageOf(error);
}
