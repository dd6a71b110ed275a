/**
 * Fills the buffers of out-of-order samples from their log, after the head's own log was replayed.
 * A marker says that what was collected of a series is in a chunk; it is believed when that chunk
 * was found.
 */
import type { Files } from '../io/files.ts';
import { decodeHistograms } from '../record/histograms.ts';
import { decodeMmapMarkers } from '../record/mmap-markers.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples } from '../record/samples.ts';
import { findSegments } from '../wal/segment-name.ts';
import type { Head } from './head.ts';
import { fillGaps, readSegments, type ReplayProgress, type ReplayResult } from './replay.ts';
import { findRecord } from './series-table.ts';
import type { StoredChunks } from './stored-chunks.ts';

export type LateReplayOptions = {
  readonly files: Files;
  readonly directory: string;
  readonly stored: StoredChunks;
  /** From the replay of the head's log. */
  readonly aliases: ReadonlyMap<number, number>;
  readonly onProgress: (progress: ReplayProgress) => void;
};

export type LateReplayResult = {
  sampleCount: number;
  unknownRefCount: number;
  repairs: ReplayResult['repairs'];
};

export function replayLateLog(head: Head, options: LateReplayOptions): LateReplayResult {
  const { files, directory, stored, aliases } = options;
  const result: LateReplayResult = { sampleCount: 0, unknownRefCount: 0, repairs: [] };
  const segments = findSegments(files, directory);
  if (segments.length === 0) return result;
  result.repairs.push(...fillGaps(files, directory, segments));
  const known = new Set<number>();
  for (let i = 0; i < stored.count; i++) {
    if (stored.isOutOfOrder[i] === 1) known.add(stored.files[i]! * 2 ** 32 + stored.offsets[i]!);
  }
  const recordOf = (ref: number): number => {
    const own = aliases.get(ref) ?? ref;
    const record = own > 0 && own <= head.lastRef ? findRecord(head.heap, own) : 0;
    if (record === 0) result.unknownRefCount++;
    return record;
  };
  const batch = new SampleBatch();
  readSegments(segments, options, result, ({ bytes, start, end, path, recordOffsetBytes }) => {
    const place = { file: path, offsetBytes: recordOffsetBytes };
    switch (recordTypeOf(bytes, start)) {
      case RecordType.MmapMarkers:
        for (const { ref, chunkRef } of decodeMmapMarkers(bytes, start, end, place)) {
          if (!known.has(chunkRef)) continue;
          const record = recordOf(ref);
          if (record !== 0) head.outOfOrder.clearBuffer(record);
        }
        return;
      case RecordType.Samples:
      case RecordType.SamplesV2: {
        batch.clear();
        decodeSamples(bytes, start, end, batch, place);
        for (let i = 0; i < batch.count; i++) {
          const record = recordOf(batch.refs[i]!);
          if (record === 0) continue;
          head.late.restoreFloat(
            record,
            batch.timestampsMs[i]!,
            batch.valueHalves[i * 2]!,
            batch.valueHalves[i * 2 + 1]!,
            batch.startTimestampsMs[i]!,
          );
          result.sampleCount++;
        }
        return;
      }
      case RecordType.Histograms:
      case RecordType.FloatHistograms:
      case RecordType.CustomBucketsHistograms:
      case RecordType.CustomBucketsFloatHistograms:
      case RecordType.HistogramsV2:
      case RecordType.FloatHistogramsV2:
        for (const row of decodeHistograms(bytes, start, end, place)) {
          const record = recordOf(row.ref);
          if (record === 0) continue;
          head.late.restoreHistogram(record, row.timestampMs, row.histogram, row.startMs);
          result.sampleCount++;
        }
        return;
      case RecordType.Series:
      case RecordType.Tombstones:
      case RecordType.Exemplars:
      case RecordType.Metadata:
      case null:
        return; // does not belong here
    }
  });
  return result;
}
