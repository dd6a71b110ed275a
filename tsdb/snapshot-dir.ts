/** A snapshot of the blocks: a directory of hard links, which costs no space and never changes. */
import path from 'node:path';
import type { Block } from './block/block.ts';
import type { Files } from './io/files.ts';

/** Links every file of every block into `targetDirectory`, under the same names. */
export function snapshotBlocks(
  files: Files,
  directory: string,
  targetDirectory: string,
  blocks: readonly Block[],
): void {
  files.makeDirectory(targetDirectory);
  for (const { ulid } of blocks)
    linkTree(files, `${directory}/${ulid}`, `${targetDirectory}/${ulid}`);
  files.syncDirectory(targetDirectory);
  files.syncDirectory(path.dirname(targetDirectory));
}

function linkTree(files: Files, from: string, to: string): void {
  files.makeDirectory(to);
  for (const name of files.list(from)) {
    const isDirectory = files.stat(`${from}/${name}`)?.kind === 'directory';
    if (isDirectory) linkTree(files, `${from}/${name}`, `${to}/${name}`);
    else files.link(`${from}/${name}`, `${to}/${name}`);
  }
  files.syncDirectory(to);
}
