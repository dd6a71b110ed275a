/**
 * A directory as one stream of `tar.lz4`, made while it is read: nothing of it waits on disk.
 * Page: docs/format/snapshot-archive.md.
 */
import type { Files } from '../io/files.ts';
import { NODE_FILES } from '../io/node-files.ts';
import { lz4Frame } from './lz4-frame.ts';
import { tarOf } from './tar.ts';

/**
 * The files below `directory`, under `name` in the archive. Between two blocks, each of a millisecond
 * or so, others have their turn; nothing is read before it is asked for.
 * @throws CorruptionError when a file changes meanwhile
 */
export async function* archiveDirectory(
  directory: string,
  name: string,
  files: Files = NODE_FILES,
): AsyncGenerator<Uint8Array> {
  for (const bytes of lz4Frame(tarOf(files, directory, name))) {
    yield bytes;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
