/**
 * Makes a log usable again after a corruption: everything before the first bad record stays, the rest
 * of that segment and all later segments go. What is lost is told, so that it can be reported.
 */
import { PAGE_SIZE_BYTES } from './fragment.ts';
import type { Files } from '../io/files.ts';
import { findSegments, segmentPath } from './segment-name.ts';

export type LogRepair = {
  /** Segment that was cut, and where. */
  readonly segmentIndex: number;
  readonly offsetBytes: number;
  readonly lostSizeBytes: number;
  readonly removedSegmentCount: number;
};

/** Cuts the log at `offsetBytes` of a segment: the `recordOffsetBytes` of the reader that failed. */
export function repairLog(
  files: Files,
  directory: string,
  segmentIndex: number,
  offsetBytes: number,
): LogRepair {
  let lostSizeBytes = 0;
  let removedSegmentCount = 0;
  // From the end, so that a crash in between leaves no gap.
  const later = findSegments(files, directory).filter((index) => index > segmentIndex);
  for (const index of later.reverse()) {
    const path = segmentPath(directory, index);
    lostSizeBytes += files.stat(path)?.sizeBytes ?? 0;
    files.remove(path);
    removedSegmentCount++;
  }
  files.syncDirectory(directory);

  const path = segmentPath(directory, segmentIndex);
  const file = files.open(path, 'append');
  try {
    lostSizeBytes += Math.max(0, file.sizeBytes() - offsetBytes);
    file.truncate(offsetBytes);
    // Zeros to the end of the page: only the very last segment may end inside one.
    const pageUsed = offsetBytes % PAGE_SIZE_BYTES;
    if (pageUsed > 0) file.truncate(offsetBytes + PAGE_SIZE_BYTES - pageUsed);
    file.sync();
  } finally {
    file.close();
  }
  return { segmentIndex, offsetBytes, lostSizeBytes, removedSegmentCount };
}
