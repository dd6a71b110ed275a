/**
 * Turns what OTLP clients send as changes (delta temporality) into totals, which is what PromQL expects of
 * counters. Totals are kept in memory, so a restart begins anew at zero, which looks like any counter
 * reset; streams that are silent for a while are forgotten.
 * Source: Prometheus feature flags, "OTLP delta conversion"; OpenTelemetry metrics data model,
 * "Sums: delta-to-cumulative" and "Exponential histogram: merging".
 */
import {
  type Attributes,
  type OtlpBuckets,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResource,
  type OtlpScope,
  Temporality,
} from './otlp-data.ts';

/** As the OpenTelemetry collector's processor by default. */
const SILENT_MS_MAX = 5 * 60_000;
const FORGET_INTERVAL_MS = 60_000;
/** Of exponential histograms, per sign; the resolution is lowered until they fit. */
const BUCKET_COUNT_MAX = 160;

type Total = { point: OtlpPoint; seenMs: number };

export class DeltaToCumulative {
  readonly #totals = new Map<string, Total>();
  #nextForgetMs = 0;

  get streamCount(): number {
    return this.#totals.size;
  }

  /** Changes `resources`: what was a change is a total then; what comes too late is left out. */
  apply(resources: readonly OtlpResource[], nowMs: number): void {
    this.#forget(nowMs);
    for (const { attributes, scopes } of resources) {
      for (const scope of scopes) {
        scope.metrics = scope.metrics.filter((metric) => {
          const isTotal = metric.temporality !== Temporality.Delta || !isAdditive(metric);
          if (isTotal || metric.points.length === 0) return true;
          const stream = streamOf(attributes, scope, metric);
          metric.points = metric.points.flatMap(
            (point) =>
              this.#add(`${stream}\n${keyOf(point.attributes)}`, metric, point, nowMs) ?? [],
          );
          metric.temporality = Temporality.Cumulative;
          return metric.points.length > 0;
        });
      }
    }
  }

  /** The total after `point`; null when a later one is in it already. */
  #add(key: string, metric: OtlpMetric, point: OtlpPoint, nowMs: number): OtlpPoint | null {
    const total = this.#totals.get(key);
    if (total === undefined) {
      this.#totals.set(key, { point, seenMs: nowMs });
      return point;
    }
    if (point.timeMs <= total.point.timeMs) return null;
    total.point = sumOf(metric, total.point, point);
    total.seenMs = nowMs;
    return total.point;
  }

  #forget(nowMs: number): void {
    if (nowMs < this.#nextForgetMs) return;
    this.#nextForgetMs = nowMs + FORGET_INTERVAL_MS;
    for (const [key, { seenMs }] of this.#totals) {
      if (nowMs - seenMs > SILENT_MS_MAX) this.#totals.delete(key);
    }
  }
}

function isAdditive({ kind }: OtlpMetric): boolean {
  return kind === 'sum' || kind === 'histogram' || kind === 'exponential';
}

function streamOf(resource: Attributes, scope: OtlpScope, metric: OtlpMetric): string {
  const { name, unit, kind, isMonotonic } = metric;
  return JSON.stringify([
    keyOf(resource),
    scope.name,
    scope.version,
    keyOf(scope.attributes),
    name,
    unit,
    kind,
    isMonotonic,
  ]);
}

/** The same whatever the order of the attributes. */
function keyOf(attributes: Attributes): string {
  const pairs: string[] = [];
  for (let i = 0; i < attributes.length; i += 2) {
    pairs.push(JSON.stringify([attributes[i], attributes[i + 1]]));
  }
  return pairs.sort().join(',');
}

/** `change` with what came before added to it, counted since the total began. */
function sumOf({ kind }: OtlpMetric, total: OtlpPoint, change: OtlpPoint): OtlpPoint {
  const { startMs } = total;
  if (kind === 'sum') return { ...change, startMs, value: total.value + change.value };
  const sum = total.sum === null || change.sum === null ? null : total.sum + change.sum;
  const count = total.count + change.count;
  if (kind === 'exponential') {
    return { ...change, startMs, sum, count, ...sumOfExponential(total, change) };
  }
  // Totals of other buckets cannot be added to: counting begins anew.
  if (!isEqual(total.bounds, change.bounds)) return change;
  const length = Math.max(total.bucketCounts.length, change.bucketCounts.length);
  const bucketCounts = Array.from(
    { length },
    (_, i) => (total.bucketCounts[i] ?? 0) + (change.bucketCounts[i] ?? 0),
  );
  return { ...change, startMs, sum, count, bucketCounts };
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function sumOfExponential(
  total: OtlpPoint,
  change: OtlpPoint,
): Pick<OtlpPoint, 'scale' | 'zeroCount' | 'positive' | 'negative'> {
  let scale = Math.min(total.scale, change.scale);
  const sideAt = (side: 'positive' | 'negative') =>
    addBuckets(
      coarser(total[side], total.scale - scale),
      coarser(change[side], change.scale - scale),
    );
  let positive = sideAt('positive');
  let negative = sideAt('negative');
  while (Math.max(positive.counts.length, negative.counts.length) > BUCKET_COUNT_MAX) {
    scale--;
    positive = coarser(positive, 1);
    negative = coarser(negative, 1);
  }
  return { scale, zeroCount: total.zeroCount + change.zeroCount, positive, negative };
}

/** Each step makes one bucket of two neighbours. */
function coarser({ offset, counts }: OtlpBuckets, steps: number): OtlpBuckets {
  if (steps === 0 || counts.length === 0) return { offset: offset >> steps, counts };
  const first = offset >> steps;
  const merged = Array.from(
    { length: ((offset + counts.length - 1) >> steps) - first + 1 },
    () => 0,
  );
  counts.forEach((count, i) => (merged[((offset + i) >> steps) - first]! += count));
  return { offset: first, counts: merged };
}

function addBuckets(a: OtlpBuckets, b: OtlpBuckets): OtlpBuckets {
  if (a.counts.length === 0) return b;
  if (b.counts.length === 0) return a;
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  const counts = Array.from({ length: end - offset }, () => 0);
  for (const side of [a, b]) {
    side.counts.forEach((count, i) => (counts[side.offset + i - offset]! += count));
  }
  return { offset, counts };
}
