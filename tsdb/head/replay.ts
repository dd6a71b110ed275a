/**
 * Makes the head again out of what is on disk: finished chunks from `chunks_head/`, everything
 * else from the log. A corrupt log is cut where it goes wrong, and what was lost is told.
 */
import { CorruptionError, messageOf } from '../../model/index.ts';
import { addInterval } from '../chunk/intervals.ts';
import type { Files } from '../io/files.ts';
import { Word } from '../memory/control-block.ts';
import { decodeExemplars } from '../record/exemplars.ts';
import { decodeHistograms } from '../record/histograms.ts';
import { decodeMetadata } from '../record/metadata.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import type { RecordPlace } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import { decodeTombstones } from '../record/tombstones.ts';
import { checkpointSources, findLastCheckpoint } from '../wal/checkpoint.ts';
import { type LogRepair, repairLog } from '../wal/repair.ts';
import { findSegments, segmentPath } from '../wal/segment-name.ts';
import { type SegmentSource, segmentSources, WalReader } from '../wal/wal-reader.ts';
import { readDeletedRanges, writeDeletedRanges } from './deleted-ranges.ts';
import type { Head } from './head.ts';
import { type BatchSource, throwFailure } from './read-ahead.ts';
import { BATCH_SAMPLE_COUNT_MAX, BatchKind, type ReplayBatch } from './replay-batch.ts';
import { SeriesRestore } from './restore-series.ts';
import {
  type RestoredSnapshot,
  restoreSnapshot,
  type SnapshotProblem,
  type SnapshotSource,
} from './restore-snapshot.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import type { StoredChunks } from './stored-chunks.ts';

/** Of `segmentCount` segments, the first of which is `firstSegment`, so many are read. */
export type ReplayProgress = {
  readonly firstSegment: number;
  readonly segment: number;
  readonly segmentCount: number;
};

export type ReplayResult = {
  sampleCount: number;
  /** Samples and other entries whose series the log does not know. */
  unknownRefCount: number;
  repairs: { readonly error: Error; readonly repair: LogRepair | null }[];
  /** Refs of the log that stand for a series which is known by another one. */
  aliases: ReadonlyMap<number, number>;
  /** What the replay went on from; null when it began at the beginning. */
  snapshot: RestoredSnapshot | null;
  /** Bytes of the log that were read. */
  logSizeBytes: number;
  /** Snapshots that could not be used. */
  snapshotProblems: SnapshotProblem[];
};

export type ReplayOptions = {
  readonly files: Files;
  /** Directory of the log; need not exist. */
  readonly directory: string;
  readonly stored: StoredChunks;
  /** Reads the log. */
  readonly batches: BatchSource;
  /** Where to look for a snapshot; by default nowhere. */
  readonly snapshots?: SnapshotSource;
  readonly onProgress: (progress: ReplayProgress) => void;
};

/**
 * Fills an empty head: from a snapshot and what the log has behind it, or else from the checkpoint
 * and all segments behind that.
 */
export function replayLog(head: Head, options: ReplayOptions): ReplayResult {
  const { files, directory, stored } = options;
  const restore = new SeriesRestore(head, stored);
  const result: ReplayResult = {
    sampleCount: 0,
    unknownRefCount: 0,
    repairs: [],
    aliases: restore.aliases,
    snapshot: null,
    logSizeBytes: 0,
    snapshotProblems: [],
  };
  const records = new RecordReplay(head, restore, result);

  const checkpoint = findLastCheckpoint(files, directory);
  const segments = findSegments(files, directory).filter(
    (index) => checkpoint === null || index > checkpoint.index,
  );
  result.repairs.push(...fillGaps(files, directory, segments));
  if (options.snapshots !== undefined) {
    result.snapshot = restoreSnapshot(head, restore, options.snapshots, result.snapshotProblems);
  }
  if (result.snapshot !== null) {
    const { place, hasExtent } = result.snapshot;
    const rest = segments.filter((index) => index >= place.segment);
    result.logSizeBytes = sizeOf(files, directory, rest) - place.offsetBytes;
    replaySegments(rest, place.offsetBytes, options, result, records);
    // Prometheus's snapshots do not say under which other refs a series has chunks.
    if (!hasExtent && restore.hasOrphans()) {
      const reason = 'there are chunks of series that it does not know';
      result.snapshotProblems.push({ path: place.path, reason });
      result.snapshot = null;
      result.unknownRefCount = 0;
      head.exemplars.clear();
    }
  }
  if (result.snapshot === null) {
    result.logSizeBytes = sizeOf(files, directory, segments);
    if (checkpoint !== null) {
      replayCheckpoint(checkpointSources(files, checkpoint.path), options, result, records);
    }
    replaySegments(segments, 0, options, result, records);
  }
  records.finish();
  return result;
}

