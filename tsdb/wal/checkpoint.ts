/**
 * Checkpoints: what still matters of the oldest segments, written anew, so that these can be deleted.
 *
 *   checkpoint.NNNNNNNN/00000000 …   a log of its own that replaces segments up to NNNNNNNN
 *
 * Kept are the series that are still known, the newest metadata of each, samples and exemplars from
 * a time on, and deletions as long as the next start may find what they are about. The previous checkpoint is read along and thereby replaced.
 * It is written under a temporary name, synced and renamed; the old one is only removed afterwards.
 */
import { ByteWriter } from '../../model/index.ts';
import { decodeExemplars, encodeExemplars } from '../record/exemplars.ts';
import { decodeHistograms, encodeHistograms } from '../record/histograms.ts';
import { decodeMetadata, encodeMetadata, type MetadataRow } from '../record/metadata.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples, encodeSamples, encodeSamplesV2 } from '../record/samples.ts';
import { beginSeriesRecord, SeriesCursor } from '../record/series.ts';
import { decodeTombstones, encodeTombstones } from '../record/tombstones.ts';
import { publishDirectory } from '../io/atomic-write.ts';
import type { Files } from '../io/files.ts';
import type { WalCompression } from './compression.ts';
import { checkpointName, findSegments, listCheckpoints, segmentPath } from './segment-name.ts';
import { type SegmentSource, WalReader } from './wal-reader.ts';
import { WalWriter } from './wal-writer.ts';

/** Records are gathered to about this size before they are written. */
const COMMIT_SIZE_BYTES = 1024 * 1024;

export type CheckpointOptions = {
  readonly files: Files;
  /** The log's directory. */
  readonly directory: string;
  /** The segments to replace, all of which exist; earlier ones are in the previous checkpoint. */
  readonly firstSegment: number;
  readonly lastSegment: number;
  /** Whether a series reference still means something. */
  readonly keepsSeries: (ref: number) => boolean;
  /** Samples and exemplars before are left out. */
  readonly minMs: number;
  /** Deletions that end before are left out; by default `minMs`. */
  readonly deletionsFromMs?: number;
  readonly compression?: WalCompression;
  readonly segmentSizeBytes?: number;
};

export type CheckpointResult = {
  readonly path: string;
  readonly seriesCount: number;
  readonly droppedSeriesCount: number;
  readonly sampleCount: number;
  readonly droppedSampleCount: number;
};

/** The newest finished checkpoint: its directory and the last segment it replaces; null if none. */
export function findLastCheckpoint(
  files: Files,
  directory: string,
): { readonly path: string; readonly index: number } | null {
  const index = listCheckpoints(files, directory).at(-1);
  return index === undefined ? null : { path: `${directory}/${checkpointName(index)}`, index };
}

/** The segments of a checkpoint, as a source for a reader. */
export function checkpointSources(files: Files, path: string): SegmentSource[] {
  return findSegments(files, path).map((index) => ({ path: segmentPath(path, index), index }));
}

/** @throws CorruptionError when a segment or the previous checkpoint cannot be read to its end */
export function writeCheckpoint(options: CheckpointOptions): CheckpointResult {
  const { files, directory, firstSegment, lastSegment } = options;
  const path = `${directory}/${checkpointName(lastSegment)}`;
  const temporary = `${path}.tmp`;
  files.removeTree(temporary);

  const previous = findLastCheckpoint(files, directory);
  const sources = previous === null ? [] : checkpointSources(files, previous.path);
  for (let index = firstSegment; index <= lastSegment; index++) {
    sources.push({ path: segmentPath(directory, index), index });
  }
  const { compression, segmentSizeBytes } = options;
  const writer = new WalWriter(files, temporary, {
    ...(compression === undefined ? {} : { compression }),
    ...(segmentSizeBytes === undefined ? {} : { segmentSizeBytes }),
  });
  const reader = new WalReader(files, sources);
  const sieve = new RecordSieve(options);
  try {
    let stagedSizeBytes = 0;
    while (reader.next()) {
      sieve.out.clear();
      sieve.put(reader.bytes, reader.start, reader.end, {
        file: reader.path,
        offsetBytes: reader.recordOffsetBytes,
      });
      if (sieve.out.length === 0) continue;
      writer.stage(sieve.out.bytes, 0, sieve.out.length);
      stagedSizeBytes += sieve.out.length;
      if (stagedSizeBytes < COMMIT_SIZE_BYTES) continue;
      writer.flush();
      stagedSizeBytes = 0;
    }
    sieve.out.clear();
    sieve.putMetadata();
    if (sieve.out.length > 0) writer.stage(sieve.out.bytes, 0, sieve.out.length);
    writer.flush();
  } catch (error) {
    writer.discard();
    writer.close();
    files.removeTree(temporary);
    throw error;
  } finally {
    reader.close();
  }
  writer.close();
  files.removeTree(path);
  publishDirectory(files, temporary, path);
  return { path, ...sieve.counts };
}

/** Removes checkpoints that a newer one replaced. */
export function removeCheckpointsBefore(files: Files, directory: string, index: number): void {
  for (const old of listCheckpoints(files, directory)) {
    if (old < index) files.removeTree(`${directory}/${checkpointName(old)}`);
  }
}

