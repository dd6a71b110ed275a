/** Where the conformance data lie; tests that need them are skipped without, saying so. */
import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.resolve(ROOT, process.env['NARTHEX_CONFORMANCE'] ?? '../shared/conformance');

/** The absolute path, or null (with a printed reason) when the data are not on this machine. */
export function conformanceFile(name: string): string | null {
  const file = path.join(FOLDER, name);
  if (existsSync(file)) return file;
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(`${file} is missing`);
  console.info(`skipped: no conformance data at ${file} (set NARTHEX_CONFORMANCE)`);
  return null;
}
