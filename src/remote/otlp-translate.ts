/**
 * OTLP metrics as series: every point becomes one or several samples, resources become the labels
 * `job` and `instance` and the metric `target_info`.
 * Source: OpenTelemetry's specification of Prometheus compatibility; Prometheus configuration
 * documentation, `otlp`; answers of 3.14.
 */
import {
  CUSTOM_BUCKETS_SCHEMA,
  EXPONENTIAL_SCHEMA_MIN,
  formatFloatPlain,
  type Histogram,
  METRIC_NAME,
  type MetricType,
  spansOf,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import {
  type Attributes,
  type OtlpBuckets,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResource,
  type OtlpScope,
  Temporality,
} from './otlp-data.ts';
import { labelName, metricName, type NameRules } from './otlp-names.ts';
import type { WriteColumns } from './write-columns.ts';
import type { WriteMessage } from './write-message.ts';

export type OtlpOptions = NameRules & {
  readonly promotesAllAttributes: boolean;
  readonly promotedAttributes: readonly string[];
  readonly ignoredAttributes: readonly string[];
  readonly keepsIdentifyingAttributes: boolean;
  readonly convertsHistograms: boolean;
  readonly promotesScope: boolean;
  /** Whether delta values are stored as they are; otherwise they are refused. */
  readonly takesDeltas: boolean;
  /** Whether they are added up instead. */
  readonly totalsDeltas: boolean;
  /** `target_info` is repeated so often, so that queries find it all the time. */
  readonly targetInfoStepMs: number;
};

const SERVICE_NAME = 'service.name';
const SERVICE_NAMESPACE = 'service.namespace';
const SERVICE_INSTANCE = 'service.instance.id';
const IDENTIFYING = new Set([SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE]);
/** The point says that there is no value. */
const NO_RECORDED_VALUE = 1;
/** Prometheus's own, whatever the sender's. */
const ZERO_THRESHOLD = 1e-128;
/** A resource that sends times far apart must not fill the database. */
const TARGET_INFO_COUNT_MAX = 1000;

const scratch = new Float64Array(1);
const halves = new Uint32Array(scratch.buffer);

/** Labels that several points have, by name. */
type Common = ReadonlyMap<string, string>;

export class OtlpMessage implements WriteMessage {
  readonly #options: OtlpOptions;
  readonly #columns: WriteColumns;
  readonly #labels: (readonly string[])[] = [];
  /** What could not be translated. */
  readonly problems: string[] = [];

  /** Fills `columns`, which has to be empty. */
  constructor(resources: readonly OtlpResource[], columns: WriteColumns, options: OtlpOptions) {
    this.#options = options;
    this.#columns = columns;
    for (const resource of resources) this.#resource(resource);
  }

  /** Everything has been read. */
  read(): void {}

  /** Series are looked up by their labels. */
  fingerprint(): boolean {
    return false;
  }

  labels(series: number): string[] {
    return [...this.#labels[series]!];
  }

  #resource({ attributes, scopes }: OtlpResource): void {
    const identity = identityOf(attributes);
    const promoted = this.#promotedLabels(attributes);
    let oldestMs = Infinity;
    let newestMs = -Infinity;
    for (const scope of scopes) {
      const own = [...this.#scopeLabels(scope), ...identity];
      for (const metric of scope.metrics) {
        if (!this.#metric(metric, promoted, own)) continue;
        for (const { timeMs } of metric.points) {
          oldestMs = Math.min(oldestMs, timeMs);
          newestMs = Math.max(newestMs, timeMs);
        }
      }
    }
    if (oldestMs <= newestMs) this.#targetInfo(attributes, identity, oldestMs, newestMs);
  }

  /** Attributes of the resource that are labels of every point. */
  #promotedLabels(attributes: Attributes): Common {
    const { promotesAllAttributes, promotedAttributes, ignoredAttributes } = this.#options;
    const labels = new Map<string, string>();
    for (let i = 0; i < attributes.length; i += 2) {
      const key = attributes[i]!;
      const isPromoted = promotesAllAttributes
        ? !ignoredAttributes.includes(key)
        : promotedAttributes.includes(key);
      // Of those whose names become equal the last counts.
      if (isPromoted) labels.set(labelName(key, this.#options), attributes[i + 1]!);
    }
    return labels;
  }

  #scopeLabels({ name, version, schemaUrl, attributes }: OtlpScope): Common {
    const labels = new Map<string, string>();
    if (!this.#options.promotesScope || name === '') return labels;
    for (let i = 0; i < attributes.length; i += 2) {
      labels.set(labelName(`otel_scope_${attributes[i]!}`, this.#options), attributes[i + 1]!);
    }
    labels.set('otel_scope_name', name);
    labels.set('otel_scope_version', version);
    labels.set('otel_scope_schema_url', schemaUrl);
    return labels;
  }

  /** Attributes whose names become equal are joined, in the order of their keys. */
  #labelsOf(attributes: Attributes): Map<string, string> {
    const pairs: [string, string][] = [];
    for (let i = 0; i < attributes.length; i += 2) pairs.push([attributes[i]!, attributes[i + 1]!]);
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const labels = new Map<string, string>();
    for (const [key, value] of pairs) {
      const name = labelName(key, this.#options);
      const before = labels.get(name);
      labels.set(name, before === undefined || before === '' ? value : `${before};${value}`);
    }
    return labels;
  }

  /**
   * False when it cannot be translated, which is noted.
   * @param promoted  yield to a point's own attributes
   * @param own       take the place of them
   */
  #metric(metric: OtlpMetric, promoted: Common, own: readonly [string, string][]): boolean {
    const problem = this.#problemOf(metric);
    if (problem !== null) {
      this.problems.push(problem);
      return false;
    }
    const name = metricName(metric, this.#options);
    const type = typeOf(metric);
    for (const point of metric.points) {
      const labels = new Map(promoted);
      for (const [key, value] of this.#labelsOf(point.attributes)) {
        if (value !== '') labels.set(key, value);
      }
      for (const [key, value] of own) labels.set(key, value);
      labels.delete(METRIC_NAME);
      const first = this.#columns.seriesCount;
      this.#point(metric, name, point, labels);
      const { description: help, unit } = metric;
      for (let series = first; series < this.#columns.seriesCount; series++) {
        this.#columns.metadata.push({ series, metadata: { type, help, unit } });
      }
    }
    return true;
  }

  #problemOf(metric: OtlpMetric): string | null {
    const { name, kind, temporality, points } = metric;
    if (kind === 'none') {
      return `could not get aggregation temporality for ${name} as it has unsupported metric type Empty`;
    }
    if (points.length === 0) return `empty data points. ${name} is dropped`;
    const isCumulative = temporality === Temporality.Cumulative;
    const isDelta = temporality === Temporality.Delta && this.#options.takesDeltas;
    if (kind !== 'gauge' && kind !== 'summary' && !isCumulative && !isDelta) {
      return `invalid temporality and type combination for metric "${name}"`;
    }
    const scale = points.find((point) => point.scale < EXPONENTIAL_SCHEMA_MIN)?.scale;
    if (scale !== undefined) {
      return `cannot convert exponential to native histogram. Scale must be >= ${EXPONENTIAL_SCHEMA_MIN}, was ${scale}`;
    }
    if (metricName(metric, this.#options) === '') {
      return `normalization for metric "${name}" resulted in empty name`;
    }
    return null;
  }

  #point(metric: OtlpMetric, name: string, point: OtlpPoint, labels: Common): void {
    switch (metric.kind) {
      case 'none':
        return;
      case 'gauge':
        this.#sample(this.#series(name, labels), point, point.value);
        return;
      case 'sum':
        this.#sample(this.#series(name, labels), point, point.value);
        this.#exemplars(point, () => this.#columns.seriesCount - 1);
        return;
      case 'summary':
        this.#sums(name, point, labels);
        for (let i = 0; i < point.quantiles.length; i += 2) {
          const quantile = formatFloatPlain(point.quantiles[i]!);
          const series = this.#series(name, labels, 'quantile', quantile);
          this.#sample(series, point, point.quantiles[i + 1]!);
        }
        return;
      case 'exponential':
        this.#native(name, labels, point, exponentialOf(point));
        return;
      case 'histogram':
        if (this.#options.convertsHistograms) this.#native(name, labels, point, customOf(point));
        else this.#classic(name, point, labels);
    }
  }

  #sums(name: string, point: OtlpPoint, labels: Common): void {
    const { sum, count } = point;
    if (sum !== null) this.#sample(this.#series(`${name}_sum`, labels), point, sum);
    this.#sample(this.#series(`${name}_count`, labels), point, count);
  }

  #classic(name: string, point: OtlpPoint, labels: Common): void {
    this.#sums(name, point, labels);
    const { bounds, bucketCounts, count } = point;
    const first = this.#columns.seriesCount;
    let total = 0;
    for (const [i, bound] of bounds.entries()) {
      total += bucketCounts[i] ?? 0;
      const series = this.#series(`${name}_bucket`, labels, 'le', formatFloatPlain(bound));
      this.#sample(series, point, total);
    }
    this.#sample(this.#series(`${name}_bucket`, labels, 'le', '+Inf'), point, count);
    this.#exemplars(point, (value) => {
      const bucket = bounds.findIndex((bound) => value <= bound);
      return first + (bucket < 0 ? bounds.length : bucket);
    });
  }

  #native(name: string, labels: Common, point: OtlpPoint, histogram: Histogram): void {
    const series = this.#series(name, labels);
    const { histograms, count } = this.#columns;
    const { timeMs: timestampMs } = point;
    histograms.push({
      series,
      floatsBefore: count,
      timestampMs,
      histogram,
      startMs: point.startMs,
    });
    this.#exemplars(point, () => series);
  }

  /** Adds a series and returns its number. */
  #series(name: string, labels: Common, extra?: string, value = ''): number {
    const flat = [METRIC_NAME, name];
    for (const [key, text] of labels) if (key !== extra) flat.push(key, text);
    if (extra !== undefined) flat.push(extra, value);
    this.#labels.push(flat);
    return this.#columns.addSeries();
  }

  #sample(series: number, point: OtlpPoint, value: number): void {
    if (isStale(point)) {
      const { timeMs, startMs } = point;
      this.#columns.addSample(series, timeMs, STALE_NAN_LOW, STALE_NAN_HIGH, startMs);
      return;
    }
    scratch[0] = value;
    this.#columns.addSample(series, point.timeMs, halves[0]!, halves[1]!, point.startMs);
  }

  #exemplars(point: OtlpPoint, seriesOf: (value: number) => number): void {
    if (isStale(point)) return;
    for (const { attributes, traceId, spanId, value, timeMs } of point.exemplars) {
      const ids: string[] = [];
      if (traceId !== '') ids.push('trace_id', traceId);
      if (spanId !== '') ids.push('span_id', spanId);
      this.#columns.exemplars.push({
        series: seriesOf(value),
        labels: [...attributes, ...ids],
        value,
        timestampMs: timeMs,
      });
    }
  }

  #targetInfo(attributes: Attributes, identity: Common, oldestMs: number, newestMs: number): void {
    if (identity.size === 0) return;
    const { keepsIdentifyingAttributes, targetInfoStepMs } = this.#options;
    const kept: string[] = [];
    for (let i = 0; i < attributes.length; i += 2) {
      const key = attributes[i]!;
      if (keepsIdentifyingAttributes || !IDENTIFYING.has(key)) kept.push(key, attributes[i + 1]!);
    }
    // Of a resource without properties there is nothing to tell.
    if (!hasOthers(attributes)) return;
    const labels = this.#labelsOf(kept);
    for (const [key, value] of identity) labels.set(key, value);
    labels.delete(METRIC_NAME);
    const series = this.#series('target_info', labels);
    const span = newestMs - oldestMs;
    const stepMs = Math.max(targetInfoStepMs, Math.ceil(span / TARGET_INFO_COUNT_MAX));
    scratch[0] = 1;
    for (let timeMs = oldestMs; timeMs < newestMs; timeMs += stepMs) {
      this.#columns.addSample(series, timeMs, halves[0]!, halves[1]!);
    }
    this.#columns.addSample(series, newestMs, halves[0]!, halves[1]!);
  }
}

