/**
 * Messages of the protobuf exposition format, as far as a scrape needs them. A body is a sequence
 * of MetricFamily messages, each with its length in front.
 *
 *   MetricFamily  1 name  2 help  3 type  4 Metric…  5 unit
 *   Metric        1 LabelPair…  2 Gauge  3 Counter  4 Summary  5 Untyped  6 timestamp_ms  7 Histogram
 *   LabelPair     1 name  2 value
 *   Gauge, Counter, Untyped   1 value     (Counter: 2 Exemplar  3 start Timestamp)
 *   Summary       1 sample_count  2 sample_sum  3 Quantile…  4 start Timestamp
 *   Quantile      1 quantile  2 value
 *   Histogram     1 sample_count  2 sample_sum  3 Bucket…  4 sample_count_float
 *                 5 schema  6 zero_threshold  7 zero_count  8 zero_count_float
 *                 9 negative_span…  10 negative_delta…  11 negative_count…
 *                 12 positive_span…  13 positive_delta…  14 positive_count…  15 start Timestamp
 *                 16 Exemplar…
 *   Bucket        1 cumulative_count  2 upper_bound  3 Exemplar  4 cumulative_count_float
 *   BucketSpan    1 offset  2 length
 *   Exemplar      1 LabelPair…  2 value  3 Timestamp (1 seconds  2 nanos)
 *
 * Source: io.prometheus.client message definitions, as published with the exposition formats.
 */
import {
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  Labels,
  type MetricType,
  type ProtobufReader,
  quoteText,
  type Span,
  WireType,
} from '../../model/index.ts';
import { ExpositionError } from './exposition-error.ts';
import { decodeStrict, quoteBytes } from './go-quote.ts';

/** By the number in a MetricFamily. */
export const FAMILY_TYPES: readonly MetricType[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];

export type Bucket = { upperBound: number; count: number; exemplar: Exemplar | null };

/** One Histogram message, classic and native parts side by side. */
export class HistogramMessage {
  count = 0;
  sum = 0;
  readonly buckets: Bucket[] = [];
  isFloat = false;
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  readonly positiveSpans: Span[] = [];
  readonly negativeSpans: Span[] = [];
  readonly positiveDeltas: number[] = [];
  readonly negativeDeltas: number[] = [];
  readonly positiveCounts: number[] = [];
  readonly negativeCounts: number[] = [];
  readonly exemplars: Exemplar[] = [];
  /** When it began; 0 where unknown. */
  startMs = 0;

  /** Whether there are native parts: at the very least a span, even an empty one. */
  get isNative(): boolean {
    return (
      this.zeroThreshold > 0 ||
      this.zeroCount > 0 ||
      this.positiveSpans.length > 0 ||
      this.negativeSpans.length > 0
    );
  }

  /** The exemplars of the native histogram: its own, or those of its buckets; only with a time. */
  nativeExemplars(): Exemplar[] {
    const all =
      this.exemplars.length > 0
        ? this.exemplars
        : this.buckets.flatMap(({ exemplar }) => (exemplar === null ? [] : [exemplar]));
    return all.filter(({ timestampMs }) => timestampMs !== undefined);
  }

  /** @throws ExpositionError when spans and buckets do not fit */
  toNative(metric: string, isGauge: boolean): Histogram | FloatHistogram {
    const common = {
      hint: isGauge ? 'gauge' : 'unknown',
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount,
      count: this.count,
      sum: this.sum,
      positiveSpans: this.positiveSpans,
      negativeSpans: this.negativeSpans,
      customBounds: [],
      stale: false,
    } as const;
    const { isFloat, positiveCounts, negativeCounts, positiveDeltas, negativeDeltas } = this;
    const positive = isFloat ? positiveCounts : positiveDeltas;
    const negative = isFloat ? negativeCounts : negativeDeltas;
    checkSide(metric, 'positive', this.positiveSpans, positive.length);
    checkSide(metric, 'negative', this.negativeSpans, negative.length);
    return isFloat
      ? { ...common, kind: 'float', positiveCounts, negativeCounts }
      : { ...common, kind: 'integer', positiveDeltas, negativeDeltas };
  }
}

function checkSide(metric: string, side: string, spans: readonly Span[], have: number): void {
  let need = 0;
  for (const { length } of spans) need += length;
  if (need === have) return;
  throw new ExpositionError(
    `histogram ${quoteText(metric)}: ${side} side: spans require ${need} buckets, have ${have}`,
    0,
  );
}

/** Reads the nested message whose field `reader` is at, by calling `visit` at each of its fields. */
export function readMessage(reader: ProtobufReader, visit: () => void): void {
  const outerEnd = reader.end;
  const end = reader.takeLength();
  if (reader.failed) return;
  reader.end = end;
  while (reader.next()) visit();
  if (reader.failed) return;
  reader.position = end;
  reader.end = outerEnd;
}

