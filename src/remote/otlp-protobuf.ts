/**
 * `ExportMetricsServiceRequest` in protobuf.
 *
 *   request      1 resource metrics …
 *   resource m.  1 resource { 1 attribute … }   2 scope metrics …
 *   scope m.     1 scope { 1 name  2 version  3 attribute … }   2 metric …   3 schema url
 *   metric       1 name  2 description  3 unit
 *                5 gauge  7 sum  9 histogram  10 exponential histogram  11 summary, each:
 *                1 point …   2 temporality   3 is monotonic
 *   number       2 start  3 time  4 double  5 exemplar …  6 int (sfixed64)  7 attribute …  8 flags
 *   histogram    2 start  3 time  4 count  5 sum  6 bucket counts  7 bounds  8 exemplar …
 *                9 attribute …  10 flags
 *   exponential  1 attribute …  2 start  3 time  4 count  5 sum  6 scale  7 zero count
 *                8 positive  9 negative { 1 offset  2 counts }  10 flags  11 exemplar …
 *   summary      2 start  3 time  4 count  5 sum  6 quantile { 1 quantile  2 value } …
 *                7 attribute …  8 flags
 *   exemplar     2 time  3 double  4 span  5 trace  6 int  7 attribute …
 *   attribute    1 key  2 value { 1 text 2 bool 3 int 4 double 5 array 6 attributes 7 bytes }
 *
 * Times and counts are fixed64. Source: opentelemetry-proto, metrics/v1 and common/v1.
 */
import { ProtobufReader, ValueError, WireType } from '../../model/index.ts';
import {
  newMetric,
  newPoint,
  newScope,
  type OtlpBuckets,
  type OtlpExemplar,
  type OtlpKind,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResource,
  type OtlpScope,
} from './otlp-data.ts';
import { type AttributeValue, attributeText } from './otlp-values.ts';

const KIND_OF_FIELD: Readonly<Record<number, OtlpKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential',
  11: 'summary',
};
/** Values may lie in values; nobody needs more. */
const VALUE_DEPTH_MAX = 32;

/** @throws ValueError */
export function decodeOtlpProtobuf(bytes: Uint8Array): OtlpResource[] {
  const reader = new ProtobufReader();
  reader.reset(bytes);
  const resources: OtlpResource[] = [];
  while (reader.next()) {
    if (reader.field === 1) inside(reader, () => resources.push(readResource(reader)));
    else reader.skip();
  }
  if (reader.failed) throw new ValueError('unexpected EOF');
  return resources;
}

/** Reads a nested message with `read`, which goes to its end. */
function inside<T>(reader: ProtobufReader, read: () => T): T {
  const { end } = reader;
  reader.end = reader.takeLength();
  const result = read();
  reader.end = end;
  return result;
}

function readResource(reader: ProtobufReader): OtlpResource {
  const attributes: string[] = [];
  const scopes: OtlpScope[] = [];
  while (reader.next()) {
    if (reader.field === 1) inside(reader, () => readAttributesOf(reader, attributes));
    else if (reader.field === 2) inside(reader, () => scopes.push(readScope(reader)));
    else reader.skip();
  }
  return { attributes, scopes };
}

/** Of a resource, where nothing else counts. */
function readAttributesOf(reader: ProtobufReader, attributes: string[]): void {
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader, attributes);
    else reader.skip();
  }
}

function readScope(reader: ProtobufReader): OtlpScope {
  const scope = newScope();
  const attributes: string[] = [];
  scope.attributes = attributes;
  while (reader.next()) {
    if (reader.field === 1) {
      inside(reader, () => {
        while (reader.next()) {
          if (reader.field === 1) scope.name = reader.takeText();
          else if (reader.field === 2) scope.version = reader.takeText();
          else if (reader.field === 3) readAttribute(reader, attributes);
          else reader.skip();
        }
      });
    } else if (reader.field === 2) {
      inside(reader, () => scope.metrics.push(readMetric(reader)));
    } else if (reader.field === 3) {
      scope.schemaUrl = reader.takeText();
    } else {
      reader.skip();
    }
  }
  return scope;
}