function hasOthers(attributes: Attributes): boolean {
  return attributes.some((key, i) => i % 2 === 0 && !IDENTIFYING.has(key));
}

/** `job` and `instance`. */
function identityOf(attributes: Attributes): Map<string, string> {
  const find = (key: string) => {
    for (let i = 0; i < attributes.length; i += 2) {
      if (attributes[i] === key) return attributes[i + 1]!;
    }
    return null;
  };
  const identity = new Map<string, string>();
  const service = find(SERVICE_NAME);
  const namespace = find(SERVICE_NAMESPACE);
  const instance = find(SERVICE_INSTANCE);
  if (service !== null) {
    identity.set('job', namespace === null ? service : `${namespace}/${service}`);
  }
  if (instance !== null) identity.set('instance', instance);
  return identity;
}

function isStale({ flags }: OtlpPoint): boolean {
  return (flags & NO_RECORDED_VALUE) !== 0;
}

function typeOf({ kind, isMonotonic, temporality }: OtlpMetric): MetricType {
  switch (kind) {
    case 'none':
      return 'unknown';
    case 'sum':
      if (!isMonotonic) return 'gauge';
      return temporality === Temporality.Delta ? 'unknown' : 'counter';
    case 'exponential':
    case 'histogram':
      return 'histogram';
    case 'gauge':
    case 'summary':
      return kind;
  }
}

