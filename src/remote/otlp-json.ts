/**
 * `ExportMetricsServiceRequest` in protobuf's JSON: camelCase names (snake_case is understood as
 * well), 64-bit integers as text or numbers, enums as numbers or names, ids in hexadecimal.
 * Source: OTLP/HTTP specification, JSON Protobuf encoding.
 */
import { messageOf, ValueError } from '../../model/index.ts';
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
  Temporality,
} from './otlp-data.ts';
import { type AttributeValue, attributeText } from './otlp-values.ts';

const KIND_OF_NAME: Readonly<Record<string, OtlpKind>> = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponentialHistogram: 'exponential',
  summary: 'summary',
};
const TEMPORALITY_OF_NAME: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: Temporality.Unspecified,
  AGGREGATION_TEMPORALITY_DELTA: Temporality.Delta,
  AGGREGATION_TEMPORALITY_CUMULATIVE: Temporality.Cumulative,
};
const VALUE_DEPTH_MAX = 32;

/** @throws ValueError that names the place */
export function decodeOtlpJson(bytes: Uint8Array): OtlpResource[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ValueError(`JSON: ${messageOf(error)}`, { cause: error });
  }
  return new Node(parsed, 'request').list('resourceMetrics').map(readResource);
}

/** A value of the document, and where it stands. */
class Node {
  readonly #value: unknown;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.#value = value;
    this.#place = place;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      this.fail('an object');
    }
  }

  fail(expected: string): never {
    throw new ValueError(`JSON: ${this.#place}: expected ${expected}`);
  }

  /** Undefined when it is absent or null. */
  raw(name: string): unknown {
    const object = this.#value as Readonly<Record<string, unknown>>;
    const value = object[name] ?? object[name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)];
    return value ?? undefined;
  }

  node(name: string): Node | null {
    const value = this.raw(name);
    return value === undefined ? null : new Node(value, `${this.#place}.${name}`);
  }

  list(name: string): Node[] {
    return this.#items(name).map((item, i) => new Node(item, `${this.#place}.${name}[${i}]`));
  }

  numbers(name: string): number[] {
    return this.#items(name).map((item) => this.#numberOf(item, name));
  }

  text(name: string): string {
    const value = this.raw(name) ?? '';
    if (typeof value === 'string') return value;
    throw new ValueError(`JSON: ${this.#place}.${name}: expected a text`);
  }

  flag(name: string): boolean {
    return this.raw(name) === true;
  }

  number(name: string): number {
    return this.#numberOf(this.raw(name) ?? 0, name);
  }

  /** Nanoseconds as whole milliseconds. */
  time(name: string): number {
    const value = this.raw(name) ?? 0;
    if (typeof value === 'number') return Math.floor(value / 1e6);
    if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value.slice(0, -6));
    throw new ValueError(`JSON: ${this.#place}.${name}: expected nanoseconds`);
  }

  #items(name: string): unknown[] {
    const value = this.raw(name) ?? [];
    if (Array.isArray(value)) return value;
    throw new ValueError(`JSON: ${this.#place}.${name}: expected a list`);
  }

  #numberOf(value: unknown, name: string): number {
    if (typeof value === 'number') return value;
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
    if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) {
      return Number(value);
    }
    throw new ValueError(`JSON: ${this.#place}.${name}: expected a number`);
  }
}

function readResource(node: Node): OtlpResource {
  return {
    attributes: readAttributes(node.node('resource'), 'attributes'),
    scopes: node.list('scopeMetrics').map(readScope),
  };
}

function readScope(node: Node): OtlpScope {
  const scope = node.node('scope');
  return {
    ...newScope(),
    name: scope?.text('name') ?? '',
    version: scope?.text('version') ?? '',
    attributes: readAttributes(scope, 'attributes'),
    schemaUrl: node.text('schemaUrl'),
    metrics: node.list('metrics').map(readMetric),
  };
}