function readMetric(reader: ProtobufReader): OtlpMetric {
  const metric = newMetric();
  while (reader.next()) {
    const kind = KIND_OF_FIELD[reader.field];
    if (kind !== undefined) {
      metric.kind = kind;
      inside(reader, () => readData(reader, metric));
    } else if (reader.field === 1) metric.name = reader.takeText();
    else if (reader.field === 2) metric.description = reader.takeText();
    else if (reader.field === 3) metric.unit = reader.takeText();
    else reader.skip();
  }
  return metric;
}

function readData(reader: ProtobufReader, metric: OtlpMetric): void {
  while (reader.next()) {
    if (reader.field === 1)
      inside(reader, () => metric.points.push(readPoint(reader, metric.kind)));
    else if (reader.field === 2) metric.temporality = reader.takeUint64();
    else if (reader.field === 3) metric.isMonotonic = reader.takeUint64() !== 0;
    else reader.skip();
  }
}

/** What a field of a point means, by kind. */
type PointField = (reader: ProtobufReader, point: OtlpPoint) => void;

const takeTime: PointField = (reader, point) => {
  point.timeMs = takeNanos(reader);
};
const takeStart: PointField = (reader, point) => {
  point.startMs = takeNanos(reader);
};
const takeCount: PointField = (reader, point) => {
  point.count = takeFixed64(reader);
};
const takeSum: PointField = (reader, point) => {
  point.sum = reader.takeDouble();
};
const takeFlags: PointField = (reader, point) => {
  point.flags = reader.takeUint64();
};
const takeAttribute: PointField = (reader, point) => {
  readAttribute(reader, point.attributes as string[]);
};
const takeExemplar: PointField = (reader, point) => {
  inside(reader, () => point.exemplars.push(readExemplar(reader)));
};

const NUMBER_FIELDS: Readonly<Record<number, PointField>> = {
  2: takeStart,
  3: takeTime,
  4: (reader, point) => (point.value = reader.takeDouble()),
  5: takeExemplar,
  6: (reader, point) => (point.value = takeSignedFixed64(reader)),
  7: takeAttribute,
  8: takeFlags,
};
const POINT_FIELDS: Readonly<Record<OtlpKind, Readonly<Record<number, PointField>>>> = {
  none: {},
  gauge: NUMBER_FIELDS,
  sum: NUMBER_FIELDS,
  histogram: {
    2: takeStart,
    3: takeTime,
    4: takeCount,
    5: takeSum,
    6: (reader, point) =>
      takeMany(reader, WireType.Fixed64, () => takeFixed64(reader), point.bucketCounts),
    7: (reader, point) =>
      takeMany(reader, WireType.Fixed64, () => reader.takeDouble(), point.bounds),
    8: takeExemplar,
    9: takeAttribute,
    10: takeFlags,
  },
  exponential: {
    1: takeAttribute,
    2: takeStart,
    3: takeTime,
    4: takeCount,
    5: takeSum,
    6: (reader, point) => (point.scale = reader.takeSint64()),
    7: (reader, point) => (point.zeroCount = takeFixed64(reader)),
    8: (reader, point) => (point.positive = inside(reader, () => readBuckets(reader))),
    9: (reader, point) => (point.negative = inside(reader, () => readBuckets(reader))),
    10: takeFlags,
    11: takeExemplar,
  },
  summary: {
    2: takeStart,
    3: takeTime,
    4: takeCount,
    5: takeSum,
    6: (reader, point) => inside(reader, () => readQuantile(reader, point.quantiles)),
    7: takeAttribute,
    8: takeFlags,
  },
};

function readPoint(reader: ProtobufReader, kind: OtlpKind): OtlpPoint {
  const point = newPoint();
  const fields = POINT_FIELDS[kind];
  while (reader.next()) {
    const take = fields[reader.field];
    if (take === undefined) reader.skip();
    else take(reader, point);
  }
  return point;
}

function readBuckets(reader: ProtobufReader): OtlpBuckets {
  let offset = 0;
  const counts: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) offset = reader.takeSint64();
    else if (reader.field === 2) {
      takeMany(reader, WireType.Varint, () => reader.takeUint64(), counts);
    } else reader.skip();
  }
  return { offset, counts };
}

