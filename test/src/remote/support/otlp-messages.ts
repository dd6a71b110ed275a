/**
 * OTLP requests: written as JSON by hand in tests, and put into protobuf here, field by field.
 * Source: opentelemetry-proto, metrics/v1 and common/v1.
 */
import { ProtobufWriter } from '../../../../model/index.ts';

export type Json = { readonly [name: string]: unknown };

const DATA_FIELDS = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 };
const ATTRIBUTE_FIELDS = {
  gauge: 7,
  sum: 7,
  histogram: 9,
  exponentialHistogram: 1,
  summary: 7,
};

export function otlpProtobuf(request: Json): Uint8Array {
  const out = new ProtobufWriter();
  for (const resource of list(request, 'resourceMetrics')) {
    out.message(1, () => {
      out.message(1, () => attributes(out, 1, resource['resource'] as Json, 'attributes'));
      for (const scope of list(resource, 'scopeMetrics'))
        out.message(2, () => writeScope(out, scope));
    });
  }
  return out.view().slice();
}

function list(node: Json | undefined, name: string): readonly Json[] {
  return (node?.[name] ?? []) as readonly Json[];
}

function writeScope(out: ProtobufWriter, node: Json): void {
  const scope = node['scope'] as Json | undefined;
  out.message(1, () => {
    text(out, 1, scope?.['name']);
    text(out, 2, scope?.['version']);
    attributes(out, 3, scope, 'attributes');
  });
  for (const metric of list(node, 'metrics')) out.message(2, () => writeMetric(out, metric));
  text(out, 3, node['schemaUrl']);
}

function writeMetric(out: ProtobufWriter, metric: Json): void {
  text(out, 1, metric['name']);
  text(out, 2, metric['description']);
  text(out, 3, metric['unit']);
  for (const [kind, field] of Object.entries(DATA_FIELDS)) {
    const data = metric[kind] as Json | undefined;
    if (data === undefined) continue;
    out.message(field, () => {
      for (const point of list(data, 'dataPoints')) {
        out.message(1, () => writePoint(out, kind as keyof typeof DATA_FIELDS, point));
      }
      if (data['aggregationTemporality'] !== undefined) {
        out.uint64(2, Number(data['aggregationTemporality']));
      }
      if (data['isMonotonic'] === true) out.uint64(3, 1);
    });
  }
}

function writePoint(out: ProtobufWriter, kind: keyof typeof DATA_FIELDS, point: Json): void {
  attributes(out, ATTRIBUTE_FIELDS[kind], point, 'attributes');
  fixed64(out, 2, point['startTimeUnixNano']);
  fixed64(out, 3, point['timeUnixNano']);
  if (kind === 'gauge' || kind === 'sum') {
    if (point['asDouble'] !== undefined) out.double(4, Number(point['asDouble']));
    fixed64(out, 6, point['asInt']);
    exemplars(out, 5, point);
    if (point['flags'] !== undefined) out.uint64(8, Number(point['flags']));
    return;
  }
  fixed64(out, 4, point['count']);
  if (point['sum'] !== undefined) out.double(5, Number(point['sum']));
  if (kind === 'histogram') {
    out.message(6, () => list(point, 'bucketCounts').forEach((count) => rawFixed64(out, count)));
    out.packedDouble(7, (point['explicitBounds'] ?? []) as number[]);
    exemplars(out, 8, point);
  } else if (kind === 'exponentialHistogram') {
    out.sint64(6, Number(point['scale'] ?? 0));
    fixed64(out, 7, point['zeroCount']);
    for (const [field, side] of [
      [8, 'positive'],
      [9, 'negative'],
    ] as const) {
      const buckets = point[side] as Json | undefined;
      if (buckets === undefined) continue;
      out.message(field, () => {
        out.sint64(1, Number(buckets['offset']));
        out.message(2, () => {
          for (const count of list(buckets, 'bucketCounts')) out.out.putUvarint(Number(count));
        });
      });
    }
    exemplars(out, 11, point);
  } else {
    for (const { quantile, value } of list(point, 'quantileValues')) {
      out.message(6, () => {
        out.double(1, Number(quantile));
        out.double(2, Number(value));
      });
    }
  }
  const flagsField = kind === 'summary' ? 8 : 10;
  if (point['flags'] !== undefined) out.uint64(flagsField, Number(point['flags']));
}

function exemplars(out: ProtobufWriter, field: number, point: Json): void {
  for (const exemplar of list(point, 'exemplars')) {
    out.message(field, () => {
      attributes(out, 7, exemplar, 'filteredAttributes');
      fixed64(out, 2, exemplar['timeUnixNano']);
      if (exemplar['asDouble'] !== undefined) out.double(3, Number(exemplar['asDouble']));
      fixed64(out, 6, exemplar['asInt']);
      out.bytes(4, Buffer.from((exemplar['spanId'] ?? '') as string, 'hex'));
      out.bytes(5, Buffer.from((exemplar['traceId'] ?? '') as string, 'hex'));
    });
  }
}

function attributes(
  out: ProtobufWriter,
  field: number,
  node: Json | undefined,
  name: string,
): void {
  for (const pair of list(node, name)) out.message(field, () => writePair(out, pair));
}

function writePair(out: ProtobufWriter, { key, value }: Json): void {
  text(out, 1, key);
  out.message(2, () => writeValue(out, value as Json));
}

function writeValue(out: ProtobufWriter, value: Json): void {
  if (value['stringValue'] !== undefined) text(out, 1, value['stringValue']);
  if (value['boolValue'] !== undefined) out.uint64(2, value['boolValue'] === true ? 1 : 0);
  if (value['intValue'] !== undefined) int64(out, 3, value['intValue'] as string);
  if (value['doubleValue'] !== undefined) out.double(4, Number(value['doubleValue']));
  const array = value['arrayValue'] as Json | undefined;
  if (array !== undefined) {
    out.message(5, () => {
      for (const item of list(array, 'values')) out.message(1, () => writeValue(out, item));
    });
  }
  const map = value['kvlistValue'] as Json | undefined;
  if (map !== undefined) out.message(6, () => attributes(out, 1, map, 'values'));
  if (value['bytesValue'] !== undefined) {
    out.bytes(7, Buffer.from(value['bytesValue'] as string, 'base64'));
  }
}

function text(out: ProtobufWriter, field: number, value: unknown): void {
  if (typeof value === 'string') out.text(field, value);
}

/** Any of them, also beyond 2⁵³. */
function int64(out: ProtobufWriter, field: number, value: string): void {
  out.out.putUvarint(field * 8);
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.out.putBytes(Uint8Array.of(Number(rest & 0x7fn) | 0x80));
  out.out.putBytes(Uint8Array.of(Number(rest)));
}

function fixed64(out: ProtobufWriter, field: number, value: unknown): void {
  if (value === undefined) return;
  out.out.putUvarint(field * 8 + 1);
  rawFixed64(out, value);
}

function rawFixed64(out: ProtobufWriter, value: unknown): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value as string)), true);
  out.out.putBytes(bytes);
}
