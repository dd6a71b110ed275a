/**
 * Remote write 1.0 messages, read and written: how tests put the same samples into a real Prometheus
 * and into our storage. Source: Prometheus remote write specification (prometheus.WriteRequest).
 */
import {
  ByteReader,
  ByteWriter,
  COUNTER_RESET_HINTS,
  type FloatHistogram,
  type Histogram,
  Labels,
  snappyCompress,
  snappyDecompress,
  snappyPlainSize,
  snappySizeMax,
  type Span,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';

export type WrittenSample = { timestampMs: number; value: number; stale: boolean };
export type WrittenHistogram = { timestampMs: number; histogram: Histogram | FloatHistogram };
export type WrittenSeries = {
  labels: Labels;
  samples: WrittenSample[];
  histograms: WrittenHistogram[];
};

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** One request body as it is POSTed (snappy block of a WriteRequest). */
export function encodeWriteRequest(series: readonly WrittenSeries[]): Uint8Array {
  const request = new ByteWriter();
  for (const one of series) putMessage(request, 1, (out) => putSeries(out, one));
  const plain = request.view();
  const body = new Uint8Array(snappySizeMax(plain.length));
  return body.slice(0, snappyCompress(plain, 0, plain.length, body, 0));
}

function putSeries(out: ByteWriter, series: WrittenSeries): void {
  for (const [name, value] of series.labels) {
    putMessage(out, 1, (label) => {
      putTag(label, 1, BYTES);
      label.putUvarintText(name);
      putTag(label, 2, BYTES);
      label.putUvarintText(value);
    });
  }
  for (const { timestampMs, value, stale } of series.samples) {
    putMessage(out, 2, (sample) => {
      putTag(sample, 1, FIXED64);
      putDoubleLittleEndian(sample, value, stale);
      putInt(sample, 2, timestampMs);
    });
  }
  for (const { timestampMs, histogram } of series.histograms) {
    putMessage(out, 4, (message) => putHistogram(message, timestampMs, histogram));
  }
}

function putHistogram(
  out: ByteWriter,
  timestampMs: number,
  histogram: Histogram | FloatHistogram,
): void {
  if (histogram.kind === 'integer') {
    putInt(out, 1, histogram.count);
    putInt(out, 6, histogram.zeroCount);
  } else {
    putDouble(out, 2, histogram.count);
    putDouble(out, 7, histogram.zeroCount);
  }
  putTag(out, 3, FIXED64);
  putDoubleLittleEndian(out, histogram.sum, histogram.stale);
  putTag(out, 4, VARINT);
  out.putVarint(histogram.schema);
  putDouble(out, 5, histogram.zeroThreshold);
  for (const span of histogram.negativeSpans) putMessage(out, 8, (o) => putSpan(o, span));
  for (const span of histogram.positiveSpans) putMessage(out, 11, (o) => putSpan(o, span));
  if (histogram.kind === 'integer') {
    putPackedVarints(out, 9, histogram.negativeDeltas);
    putPackedVarints(out, 12, histogram.positiveDeltas);
  } else {
    putPackedDoubles(out, 10, histogram.negativeCounts);
    putPackedDoubles(out, 13, histogram.positiveCounts);
  }
  putInt(out, 14, COUNTER_RESET_HINTS.indexOf(histogram.hint));
  putInt(out, 15, timestampMs);
  putPackedDoubles(out, 16, histogram.customBounds);
}

function putSpan(out: ByteWriter, span: Span): void {
  putTag(out, 1, VARINT);
  out.putVarint(span.offset);
  putInt(out, 2, span.length);
}

function putTag(out: ByteWriter, field: number, type: number): void {
  out.putUvarint(field * 8 + type);
}

/** int64 and its kin; negative numbers take ten bytes. */
function putInt(out: ByteWriter, field: number, value: number): void {
  putTag(out, field, VARINT);
  if (value >= 0) {
    out.putUvarint(value);
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.putByte(Number(rest & 0x7fn) | 0x80);
  out.putByte(Number(rest));
}

function putDouble(out: ByteWriter, field: number, value: number): void {
  putTag(out, field, FIXED64);
  putDoubleLittleEndian(out, value, false);
}

function putDoubleLittleEndian(out: ByteWriter, value: number, stale: boolean): void {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, value, true);
  if (stale) {
    view.setUint32(0, STALE_NAN_LOW, true);
    view.setUint32(4, STALE_NAN_HIGH, true);
  }
  out.putBytes(bytes);
}

function putPackedDoubles(out: ByteWriter, field: number, values: readonly number[]): void {
  if (values.length === 0) return;
  putMessage(out, field, (packed) => {
    for (const value of values) putDoubleLittleEndian(packed, value, false);
  });
}

function putPackedVarints(out: ByteWriter, field: number, values: readonly number[]): void {
  if (values.length === 0) return;
  putMessage(out, field, (packed) => {
    for (const value of values) packed.putVarint(value);
  });
}

function putMessage(out: ByteWriter, field: number, write: (message: ByteWriter) => void): void {
  const message = new ByteWriter();
  write(message);
  putTag(out, field, BYTES);
  out.putUvarint(message.length);
  out.putBytes(message.view());
}

/** The series of a request body as it was POSTed. */
export function decodeWriteRequest(body: Uint8Array): WrittenSeries[] {
  const plain = new Uint8Array(snappyPlainSize(body));
  snappyDecompress(body, 0, body.length, plain);
  const series: WrittenSeries[] = [];
  forEachField(plain, (field, value) => {
    if (field === 1) series.push(decodeSeries(value as Uint8Array));
  });
  return series;
}

function decodeSeries(bytes: Uint8Array): WrittenSeries {
  const pairs: [string, string][] = [];
  const samples: WrittenSample[] = [];
  const histograms: WrittenHistogram[] = [];
  forEachField(bytes, (field, value) => {
    if (field === 1) pairs.push(decodeLabel(value as Uint8Array));
    if (field === 2) samples.push(decodeSample(value as Uint8Array));
    if (field === 4) histograms.push(decodeHistogram(value as Uint8Array));
  });
  return { labels: Labels.fromPairs(pairs), samples, histograms };
}

function decodeLabel(bytes: Uint8Array): [string, string] {
  const label: [string, string] = ['', ''];
  forEachField(bytes, (field, value) => {
    label[field - 1] = new TextDecoder().decode(value as Uint8Array);
  });
  return label;
}

function decodeSample(bytes: Uint8Array): WrittenSample {
  const sample = { timestampMs: 0, value: 0, stale: false };
  forEachField(bytes, (field, value) => {
    if (field === 1) {
      sample.value = doubleOf(value as Uint8Array);
      sample.stale = isStale(value as Uint8Array);
    } else {
      sample.timestampMs = signedOf(value as bigint);
    }
  });
  return sample;
}

function decodeHistogram(bytes: Uint8Array): WrittenHistogram {
  let timestampMs = 0;
  let integer = false;
  const common = { hint: COUNTER_RESET_HINTS[0] as Histogram['hint'], schema: 0, stale: false };
  const numbers = { zeroThreshold: 0, zeroCount: 0, count: 0, sum: 0 };
  const spans = { positiveSpans: [] as Span[], negativeSpans: [] as Span[] };
  const deltas = { positiveDeltas: [] as number[], negativeDeltas: [] as number[] };
  const counts = { positiveCounts: [] as number[], negativeCounts: [] as number[] };
  let customBounds: number[] = [];
  forEachField(bytes, (field, raw) => {
    const message = raw as Uint8Array;
    switch (field) {
      case 1:
        integer = true;
        numbers.count = Number(raw);
        break;
      case 2:
        numbers.count = doubleOf(message);
        break;
      case 3:
        numbers.sum = doubleOf(message);
        common.stale = isStale(message);
        break;
      case 4:
        common.schema = zigzagOf(raw as bigint);
        break;
      case 5:
        numbers.zeroThreshold = doubleOf(message);
        break;
      case 6:
        numbers.zeroCount = Number(raw);
        break;
      case 7:
        numbers.zeroCount = doubleOf(message);
        break;
      case 8:
        spans.negativeSpans.push(decodeSpan(message));
        break;
      case 9:
        deltas.negativeDeltas = decodeVarints(message);
        break;
      case 10:
        counts.negativeCounts = decodeDoubles(message);
        break;
      case 11:
        spans.positiveSpans.push(decodeSpan(message));
        break;
      case 12:
        deltas.positiveDeltas = decodeVarints(message);
        break;
      case 13:
        counts.positiveCounts = decodeDoubles(message);
        break;
      case 14:
        common.hint = COUNTER_RESET_HINTS[Number(raw)]!;
        break;
      case 15:
        timestampMs = signedOf(raw as bigint);
        break;
      case 16:
        customBounds = decodeDoubles(message);
        break;
    }
  });
  const shared = { ...common, ...numbers, ...spans, customBounds };
  const histogram: Histogram | FloatHistogram = integer
    ? { kind: 'integer', ...shared, ...deltas }
    : { kind: 'float', ...shared, ...counts };
  return { timestampMs, histogram };
}

function decodeSpan(bytes: Uint8Array): Span {
  const span = { offset: 0, length: 0 };
  forEachField(bytes, (field, value) => {
    if (field === 1) span.offset = zigzagOf(value as bigint);
    else span.length = Number(value);
  });
  return span;
}

function decodeDoubles(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let i = 0; i < bytes.length; i += 8) values.push(doubleOf(bytes.subarray(i, i + 8)));
  return values;
}

