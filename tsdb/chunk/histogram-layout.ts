/**
 * What all histograms of a chunk share, at its beginning. Both header forms are three bytes.
 *
 *   encodings 2, 3  ┌──────────────────┬─────────────────┐
 *                   │ #samples u16 BE  │ flags: reset «6 │
 *                   └──────────────────┴─────────────────┘
 *   encodings 5, 6  ┌──────────────────┬─────────────────┐
 *                   │ reset «14 |      │ start header u8 │   start-times.ts
 *                   │ #samples u16 BE  │                 │
 *                   └──────────────────┴─────────────────┘
 *   then, in bits   zero threshold: byte 0 → 0 · byte 1…254 → 2^(byte - 244) · byte 255 and f64
 *                   schema varbit int
 *                   positive spans: # varbit uint, each: length varbit uint, offset varbit int
 *                   negative spans: likewise
 *                   custom bounds, only for schema -53: # varbit uint, each:
 *                     1000 × bound + 1 as varbit uint if that is a whole number up to 2²⁵-1,
 *                     else a 0 bit and f64
 *   reset   0 unknown · 1 not reset · 2 reset (between the chunk before and this one) · 3 gauge
 *
 * Page: docs/format/chunks.md. Source: Prometheus "Chunks Disk Format"; checked against 2.42's and 3.14's.
 */
import {
  CUSTOM_BUCKETS_SCHEMA,
  fromBits,
  highBits,
  lowBits,
  type Span,
} from '../../model/index.ts';
import type { BitCursor } from './bit-cursor.ts';
import type { BitSink } from './bit-sink.ts';
import { takeVarbitInt, takeVarbitUint } from './varbit.ts';

export const HISTOGRAM_HEADER_SIZE_BYTES = 3;

/** Whether counters fell back between the chunk before and this one. */
export const ResetFlag = { Unknown: 0, NotReset: 1, Reset: 2, Gauge: 3 } as const;
export type ResetFlag = (typeof ResetFlag)[keyof typeof ResetFlag];

export type HistogramLayout = {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly customBounds: readonly number[];
};

const THRESHOLD_EXPONENT_BIAS = 244;
const THRESHOLD_RAW = 255;
const SCALED_BOUND_MAX = 33_554_430;
/** No sane chunk has more; a broken one must not make us allocate gigabytes. */
const ITEM_COUNT_MAX = 100_000;

export function putLayout(sink: BitSink, layout: HistogramLayout): void {
  putZeroThreshold(sink, layout.zeroThreshold);
  sink.putVarbitInt(layout.schema);
  putSpans(sink, layout.positiveSpans);
  putSpans(sink, layout.negativeSpans);
  if (layout.schema !== CUSTOM_BUCKETS_SCHEMA) return;
  sink.putVarbitUint(layout.customBounds.length);
  for (const bound of layout.customBounds) putCustomBound(sink, bound);
}

/** Null when it cannot be right. */
export function takeLayout(cursor: BitCursor): HistogramLayout | null {
  const zeroThreshold = takeZeroThreshold(cursor);
  const schema = takeVarbitInt(cursor);
  const positiveSpans = takeSpans(cursor);
  const negativeSpans = takeSpans(cursor);
  const customBounds: number[] = [];
  if (schema === CUSTOM_BUCKETS_SCHEMA) {
    const count = takeVarbitUint(cursor);
    if (count > ITEM_COUNT_MAX) return null;
    for (let i = 0; i < count && !cursor.isPastEnd; i++) customBounds.push(takeCustomBound(cursor));
  }
  if (positiveSpans === null || negativeSpans === null || cursor.isPastEnd) return null;
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customBounds };
}

/** How many buckets spans cover. */
export function bucketCount(spans: readonly Span[]): number {
  let count = 0;
  for (const { length } of spans) count += length;
  return count;
}

function putZeroThreshold(sink: BitSink, threshold: number): void {
  if (threshold === 0) {
    sink.putBits(0, 8);
    return;
  }
  const exponent = Math.round(Math.log2(threshold));
  const byte = exponent + THRESHOLD_EXPONENT_BIAS;
  if (byte >= 1 && byte < THRESHOLD_RAW && 2 ** exponent === threshold) {
    sink.putBits(byte, 8);
    return;
  }
  sink.putBits(THRESHOLD_RAW, 8);
  sink.put64Bits(highBits(threshold), lowBits(threshold));
}

function takeZeroThreshold(cursor: BitCursor): number {
  const byte = cursor.takeBits(8);
  if (byte === 0) return 0;
  if (byte !== THRESHOLD_RAW) return 2 ** (byte - THRESHOLD_EXPONENT_BIAS);
  return fromBits(cursor.takeBits(32), cursor.takeBits(32));
}

function putSpans(sink: BitSink, spans: readonly Span[]): void {
  sink.putVarbitUint(spans.length);
  for (const { offset, length } of spans) {
    sink.putVarbitUint(length);
    sink.putVarbitInt(offset);
  }
}

function takeSpans(cursor: BitCursor): Span[] | null {
  const count = takeVarbitUint(cursor);
  if (count > ITEM_COUNT_MAX) return null;
  const spans: Span[] = [];
  let bucketsInAll = 0;
  for (let i = 0; i < count; i++) {
    const length = takeVarbitUint(cursor);
    bucketsInAll += length;
    if (bucketsInAll > ITEM_COUNT_MAX || cursor.isPastEnd) return null;
    spans.push({ offset: takeVarbitInt(cursor), length });
  }
  return spans;
}

function putCustomBound(sink: BitSink, bound: number): void {
  const scaled = Math.round(bound * 1000);
  // Division undoes it exactly or the bound goes out as it is.
  if (scaled >= 0 && scaled <= SCALED_BOUND_MAX && Object.is(scaled / 1000, bound)) {
    sink.putVarbitUint(scaled + 1);
    return;
  }
  sink.putBits(0, 1);
  sink.put64Bits(highBits(bound), lowBits(bound));
}

function takeCustomBound(cursor: BitCursor): number {
  const scaled = takeVarbitUint(cursor);
  if (scaled > 0) return (scaled - 1) / 1000;
  return fromBits(cursor.takeBits(32), cursor.takeBits(32));
}
