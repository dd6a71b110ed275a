/**
 * Makes the head again out of what is on disk: finished chunks from `chunks_head/`, everything
 * else from the log. A corrupt log is cut where it goes wrong, and what was lost is told.
 */
import { CorruptionError, messageOf } from '../../model/index.ts';
import { addInterval } from '../chunk/intervals.ts';
import type { Files } from '../io/files.ts';
import { Time, Word } from '../memory/control-block.ts';
import { decodeExemplars } from '../record/exemplars.ts';
import { decodeHistograms } from '../record/histograms.ts';
import { decodeMetadata } from '../record/metadata.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples, type RecordPlace } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import { decodeTombstones } from '../record/tombstones.ts';
import { checkpointSources, findLastCheckpoint } from '../wal/checkpoint.ts';
import { type LogRepair, repairLog } from '../wal/repair.ts';
import { findSegments, segmentPath } from '../wal/segment-name.ts';
import { WalReader } from '../wal/wal-reader.ts';
import { readDeletedRanges, writeDeletedRanges } from './deleted-ranges.ts';
import type { Head } from './head.ts';
import { CHUNK_SPAN_MS_MAX, placeOfFile } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import type { StoredChunks } from './stored-chunks.ts';
import { TextBytes } from './text-bytes.ts';

export type ReplayProgress = { readonly segment: number; readonly segmentCount: number };

export type ReplayResult = {
  sampleCount: number;
  /** Samples and other entries whose series the log does not know. */
  unknownRefCount: number;
  repairs: { readonly error: Error; readonly repair: LogRepair | null }[];
  /** Refs of the log that stand for a series which is known by another one. */
  aliases: ReadonlyMap<number, number>;
};

export type ReplayOptions = {
  readonly files: Files;
  /** Directory of the log; need not exist. */
  readonly directory: string;
  readonly stored: StoredChunks;
  readonly onProgress: (progress: ReplayProgress) => void;
};