/** Removes segments that a checkpoint replaced, oldest first, so that a crash leaves no gap. */
export function removeSegmentsBefore(files: Files, directory: string, index: number): void {
  for (const old of findSegments(files, directory)) {
    if (old < index) files.remove(segmentPath(directory, old));
  }
  files.syncDirectory(directory);
}

type Place = { readonly file: string; readonly offsetBytes: number };

/** Lets through of each record what is still wanted. */
class RecordSieve {
  readonly out = new ByteWriter(COMMIT_SIZE_BYTES);
  readonly counts = {
    seriesCount: 0,
    droppedSeriesCount: 0,
    sampleCount: 0,
    droppedSampleCount: 0,
  };
  readonly #keepsSeries: (ref: number) => boolean;
  readonly #minMs: number;
  readonly #deletionsFromMs: number;
  readonly #cursor = new SeriesCursor();
  readonly #batch = new SampleBatch();
  readonly #metadata = new Map<number, MetadataRow>();

  constructor(options: CheckpointOptions) {
    this.#keepsSeries = options.keepsSeries;
    this.#minMs = options.minMs;
    this.#deletionsFromMs = options.deletionsFromMs ?? options.minMs;
  }

  /** Appends to `out` what is kept of a record: possibly nothing. */
  put(record: Uint8Array, start: number, end: number, place: Place): void {
    const type = recordTypeOf(record, start);
    switch (type) {
      case RecordType.Series:
        this.#putSeries(record, start, end, place);
        return;
      case RecordType.Samples:
      case RecordType.SamplesV2:
        this.#putSamples(record, start, end, place);
        return;
      case RecordType.Tombstones: {
        const rows = decodeTombstones(record, start, end, place);
        const kept = rows.filter(
          (row) => row.maxMs >= this.#deletionsFromMs && this.#keepsSeries(row.ref),
        );
        if (kept.length > 0) encodeTombstones(kept, this.out);
        return;
      }
      case RecordType.Exemplars: {
        const rows = decodeExemplars(record, start, end, place);
        const kept = rows.filter((row) => row.timestampMs >= this.#minMs);
        if (kept.length > 0) encodeExemplars(kept, this.out);
        return;
      }
      case RecordType.Metadata:
        for (const row of decodeMetadata(record, start, end, place)) {
          if (this.#keepsSeries(row.ref)) this.#metadata.set(row.ref, row);
        }
        return;
      case RecordType.MmapMarkers:
        return; // belong into the out-of-order log, where there are no checkpoints
      case null:
        // From a newer version: it knows what to do with it, we do not.
        this.out.putBytes(record.subarray(start, end));
        return;
      case RecordType.Histograms:
      case RecordType.FloatHistograms:
      case RecordType.CustomBucketsHistograms:
      case RecordType.CustomBucketsFloatHistograms:
      case RecordType.HistogramsV2:
      case RecordType.FloatHistogramsV2:
        this.#putHistograms(type, record, start, end, place);
    }
  }

  /** Appends the newest metadata of every series that was seen. */
  putMetadata(): void {
    if (this.#metadata.size > 0) encodeMetadata([...this.#metadata.values()], this.out);
  }

  #putSeries(record: Uint8Array, start: number, end: number, place: Place): void {
    const cursor = this.#cursor;
    cursor.reset(record, start, end, place);
    let isBegun = false;
    let seriesStart = cursor.position;
    for (; cursor.next(); seriesStart = cursor.position) {
      if (!this.#keepsSeries(cursor.ref)) {
        this.counts.droppedSeriesCount++;
        continue;
      }
      this.counts.seriesCount++;
      if (!isBegun) beginSeriesRecord(this.out);
      isBegun = true;
      this.out.putBytes(record.subarray(seriesStart, cursor.position));
    }
  }

  #putSamples(record: Uint8Array, start: number, end: number, place: Place): void {
    const batch = this.#batch;
    batch.clear();
    decodeSamples(record, start, end, batch, place);
    const { refs, timestampsMs, valueHalves, startTimestampsMs } = batch;
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (timestampsMs[i]! < this.#minMs) continue;
      refs[kept] = refs[i]!;
      timestampsMs[kept] = timestampsMs[i]!;
      valueHalves[kept * 2] = valueHalves[i * 2]!;
      valueHalves[kept * 2 + 1] = valueHalves[i * 2 + 1]!;
      startTimestampsMs[kept] = startTimestampsMs[i]!;
      kept++;
    }
    this.counts.sampleCount += kept;
    this.counts.droppedSampleCount += batch.count - kept;
    batch.count = kept;
    if (kept === 0) return;
    if (record[start] === RecordType.Samples) encodeSamples(batch, this.out);
    else encodeSamplesV2(batch, startTimestampsMs, this.out);
  }

  #putHistograms(
    type: RecordType,
    record: Uint8Array,
    start: number,
    end: number,
    place: Place,
  ): void {
    const rows = decodeHistograms(record, start, end, place);
    const kept = rows.filter((row) => row.timestampMs >= this.#minMs);
    this.counts.sampleCount += kept.length;
    this.counts.droppedSampleCount += rows.length - kept.length;
    if (kept.length === rows.length) this.out.putBytes(record.subarray(start, end));
    else if (kept.length > 0) encodeHistograms(type, kept, this.out);
  }
}
