/**
 * Where snapshots of the head lie, beside the blocks:
 *
 *   chunk_snapshot.000007.0000032768   Prometheus's own (`memory-snapshot-on-shutdown`): segment and
 *                                      offset up to which the log is in it
 *   head_snapshot.000007.0000000000    ours, written now and then while the server runs; Prometheus
 *                                      does not look at it
 *
 * Each is a log of the records in record/memory-snapshot.ts, with a directory `narthex` in those that
 * we wrote. One that is being written ends in `.tmp`.
 */
import { crc32c } from '../../model/index.ts';
import type { Files } from '../io/files.ts';
import { findSegments, segmentPath } from '../wal/segment-name.ts';
import type { SnapshotExtent } from '../record/memory-snapshot.ts';
import type { StoredChunks } from './stored-chunks.ts';

const NAME = /^(chunk|head)_snapshot\.(\d+)\.(\d+)$/;
const LEFTOVER = /^(?:chunk|head)_snapshot\.\d+\.\d+\.tmp$/;
/** Enough to tell one log from another. */
const CHECKED_SIZE_BYTES = 64 * 1024;

/** For Prometheus as well, or ours alone. */
export type SnapshotKind = 'chunk' | 'head';

/** Up to where in the log. */
export type SnapshotPosition = { readonly segment: number; readonly offsetBytes: number };

export type SnapshotPlace = SnapshotPosition & {
  readonly kind: SnapshotKind;
  readonly path: string;
};

export function snapshotPath(
  directory: string,
  kind: SnapshotKind,
  { segment, offsetBytes }: SnapshotPosition,
): string {
  const where = `${String(segment).padStart(6, '0')}.${String(offsetBytes).padStart(10, '0')}`;
  return `${directory}/${kind}_snapshot.${where}`;
}

/** Where a snapshot of ours says what it is of. */
export function extentDirectory(path: string): string {
  return `${path}/narthex`;
}

/** Finished snapshots in a data directory, the one that reaches furthest first. */
export function listSnapshots(files: Files, directory: string): SnapshotPlace[] {
  return files
    .list(directory)
    .flatMap((name) => {
      const match = NAME.exec(name);
      if (match === null) return [];
      const kind = match[1] as SnapshotKind;
      const position = { segment: Number(match[2]), offsetBytes: Number(match[3]) };
      return [{ kind, path: `${directory}/${name}`, ...position }];
    })
    .sort((a, b) => b.segment - a.segment || b.offsetBytes - a.offsetBytes);
}

export function isSamePlace(a: SnapshotPosition, b: SnapshotPosition): boolean {
  return a.segment === b.segment && a.offsetBytes === b.offsetBytes;
}

/** Removes what unfinished snapshots left behind. */
export function removeSnapshotLeftovers(files: Files, directory: string): void {
  for (const name of files.list(directory)) {
    if (LEFTOVER.test(name)) files.removeTree(`${directory}/${name}`);
  }
}

/** Removes snapshots that are of no use any more. */
export function removeSnapshots(
  files: Files,
  directory: string,
  isUseless: (place: SnapshotPlace) => boolean,
): void {
  const useless = listSnapshots(files, directory).filter(isUseless);
  for (const { path } of useless) files.removeTree(path);
  if (useless.length > 0) files.syncDirectory(directory);
}

/** What is remembered of a segment, to know it again. */
export function segmentMark(
  files: Files,
  logDirectory: string,
  segment: number,
): SnapshotExtent['lastSegment'] {
  const path = segmentPath(logDirectory, segment);
  const sizeBytes = files.stat(path)?.sizeBytes ?? 0;
  if (sizeBytes === 0) return { sizeBytes: 0, checksum: 0 };
  const file = files.open(path, 'read');
  try {
    const length = Math.min(sizeBytes, CHECKED_SIZE_BYTES);
    const bytes = new Uint8Array(length);
    file.read(sizeBytes - length, bytes, 0, length);
    return { sizeBytes, checksum: crc32c(bytes) };
  } finally {
    file.close();
  }
}

/** Why the log cannot be continued from a snapshot; null when it can. */
export function whyNotContinued(
  files: Files,
  logDirectory: string,
  { segment, offsetBytes }: SnapshotPosition,
): string | null {
  const segments = findSegments(files, logDirectory);
  const rest = segments.filter((index) => index >= segment);
  if (rest[0] !== segment) return `segment ${segment} of the log is not there`;
  if (rest.at(-1) !== segment + rest.length - 1) return 'a later segment of the log is missing';
  const sizeBytes = files.stat(segmentPath(logDirectory, segment))?.sizeBytes ?? 0;
  return sizeBytes < offsetBytes ? `segment ${segment} of the log is too short` : null;
}

/** Whether the log before a snapshot's position is the one that it was made of, as far as it is there. */
export function isSameLog(
  files: Files,
  logDirectory: string,
  { segment }: SnapshotPosition,
  { lastSegment: { sizeBytes, checksum } }: SnapshotExtent,
): boolean {
  const before = segment - 1;
  if (sizeBytes === 0 || files.stat(segmentPath(logDirectory, before)) === null) return true;
  const mark = segmentMark(files, logDirectory, before);
  return mark.sizeBytes === sizeBytes && mark.checksum === checksum;
}

/** Why finished chunks that a snapshot counts on are not there; null when they are. */
export function whyChunksMissing(
  { chunkFileEnds }: SnapshotExtent,
  { fileEnds }: StoredChunks,
): string | null {
  // The oldest files go when blocks hold what is in them.
  const oldest = fileEnds.size === 0 ? 0 : Math.min(...fileEnds.keys());
  for (const [file, sizeBytes] of chunkFileEnds) {
    if (file >= oldest && (fileEnds.get(file) ?? 0) < sizeBytes) {
      return `head chunk file ${file} does not hold all that it did`;
    }
  }
  return null;
}
