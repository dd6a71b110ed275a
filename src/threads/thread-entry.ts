/**
 * Where a thread's code is: beside this file. In a bundle that is a `.js` file in the same folder
 * as all others.
 */
import path from 'node:path';

export type ThreadName =
  | 'ingest-thread'
  | 'replay-reader'
  | 'query-worker'
  | 'compaction-worker'
  | 'password-worker'
  | 'import-worker'
  | 'remote-write-thread';

export function threadEntry(name: ThreadName): URL {
  return new URL(`${name}${path.extname(import.meta.url)}`, import.meta.url);
}
