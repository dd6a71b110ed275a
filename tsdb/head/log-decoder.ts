/** Reads a log into batches: the half of a replay that needs nothing of the head. */
import { CorruptionError } from '../../model/index.ts';
import type { Files } from '../io/files.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples, type RecordPlace } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import { type SegmentSource, WalReader } from '../wal/wal-reader.ts';
import { encodedSizeMax, LabelChanges, MALFORMED, NO_ROOM } from './label-changes.ts';
import {
  BATCH_CONTENT_SIZE_BYTES,
  BATCH_SAMPLE_COUNT_MAX,
  BatchKind,
  type ReplayBatch,
  type ReplayFailure,
} from './replay-batch.ts';

/** A sample takes at least ten bytes, and that is what decoding makes room for. */
const SAMPLE_SIZE_BYTES_MIN = 10;

const NOTHING = { bytes: new Uint8Array(0), start: 0, end: 0 };

export class LogDecoder {
  readonly #reader: WalReader;
  readonly #changes = new LabelChanges();
  readonly #cursor = new SeriesCursor();
  /** Samples of a record too large for a batch, and how many of them have been handed out. */
  readonly #large = new SampleBatch(0);
  #largeDone = 0;
  /** Of the reader's record: what it is, while it has not all been handed out. */
  #kind: BatchKind = BatchKind.None;
  #place: RecordPlace = { file: '', offsetBytes: 0 };
  /** Of other records: what was not handed out yet. */
  #rest: { readonly bytes: Uint8Array; start: number; readonly end: number } = NOTHING;
  /** Of a series record: whether the cursor is at a series that was not handed out yet. */
  #hasSeries = false;
  #failure: ReplayFailure | null = null;

  constructor(files: Files, sources: readonly SegmentSource[]) {
    this.#reader = new WalReader(files, sources);
  }

  /**
   * Puts the next part of the log into the batch. The last one is of kind End or Failed.
   * @throws what reading the files throws
   */
  decodeInto(batch: ReplayBatch): void {
    batch.clear();
    if (this.#failure !== null) return this.#fail(batch, this.#failure);
    try {
      while (this.#next()) if (!this.#put(batch)) return;
      if (batch.kind === BatchKind.None) batch.begin(BatchKind.End, -1, 0);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      const { segmentIndex: segment, recordOffsetBytes: goodSizeBytes } = this.#reader;
      const { what, place } = error;
      this.#failure = { isCorruption: true, what, ...place, segment, goodSizeBytes };
      // What was good before counts.
      if (batch.kind === BatchKind.None) this.#fail(batch, this.#failure);
    }
  }

  close(): void {
    this.#reader.close();
  }

  #fail(batch: ReplayBatch, failure: ReplayFailure): void {
    batch.begin(BatchKind.Failed, failure.segment, failure.goodSizeBytes);
    batch.putFailure(failure);
  }

  /** Whether there is something to hand out: the rest of a record, or the next one. */
  #next(): boolean {
    const reader = this.#reader;
    while (this.#kind === BatchKind.None) {
      if (!reader.next()) return false;
      const { bytes, start, end } = reader;
      this.#place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
      switch (recordTypeOf(bytes, start)) {
        case RecordType.MmapMarkers:
        case null:
          break; // not of this log, or from a newer version
        case RecordType.Samples:
        case RecordType.SamplesV2:
          this.#kind = BatchKind.Samples;
          this.#largeDone = 0;
          this.#large.clear();
          break;
        case RecordType.Series:
          this.#kind = BatchKind.Series;
          this.#hasSeries = false;
          this.#cursor.reset(bytes, start, end, this.#place);
          break;
        default:
          this.#kind = BatchKind.Record;
          this.#rest = { bytes, start, end };
      }
    }
    return true;
  }

