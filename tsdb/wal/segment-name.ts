/**
 * Names in a log directory: segments are numbered with eight digits and no gaps, checkpoints carry
 * the number of the last segment they replace.
 * Source: Prometheus "WAL Disk Format" and the directories that Prometheus writes.
 */
import { CorruptionError } from '../../model/index.ts';
import type { Files } from '../io/files.ts';

const SEGMENT_NAME = /^\d{6,}$/;
const CHECKPOINT_NAME = /^checkpoint\.(\d+)$/;
/** Left by a checkpoint that was not finished. */
const CHECKPOINT_LEFTOVER = /^checkpoint\.\d+\.tmp$/;

export function segmentName(index: number): string {
  return String(index).padStart(8, '0');
}

export function segmentPath(directory: string, index: number): string {
  return `${directory}/${segmentName(index)}`;
}

export function checkpointName(index: number): string {
  return `checkpoint.${segmentName(index)}`;
}

/** Numbers of the segments in a directory, ascending, with or without gaps. */
export function findSegments(files: Files, directory: string): number[] {
  return files
    .list(directory)
    .filter((name) => SEGMENT_NAME.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Numbers of the segments in a directory, ascending.
 * @throws CorruptionError when one is missing in between
 */
export function listSegments(files: Files, directory: string): number[] {
  const indexes = findSegments(files, directory);
  for (let i = 1; i < indexes.length; i++) {
    if (indexes[i] !== indexes[i - 1]! + 1) {
      const file = segmentPath(directory, indexes[i - 1]! + 1);
      throw new CorruptionError('segments are not sequential', { file, offsetBytes: 0 });
    }
  }
  return indexes;
}

/** Numbers of the finished checkpoints in a log directory, ascending. */
export function listCheckpoints(files: Files, directory: string): number[] {
  return files
    .list(directory)
    .flatMap((name) => {
      const match = CHECKPOINT_NAME.exec(name);
      return match === null ? [] : [Number(match[1])];
    })
    .sort((a, b) => a - b);
}

/** Removes what unfinished checkpoints left behind. */
export function removeCheckpointLeftovers(files: Files, directory: string): void {
  for (const name of files.list(directory)) {
    if (CHECKPOINT_LEFTOVER.test(name)) files.removeTree(`${directory}/${name}`);
  }
}