function sizeOf(files: Files, directory: string, segments: readonly number[]): number {
  return segments.reduce(
    (sum, index) => sum + (files.stat(segmentPath(directory, index))?.sizeBytes ?? 0),
    0,
  );
}

function replayCheckpoint(
  sources: readonly SegmentSource[],
  { batches }: ReplayOptions,
  result: ReplayResult,
  records: RecordReplay,
): void {
  batches.open(sources);
  try {
    let batch = batches.next();
    for (; batch.kind !== BatchKind.End; batch = batches.next()) records.replay(batch, sources);
  } catch (error) {
    // Nothing to cut: the rest of the checkpoint is lost, the segments may still be good.
    if (!(error instanceof CorruptionError)) throw error;
    result.repairs.push({ error, repair: null });
  } finally {
    batches.close();
  }
}

/**
 * Replays the segments; at a corruption the log is cut.
 * @param startBytes  of the first segment, where to begin
 */
function replaySegments(
  segments: readonly number[],
  startBytes: number,
  { files, directory, batches, onProgress }: ReplayOptions,
  result: ReplayResult,
  records: RecordReplay,
): void {
  const sources = segmentSources(directory, segments, startBytes);
  const [firstSegment = 0] = segments;
  let segment = -1;
  let goodSizeBytes = 0;
  let done = 0;
  batches.open(sources);
  try {
    for (;;) {
      const batch = batches.next();
      if (batch.kind === BatchKind.End) break;
      if (batch.kind !== BatchKind.Failed && batch.segment !== segment) {
        onProgress({ firstSegment, segment: done++, segmentCount: segments.length });
      }
      ({ segment, recordOffsetBytes: goodSizeBytes } = batch);
      records.replay(batch, sources);
    }
    onProgress({ firstSegment, segment: segments.length, segmentCount: segments.length });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    batches.close();
    const repair = repairLog(files, directory, segment, goodSizeBytes);
    result.repairs.push({ error, repair });
  } finally {
    batches.close();
  }
}

/** Hands every record of the segments to `replay`; at a corruption the log is cut. */
export function readSegments(
  segments: readonly number[],
  options: Pick<ReplayOptions, 'files' | 'directory' | 'onProgress'>,
  result: Pick<ReplayResult, 'repairs'>,
  replay: (reader: WalReader) => void,
): void {
  const { files, directory, onProgress } = options;
  const reader = WalReader.forSegments(files, directory, segments);
  const [firstSegment = 0] = segments;
  let segmentIndex = -1;
  let done = 0;
  try {
    while (reader.next()) {
      if (reader.segmentIndex !== segmentIndex) {
        segmentIndex = reader.segmentIndex;
        onProgress({ firstSegment, segment: done++, segmentCount: segments.length });
      }
      replay(reader);
    }
    onProgress({ firstSegment, segment: segments.length, segmentCount: segments.length });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    reader.close();
    const { recordOffsetBytes } = reader;
    const repair = repairLog(files, directory, reader.segmentIndex, recordOffsetBytes);
    result.repairs.push({ error, repair });
  } finally {
    reader.close();
  }
}

/** An empty file where a segment is missing, because Prometheus refuses a log with gaps. */
export function fillGaps(
  files: Files,
  directory: string,
  segments: number[],
): ReplayResult['repairs'] {
  const repairs: ReplayResult['repairs'] = [];
  for (let i = 1; i < segments.length; i++) {
    const missing = segments[i - 1]! + 1;
    if (segments[i] === missing) continue;
    const file = segmentPath(directory, missing);
    repairs.push({
      error: new CorruptionError('a segment of the log is missing', { file, offsetBytes: 0 }),
      repair: null,
    });
    files.open(file, 'append').close();
    segments.splice(i, 0, missing);
  }
  return repairs;
}