function readQuantile(reader: ProtobufReader, quantiles: number[]): void {
  let quantile = 0;
  let value = 0;
  while (reader.next()) {
    if (reader.field === 1) quantile = reader.takeDouble();
    else if (reader.field === 2) value = reader.takeDouble();
    else reader.skip();
  }
  quantiles.push(quantile, value);
}

function readExemplar(reader: ProtobufReader): OtlpExemplar {
  const attributes: string[] = [];
  let timeMs = 0;
  let value = 0;
  let traceId = '';
  let spanId = '';
  while (reader.next()) {
    if (reader.field === 2) timeMs = takeNanos(reader);
    else if (reader.field === 3) value = reader.takeDouble();
    else if (reader.field === 4) spanId = Buffer.from(reader.takeBytes()).toString('hex');
    else if (reader.field === 5) traceId = Buffer.from(reader.takeBytes()).toString('hex');
    else if (reader.field === 6) value = takeSignedFixed64(reader);
    else if (reader.field === 7) readAttribute(reader, attributes);
    else reader.skip();
  }
  return { attributes, timeMs, value, traceId, spanId };
}

function readAttribute(reader: ProtobufReader, attributes: string[]): void {
  const [key, value] = inside(reader, () => readPair(reader, 0));
  attributes.push(key, attributeText(value));
}

function readPair(reader: ProtobufReader, depth: number): [key: string, value: AttributeValue] {
  let key = '';
  let value: AttributeValue = null;
  while (reader.next()) {
    if (reader.field === 1) key = reader.takeText();
    else if (reader.field === 2) value = inside(reader, () => readValue(reader, depth));
    else reader.skip();
  }
  return [key, value];
}

function readValue(reader: ProtobufReader, depth: number): AttributeValue {
  if (depth > VALUE_DEPTH_MAX) throw new ValueError('attribute values are nested too deeply');
  let value: AttributeValue = null;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        value = reader.takeText();
        break;
      case 2:
        value = reader.takeUint64() !== 0;
        break;
      case 3:
        value = { integer: reader.takeInt64Text() };
        break;
      case 4:
        value = reader.takeDouble();
        break;
      case 5:
        value = inside(reader, () => {
          const list: AttributeValue[] = [];
          while (reader.next()) {
            if (reader.field === 1) list.push(inside(reader, () => readValue(reader, depth + 1)));
            else reader.skip();
          }
          return list;
        });
        break;
      case 6:
        value = inside(reader, () => {
          const map = new Map<string, AttributeValue>();
          while (reader.next()) {
            if (reader.field === 1) {
              map.set(...inside(reader, () => readPair(reader, depth + 1)));
            } else reader.skip();
          }
          return map;
        });
        break;
      case 7:
        value = Buffer.from(reader.takeBytes()).toString('base64');
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

/** Numbers that come packed or one by one. */
function takeMany(
  reader: ProtobufReader,
  wireType: WireType,
  take: () => number,
  out: number[],
): void {
  if (reader.wireType !== WireType.Length) {
    out.push(take());
    return;
  }
  const end = reader.takeLength();
  while (reader.hasMore(end)) {
    reader.wireType = wireType;
    out.push(take());
  }
}

/** Where the eight bytes of a fixed64 lie; -1 when there are none, which `reader` notes. */
function fixed64At(reader: ProtobufReader): number {
  const at = reader.position;
  // Reads the right wire type and checks the bounds.
  reader.takeDouble();
  return reader.failed ? -1 : at;
}

function viewOf({ bytes }: ProtobufReader): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function takeFixed64(reader: ProtobufReader): number {
  const at = fixed64At(reader);
  if (at < 0) return 0;
  const view = viewOf(reader);
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

function takeSignedFixed64(reader: ProtobufReader): number {
  const at = fixed64At(reader);
  if (at < 0) return 0;
  const view = viewOf(reader);
  return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Nanoseconds since 1970 as whole milliseconds. */
function takeNanos(reader: ProtobufReader): number {
  const at = fixed64At(reader);
  if (at < 0) return 0;
  const view = viewOf(reader);
  const high = view.getUint32(at + 4, true);
  // 2³² = 4294 · 10⁶ + 967296, so that nothing leaves the exact range.
  return high * 4294 + Math.floor((high * 967_296 + view.getUint32(at, true)) / 1e6);
}
