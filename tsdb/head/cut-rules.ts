/**
 * When a chunk is finished and the next begun. Chunks aim at 120 samples and never cross a border
 * of the head's block range. At a quarter of the count the time at which the chunk will be full is
 * estimated, and the rest of the range divided evenly, so that no small chunk is left at its end.
 * Should samples then come faster than estimated, twice the count is the end in any case.
 *
 * Source: Prometheus storage documentation; chunk borders in blocks that 2.42 and 3.14 wrote.
 */

export const SAMPLES_PER_CHUNK_DEFAULT = 120;

/** First millisecond after the block range that holds `timestampMs`. */
export function rangeEndMs(timestampMs: number, rangeMs: number): number {
  return Math.trunc(timestampMs / rangeMs) * rangeMs + rangeMs;
}

/**
 * Where a chunk should end that has covered [startMs, currentMs] with `1 / ratioToFull` of its
 * samples and may last until `limitMs`.
 */
export function estimateCutMs(
  startMs: number,
  currentMs: number,
  limitMs: number,
  ratioToFull: number,
): number {
  const chunkCount = (limitMs - startMs) / ((currentMs - startMs + 1) * ratioToFull);
  if (chunkCount <= 1) return limitMs;
  return Math.trunc(startMs + (limitMs - startMs) / Math.floor(chunkCount));
}

/** Chunks of histograms aim at a size instead of a count, but hold a few samples in any case. */
export const HISTOGRAM_CHUNK_SIZE_BYTES = 1024;
export const HISTOGRAM_CHUNK_SAMPLES_MIN = 10;