type Side = { readonly spans: ReturnType<typeof spansOf>; readonly deltas: number[] };

/** Buckets of a side, those without observations left out. */
function sideOf(indexes: readonly number[], counts: readonly number[]): Side {
  const kept: number[] = [];
  const deltas: number[] = [];
  let before = 0;
  counts.forEach((count, i) => {
    if (count === 0) return;
    kept.push(indexes[i]!);
    deltas.push(count - before);
    before = count;
  });
  return { spans: spansOf(kept), deltas };
}

/** OTLP counts buckets by their lower bound, native histograms by their upper one. */
function exponentialSide({ offset, counts }: OtlpBuckets): Side {
  return sideOf(
    counts.map((_, i) => offset + i + 1),
    counts,
  );
}

function exponentialOf(point: OtlpPoint): Histogram {
  const positive = exponentialSide(point.positive);
  const negative = exponentialSide(point.negative);
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: point.scale,
    zeroThreshold: ZERO_THRESHOLD,
    zeroCount: point.zeroCount,
    count: point.count,
    sum: point.sum ?? 0,
    positiveSpans: positive.spans,
    negativeSpans: negative.spans,
    positiveDeltas: positive.deltas,
    negativeDeltas: negative.deltas,
    customBounds: [],
    stale: isStale(point),
  };
}

function customOf(point: OtlpPoint): Histogram {
  const { spans, deltas } = sideOf(
    point.bucketCounts.map((_, i) => i),
    point.bucketCounts,
  );
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: CUSTOM_BUCKETS_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count: point.count,
    sum: point.sum ?? 0,
    positiveSpans: spans,
    negativeSpans: [],
    positiveDeltas: deltas,
    negativeDeltas: [],
    customBounds: point.bounds,
    stale: isStale(point),
  };
}
