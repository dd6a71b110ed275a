/** Where data recorded from real servers lies, and what to do when it does not. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { conformancePath } from '../support/conformance.ts';

/** Null (and a printed reason) when the file is not there; an error where it is required. */
export function readConformance(name: string): string | null {
  const file = conformancePath(name);
  if (file === null) return null;
  const bytes = readFileSync(file);
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
