/** Writes bodies in the protobuf exposition format, right ones and wrong ones. */
import { ProtobufWriter } from '../../../model/index.ts';

export type WrittenExemplar = { labels: Record<string, string>; value: number; timeMs?: number };
export type WrittenHistogram = {
  count?: number;
  countFloat?: number;
  sum?: number;
  buckets?: { upTo: number; count?: number; countFloat?: number; exemplar?: WrittenExemplar }[];
  schema?: number;
  zeroThreshold?: number;
  zeroCount?: number;
  zeroCountFloat?: number;
  spans?: [offset: number, length: number][];
  deltas?: number[];
  counts?: number[];
  exemplars?: WrittenExemplar[];
};
export type WrittenMetric = {
  labels?: Record<string, string>;
  counter?: number;
  gauge?: number;
  untyped?: number;
  exemplar?: WrittenExemplar;
  summary?: { count: number; sum: number; quantiles: [quantile: number, value: number][] };
  histogram?: WrittenHistogram;
  timeMs?: number;
  /** When the counter, summary or histogram began. */
  createdMs?: number;
};
export type WrittenFamily = {
  name: string;
  help?: string;
  unit?: string;
  type?: 'counter' | 'gauge' | 'summary' | 'untyped' | 'histogram' | 'gaugehistogram';
  metrics: WrittenMetric[];
};

const TYPES = ['counter', 'gauge', 'summary', 'untyped', 'histogram', 'gaugehistogram'];

export function writeFamilies(...families: readonly WrittenFamily[]): Uint8Array {
  const w = new ProtobufWriter();
  for (const { name, help, unit, type, metrics } of families) {
    w.delimited(() => {
      w.text(1, name);
      if (help !== undefined) w.text(2, help);
      if (type !== undefined) w.uint64(3, TYPES.indexOf(type));
      for (const metric of metrics) w.message(4, () => writeMetric(w, metric));
      if (unit !== undefined) w.text(5, unit);
    });
  }
  return w.view().slice();
}

function writeMetric(w: ProtobufWriter, metric: WrittenMetric): void {
  writeLabels(w, metric.labels ?? {});
  const { counter, gauge, untyped, exemplar, summary, histogram, timeMs, createdMs } = metric;
  if (gauge !== undefined) w.message(2, () => w.double(1, gauge));
  if (untyped !== undefined) w.message(5, () => w.double(1, untyped));
  if (counter !== undefined) {
    w.message(3, () => {
      w.double(1, counter);
      if (exemplar !== undefined) writeExemplar(w, 2, exemplar);
      writeCreated(w, 3, createdMs);
    });
  }
  if (summary !== undefined) {
    w.message(4, () => {
      w.uint64(1, summary.count);
      w.double(2, summary.sum);
      for (const [quantile, value] of summary.quantiles) {
        w.message(3, () => {
          w.double(1, quantile);
          w.double(2, value);
        });
      }
      writeCreated(w, 4, createdMs);
    });
  }
  if (histogram !== undefined) {
    w.message(7, () => {
      writeHistogram(w, histogram);
      writeCreated(w, 15, createdMs);
    });
  }
  if (timeMs !== undefined) w.int64(6, timeMs);
}

/** As seconds and nanoseconds. */
function writeCreated(w: ProtobufWriter, field: number, createdMs: number | undefined): void {
  if (createdMs === undefined) return;
  w.message(field, () => {
    w.int64(1, Math.floor(createdMs / 1000));
    w.int64(2, (createdMs % 1000) * 1e6);
  });
}

function writeHistogram(w: ProtobufWriter, histogram: WrittenHistogram): void {
  const { buckets = [], spans = [], exemplars = [] } = histogram;
  if (histogram.count !== undefined) w.uint64(1, histogram.count);
  if (histogram.countFloat !== undefined) w.double(4, histogram.countFloat);
  if (histogram.sum !== undefined) w.double(2, histogram.sum);
  for (const { upTo, count, countFloat, exemplar } of buckets) {
    w.message(3, () => {
      if (count !== undefined) w.uint64(1, count);
      if (countFloat !== undefined) w.double(4, countFloat);
      w.double(2, upTo);
      if (exemplar !== undefined) writeExemplar(w, 3, exemplar);
    });
  }
  if (histogram.schema !== undefined) w.sint64(5, histogram.schema);
  if (histogram.zeroThreshold !== undefined) w.double(6, histogram.zeroThreshold);
  if (histogram.zeroCount !== undefined) w.uint64(7, histogram.zeroCount);
  if (histogram.zeroCountFloat !== undefined) w.double(8, histogram.zeroCountFloat);
  for (const [offset, length] of spans) {
    w.message(12, () => {
      w.sint64(1, offset);
      w.uint64(2, length);
    });
  }
  if (histogram.deltas !== undefined) w.packedSint64(13, histogram.deltas);
  if (histogram.counts !== undefined) w.packedDouble(14, histogram.counts);
  for (const exemplar of exemplars) writeExemplar(w, 16, exemplar);
}

function writeLabels(w: ProtobufWriter, labels: Record<string, string>): void {
  for (const [name, value] of Object.entries(labels)) {
    w.message(1, () => {
      w.text(1, name);
      w.text(2, value);
    });
  }
}

function writeExemplar(w: ProtobufWriter, field: number, exemplar: WrittenExemplar): void {
  w.message(field, () => {
    writeLabels(w, exemplar.labels);
    w.double(2, exemplar.value);
    const { timeMs } = exemplar;
    if (timeMs === undefined) return;
    w.message(3, () => {
      w.int64(1, Math.floor(timeMs / 1000));
      w.int64(2, (timeMs % 1000) * 1e6);
    });
  });
}
