/**
 * Names in a data directory that have to do with blocks, and how blocks come and go so that a crash
 * leaves either the whole block or nothing that counts.
 *
 *   <ULID>/                    a block: meta.json, index, chunks/, tombstones
 *   <ULID>.tmp-for-creation/   being written; renamed when complete
 *   <ULID>.tmp-for-deletion/   on its way out; renamed first, removed then
 *
 * Source: Prometheus storage documentation; directories that Prometheus left when it was killed.
 */
import type { Files } from '../io/files.ts';
import { META_FILE_NAME } from './meta-json.ts';
import { isUlid } from './ulid.ts';

export const CREATION_SUFFIX = '.tmp-for-creation';
const DELETION_SUFFIX = '.tmp-for-deletion';
/** From before version 2.21. */
const LEGACY_SUFFIX = '.tmp';

/** The blocks of a data directory, oldest name first. */
export function listBlocks(files: Files, dataDirectory: string): string[] {
  return files
    .list(dataDirectory)
    .filter(
      (name) => isUlid(name) && files.stat(`${dataDirectory}/${name}/${META_FILE_NAME}`) !== null,
    );
}

/** Removes what unfinished creations and deletions left behind; returns their names. */
export function removeBlockLeftovers(files: Files, dataDirectory: string): string[] {
  const removed: string[] = [];
  for (const name of files.list(dataDirectory)) {
    const suffix = [CREATION_SUFFIX, DELETION_SUFFIX, LEGACY_SUFFIX].find((s) => name.endsWith(s));
    if (suffix === undefined || !isUlid(name.slice(0, -suffix.length))) continue;
    files.removeTree(`${dataDirectory}/${name}`);
    removed.push(name);
  }
  return removed;
}

/** Takes a block out of a data directory. Close it first. */
export function removeBlock(files: Files, dataDirectory: string, ulid: string): void {
  const path = `${dataDirectory}/${ulid}`;
  if (files.stat(path) === null) return;
  const doomed = `${path}${DELETION_SUFFIX}`;
  files.removeTree(doomed);
  files.rename(path, doomed);
  files.syncDirectory(dataDirectory);
  files.removeTree(doomed);
}
