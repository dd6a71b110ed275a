/**
 * Series that became known, in the log: the reference that later records use, and the labels.
 *
 *   ┌────────────┬──────────────────┬───────────────────────────────────────┐
 *   │ ref u64 BE │ #labels uvarint  │ #labels × (name, value), each         │
 *   │            │                  │ length uvarint and UTF-8 bytes        │
 *   └────────────┴──────────────────┴───────────────────────────────────────┘
 *   repeated; behind the type byte 1, not drawn
 *
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format".
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  decodeUtf8,
  Labels,
  VARINT_SIZE_MAX,
  writeUvarint,
} from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';

/** Begins a series record; then {@link encodeSeries} for each one. */
export function beginSeriesRecord(out: ByteWriter): void {
  out.putByte(RecordType.Series);
}

/** Texts as bytes, one behind the other: text i is `bytes[starts[i], starts[i + 1])`. */
export type EncodedTexts = {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
};

/**
 * Appends one series to a record that was begun.
 * @param texts  names and values in turn
 */
export function encodeSeries(out: ByteWriter, ref: number, texts: EncodedTexts): void {
  const { count, bytes: source, starts } = texts;
  out.putUint64(ref);
  out.putUvarint(count / 2);
  out.reserve(starts[count]! + count * VARINT_SIZE_MAX);
  const { bytes } = out;
  let at = out.length;
  let from = 0;
  for (let i = 0; i < count; i++) {
    const end = starts[i + 1]!;
    at = writeUvarint(bytes, at, end - from);
    // Most are short: a loop is done before a call into native code has begun.
    while (from < end) bytes[at++] = source[from++]!;
  }
  out.length = at;
}

/** Walks the series of a record without making strings; one cursor serves a whole replay. */
export class SeriesCursor {
  record: Uint8Array = new Uint8Array(0);
  ref = 0;
  labelCount = 0;
  /** Where name i (at 2i) and value i (at 2i+1) begin and end in `record`. */
  textStarts = new Uint32Array(64);
  textEnds = new Uint32Array(64);
  readonly #reader = new ByteReader();
  #place: RecordPlace = { file: '', offsetBytes: 0 };
  #seriesStart = 0;

  /** @throws CorruptionError when it is another kind of record */
  reset(record: Uint8Array, start: number, end: number, place: RecordPlace): void {
    if (record[start] !== RecordType.Series) {
      throw new CorruptionError(`not a series record: type ${record[start]}`, place);
    }
    this.record = record;
    this.#place = place;
    this.#reader.reset(record, start + 1, end);
  }

  /** Moves to the next series; false at the end. @throws CorruptionError */
  next(): boolean {
    const reader = this.#reader;
    if (reader.remaining === 0) return false;
    this.#seriesStart = reader.position;
    this.ref = reader.takeUint64();
    this.labelCount = reader.takeUvarint();
    const textCount = this.labelCount * 2;
    if (textCount > reader.remaining) reader.failed = true;
    if (!reader.failed && textCount > this.textStarts.length) {
      this.textStarts = new Uint32Array(textCount * 2);
      this.textEnds = new Uint32Array(textCount * 2);
    }
    for (let i = 0; i < textCount && !reader.failed; i++) {
      const length = reader.takeUvarint();
      this.textStarts[i] = reader.position;
      if (length > reader.remaining) reader.failed = true;
      reader.position += length;
      this.textEnds[i] = reader.position;
    }
    if (reader.failed) throw new CorruptionError('series record is malformed', this.#place);
    return true;
  }

  /** A record that holds nothing but the current series. */
  alone(): Uint8Array {
    const size = this.position - this.#seriesStart;
    const record = new Uint8Array(1 + size);
    record[0] = RecordType.Series;
    record.set(this.record.subarray(this.#seriesStart, this.position), 1);
    return record;
  }

  /** Where the current series ends in `record`. */
  get position(): number {
    return this.#reader.position;
  }

  text(index: number): string {
    return decodeUtf8(this.record.subarray(this.textStarts[index], this.textEnds[index]));
  }

  /** The labels as strings. A log that was written out of order or twice-named is put right. */
  labels(): Labels {
    const flat: string[] = [];
    let isSorted = true;
    for (let i = 0; i < this.labelCount * 2; i++) {
      flat.push(this.text(i));
      if (i >= 2 && i % 2 === 0 && flat[i]! <= flat[i - 2]!) isSorted = false;
    }
    if (isSorted) return Labels.fromSorted(flat);
    const pairs: [string, string][] = [];
    for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
    return Labels.fromPairs(pairs);
  }
}
