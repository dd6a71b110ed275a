/** Upstream material to check against; it lies beside the project, where there is any. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

export const CONFORMANCE = path.resolve(process.env.NARTHEX_CONFORMANCE ?? '../shared/conformance');

/** Whether to skip what needs `parts`; says so, or fails where the material is required. */
export function isMissing(...parts: string[]): boolean {
  const file = path.join(CONFORMANCE, ...parts);
  if (existsSync(file)) return false;
  if (process.env.NARTHEX_REQUIRE) throw new Error(`required, but absent: ${file}`);
  console.warn(`skipped: ${file} is absent`);
  return true;
}

export function readJsonLines<T>(...parts: string[]): T[] {
  const text = gunzipSync(readFileSync(path.join(CONFORMANCE, ...parts))).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** All lines of the promqltest scripts, trimmed, with their place. */
export function* scriptLines(): Iterable<{ line: string; place: string }> {
  const directory = path.join(CONFORMANCE, 'promqltest');
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.test'))) {
    const lines = readFileSync(path.join(directory, file), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      yield { line: line.trim(), place: `${file}:${index + 1}` };
    }
  }
}