/** Replays the checkpoint and the segments behind it into an empty head. */
export function replayLog(head: Head, options: ReplayOptions): ReplayResult {
  const { files, directory, stored } = options;
  const aliases = new Map<number, number>();
  const result: ReplayResult = { sampleCount: 0, unknownRefCount: 0, repairs: [], aliases };
  const records = new RecordReplay(head, stored, result, aliases);
  head.noteRef(stored.refMax);

  const checkpoint = findLastCheckpoint(files, directory);
  const fromCheckpoint = checkpoint === null ? [] : checkpointSources(files, checkpoint.path);
  const segments = findSegments(files, directory).filter(
    (index) => checkpoint === null || index > checkpoint.index,
  );
  result.repairs.push(...fillGaps(files, directory, segments));

  const checkpointReader = new WalReader(files, fromCheckpoint);
  try {
    while (checkpointReader.next()) records.replay(checkpointReader);
  } catch (error) {
    // Nothing to cut: the rest of the checkpoint is lost, the segments may still be good.
    if (!(error instanceof CorruptionError)) throw error;
    result.repairs.push({ error, repair: null });
  } finally {
    checkpointReader.close();
  }
  readSegments(segments, options, result, (reader) => records.replay(reader));
  records.finish();
  return result;
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
  let segmentIndex = -1;
  let done = 0;
  try {
    while (reader.next()) {
      if (reader.segmentIndex !== segmentIndex) {
        segmentIndex = reader.segmentIndex;
        onProgress({ segment: done++, segmentCount: segments.length });
      }
      replay(reader);
    }
    onProgress({ segment: segments.length, segmentCount: segments.length });
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

/** Applies records to the head, without logging and without anybody looking. */
class RecordReplay {
  readonly #head: Head;
  readonly #stored: StoredChunks;
  readonly #result: ReplayResult;
  readonly #cursor = new SeriesCursor();
  readonly #batch = new SampleBatch();
  readonly #texts = new TextBytes();
  readonly #aliases: Map<number, number>;
  readonly #minValidMs: number;
  #minMs = Infinity;
  #maxMs = -Infinity;

  constructor(
    head: Head,
    stored: StoredChunks,
    result: ReplayResult,
    aliases: Map<number, number>,
  ) {
    this.#aliases = aliases;
    this.#head = head;
    this.#stored = stored;
    this.#result = result;
    this.#minValidMs = head.minValidMs;
  }

  replay(reader: WalReader): void {
    const { bytes, start, end } = reader;
    const place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
    const type = recordTypeOf(bytes, start);
    switch (type) {
      case RecordType.Series:
        return this.#replaySeries(bytes, start, end, place);
      case RecordType.Samples:
      case RecordType.SamplesV2:
        return this.#replaySamples(bytes, start, end, place);
      case RecordType.Tombstones:
        return this.#replayTombstones(bytes, start, end, place);
      case RecordType.Exemplars:
        for (const row of decodeExemplars(bytes, start, end, place)) {
          if (row.timestampMs < this.#minValidMs) continue;
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
      case RecordType.MmapMarkers:
      case null:
        return; // not of this log, or from a newer version
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
    heap.f64[Time.MinMs] = Math.min(heap.f64[Time.MinMs]!, this.#minMs);
    heap.f64[Time.MaxMs] = Math.max(heap.f64[Time.MaxMs]!, this.#maxMs);
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
    while (cursor.next()) {
      const texts = this.#texts;
      texts.clear();
      for (let i = 0; i < cursor.labelCount * 2; i++) {
        texts.addBytes(bytes, cursor.textStarts[i]!, cursor.textEnds[i]!);
      }
      if (!isWellFormed(texts)) {
        texts.clear();
        for (const text of cursor.labels().flat) texts.add(text);
      }
      const { ref } = cursor;
      const known = findRecord(this.#head.heap, ref);
      const record = this.#head.restoreSeries(texts, ref);
      const ownRef = this.#head.heap.u32[(record >>> 2) + Rec.REF]!;
      if (ownRef !== ref) this.#aliases.set(ref, ownRef);
      else if (known !== 0) continue; // said again
      this.#attachStored(record, ref);
    }
  }

  /**
   * Gives a series the finished chunks that were written under `ref`. A series that was forgotten
   * and came back has had several refs, and which of them is used changes with every start; so
   * the chunks of one may lie between those of another.
   */
  #attachStored(record: number, ref: number): void {
    const { heap, sealed, outOfOrder } = this.#head;
    const stored = this.#stored;
    const double = record >>> 3;
    stored.forSeries(ref, (index) => {
      const minMs = stored.minMs[index]!;
      const maxMs = stored.maxMs[index]!;
      const place = { file: stored.files[index]!, offset: stored.offsets[index]! };
      if (stored.isOutOfOrder[index] === 1) {
        outOfOrder.addSealed(record, minMs, maxMs, place);
        this.#head.late.noteTimes(minMs, maxMs);
        return;
      }
      if (maxMs < this.#minValidMs || maxMs - minMs > CHUNK_SPAN_MS_MAX) return;
      const owner = (record >>> 2) + Rec.SEALED;
      // Of chunks that overlap (written twice, because a write failed in part) the first counts.
      if (!sealed.insert(owner, minMs, maxMs, placeOfFile(place.file), place.offset)) return;
      if (maxMs > heap.f64[double + Rec.MAX_TIME]!) {
        heap.f64[double + Rec.MAX_TIME] = maxMs;
        heap.f64[double + Rec.MARK_TIME] = maxMs;
      }
      this.#noteTime(minMs);
      this.#noteTime(maxMs);
      this.#head.writer.createdChunkCount++;
    });
  }

  #replaySamples(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    const batch = this.#batch;
    batch.clear();
    decodeSamples(bytes, start, end, batch, place);
    const { refs, timestampsMs, valueHalves, startTimestampsMs, count } = batch;
    const { writer, heap } = this.#head;
    for (let i = 0; i < count; i++) {
      const timestampMs = timestampsMs[i]!;
      if (timestampMs < this.#minValidMs) continue;
      const record = this.#recordOf(refs[i]!);
      if (record === 0) {
        this.#result.unknownRefCount++;
        continue;
      }
      const low = valueHalves[i * 2]!;
      const high = valueHalves[i * 2 + 1]!;
      const startMs = batch.hasStartTimestamps ? startTimestampsMs[i]! : 0;
      if (writer.appendFloat(record, timestampMs, low, high, startMs)) {
        this.#result.sampleCount++;
        this.#noteTime(timestampMs);
      } else if (timestampMs === heap.f64[(record >>> 3) + Rec.MAX_TIME]) {
        // The last sample of a finished chunk: remember its value, to know a repetition.
        writer.noteNewestFloat(record, low, high);
      }
    }
  }

  #replayHistograms(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    for (const row of decodeHistograms(bytes, start, end, place)) {
      if (row.timestampMs < this.#minValidMs) continue;
      const record = this.#recordOf(row.ref);
      if (record === 0) {
        this.#result.unknownRefCount++;
        continue;
      }
      const { writer } = this.#head;
      if (writer.appendHistogram(record, row.timestampMs, row.histogram, row.startMs)) {
        this.#result.sampleCount++;
        this.#noteTime(row.timestampMs);
      }
    }
  }

  #replayTombstones(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    const { heap, allocator, retired } = this.#head;
    // Also those before the time that counts: late samples may be older, and are read later.
    for (const { ref, minMs, maxMs } of decodeTombstones(bytes, start, end, place)) {
      const record = this.#recordOf(ref);
      if (record === 0) {
        if (maxMs >= this.#minValidMs) this.#result.unknownRefCount++;
        continue;
      }
      const owner = (record >>> 2) + Rec.DELETED;
      const intervals = addInterval(readDeletedRanges(heap, heap.u32[owner]!), minMs, maxMs);
      writeDeletedRanges(heap, allocator, retired, owner, intervals);
    }
  }

  #noteTime(timestampMs: number): void {
    if (timestampMs < this.#minMs) this.#minMs = timestampMs;
    if (timestampMs > this.#maxMs) this.#maxMs = timestampMs;
  }
}

/** Whether names ascend and no value is empty, as they do in everything but foreign logs. */
function isWellFormed(texts: TextBytes): boolean {
  const { starts, bytes, count } = texts;
  for (let i = 0; i < count; i += 2) {
    if (starts[i + 1] === starts[i + 2]) return false;
    if (i === 0) continue;
    let a = starts[i - 2]!;
    let b = starts[i]!;
    const aEnd = starts[i - 1]!;
    const bEnd = starts[i + 1]!;
    while (a < aEnd && b < bEnd && bytes[a] === bytes[b]) {
      a++;
      b++;
    }
    if (b === bEnd || (a < aEnd && bytes[a]! > bytes[b]!)) return false;
  }
  return true;
}

/** For logs: what went wrong and what it cost. */
export function describeRepair({ error, repair }: ReplayResult['repairs'][number]): string {
  if (repair === null) return messageOf(error);
  const { lostSizeBytes, removedSegmentCount } = repair;
  return `${messageOf(error)}; cut off ${lostSizeBytes} bytes, ${removedSegmentCount} segments removed`;
}
