import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(process.env.NARTHEX_CONFORMANCE ?? '../shared/conformance');

/**
 * A folder of the conformance data, or null, with the reason printed, where it is not there.
 * @throws Error in place of that when NARTHEX_REQUIRE is set
 */
export function conformanceFolder(name: string): string | null {
  const folder = path.join(ROOT, name);
  if (existsSync(folder)) return folder;
  const reason = `no conformance data at ${folder} (set NARTHEX_CONFORMANCE)`;
  if (process.env.NARTHEX_REQUIRE) throw new Error(reason);
  console.info(`skipped: ${reason}`);
  return null;
}
