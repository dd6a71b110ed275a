/**
 * Follows a database's log for somebody who passes its samples on. First come the series that are
 * known from the checkpoint and from segments before the start, then everything behind it, as it is
 * written. Damaged segments are reported and passed over.
 */
import { CorruptionError, type Labels } from '../../model/index.ts';
import { decodeExemplars, type ExemplarRow } from '../record/exemplars.ts';
import { decodeHistograms, type HistogramRow } from '../record/histograms.ts';
import { decodeMetadata, type MetadataRow } from '../record/metadata.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import { fileErrorCode, type Files } from '../io/files.ts';
import { NODE_FILES } from '../io/node-files.ts';
import { checkpointSources, findLastCheckpoint } from './checkpoint.ts';
import { findSegments } from './segment-name.ts';
import { type LogPosition, TailReader } from './tail-reader.ts';
import { WalReader } from './wal-reader.ts';

/** Gets what is in the log, record by record. What it is given is reused, but for the rows. */
export interface LogSink {
  /** Comes again with every checkpoint and restart; the labels of a ref never change. */
  series(ref: number, labels: Labels): void;
  metadata(rows: readonly MetadataRow[]): void;
  samples(batch: SampleBatch): void;
  histograms(rows: readonly HistogramRow[]): void;
  exemplars(rows: readonly ExemplarRow[]): void;
  /** A record or the rest of a segment cannot be read. */
  damaged(error: CorruptionError): void;
}

export type LogFollowerOptions = {
  /** Of the log: `<data>/wal`. */
  readonly directory: string;
  /** Records that end here or before are only looked at for their series. */
  readonly start: LogPosition;
  readonly sink: LogSink;
  readonly files?: Files;
};

export class LogFollower {
  readonly #directory: string;
  readonly #files: Files;
  readonly #start: LogPosition;
  readonly #sink: LogSink;
  readonly #tail: TailReader;
  readonly #cursor = new SeriesCursor();
  readonly #batch = new SampleBatch();
  #checkpoint: WalReader | null = null;
  #checkpointIndex = -1;
  #isLive = false;
  /** Of the record that was read last. */
  #segmentIndex: number;

  constructor({ directory, start, sink, files = NODE_FILES }: LogFollowerOptions) {
    this.#directory = directory;
    this.#files = files;
    this.#start = start;
    this.#sink = sink;
    const [firstSegment = start.segmentIndex] = findSegments(files, directory);
    this.#tail = new TailReader(files, directory, { segmentIndex: firstSegment, offsetBytes: 0 });
    this.#segmentIndex = firstSegment - 1;
    this.#openCheckpoint();
  }

  /** Behind the last record: where the record that the sink is given ends. */
  get position(): LogPosition {
    return this.#tail.position;
  }

