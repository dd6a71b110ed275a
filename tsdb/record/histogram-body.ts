/**
 * One native histogram as it stands in a log record.
 *
 *   ┌─────────┬───────────────┬────────────────────┬────────────┬───────┬─────────┐
 *   │ hint u8 │ schema varint │ zero threshold f64 │ zero count │ count │ sum f64 │
 *   ├─────────┴───────────────┼────────────────────┴────────────┴───────┴─────────┤
 *   │ #positive spans uvarint │ each: offset varint, length uvarint               │
 *   │ #negative spans uvarint │ each: offset varint, length uvarint               │
 *   │ #positive buckets uv.   │ each: delta varint            (floats: count f64) │
 *   │ #negative buckets uv.   │ each: delta varint            (floats: count f64) │
 *   │ #custom bounds uvarint  │ each: f64                     (only schema -53)   │
 *   └─────────────────────────┴───────────────────────────────────────────────────┘
 *   zero count and count: uvarint, in the float form f64
 *   hint  0 unknown · 1 reset · 2 not_reset · 3 gauge
 *
 * A histogram whose sum is the staleness NaN marks the end of its series.
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format".
 */
import {
  type ByteReader,
  type ByteWriter,
  COUNTER_RESET_HINTS,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  fromBits,
  type Histogram,
  highBits,
  lowBits,
  NORMAL_NAN_HIGH,
  NORMAL_NAN_LOW,
  type Span,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { takeWideUvarint, takeWideVarint } from './wide-varint.ts';

export function encodeHistogramBody(out: ByteWriter, h: Histogram | FloatHistogram): void {
  out.putByte(COUNTER_RESET_HINTS.indexOf(h.hint));
  out.putVarint(h.schema);
  putFloat(out, h.zeroThreshold);
  const isFloat = h.kind === 'float';
  if (isFloat) {
    putFloat(out, h.zeroCount);
    putFloat(out, h.count);
  } else {
    out.putUvarint(h.zeroCount);
    out.putUvarint(h.count);
  }
  if (h.stale) out.putFloat64Bits(STALE_NAN_HIGH, STALE_NAN_LOW);
  else putFloat(out, h.sum);
  putSpans(out, h.positiveSpans);
  putSpans(out, h.negativeSpans);
  if (isFloat) {
    putFloats(out, h.positiveCounts);
    putFloats(out, h.negativeCounts);
  } else {
    putVarints(out, h.positiveDeltas);
    putVarints(out, h.negativeDeltas);
  }
  if (h.schema === CUSTOM_BUCKETS_SCHEMA) putFloats(out, h.customBounds);
}

/** Check `reader.failed` afterwards. */
export function takeHistogramBody(reader: ByteReader): Histogram {
  const hint = takeHint(reader);
  const schema = reader.takeVarint();
  const zeroThreshold = takeFloat(reader);
  const zeroCount = takeWideUvarint(reader);
  const count = takeWideUvarint(reader);
  const sumHigh = reader.takeUint32();
  const sumLow = reader.takeUint32();
  return {
    kind: 'integer',
    hint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum: fromBits(sumHigh, sumLow),
    stale: sumHigh === STALE_NAN_HIGH && sumLow === STALE_NAN_LOW,
    positiveSpans: takeSpans(reader),
    negativeSpans: takeSpans(reader),
    positiveDeltas: takeMany(reader, 1, takeWideVarint),
    negativeDeltas: takeMany(reader, 1, takeWideVarint),
    customBounds: schema === CUSTOM_BUCKETS_SCHEMA ? takeMany(reader, 8, takeFloat) : [],
  };
}

/** Check `reader.failed` afterwards. */
export function takeFloatHistogramBody(reader: ByteReader): FloatHistogram {
  const hint = takeHint(reader);
  const schema = reader.takeVarint();
  const zeroThreshold = takeFloat(reader);
  const zeroCount = takeFloat(reader);
  const count = takeFloat(reader);
  const sumHigh = reader.takeUint32();
  const sumLow = reader.takeUint32();
  return {
    kind: 'float',
    hint,
    schema,
    zeroThreshold,
    zeroCount,
    count,
    sum: fromBits(sumHigh, sumLow),
    stale: sumHigh === STALE_NAN_HIGH && sumLow === STALE_NAN_LOW,
    positiveSpans: takeSpans(reader),
    negativeSpans: takeSpans(reader),
    positiveCounts: takeMany(reader, 8, takeFloat),
    negativeCounts: takeMany(reader, 8, takeFloat),
    customBounds: schema === CUSTOM_BUCKETS_SCHEMA ? takeMany(reader, 8, takeFloat) : [],
  };
}

function takeHint(reader: ByteReader): Histogram['hint'] {
  const hint = COUNTER_RESET_HINTS[reader.takeByte()];
  if (hint === undefined) reader.failed = true;
  return hint ?? 'unknown';
}

function takeSpans(reader: ByteReader): Span[] {
  const count = takeCount(reader, 2);
  const spans: Span[] = [];
  for (let i = 0; i < count; i++) {
    spans.push({ offset: reader.takeVarint(), length: reader.takeUvarint() });
  }
  return spans;
}

function takeMany(
  reader: ByteReader,
  sizeBytesMin: number,
  take: (reader: ByteReader) => number,
): number[] {
  const count = takeCount(reader, sizeBytesMin);
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(take(reader));
  return values;
}

/** A number of items, refused when the record is too short for them. */
function takeCount(reader: ByteReader, sizeBytesMin: number): number {
  const count = reader.takeUvarint();
  if (count * sizeBytesMin <= reader.remaining) return count;
  reader.failed = true;
  return 0;
}

function takeFloat(reader: ByteReader): number {
  return fromBits(reader.takeUint32(), reader.takeUint32());
}

function putFloat(out: ByteWriter, value: number): void {
  const high = highBits(value);
  const low = lowBits(value);
  // Only `stale` says that a histogram is stale; no other field may look like it by accident.
  if (high === STALE_NAN_HIGH && low === STALE_NAN_LOW) {
    out.putFloat64Bits(NORMAL_NAN_HIGH, NORMAL_NAN_LOW);
  } else {
    out.putFloat64Bits(high, low);
  }
}

function putSpans(out: ByteWriter, spans: readonly Span[]): void {
  out.putUvarint(spans.length);
  for (const { offset, length } of spans) {
    out.putVarint(offset);
    out.putUvarint(length);
  }
}

function putVarints(out: ByteWriter, values: readonly number[]): void {
  out.putUvarint(values.length);
  for (const value of values) out.putVarint(value);
}

function putFloats(out: ByteWriter, values: readonly number[]): void {
  out.putUvarint(values.length);
  for (const value of values) putFloat(out, value);
}