  /** False when the batch is full, or holds something else. */
  #put(batch: ReplayBatch): boolean {
    const { segmentIndex, recordOffsetBytes } = this.#reader;
    // A record follows by itself: a series that is not as usual may stand among others.
    if (this.#kind === BatchKind.Record) {
      if (batch.kind !== BatchKind.None) return false;
      batch.begin(BatchKind.Record, segmentIndex, recordOffsetBytes);
      this.#putRecord(batch);
      return false;
    }
    if (batch.kind === BatchKind.None) {
      if (this.#kind === BatchKind.Series && !this.#hasSeries && !this.#nextSeries()) return true;
      batch.begin(this.#kind, segmentIndex, recordOffsetBytes);
    } else if (batch.kind !== this.#kind || batch.segment !== segmentIndex) {
      return false;
    }
    return this.#kind === BatchKind.Samples ? this.#putSamples(batch) : this.#putSeries(batch);
  }

  #putRecord(batch: ReplayBatch): void {
    const rest = this.#rest;
    rest.start = batch.putRecord(rest.bytes, rest.start, rest.end);
    if (rest.start < rest.end) return;
    // Behind an unusual series its record goes on.
    this.#kind = this.#hasSeries ? BatchKind.Series : BatchKind.None;
    this.#hasSeries = false;
  }

  #putSamples(batch: ReplayBatch): boolean {
    const { bytes, start, end } = this.#reader;
    const { samples } = batch;
    const countMax = Math.floor((end - start) / SAMPLE_SIZE_BYTES_MIN) + 1;
    if (countMax > BATCH_SAMPLE_COUNT_MAX) return this.#putLarge(batch);
    if (samples.count + countMax > BATCH_SAMPLE_COUNT_MAX) return false;
    this.#kind = BatchKind.None;
    const { count } = samples;
    try {
      decodeSamples(bytes, start, end, samples, this.#place);
    } finally {
      // Nothing of a record that is malformed.
      if (samples.count === count && count === 0) batch.clear();
      else batch.noteSamples();
    }
    return true;
  }

  /** Some of the samples of a record too large for one batch. */
  #putLarge(batch: ReplayBatch): boolean {
    const large = this.#large;
    if (batch.samples.count > 0) return false;
    if (large.count === 0) {
      const { bytes, start, end } = this.#reader;
      batch.clear();
      this.#kind = BatchKind.None;
      decodeSamples(bytes, start, end, large, this.#place);
      if (large.count === 0) return true;
      this.#kind = BatchKind.Samples;
      batch.begin(BatchKind.Samples, this.#reader.segmentIndex, this.#reader.recordOffsetBytes);
    }
    const first = this.#largeDone;
    const last = Math.min(large.count, first + BATCH_SAMPLE_COUNT_MAX);
    batch.samples.copy(large, first, last);
    batch.noteSamples();
    this.#largeDone = last;
    if (last === large.count) this.#kind = BatchKind.None;
    return false;
  }

  /** Moves to the next series of the record; false at its end. */
  #nextSeries(): boolean {
    this.#hasSeries = this.#cursor.next();
    if (!this.#hasSeries) this.#kind = BatchKind.None;
    return this.#hasSeries;
  }

  #putSeries(batch: ReplayBatch): boolean {
    const cursor = this.#cursor;
    const { words, bytes } = batch;
    while (this.#hasSeries || this.#nextSeries()) {
      const end = this.#changes.encode(cursor, words, bytes, batch.sizeBytes);
      if (end === MALFORMED || encodedSizeMax(cursor) > BATCH_CONTENT_SIZE_BYTES) {
        // Handed out as a record of its own, of which it is the only series.
        const record = cursor.alone();
        this.#kind = BatchKind.Record;
        this.#rest = { bytes: record, start: 0, end: record.length };
        if (batch.count === 0) batch.clear();
        return batch.count === 0;
      }
      if (end === NO_ROOM) return false;
      batch.addSeries(end);
      this.#hasSeries = false;
    }
    return true;
  }
}