  /** Whether records are handed on whole by now. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Hands one record to the sink; false when there is none for now. */
  next(): boolean {
    try {
      if (this.#checkpoint !== null) {
        if (!this.#checkpoint.next()) this.#closeCheckpoint();
        else {
          const { bytes, start, end } = this.#checkpoint;
          this.#replayKnown(bytes, start, end);
          return true;
        }
      }
      if (!this.#tail.next()) return false;
      this.#catchUp();
    } catch (error) {
      // A newer checkpoint has taken the place of the one that was being read.
      if (fileErrorCode(error) === 'ENOENT' && this.#checkpoint !== null) this.#openCheckpoint();
      else if (!(error instanceof CorruptionError)) throw error;
      else {
        this.#sink.damaged(error);
        if (this.#checkpoint === null) this.#tail.skipSegment();
        else this.#closeCheckpoint();
      }
      return true;
    }
    try {
      this.#hand();
    } catch (error) {
      // The record is whole, but says nothing that could be understood; the next one may.
      if (!(error instanceof CorruptionError)) throw error;
      this.#sink.damaged(error);
    }
    return true;
  }

  /**
   * The refs that a checkpoint made since the last call still knows; null when there is none. What
   * it does not name and no later segment has named is gone for good.
   */
  newCheckpoint(): { readonly index: number; readonly refs: ReadonlySet<number> } | null {
    const found = findLastCheckpoint(this.#files, this.#directory);
    if (found === null || found.index <= this.#checkpointIndex) return null;
    // Not before everything that it replaces has been read.
    if (this.#checkpoint !== null || found.index >= this.position.segmentIndex) return null;
    const refs = new Set<number>();
    const reader = new WalReader(this.#files, checkpointSources(this.#files, found.path));
    try {
      while (reader.next()) {
        const { bytes, start, end } = reader;
        if (recordTypeOf(bytes, start) !== RecordType.Series) continue;
        this.#cursor.reset(bytes, start, end, { file: found.path, offsetBytes: 0 });
        while (this.#cursor.next()) refs.add(this.#cursor.ref);
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#sink.damaged(error);
      return null;
    } finally {
      reader.close();
    }
    this.#checkpointIndex = found.index;
    return { index: found.index, refs };
  }

  close(): void {
    this.#closeCheckpoint();
    this.#tail.close();
  }

  /** Where segments were removed before they were read, a checkpoint knows their series. */
  #catchUp(): void {
    const before = this.#segmentIndex;
    this.#segmentIndex = this.position.segmentIndex;
    if (this.#segmentIndex <= before + 1) return;
    const what = `segments ${before + 1} to ${this.#segmentIndex - 1} were removed before they were read`;
    this.#sink.damaged(new CorruptionError(what, { file: this.#directory, offsetBytes: 0 }));
    this.#openCheckpoint();
    while (this.#checkpoint?.next() === true) {
      const { bytes, start, end } = this.#checkpoint;
      this.#replayKnown(bytes, start, end);
    }
    this.#closeCheckpoint();
  }

  #openCheckpoint(): void {
    this.#closeCheckpoint();
    const found = findLastCheckpoint(this.#files, this.#directory);
    if (found === null) return;
    this.#checkpointIndex = found.index;
    this.#checkpoint = new WalReader(this.#files, checkpointSources(this.#files, found.path));
  }

  #closeCheckpoint(): void {
    this.#checkpoint?.close();
    this.#checkpoint = null;
  }

  /** What is needed of a record whose samples have been dealt with. */
  #replayKnown(bytes: Uint8Array, start: number, end: number): void {
    const type = recordTypeOf(bytes, start);
    const place = { file: this.#directory, offsetBytes: this.position.offsetBytes };
    if (type === RecordType.Series) {
      this.#cursor.reset(bytes, start, end, place);
      while (this.#cursor.next()) this.#sink.series(this.#cursor.ref, this.#cursor.labels());
    } else if (type === RecordType.Metadata) {
      this.#sink.metadata(decodeMetadata(bytes, start, end, place));
    }
  }

  #hand(): void {
    const { bytes, start, end } = this.#tail;
    this.#isLive ||= isBehind(this.position, this.#start);
    if (!this.#isLive) {
      this.#replayKnown(bytes, start, end);
      return;
    }
    const { segmentIndex, offsetBytes } = this.position;
    const place = { file: `${this.#directory}, segment ${segmentIndex}`, offsetBytes };
    switch (recordTypeOf(bytes, start)) {
      case RecordType.Series:
      case RecordType.Metadata:
        this.#replayKnown(bytes, start, end);
        return;
      case RecordType.Samples:
      case RecordType.SamplesV2:
        this.#batch.clear();
        decodeSamples(bytes, start, end, this.#batch, place);
        this.#sink.samples(this.#batch);
        return;
      case RecordType.Exemplars:
        this.#sink.exemplars(decodeExemplars(bytes, start, end, place));
        return;
      case RecordType.Histograms:
      case RecordType.FloatHistograms:
      case RecordType.CustomBucketsHistograms:
      case RecordType.CustomBucketsFloatHistograms:
      case RecordType.HistogramsV2:
      case RecordType.FloatHistogramsV2:
        this.#sink.histograms(decodeHistograms(bytes, start, end, place));
        return;
      case RecordType.Tombstones:
      case RecordType.MmapMarkers:
      case null:
        return; // nothing that could be passed on
    }
  }
}

/** Whether `position` is later in the log than `other`. */
function isBehind(position: LogPosition, other: LogPosition): boolean {
  return position.segmentIndex === other.segmentIndex
    ? position.offsetBytes > other.offsetBytes
    : position.segmentIndex > other.segmentIndex;
}
