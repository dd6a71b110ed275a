/**
 * Where a sample stands in the log: the segment, the end of its record there, and its index in the
 * record. Keys ascend as the log was written, restarts included.
 */
export type LogKey = {
  readonly segment: number;
  readonly offset: number;
  readonly index: number;
};

/** Of every sample that ends at a position of the log or before. */
export function keyBehind(position: {
  readonly segmentIndex: number;
  readonly offsetBytes: number;
}): LogKey {
  return { segment: position.segmentIndex, offset: position.offsetBytes, index: INDEX_MAX };
}

export const INDEX_MAX = 0xffff_ffff;

export function compareKeys(a: LogKey, b: LogKey): number {
  return a.segment - b.segment || a.offset - b.offset || a.index - b.index;
}
