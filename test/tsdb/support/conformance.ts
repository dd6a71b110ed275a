/** Data directories that real servers wrote, and what they hold. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { conformancePath } from '../../support/conformance.ts';

export { conformancePath };

/** Folders that hold a `data` directory and a `dump.txt.gz`. */
export const FIXTURES = [
  'tsdb-fixture',
  'fixture-3.14/xor',
  'fixture-3.14/xor2',
  'fixture-3.14/killed',
] as const;

/** Paths below a fixture that match a pattern, sorted. */
export function fixturePaths(fixture: string, pattern: string): string[] {
  const root = conformancePath(fixture);
  if (root === null) return [];
  return globSync(pattern, { cwd: root })
    .map((name) => path.join(root, name))
    .sort();
}

/** A sample as the dump tool printed it. */
export type DumpedSample = {
  readonly series: string;
  readonly timestampMs: number;
  /** The text between labels and time: a number or a histogram. */
  readonly value: string;
};

/** All lines of a fixture's dump: `{labels} value time`. */
export function* readDump(folder: string): Generator<DumpedSample> {
  const text = gunzipSync(readFileSync(path.join(folder, 'dump.txt.gz'))).toString('utf8');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const labelsEnd = endOfLabels(line);
    const timeStart = line.lastIndexOf(' ');
    yield {
      series: line.slice(0, labelsEnd),
      value: line.slice(labelsEnd + 1, timeStart),
      timestampMs: Number(line.slice(timeStart + 1)),
    };
  }
}

function endOfLabels(line: string): number {
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line[i] === '"') isQuoted = !isQuoted;
    else if (line[i] === '}' && !isQuoted) return i + 1;
  }
  throw new Error(`no labels in ${line}`);
}
