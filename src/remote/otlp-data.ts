/**
 * An OTLP export request, whichever encoding it came in. Numbers of data points are objects here:
 * the tree of resources, scopes and attributes leaves no other choice without reading it twice.
 * Source: OpenTelemetry protocol, metrics data model.
 */

/** Keys and values by turns; values as text, which is what labels hold. */
export type Attributes = readonly string[];

export type OtlpExemplar = {
  readonly attributes: Attributes;
  readonly timeMs: number;
  readonly value: number;
  /** Hexadecimal, empty when absent. */
  readonly traceId: string;
  readonly spanId: string;
};

export type OtlpBuckets = { readonly offset: number; readonly counts: readonly number[] };

/** One point of any kind; what a kind does not have stays at its default. */
export type OtlpPoint = {
  attributes: Attributes;
  timeMs: number;
  /** When it began to count; 0 where unknown. */
  startMs: number;
  flags: number;
  exemplars: OtlpExemplar[];
  /** Gauge, sum. */
  value: number;
  /** The others. */
  count: number;
  /** Null when not given. */
  sum: number | null;
  /** Histogram. */
  bucketCounts: number[];
  bounds: number[];
  /** Exponential histogram. */
  scale: number;
  zeroCount: number;
  positive: OtlpBuckets;
  negative: OtlpBuckets;
  /** Summary: quantile and value by turns. */
  quantiles: number[];
};

export type OtlpKind = 'none' | 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary';
export const Temporality = { Unspecified: 0, Delta: 1, Cumulative: 2 } as const;

export type OtlpMetric = {
  name: string;
  description: string;
  unit: string;
  kind: OtlpKind;
  temporality: number;
  isMonotonic: boolean;
  points: OtlpPoint[];
};

export type OtlpScope = {
  name: string;
  version: string;
  attributes: Attributes;
  schemaUrl: string;
  metrics: OtlpMetric[];
};

export type OtlpResource = { attributes: Attributes; scopes: OtlpScope[] };

const NO_BUCKETS: OtlpBuckets = { offset: 0, counts: [] };

export function newPoint(): OtlpPoint {
  return {
    attributes: [],
    timeMs: 0,
    startMs: 0,
    flags: 0,
    exemplars: [],
    value: 0,
    count: 0,
    sum: null,
    bucketCounts: [],
    bounds: [],
    scale: 0,
    zeroCount: 0,
    positive: NO_BUCKETS,
    negative: NO_BUCKETS,
    quantiles: [],
  };
}

export function newMetric(): OtlpMetric {
  return {
    name: '',
    description: '',
    unit: '',
    kind: 'none',
    temporality: Temporality.Unspecified,
    isMonotonic: false,
    points: [],
  };
}

export function newScope(): OtlpScope {
  return { name: '', version: '', attributes: [], schemaUrl: '', metrics: [] };
}