export function readHistogram(reader: ProtobufReader): HistogramMessage {
  const message = new HistogramMessage();
  let countFloat = 0;
  let zeroCountFloat = 0;
  readMessage(reader, () => {
    switch (reader.field) {
      case 1:
        message.count = reader.takeUint64();
        break;
      case 2:
        message.sum = reader.takeDouble();
        break;
      case 3:
        message.buckets.push(readBucket(reader));
        break;
      case 4:
        countFloat = reader.takeDouble();
        break;
      case 5:
        message.schema = reader.takeSint64();
        break;
      case 6:
        message.zeroThreshold = reader.takeDouble();
        break;
      case 7:
        message.zeroCount = reader.takeUint64();
        break;
      case 8:
        zeroCountFloat = reader.takeDouble();
        break;
      case 9:
        message.negativeSpans.push(readSpan(reader));
        break;
      case 10:
        readSint64s(reader, message.negativeDeltas);
        break;
      case 11:
        readDoubles(reader, message.negativeCounts);
        break;
      case 12:
        message.positiveSpans.push(readSpan(reader));
        break;
      case 13:
        readSint64s(reader, message.positiveDeltas);
        break;
      case 14:
        readDoubles(reader, message.positiveCounts);
        break;
      case 15:
        message.startMs = readTimestamp(reader);
        break;
      case 16:
        message.exemplars.push(readExemplar(reader));
        break;
      default:
        reader.skip();
    }
  });
  message.isFloat = countFloat > 0 || zeroCountFloat > 0;
  if (message.isFloat) {
    message.count = countFloat;
    message.zeroCount = zeroCountFloat;
  }
  return message;
}

function readBucket(reader: ProtobufReader): Bucket {
  const bucket: Bucket = { upperBound: 0, count: 0, exemplar: null };
  readMessage(reader, () => {
    if (reader.field === 1) bucket.count = reader.takeUint64() || bucket.count;
    else if (reader.field === 2) bucket.upperBound = reader.takeDouble();
    else if (reader.field === 3) bucket.exemplar = readExemplar(reader);
    else if (reader.field === 4) bucket.count = reader.takeDouble() || bucket.count;
    else reader.skip();
  });
  return bucket;
}

function readSpan(reader: ProtobufReader): Span {
  let offset = 0;
  let length = 0;
  readMessage(reader, () => {
    if (reader.field === 1) offset = reader.takeSint64();
    else if (reader.field === 2) length = reader.takeUint64();
    else reader.skip();
  });
  return { offset, length };
}

/** Numbers come packed or one by one. */
function readSint64s(reader: ProtobufReader, out: number[]): void {
  if (reader.wireType === WireType.Varint) {
    out.push(reader.takeSint64());
    return;
  }
  const end = reader.takeLength();
  while (reader.hasMore(end)) out.push(reader.packedSint64());
}

function readDoubles(reader: ProtobufReader, out: number[]): void {
  if (reader.wireType === WireType.Fixed64) {
    out.push(reader.takeDouble());
    return;
  }
  const end = reader.takeLength();
  while (reader.hasMore(end)) out.push(reader.packedDouble());
}

export function readExemplar(reader: ProtobufReader): Exemplar {
  const pairs: [string, string][] = [];
  let value = 0;
  let timestampMs: number | undefined;
  readMessage(reader, () => {
    if (reader.field === 1) pairs.push(readLabelPair(reader));
    else if (reader.field === 2) value = reader.takeDouble();
    else if (reader.field === 3) timestampMs = readTimestamp(reader);
    else reader.skip();
  });
  const exemplar = { labels: Labels.fromPairs(pairs), value };
  return timestampMs === undefined ? exemplar : { ...exemplar, timestampMs };
}

export function readLabelPair(reader: ProtobufReader): [name: string, value: string] {
  let name = '';
  let value = '';
  readMessage(reader, () => {
    if (reader.field === 1) name = readText(reader);
    else if (reader.field === 2) value = readText(reader);
    else reader.skip();
  });
  return [name, value];
}

/** @throws ExpositionError when the text is not UTF-8 */
export function readText(reader: ProtobufReader): string {
  const bytes = reader.takeBytes();
  const text = decodeStrict(bytes);
  if (text !== null) return text;
  throw new ExpositionError(`invalid UTF-8 label value: ${quoteBytes(bytes)}`, reader.position);
}

/** A Timestamp message in whole milliseconds. */
export function readTimestamp(reader: ProtobufReader): number {
  let seconds = 0;
  let nanos = 0;
  readMessage(reader, () => {
    if (reader.field === 1) seconds = reader.takeInt64();
    else if (reader.field === 2) nanos = reader.takeInt64();
    else reader.skip();
  });
  return seconds * 1000 + Math.floor(nanos / 1e6);
}
