/**
 * Where data recorded from real servers lies: beside the project, or where NARTHEX_CONFORMANCE says
 * (relative to the project).
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(
  import.meta.dirname,
  '../..',
  process.env['NARTHEX_CONFORMANCE'] ?? '../shared/conformance',
);

/**
 * Absolute path of a file or folder, or null, with a printed reason, when it is not on this machine.
 * @throws Error in place of that where NARTHEX_REQUIRE is set
 */
export function conformancePath(...names: readonly string[]): string | null {
  const found = path.join(ROOT, ...names);
  if (existsSync(found)) return found;
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(`${found} is missing`);
  console.info(`skipped: no conformance data at ${found} (set NARTHEX_CONFORMANCE)`);
  return null;
}
