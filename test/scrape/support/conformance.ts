/** Where the conformance data lies, and what to do when it is not there. */
import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(process.env.NARTHEX_CONFORMANCE ?? '../shared/conformance');

/** Path of a folder of conformance data, or null (with a word of why) when it is absent. */
export function conformanceFolder(name: string): string | null {
  const folder = path.join(ROOT, name);
  if (existsSync(folder)) return folder;
  if (process.env.NARTHEX_REQUIRE) throw new Error(`conformance data is missing: ${folder}`);
  console.log(`skipped: no conformance data at ${folder}`);
  return null;
}
