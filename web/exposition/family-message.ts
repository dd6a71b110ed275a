/**
 * Federation as protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length.
 *
 *     MetricFamily  1 name · 3 type · 4 metric…
 *     Metric        1 label… · 5 untyped · 6 timestamp_ms · 7 histogram
 *     LabelPair     1 name · 2 value                Untyped  1 value (double)
 *     Histogram     2 sample_sum · 4 sample_count_float · 5 schema (sint32) · 6 zero_threshold
 *                   8 zero_count_float · 9 negative_span… · 11 negative_count…
 *                   12 positive_span… · 14 positive_count… · 3 bucket…
 *     BucketSpan    1 offset (sint32) · 2 length    Bucket  4 cumulative_count_float · 2 upper_bound
 *
 * Source: the metric model's message definitions as documented; compared with 3.14's bytes.
 */
import {
  ByteWriter,
  type FloatHistogram,
  spanIndexes,
  type Span,
  usesCustomBuckets,
} from '../../model/index.ts';
import { PIECE_SIZE_MIN, type TakePiece } from '../piece-writer.ts';
import type { FederatedFamily, FederatedRow, FederatedType } from './federation.ts';

const TYPE_NUMBERS: Readonly<Record<FederatedType, number>> = {
  untyped: 3,
  histogram: 4,
  gaugehistogram: 5,
};
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** @returns all of it, or what comes after the last piece */
export function writeFamilyMessages(
  families: Iterable<FederatedFamily>,
  takePiece: TakePiece | null,
): Uint8Array {
  const out = new ByteWriter(4096);
  const message = new ByteWriter(4096);
  for (const { name, type, rows } of families) {
    message.clear();
    putText(message, 1, name);
    putTag(message, 3, VARINT);
    message.putUvarint(TYPE_NUMBERS[type]);
    for (const row of rows) putMessage(message, 4, metricMessage(row));
    out.putUvarint(message.length);
    out.putContent(message);
    if (takePiece === null || out.length < PIECE_SIZE_MIN) continue;
    takePiece(out.view().slice());
    out.clear();
  }
  return out.view();
}

/** Of the metric that is being written, and of a part of it. */
const metric = new ByteWriter(256);
const part = new ByteWriter(64);

/** Good until the next call. */
function metricMessage({ sample, labels }: FederatedRow): ByteWriter {
  const message = metric;
  message.clear();
  for (let i = 0; i < labels.length; i += 2) {
    part.clear();
    putText(part, 1, labels[i]!);
    putText(part, 2, labels[i + 1]!);
    putMessage(message, 1, part);
  }
  if (sample.histogram === null) {
    part.clear();
    putDouble(part, 1, sample.value);
    putMessage(message, 5, part);
  }
  putTag(message, 6, VARINT);
  putInt64(message, sample.timestampMs);
  if (sample.histogram !== null) putMessage(message, 7, histogramMessage(sample.histogram));
  return message;
}

function histogramMessage(histogram: FloatHistogram): ByteWriter {
  const message = new ByteWriter(256);
  putDouble(message, 2, histogram.sum);
  if (usesCustomBuckets(histogram)) {
    putClassicBuckets(message, histogram);
    putDouble(message, 4, histogram.count);
    return message;
  }
  putDouble(message, 4, histogram.count);
  putTag(message, 5, VARINT);
  message.putVarint(histogram.schema);
  putDouble(message, 6, histogram.zeroThreshold);
  putDouble(message, 8, histogram.zeroCount);
  for (const span of histogram.negativeSpans) putMessage(message, 9, spanMessage(span));
  for (const count of histogram.negativeCounts) putDouble(message, 11, count);
  for (const span of histogram.positiveSpans) putMessage(message, 12, spanMessage(span));
  for (const count of histogram.positiveCounts) putDouble(message, 14, count);
  return message;
}

function putClassicBuckets(message: ByteWriter, histogram: FloatHistogram): void {
  const { customBounds, positiveCounts } = histogram;
  const perBound = new Float64Array(customBounds.length + 1);
  spanIndexes(histogram.positiveSpans).forEach((index, i) => {
    perBound[index]! += positiveCounts[i]!;
  });
  let cumulative = 0;
  // The one up to +Inf is left out: its count is that of the whole histogram.
  for (const [i, bound] of customBounds.entries()) {
    cumulative += perBound[i]!;
    const bucket = new ByteWriter(32);
    putDouble(bucket, 2, bound);
    putDouble(bucket, 4, cumulative);
    putMessage(message, 3, bucket);
  }
}

function spanMessage(span: Span): ByteWriter {
  const message = new ByteWriter(16);
  putTag(message, 1, VARINT);
  message.putVarint(span.offset);
  putTag(message, 2, VARINT);
  message.putUvarint(span.length);
  return message;
}

function putTag(out: ByteWriter, field: number, wireType: number): void {
  out.putUvarint(field * 8 + wireType);
}

function putText(out: ByteWriter, field: number, text: string): void {
  putTag(out, field, BYTES);
  out.putUvarintText(text);
}

function putMessage(out: ByteWriter, field: number, message: ByteWriter): void {
  putTag(out, field, BYTES);
  out.putUvarint(message.length);
  out.putContent(message);
}

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);

function putDouble(out: ByteWriter, field: number, value: number): void {
  putTag(out, field, FIXED64);
  scratch.setFloat64(0, value, true);
  out.putBytes(scratchBytes);
}

/** Negative numbers take ten bytes, as protobuf wants it of an int64. */
function putInt64(out: ByteWriter, value: number): void {
  if (value >= 0) return out.putUvarint(value);
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) out.putByte(Number(rest & 0x7fn) | 0x80);
  out.putByte(Number(rest));
}
