/**
 * A native histogram on the wire, the same in remote write 1.0 and 2.0 and in remote read:
 *
 *    1 count (uint64)          2 count (double)       3 sum             4 schema (sint32)
 *    5 zero threshold          6 zero count (uint64)  7 zero count (double)
 *    8 negative spans          9 negative deltas (sint64)               10 negative counts (double)
 *   11 positive spans         12 positive deltas (sint64)               13 positive counts (double)
 *   14 counter reset hint     15 timestamp (int64)    16 custom bounds (double)
 *   17 start timestamp (int64, 2.0 only)
 *
 *   span   1 offset (sint32)   2 length (uint32)
 *
 * Source: Prometheus remote write specifications 1.0 and 2.0 (message Histogram).
 */
import {
  COUNTER_RESET_HINTS,
  type FloatHistogram,
  type Histogram,
  type ProtobufReader,
  type ProtobufWriter,
  type Span,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  WireType,
} from '../../model/index.ts';
import { unexpectedEnd, WireError } from './wire-error.ts';

export type TimedHistogram = {
  readonly timestampMs: number;
  readonly histogram: Histogram | FloatHistogram;
  /** When it began; 0 where unknown. */
  readonly startMs: number;
};

/** Reads to the end of `reader`, which stands at the message's first byte. @throws WireError */
export function readHistogram(reader: ProtobufReader): TimedHistogram {
  let isFloat = false;
  let hint = 0;
  let timestampMs = 0;
  let startMs = 0;
  let schema = 0;
  let count = 0;
  let sum = 0;
  let stale = false;
  let zeroThreshold = 0;
  let zeroCount = 0;
  const negativeSpans: Span[] = [];
  const positiveSpans: Span[] = [];
  const negativeDeltas: number[] = [];
  const positiveDeltas: number[] = [];
  const negativeCounts: number[] = [];
  const positiveCounts: number[] = [];
  const customBounds: number[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        count = reader.takeUint64();
        isFloat = false;
        break;
      case 2:
        count = reader.takeDouble();
        isFloat = true;
        break;
      case 3: {
        const { bytes, position } = reader;
        sum = reader.takeDouble();
        stale = Number.isNaN(sum) && isStaleAtByte(bytes, position);
        break;
      }
      case 4:
        schema = reader.takeSint64();
        break;
      case 5:
        zeroThreshold = reader.takeDouble();
        break;
      case 6:
        zeroCount = reader.takeUint64();
        break;
      case 7:
        zeroCount = reader.takeDouble();
        break;
      case 8:
        negativeSpans.push(readSpan(reader));
        break;
      case 9:
        readSint64s(reader, negativeDeltas);
        break;
      case 10:
        readDoubles(reader, negativeCounts);
        break;
      case 11:
        positiveSpans.push(readSpan(reader));
        break;
      case 12:
        readSint64s(reader, positiveDeltas);
        break;
      case 13:
        readDoubles(reader, positiveCounts);
        break;
      case 14:
        hint = reader.takeUint64();
        break;
      case 15:
        timestampMs = reader.takeInt64();
        break;
      case 16:
        readDoubles(reader, customBounds);
        break;
      case 17:
        startMs = reader.takeInt64();
        break;
      default:
        reader.skip();
    }
  }
  if (reader.failed) throw unexpectedEnd();
  const shared = {
    hint: COUNTER_RESET_HINTS[hint] ?? 'unknown',
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum,
    positiveSpans,
    negativeSpans,
    customBounds,
    stale,
  };
  const histogram: Histogram | FloatHistogram = isFloat
    ? { kind: 'float', ...shared, positiveCounts, negativeCounts }
    : { kind: 'integer', ...shared, positiveDeltas, negativeDeltas };
  return { timestampMs, histogram, startMs };
}

function isStaleAtByte(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return (
    view.getUint32(at, true) === STALE_NAN_LOW && view.getUint32(at + 4, true) === STALE_NAN_HIGH
  );
}

function readSpan(reader: ProtobufReader): Span {
  const { end } = reader;
  let offset = 0;
  let length = 0;
  reader.end = reader.takeLength();
  while (reader.next()) {
    if (reader.field === 1) offset = reader.takeSint64();
    else if (reader.field === 2) length = reader.takeUint64();
    else reader.skip();
  }
  reader.end = end;
  return { offset, length };
}

/** Packed or one by one: both are allowed. */
function readSint64s(reader: ProtobufReader, out: number[]): void {
  if (reader.wireType !== WireType.Length) {
    out.push(reader.takeSint64());
    return;
  }
  const end = reader.takeLength();
  while (reader.hasMore(end)) out.push(reader.packedSint64());
}

function readDoubles(reader: ProtobufReader, out: number[]): void {
  if (reader.wireType !== WireType.Length) {
    out.push(reader.takeDouble());
    return;
  }
  const end = reader.takeLength();
  if ((end - reader.position) % 8 !== 0) throw new WireError('proto: packed doubles cut off');
  while (reader.hasMore(end)) out.push(reader.packedDouble());
}

/** Writes the fields of a histogram, as a sender does. */
export function writeHistogram(
  out: ProtobufWriter,
  timestampMs: number,
  histogram: Histogram | FloatHistogram,
  startMs = 0,
): void {
  if (histogram.kind === 'integer') out.uint64(1, histogram.count);
  else out.double(2, histogram.count);
  out.double(3, histogram.sum);
  if (histogram.stale) putStale(out);
  out.sint64(4, histogram.schema);
  out.double(5, histogram.zeroThreshold);
  if (histogram.kind === 'integer') out.uint64(6, histogram.zeroCount);
  else out.double(7, histogram.zeroCount);
  for (const span of histogram.negativeSpans) writeSpan(out, 8, span);
  if (histogram.kind === 'integer') writeSint64s(out, 9, histogram.negativeDeltas);
  else writeDoubles(out, 10, histogram.negativeCounts);
  for (const span of histogram.positiveSpans) writeSpan(out, 11, span);
  if (histogram.kind === 'integer') writeSint64s(out, 12, histogram.positiveDeltas);
  else writeDoubles(out, 13, histogram.positiveCounts);
  const hint = COUNTER_RESET_HINTS.indexOf(histogram.hint);
  if (hint > 0) out.uint64(14, hint);
  out.int64(15, timestampMs);
  writeDoubles(out, 16, histogram.customBounds);
  if (startMs !== 0) out.int64(17, startMs);
}

/** Over the double that was written last. */
function putStale(out: ProtobufWriter): void {
  const { bytes, length } = out.out;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(length - 8, STALE_NAN_LOW, true);
  view.setUint32(length - 4, STALE_NAN_HIGH, true);
}

function writeSpan(out: ProtobufWriter, field: number, { offset, length }: Span): void {
  out.message(field, () => {
    out.sint64(1, offset);
    out.uint64(2, length);
  });
}

function writeSint64s(out: ProtobufWriter, field: number, values: readonly number[]): void {
  if (values.length > 0) out.packedSint64(field, values);
}

function writeDoubles(out: ProtobufWriter, field: number, values: readonly number[]): void {
  if (values.length > 0) out.packedDouble(field, values);
}
