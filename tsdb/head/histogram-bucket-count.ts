/** How many buckets native histograms have, for a figure that is asked for now and then. */
import { HistogramChunkReader } from '../chunk/histogram-decoder.ts';
import { bucketCount } from '../chunk/histogram-layout.ts';
import { isFloatEncoding } from '../chunk/encoding.ts';
import type { Head } from './head.ts';
import * as Rec from './series-record.ts';
import { forEachRecord } from './series-table.ts';

const PLACE = { file: 'head', offsetBytes: 0 };

/**
 * Positive and negative buckets of the newest histogram of every series, as its open chunk lays them
 * out. Read off the beginnings of the chunks, so that appending has nothing to count.
 */
export function histogramBucketCount(head: Head): number {
  if (head.writer.histogramSeriesCount === 0) return 0;
  const { heap, histograms } = head;
  let count = 0;
  forEachRecord(heap, (record) => {
    const word = record >>> 2;
    const address = heap.u32[word + Rec.OPEN_CHUNK]!;
    const flags = heap.u32[word + Rec.WINDOW]!;
    if (address === 0 || (flags & Rec.FLAG_ENCODED) === 0) return;
    const { bytes, encoding } = histograms.bytesOf(address);
    if (isFloatEncoding(encoding)) return;
    const { layout } = new HistogramChunkReader(encoding, bytes, 0, bytes.length, PLACE);
    count += bucketCount(layout.positiveSpans) + bucketCount(layout.negativeSpans);
  });
  return count;
}
