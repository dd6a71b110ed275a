/** Where data recorded from real servers lies, and what to do when it does not. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const root = path.resolve(
  import.meta.dirname,
  '../..',
  process.env.NARTHEX_CONFORMANCE ?? '../shared/conformance',
);

/** Null (and a printed reason) when the file is not there; an error where it is required. */
export function readConformance(name: string): string | null {
  const file = path.join(root, name);
  if (existsSync(file)) {
    const bytes = readFileSync(file);
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  }
  if (process.env.NARTHEX_REQUIRE !== undefined) throw new Error(`${file} is missing`);
  console.log(`skipped: ${file} is missing (set NARTHEX_CONFORMANCE)`);
  return null;
}