function readMetric(node: Node): OtlpMetric {
  const metric = newMetric();
  metric.name = node.text('name');
  metric.description = node.text('description');
  metric.unit = node.text('unit');
  for (const [name, kind] of Object.entries(KIND_OF_NAME)) {
    const data = node.node(name);
    if (data === null) continue;
    metric.kind = kind;
    metric.temporality = temporalityOf(data.raw('aggregationTemporality'));
    metric.isMonotonic = data.flag('isMonotonic');
    metric.points = data.list('dataPoints').map((point) => readPoint(point, kind));
  }
  return metric;
}

function temporalityOf(value: unknown): number {
  if (typeof value === 'number') return value;
  const named = typeof value === 'string' ? TEMPORALITY_OF_NAME[value] : undefined;
  return named ?? Temporality.Unspecified;
}

function readPoint(node: Node, kind: OtlpKind): OtlpPoint {
  const point = newPoint();
  point.attributes = readAttributes(node, 'attributes');
  point.timeMs = node.time('timeUnixNano');
  point.startMs = node.time('startTimeUnixNano');
  point.flags = node.number('flags');
  point.exemplars = node.list('exemplars').map(readExemplar);
  if (kind === 'gauge' || kind === 'sum') {
    point.value = valueOf(node);
    return point;
  }
  point.count = node.number('count');
  point.sum = node.raw('sum') === undefined ? null : node.number('sum');
  if (kind === 'histogram') {
    point.bucketCounts = node.numbers('bucketCounts');
    point.bounds = node.numbers('explicitBounds');
  } else if (kind === 'exponential') {
    point.scale = node.number('scale');
    point.zeroCount = node.number('zeroCount');
    point.positive = readBuckets(node.node('positive'));
    point.negative = readBuckets(node.node('negative'));
  } else {
    for (const quantile of node.list('quantileValues')) {
      point.quantiles.push(quantile.number('quantile'), quantile.number('value'));
    }
  }
  return point;
}

function valueOf(node: Node): number {
  return node.raw('asInt') === undefined ? node.number('asDouble') : node.number('asInt');
}

function readBuckets(node: Node | null): OtlpBuckets {
  if (node === null) return { offset: 0, counts: [] };
  return { offset: node.number('offset'), counts: node.numbers('bucketCounts') };
}

function readExemplar(node: Node): OtlpExemplar {
  return {
    attributes: readAttributes(node, 'filteredAttributes'),
    timeMs: node.time('timeUnixNano'),
    value: valueOf(node),
    traceId: node.text('traceId').toLowerCase(),
    spanId: node.text('spanId').toLowerCase(),
  };
}

function readAttributes(node: Node | null, name: string): string[] {
  const flat: string[] = [];
  for (const pair of node?.list(name) ?? []) {
    flat.push(pair.text('key'), attributeText(readValue(pair.node('value'), 0)));
  }
  return flat;
}

function readValue(node: Node | null, depth: number): AttributeValue {
  if (node === null) return null;
  if (depth > VALUE_DEPTH_MAX) throw new ValueError('attribute values are nested too deeply');
  if (node.raw('stringValue') !== undefined) return node.text('stringValue');
  if (node.raw('boolValue') !== undefined) return node.flag('boolValue');
  const integer = node.raw('intValue');
  if (integer !== undefined) {
    const value = node.number('intValue');
    return { integer: typeof integer === 'string' ? integer : String(value) };
  }
  if (node.raw('doubleValue') !== undefined) return node.number('doubleValue');
  if (node.raw('bytesValue') !== undefined) return node.text('bytesValue');
  const array = node.node('arrayValue');
  if (array !== null) return array.list('values').map((item) => readValue(item, depth + 1));
  const map = node.node('kvlistValue');
  if (map === null) return null;
  return new Map(
    map.list('values').map((pair) => [pair.text('key'), readValue(pair.node('value'), depth + 1)]),
  );
}