const NO_BYTES = new Uint8Array(0);

/** Applies records to the head, without logging and without anybody looking. */
class RecordReplay {
  readonly #head: Head;
  readonly #result: ReplayResult;
  readonly #cursor = new SeriesCursor();
  /** Parallel to the samples of a batch: where the series are. */
  readonly #records = new Uint32Array(BATCH_SAMPLE_COUNT_MAX);
  /** What has come of a record that goes on. */
  #begunRecord: Uint8Array = NO_BYTES;
  readonly #restore: SeriesRestore;
  readonly #aliases: ReadonlyMap<number, number>;

  constructor(head: Head, restore: SeriesRestore, result: ReplayResult) {
    this.#head = head;
    this.#restore = restore;
    this.#aliases = restore.aliases;
    this.#result = result;
  }

  /** @throws CorruptionError what the batch says of the log, or what is wrong with a record */
  replay(batch: ReplayBatch, sources: readonly SegmentSource[]): void {
    switch (batch.kind) {
      case BatchKind.Samples:
        return this.#replaySamples(batch);
      case BatchKind.Series:
        return this.#restore.seriesOf(batch);
      case BatchKind.Record:
        return this.#collectRecord(batch, sources);
      case BatchKind.Failed:
        return throwFailure(batch);
      case BatchKind.None:
      case BatchKind.End:
    }
  }

