/**
 * Remote-write requests of both versions as tests describe them, written field by field.
 * Source: Prometheus remote write specifications 1.0 and 2.0.
 */
import {
  COUNTER_RESET_HINTS,
  type FloatHistogram,
  type Histogram,
  METRIC_TYPES,
  type MetricType,
  ProtobufWriter,
  snappyCompress,
  snappySizeMax,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../../../model/index.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];
export type SentSample = { readonly t: number; readonly v: number; readonly startMs?: number };
export type SentHistogram = {
  readonly t: number;
  readonly h: Histogram | FloatHistogram;
  readonly startMs?: number;
};
export type SentExemplar = { readonly labels: Pairs; readonly v: number; readonly t: number };
export type SentMetadata = {
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
};
export type SentSeries = {
  /** In the order in which they are sent. */
  readonly labels: Pairs;
  readonly samples?: readonly SentSample[];
  readonly histograms?: readonly SentHistogram[];
  readonly exemplars?: readonly SentExemplar[];
  /** Version 2 only. */
  readonly metadata?: SentMetadata;
};

export function packed(plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(snappySizeMax(plain.length));
  return out.slice(0, snappyCompress(plain, 0, plain.length, out, 0));
}

export function encodeV1(
  series: readonly SentSeries[],
  metadata: readonly (SentMetadata & { readonly metric: string })[] = [],
): Uint8Array {
  const out = new ProtobufWriter();
  for (const one of series) out.message(1, () => writeSeriesV1(out, one));
  for (const { metric, type, help, unit } of metadata) {
    out.message(3, () => {
      out.uint64(1, METRIC_TYPES.indexOf(type));
      out.text(2, metric);
      out.text(4, help);
      out.text(5, unit);
    });
  }
  return out.view().slice();
}

function writeSeriesV1(out: ProtobufWriter, series: SentSeries): void {
  const { labels, samples = [], histograms = [], exemplars = [] } = series;
  writePairs(out, labels);
  for (const sample of samples) out.message(2, () => writeSample(out, sample));
  for (const exemplar of exemplars) {
    out.message(3, () => {
      writePairs(out, exemplar.labels);
      out.double(2, exemplar.v);
      out.int64(3, exemplar.t);
    });
  }
  for (const histogram of histograms) out.message(4, () => writeHistogram(out, histogram));
}

function writePairs(out: ProtobufWriter, pairs: Pairs): void {
  for (const [name, value] of pairs) {
    out.message(1, () => {
      out.text(1, name);
      out.text(2, value);
    });
  }
}

/** @param symbols  what stands before the texts of the series; the first has to be empty */
export function encodeV2(series: readonly SentSeries[], symbols: string[] = ['']): Uint8Array {
  const numbers = new Map(symbols.map((text, index) => [text, index]));
  const numberOf = (text: string): number => {
    let number = numbers.get(text);
    if (number === undefined) {
      number = symbols.push(text) - 1;
      numbers.set(text, number);
    }
    return number;
  };
  const body = new ProtobufWriter();
  for (const one of series) body.message(5, () => writeSeriesV2(body, one, numberOf));
  const out = new ProtobufWriter();
  for (const text of symbols) out.text(4, text);
  out.out.putBytes(body.view());
  return out.view().slice();
}

function writeSeriesV2(
  out: ProtobufWriter,
  series: SentSeries,
  numberOf: (text: string) => number,
): void {
  const { labels, samples = [], histograms = [], exemplars = [], metadata } = series;
  const writeRefs = (pairs: Pairs) =>
    out.message(1, () => {
      for (const text of pairs.flat()) out.out.putUvarint(numberOf(text));
    });
  writeRefs(labels);
  for (const sample of samples) out.message(2, () => writeSample(out, sample));
  for (const histogram of histograms) out.message(3, () => writeHistogram(out, histogram));
  for (const exemplar of exemplars) {
    out.message(4, () => {
      writeRefs(exemplar.labels);
      out.double(2, exemplar.v);
      out.int64(3, exemplar.t);
    });
  }
  if (metadata === undefined) return;
  out.message(5, () => {
    out.uint64(1, METRIC_TYPES.indexOf(metadata.type));
    out.uint64(3, numberOf(metadata.help));
    out.uint64(4, numberOf(metadata.unit));
  });
}

function writeSample(out: ProtobufWriter, { t, v, startMs }: SentSample): void {
  out.double(1, v);
  out.int64(2, t);
  if (startMs !== undefined) out.int64(3, startMs);
}

function writeHistogram(out: ProtobufWriter, { t, h, startMs }: SentHistogram): void {
  if (startMs !== undefined) out.int64(17, startMs);
  if (h.kind === 'integer') {
    out.uint64(1, h.count);
    out.uint64(6, h.zeroCount);
  } else {
    out.double(2, h.count);
    out.double(7, h.zeroCount);
  }
  if (h.stale) writeStale(out, 3);
  else out.double(3, h.sum);
  out.sint64(4, h.schema);
  out.double(5, h.zeroThreshold);
  for (const span of h.negativeSpans) out.message(8, () => writeSpan(out, span));
  for (const span of h.positiveSpans) out.message(11, () => writeSpan(out, span));
  if (h.kind === 'integer') {
    out.packedSint64(9, h.negativeDeltas);
    out.packedSint64(12, h.positiveDeltas);
  } else {
    out.packedDouble(10, h.negativeCounts);
    out.packedDouble(13, h.positiveCounts);
  }
  out.uint64(14, COUNTER_RESET_HINTS.indexOf(h.hint));
  out.int64(15, t);
  out.packedDouble(16, h.customBounds);
}

function writeSpan(out: ProtobufWriter, span: { offset: number; length: number }): void {
  out.sint64(1, span.offset);
  out.uint64(2, span.length);
}

/** The staleness marker, whose bits an ordinary number would lose. */
export function writeStale(out: ProtobufWriter, field: number): void {
  out.double(field, 0);
  const { bytes, length } = out.out;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(length - 8, STALE_NAN_LOW, true);
  view.setUint32(length - 4, STALE_NAN_HIGH, true);
}
