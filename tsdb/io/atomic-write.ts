/**
 * Replaces a small file so that a reader, or a start after a power loss, finds the old content or
 * the new and nothing between: temporary name, sync, rename, sync of the directory.
 */
import { dirname } from 'node:path';
import type { Files } from './files.ts';

export function writeFileAtomic(files: Files, path: string, content: Uint8Array): void {
  const temporary = `${path}.tmp`;
  const file = files.open(temporary, 'create');
  try {
    file.append(content);
    file.sync();
  } finally {
    file.close();
  }
  files.rename(temporary, path);
  files.syncDirectory(dirname(path));
}

/** Moves a finished directory to its final name and makes the move durable. */
export function publishDirectory(files: Files, temporary: string, path: string): void {
  files.syncDirectory(temporary);
  files.rename(temporary, path);
  files.syncDirectory(dirname(path));
}
