/**
 * Own metrics as protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length.
 *
 *     MetricFamily  1 name · 2 help · 3 type · 4 metric…
 *     Metric        1 label… · 2 gauge · 3 counter · 4 summary · 7 histogram
 *     LabelPair     1 name · 2 value           Gauge, Counter  1 value (double)
 *     Summary       1 sample_count · 2 sample_sum · 3 quantile…     Quantile  1 quantile · 2 value
 *     Histogram     1 sample_count · 2 sample_sum · 3 bucket…
 *     Bucket        1 cumulative_count · 2 upper_bound
 *
 * Source: the metric model's message definitions as documented; read back by Prometheus 3.14.
 */
import {
  ByteWriter,
  type MetricFamily,
  type MetricSample,
  ProtobufWriter,
} from '../../model/index.ts';

const TYPE_NUMBERS = { counter: 0, gauge: 1, summary: 2, histogram: 4 } as const satisfies Record<
  MetricFamily['kind'],
  number
>;

export function writeFamiliesProtobuf(families: readonly MetricFamily[]): Uint8Array {
  const out = new ProtobufWriter(new ByteWriter(64 * 1024));
  for (const family of families) {
    // As in the text format: what has no samples is not there.
    if (family.samples.length > 0) out.delimited(() => putFamily(out, family));
  }
  return out.view();
}

function putFamily(out: ProtobufWriter, family: MetricFamily): void {
  out.text(1, family.name);
  out.text(2, family.help);
  out.uint64(3, TYPE_NUMBERS[family.kind]);
  for (const sample of family.samples) {
    out.message(4, () => {
      family.labelNames.forEach((name, i) => putLabel(out, name, sample.labels[i]!));
      putValue(out, family, sample);
    });
  }
}

function putLabel(out: ProtobufWriter, name: string, value: string): void {
  out.message(1, () => {
    out.text(1, name);
    out.text(2, value);
  });
}

function putValue(out: ProtobufWriter, { kind, bounds }: MetricFamily, sample: MetricSample): void {
  const { value, count = 0, parts = [] } = sample;
  switch (kind) {
    case 'gauge':
      return out.message(2, () => out.double(1, value));
    case 'counter':
      return out.message(3, () => out.double(1, value));
    case 'summary':
      return out.message(4, () => {
        out.uint64(1, count);
        out.double(2, value);
        bounds.forEach((quantile, i) => {
          out.message(3, () => {
            out.double(1, quantile);
            out.double(2, parts[i] ?? Number.NaN);
          });
        });
      });
    case 'histogram':
      return out.message(7, () => {
        out.uint64(1, count);
        out.double(2, value);
        // The last bucket, that of +Inf, is the count.
        bounds.forEach((upperBound, i) => {
          out.message(3, () => {
            out.uint64(1, parts[i] ?? 0);
            out.double(2, upperBound);
          });
        });
      });
  }
}
