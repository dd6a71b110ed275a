/** Upstream material to check against; it lies beside the project, where there is any. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { conformancePath } from '../../../support/conformance.ts';

/** Whether what needs `names` has to be skipped. */
export function isMissing(...names: string[]): boolean {
  return conformancePath(...names) === null;
}

export function readJsonLines<T>(...names: string[]): T[] {
  const text = gunzipSync(readFileSync(conformancePath(...names)!)).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** All lines of the promqltest scripts, trimmed, with their place. */
export function* scriptLines(): Iterable<{ line: string; place: string }> {
  const directory = conformancePath('promqltest')!;
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.test'))) {
    const lines = readFileSync(path.join(directory, file), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      yield { line: line.trim(), place: `${file}:${index + 1}` };
    }
  }
}
