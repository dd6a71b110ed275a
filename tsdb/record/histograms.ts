/**
 * Native histogram samples in the log.
 *
 *   types 7…10  ┌────────────┬─────────────┐
 *               │ ref u64 BE │ time i64 BE │                 of the first sample
 *               ├────────────┴─┬───────────┴──┬───────────┐
 *               │ Δref varint  │ Δtime varint │ histogram │  per sample, differences to the first
 *               └──────────────┴──────────────┴───────────┘
 *               7 integer · 8 float · 9 integer with custom bounds · 10 float with custom bounds
 *
 *   types 12, 13 ┌────────────┬─────────────┬──────────────┬───────────┐
 *                │ ref varint │ time varint │ start varint │ histogram │          first sample
 *                ├────────────┴─┬───────────┴──┬───────────┴──┬────────┴──────┬───────────┐
 *                │ Δref varint  │ Δtime varint │ marker u8    │ Δstart varint │ histogram │
 *                └──────────────┴──────────────┴──────────────┴───────────────┴───────────┘
 *                differences and marker as in samples of type 11 (samples.ts); 12 integer, 13 float
 *
 * Behind the type byte, not drawn. The histogram itself: histogram-body.ts.
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format"; 12 and 13 observed in 3.14's logs.
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  type Histogram,
} from '../../model/index.ts';
import {
  encodeHistogramBody,
  takeFloatHistogramBody,
  takeHistogramBody,
} from './histogram-body.ts';
import { RecordType } from './record-type.ts';
import { type RecordPlace, takeStart, writeStart } from './samples.ts';

export type HistogramRow = {
  readonly ref: number;
  readonly timestampMs: number;
  /** 0 where unknown. */
  readonly startMs: number;
  readonly histogram: Histogram | FloatHistogram;
};

/** The record type that holds a histogram, without and with start timestamps. */
export function histogramRecordType(
  histogram: Histogram | FloatHistogram,
  withStart: boolean,
): RecordType {
  const isFloat = histogram.kind === 'float';
  if (withStart) return isFloat ? RecordType.FloatHistogramsV2 : RecordType.HistogramsV2;
  if (histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
    return isFloat ? RecordType.CustomBucketsFloatHistograms : RecordType.CustomBucketsHistograms;
  }
  return isFloat ? RecordType.FloatHistograms : RecordType.Histograms;
}

/** Appends a record of one type; all rows must belong to it ({@link histogramRecordType}). */
export function encodeHistograms(
  type: RecordType,
  rows: readonly HistogramRow[],
  out: ByteWriter,
): void {
  out.putByte(type);
  const first = rows[0];
  if (first === undefined) return;
  if (isSecondForm(type)) {
    encodeSecondForm(first, rows, out);
    return;
  }
  out.putUint64(first.ref);
  out.putInt64(first.timestampMs);
  for (const row of rows) {
    out.putVarint(row.ref - first.ref);
    out.putVarint(row.timestampMs - first.timestampMs);
    encodeHistogramBody(out, row.histogram);
  }
}

function encodeSecondForm(
  first: HistogramRow,
  rows: readonly HistogramRow[],
  out: ByteWriter,
): void {
  let previous: HistogramRow | undefined;
  for (const row of rows) {
    if (previous === undefined) {
      out.putVarint(row.ref);
      out.putVarint(row.timestampMs);
      out.putVarint(row.startMs);
    } else {
      out.putVarint(row.ref - previous.ref);
      out.putVarint(row.timestampMs - first.timestampMs);
      out.reserve(16);
      const { startMs } = row;
      out.length = writeStart(out.bytes, out.length, startMs, previous.startMs, first.startMs);
    }
    encodeHistogramBody(out, row.histogram);
    previous = row;
  }
}

/** The rows of a record of types 7…10, 12, 13. @throws CorruptionError */
export function decodeHistograms(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): HistogramRow[] {
  const type = record[start] as RecordType;
  const isFloat =
    type === RecordType.FloatHistograms ||
    type === RecordType.CustomBucketsFloatHistograms ||
    type === RecordType.FloatHistogramsV2;
  const isInteger =
    type === RecordType.Histograms ||
    type === RecordType.CustomBucketsHistograms ||
    type === RecordType.HistogramsV2;
  if (!isFloat && !isInteger) {
    throw new CorruptionError(`not a histograms record: type ${type}`, place);
  }
  if (start + 1 === end) return [];
  const reader = new ByteReader(record, start + 1, end);
  const take = isFloat ? takeFloatHistogramBody : takeHistogramBody;
  const rows = isSecondForm(type) ? takeSecondForm(reader, take) : takeFirstForm(reader, take);
  if (reader.failed) throw new CorruptionError('histograms record is malformed', place);
  return rows;
}

type TakeBody = (reader: ByteReader) => Histogram | FloatHistogram;

function takeFirstForm(reader: ByteReader, take: TakeBody): HistogramRow[] {
  const rows: HistogramRow[] = [];
  const firstRef = reader.takeUint64();
  const firstMs = reader.takeInt64();
  while (reader.remaining > 0) {
    const ref = firstRef + reader.takeVarint();
    const timestampMs = firstMs + reader.takeVarint();
    rows.push({ ref, timestampMs, startMs: 0, histogram: take(reader) });
  }
  return rows;
}

function takeSecondForm(reader: ByteReader, take: TakeBody): HistogramRow[] {
  const rows: HistogramRow[] = [];
  let ref = reader.takeVarint();
  const firstMs = reader.takeVarint();
  const firstStartMs = reader.takeVarint();
  let timestampMs = firstMs;
  let startMs = firstStartMs;
  for (;;) {
    rows.push({ ref, timestampMs, startMs, histogram: take(reader) });
    if (reader.remaining === 0) return rows;
    ref += reader.takeVarint();
    timestampMs = firstMs + reader.takeVarint();
    startMs = takeStart(reader, startMs, firstStartMs);
  }
}

function isSecondForm(type: RecordType): boolean {
  return type === RecordType.HistogramsV2 || type === RecordType.FloatHistogramsV2;
}