  /** A record may come in several batches. */
  #collectRecord(batch: ReplayBatch, sources: readonly SegmentSource[]): void {
    const { bytes, sizeBytes, goesOn, segment, recordOffsetBytes } = batch;
    const begun = this.#begunRecord;
    // Out of the shared memory, which is used again and which not every function takes.
    const record = new Uint8Array(begun.length + sizeBytes);
    record.set(begun);
    record.set(bytes.subarray(0, sizeBytes), begun.length);
    this.#begunRecord = goesOn ? record : NO_BYTES;
    if (goesOn) return;
    const file = sources.find(({ index }) => index === segment)?.path ?? '';
    this.#replayRecord(record, { file, offsetBytes: recordOffsetBytes });
  }

  #replayRecord(bytes: Uint8Array, place: RecordPlace): void {
    const start = 0;
    const end = bytes.length;
    const type = recordTypeOf(bytes);
    switch (type) {
      case RecordType.Series:
        return this.#replaySeries(bytes, start, end, place);
      case RecordType.Tombstones:
        return this.#replayTombstones(bytes, start, end, place);
      case RecordType.Exemplars:
        for (const row of decodeExemplars(bytes, start, end, place)) {
          if (row.timestampMs < this.#head.minValidMs) continue;
          const ref = this.#aliases.get(row.ref) ?? row.ref;
          if (findRecord(this.#head.heap, ref) === 0) this.#result.unknownRefCount++;
          else this.#head.exemplars.add(ref, row.labels, row.value, row.timestampMs);
        }
        return;
      case RecordType.Metadata:
        for (const { ref, metadata } of decodeMetadata(bytes, start, end, place)) {
          const record = this.#recordOf(ref);
          if (record === 0) continue;
          const number = this.#head.metadata.intern(metadata);
          this.#head.heap.u32[(record >>> 2) + Rec.METADATA] = number;
        }
        return;
      case RecordType.Samples:
      case RecordType.SamplesV2:
      case RecordType.MmapMarkers:
      case null:
        return; // come otherwise or not at all
      case RecordType.Histograms:
      case RecordType.FloatHistograms:
      case RecordType.CustomBucketsHistograms:
      case RecordType.CustomBucketsFloatHistograms:
      case RecordType.HistogramsV2:
      case RecordType.FloatHistogramsV2:
        return this.#replayHistograms(bytes, start, end, place);
    }
  }

  /** After the last record. */
  finish(): void {
    const { heap } = this.#head;
    this.#restore.publishTimes();
    // The next query starts from a state that holds all of it.
    Atomics.add(heap.u32, Word.CommitId, 0);
  }

  #recordOf(ref: number): number {
    if (ref <= 0 || ref > this.#head.lastRef) return 0;
    const record = findRecord(this.#head.heap, ref);
    if (record !== 0) return record;
    const alias = this.#aliases.get(ref);
    return alias === undefined ? 0 : findRecord(this.#head.heap, alias);
  }

  #replaySeries(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    const cursor = this.#cursor;
    cursor.reset(bytes, start, end, place);
    while (cursor.next()) this.#restore.series(cursor);
  }

  #replaySamples(batch: ReplayBatch): void {
    const count = this.#findRecords(batch);
    const { hasStartTimestamps } = batch;
    const { timestampsMs, valueHalves, startTimestampsMs } = batch.samples;
    const records = this.#records;
    const columns = { records, timestampsMs, valueHalves };
    const { writer, heap, minValidMs } = this.#head;
    for (let i = 0; i < count; i++) {
      const startMs = hasStartTimestamps ? startTimestampsMs[i]! : 0;
      const runEnd = startMs === 0 ? writer.appendRun(columns, i, count, minValidMs) : i;
      this.#result.sampleCount += runEnd - i;
      this.#restore.noteTimes(timestampsMs, i, runEnd);
      i = runEnd;
      if (i === count) break;
      const timestampMs = timestampsMs[i]!;
      if (timestampMs < minValidMs) continue;
      const record = records[i]!;
      const low = valueHalves[i * 2]!;
      const high = valueHalves[i * 2 + 1]!;
      if (writer.appendFloat(record, timestampMs, low, high, startMs)) {
        this.#result.sampleCount++;
        this.#restore.noteTime(timestampMs);
      } else if (timestampMs === heap.f64[(record >>> 3) + Rec.MAX_TIME]) {
        // The last sample of a finished chunk: remember its value, to know a repetition.
        writer.noteNewestFloat(record, low, high);
      }
    }
  }

  /**
   * Fills `#records`, and takes samples of unknown series out of the batch.
   * @returns how many are left
   */
  #findRecords(batch: ReplayBatch): number {
    const { count } = batch;
    const { refs, timestampsMs, valueHalves, startTimestampsMs } = batch.samples;
    const records = this.#records;
    const { heap, lastRef, minValidMs } = this.#head;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      let record = ref > 0 && ref <= lastRef ? findRecord(heap, ref) : 0;
      if (record === 0) record = this.#recordOf(ref);
      if (record === 0) {
        if (timestampsMs[i]! >= minValidMs) this.#result.unknownRefCount++;
        continue;
      }
      records[kept] = record;
      if (kept < i) {
        timestampsMs[kept] = timestampsMs[i]!;
        valueHalves[kept * 2] = valueHalves[i * 2]!;
        valueHalves[kept * 2 + 1] = valueHalves[i * 2 + 1]!;
        startTimestampsMs[kept] = startTimestampsMs[i]!;
      }
      kept++;
    }
    return kept;
  }

  #replayHistograms(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    for (const row of decodeHistograms(bytes, start, end, place)) {
      if (row.timestampMs < this.#head.minValidMs) continue;
      const record = this.#recordOf(row.ref);
      if (record === 0) {
        this.#result.unknownRefCount++;
        continue;
      }
      const { writer } = this.#head;
      if (writer.appendHistogram(record, row.timestampMs, row.histogram, row.startMs)) {
        this.#result.sampleCount++;
        this.#restore.noteTime(row.timestampMs);
      }
    }
  }

  #replayTombstones(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    const { heap, allocator, retired } = this.#head;
    // Also those before the time that counts: late samples may be older, and are read later.
    for (const { ref, minMs, maxMs } of decodeTombstones(bytes, start, end, place)) {
      const record = this.#recordOf(ref);
      if (record === 0) {
        if (maxMs >= this.#head.minValidMs) this.#result.unknownRefCount++;
        continue;
      }
      const owner = (record >>> 2) + Rec.DELETED;
      const intervals = addInterval(readDeletedRanges(heap, heap.u32[owner]!), minMs, maxMs);
      writeDeletedRanges(heap, allocator, retired, owner, intervals);
    }
  }
}

/** For logs: what went wrong and what it cost. */
export function describeRepair({ error, repair }: ReplayResult['repairs'][number]): string {
  if (repair === null) return messageOf(error);
  const { lostSizeBytes, removedSegmentCount } = repair;
  return `${messageOf(error)}; cut off ${lostSizeBytes} bytes, ${removedSegmentCount} segments removed`;
}