function decodeVarints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, next] = takeVarint(bytes, at);
    values.push(zigzagOf(value));
    at = next;
  }
  return values;
}

/** Calls `visit` with a bigint for varints, and with the bytes for everything else. */
function forEachField(
  bytes: Uint8Array,
  visit: (field: number, value: bigint | Uint8Array) => void,
): void {
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = takeVarint(bytes, at);
    const field = Number(tag >> 3n);
    const type = Number(tag & 7n);
    if (type === VARINT) {
      const [value, next] = takeVarint(bytes, afterTag);
      visit(field, value);
      at = next;
      continue;
    }
    const reader = new ByteReader(bytes, afterTag);
    const sizeBytes = type === FIXED64 ? 8 : type === BYTES ? reader.takeUvarint() : 4;
    const start = type === BYTES ? afterTag + uvarintLength(bytes, afterTag) : afterTag;
    visit(field, bytes.subarray(start, start + sizeBytes));
    at = start + sizeBytes;
  }
}

function uvarintLength(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end]! >= 0x80) end++;
  return end + 1 - at;
}

function takeVarint(bytes: Uint8Array, at: number): [value: bigint, next: number] {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function signedOf(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

function zigzagOf(value: bigint): number {
  return Number((value >> 1n) ^ -(value & 1n));
}

function doubleOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

function isStale(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return view.getUint32(0, true) === STALE_NAN_LOW && view.getUint32(4, true) === STALE_NAN_HIGH;
}
