/**
 * PromQL evaluated the plain way, for people to read and for the engine to be checked against: one
 * time after the other, samples as objects, nothing precomputed. It knows floats, and of histograms
 * as much as summing, counting and scaling takes; no annotations, no statistics, no limits.
 */
import {
  addHistograms,
  divideHistogram,
  equalHistograms,
  type FloatHistogram,
  histogramQuantile,
  Labels,
  METRIC_NAME,
  multiplyHistogram,
  newCombineNotes,
  type Queryable,
  SampleBuffer,
  subtractHistograms,
} from '../../model/index.ts';
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  type MatrixSelector,
  type Subquery,
  typeOf,
  unwrapParens,
  type VectorMatching,
  type VectorSelector,
} from '../../promql/ast.ts';
import { naiveCompare, naiveOperation, quantileOf, sum } from './naive-math.ts';
import { NAIVE_FLOAT_FUNCTIONS, NAIVE_RANGE_FUNCTIONS } from './naive-functions.ts';

export type NaiveValue = number | FloatHistogram;
export type NaiveSample = { labels: Labels; value: NaiveValue };
export type NaivePoint = { timeMs: number; value: NaiveValue };
export type NaiveRange = { labels: Labels; points: NaivePoint[]; startMs: number; endMs: number };

/** Evaluation is not possible on this data. */
export class NaiveError extends Error {}

/** Times of the first and the last step of a query. */
export type NaiveSpan = { readonly startMs: number; readonly endMs: number };

export class NaiveEvaluator {
  readonly #queryable: Queryable;
  readonly #lookbackMs: number;
  readonly #span: NaiveSpan;
  readonly #grids = new Map<Subquery, ReadonlyMap<number, NaiveSample[]>>();

  constructor(queryable: Queryable, lookbackMs: number, span: NaiveSpan) {
    this.#queryable = queryable;
    this.#lookbackMs = lookbackMs;
    this.#span = span;
  }

  scalar(expr: Expr, timeMs: number): number {
    const inner = unwrapParens(expr);
    switch (inner.kind) {
      case 'NumberLiteral':
        return inner.value;
      case 'Unary':
        return (inner.operator === '-' ? -1 : 1) * this.scalar(inner.expr, timeMs);
      case 'Binary': {
        const left = this.scalar(inner.left, timeMs);
        const right = this.scalar(inner.right, timeMs);
        return inner.returnBool
          ? Number(naiveCompare(inner.operator, left, right))
          : naiveOperation(inner.operator, left, right);
      }
      case 'Call': {
        if (inner.func.name === 'time') return timeMs / 1000;
        if (inner.func.name === 'pi') return Math.PI;
        const floats = this.vector(inner.args[0]!, timeMs).filter(isFloat);
        return floats.length === 1 ? (floats[0]!.value as number) : NaN;
      }
      default:
        throw new TypeError(`naive: no scalar ${inner.kind}`);
    }
  }

  /** The elements of a vector; two with equal labels are an error. */
  vector(expr: Expr, timeMs: number): NaiveSample[] {
    const samples = this.#vector(unwrapParens(expr), timeMs);
    const keys = new Set(samples.map(({ labels }) => labels.key));
    if (keys.size !== samples.length) {
      throw new NaiveError('vector cannot contain metrics with the same labelset');
    }
    return samples;
  }

  #vector(expr: Expr, timeMs: number): NaiveSample[] {
    switch (expr.kind) {
      case 'VectorSelector':
        return this.#select(expr, timeMs);
      case 'Unary':
        return this.vector(expr.expr, timeMs).map(({ labels, value }) => ({
          labels: expr.operator === '-' ? labels.withoutName() : labels,
          value: expr.operator === '-' ? scale(value, -1) : value,
        }));
      case 'Aggregation':
        return this.#aggregate(expr, timeMs);
      case 'Binary':
        return this.#binary(expr, timeMs);
      case 'Call':
        return this.#call(expr, timeMs);
      default:
        throw new TypeError(`naive: no vector ${expr.kind}`);
    }
  }

  // --- Reading ---

  #readTime(expr: VectorSelector | Subquery, timeMs: number): number {
    const at = typeof expr.at === 'number' ? expr.at : timeMs;
    return at - (expr.offset as number);
  }

  /** All samples of the selected series in (afterMs, untilMs], staleness markers as null. */
  #read(selector: VectorSelector, afterMs: number, untilMs: number) {
    const querier = this.#queryable.querier(afterMs + 1, untilMs);
    const selected = querier.select(selector.matchers, { minMs: afterMs + 1, maxMs: untilMs });
    const buffer = new SampleBuffer();
    return selected.labels.map((labels, row) => {
      selected.read(row, afterMs + 1, untilMs, buffer);
      const points: { timeMs: number; value: NaiveValue | null }[] = [];
      for (let i = 0; i < buffer.count; i++) {
        const histogram = buffer.histograms?.[i];
        const isStale =
          buffer.valueHalves[2 * i + 1] === 0x7ff00000 && buffer.valueHalves[2 * i] === 2;
        const value = histogram ?? (isStale ? null : buffer.values[i]!);
        points.push({ timeMs: buffer.timestampsMs[i]!, value });
      }
      return { labels, points };
    });
  }

  #select(selector: VectorSelector, timeMs: number): NaiveSample[] {
    const readMs = this.#readTime(selector, timeMs);
    return this.#read(selector, readMs - this.#lookbackMs, readMs).flatMap(({ labels, points }) => {
      const newest = points.at(-1)?.value ?? null;
      return newest === null ? [] : [{ labels, value: newest }];
    });
  }

  ranges(expr: MatrixSelector | Subquery, timeMs: number): NaiveRange[] {
    if (expr.kind === 'Subquery') return this.#subquery(expr, timeMs);
    const endMs = this.#readTime(expr.vector, timeMs);
    const startMs = endMs - (expr.window as number);
    return this.#read(expr.vector, startMs, endMs).map(({ labels, points }) => ({
      labels,
      startMs,
      endMs,
      points: points.filter((point): point is NaivePoint => point.value !== null),
    }));
  }

  /**
   * What a subquery gives at all its times from the first step's window to the last one's. What no
   * window holds is evaluated as well, as Prometheus does: it may fail, and so does the query then.
   */
  #grid(expr: Subquery): ReadonlyMap<number, NaiveSample[]> {
    const known = this.#grids.get(expr);
    if (known !== undefined) return known;
    const stepMs = (expr.step as number | null) ?? 60_000;
    const afterMs = this.#readTime(expr, this.#span.startMs) - (expr.window as number);
    const startMs = (Math.floor(afterMs / stepMs) + 1) * stepMs;
    const endMs = this.#readTime(expr, this.#span.endMs);
    const inner = new NaiveEvaluator(this.#queryable, this.#lookbackMs, {
      startMs,
      endMs: Math.floor(endMs / stepMs) * stepMs,
    });
    const grid = new Map<number, NaiveSample[]>();
    for (let t = startMs; t <= endMs; t += stepMs) grid.set(t, inner.vector(expr.expr, t));
    this.#grids.set(expr, grid);
    return grid;
  }

  #subquery(expr: Subquery, timeMs: number): NaiveRange[] {
    const endMs = this.#readTime(expr, timeMs);
    const startMs = endMs - (expr.window as number);
    const byKey = new Map<string, NaiveRange>();
    for (const [t, samples] of this.#grid(expr)) {
      if (t <= startMs || t > endMs) continue;
      for (const { labels, value } of samples) {
        const range = byKey.get(labels.key) ?? { labels, points: [], startMs, endMs };
        range.points.push({ timeMs: t, value });
        byKey.set(labels.key, range);
      }
    }
    return [...byKey.values()].sort((a, b) => (a.labels.key < b.labels.key ? -1 : 1));
  }

  // --- Functions ---

  #call(call: Call, timeMs: number): NaiveSample[] {
    const { name } = call.func;
    const args = call.args.map(unwrapParens);
    const rangeIndex = args.findIndex((arg) => typeOf(arg) === 'matrix');
    if (rangeIndex >= 0) {
      const params = args.filter((_, i) => i !== rangeIndex).map((arg) => this.scalar(arg, timeMs));
      const ranges = this.ranges(args[rangeIndex] as MatrixSelector | Subquery, timeMs);
      if (name === 'absent_over_time') {
        return ranges.some(({ points }) => points.length > 0)
          ? []
          : [{ labels: promisedLabels(args[0]!), value: 1 }];
      }
      const compute = NAIVE_RANGE_FUNCTIONS[name]!;
      const keepsName = name === 'last_over_time' || name === 'first_over_time';
      return ranges.flatMap((range) => {
        const value = range.points.length > 0 ? compute(range, params, timeMs) : null;
        const labels = keepsName ? range.labels : range.labels.withoutName();
        return value === null ? [] : [{ labels, value }];
      });
    }
    if (name === 'vector') return [{ labels: Labels.EMPTY, value: this.scalar(args[0]!, timeMs) }];
    const vector =
      args.length === 0
        ? [{ labels: Labels.EMPTY, value: timeMs / 1000 }]
        : this.vector(args.find((arg) => typeOf(arg) === 'vector')!, timeMs);
    if (name === 'absent') {
      return vector.length > 0 ? [] : [{ labels: promisedLabels(args[0]!), value: 1 }];
    }
    const scalars = args
      .filter((arg) => typeOf(arg) === 'scalar')
      .map((arg) => this.scalar(arg, timeMs));
    if (name === 'histogram_quantile') return classicAndNative(scalars[0]!, vector);
    return vector.flatMap(({ labels, value }) => {
      const result = NAIVE_FLOAT_FUNCTIONS[name]!(value, scalars, timeMs);
      return result === null ? [] : [{ labels: labels.withoutName(), value: result }];
    });
  }

  // --- Aggregations ---

  #aggregate(aggregation: Aggregation, timeMs: number): NaiveSample[] {
    const { operator, grouping, without, expr, param } = aggregation;
    const groups = new Map<string, { labels: Labels; members: NaiveSample[] }>();
    for (const sample of this.vector(expr, timeMs)) {
      const labels = without
        ? sample.labels.drop(new Set([...grouping, METRIC_NAME]))
        : sample.labels.keep(new Set(grouping));
      const group = groups.get(labels.key) ?? { labels, members: [] };
      group.members.push(sample);
      groups.set(labels.key, group);
    }
    const argument = param === null ? NaN : this.scalar(param, timeMs);
    return [...groups.values()].flatMap(({ labels, members }) => {
      if (operator === 'topk' || operator === 'bottomk') {
        return best(members, Math.trunc(argument), operator === 'topk');
      }
      const value = aggregateOf(
        operator,
        members.map((member) => member.value),
        argument,
      );
      return value === null ? [] : [{ labels, value }];
    });
  }

  // --- Operators ---

  #binary(binary: Binary, timeMs: number): NaiveSample[] {
    const { left, right, matching } = binary;
    if (matching === null) {
      const scalarIsLeft = typeOf(left) === 'scalar';
      const scalar = this.scalar(scalarIsLeft ? left : right, timeMs);
      return this.vector(scalarIsLeft ? right : left, timeMs).flatMap(({ labels, value }) => {
        const [a, b] = scalarIsLeft ? [scalar, value] : [value, scalar];
        const result = operate(binary, a, b, value);
        return result === null ? [] : [{ labels: resultName(binary, labels), value: result }];
      });
    }
    const leftVector = this.vector(left, timeMs);
    const rightVector = this.vector(right, timeMs);
    const signature = signatureOf(matching);
    const has = (vector: NaiveSample[], key: string): boolean =>
      vector.some(({ labels }) => signature(labels) === key);
    switch (binary.operator) {
      case 'and':
        return leftVector.filter(({ labels }) => has(rightVector, signature(labels)));
      case 'unless':
        return leftVector.filter(({ labels }) => !has(rightVector, signature(labels)));
      case 'or':
        return [
          ...leftVector,
          ...rightVector.filter(({ labels }) => !has(leftVector, signature(labels))),
        ];
      default:
        return this.#match(binary, matching, leftVector, rightVector);
    }
  }

  #match(
    binary: Binary,
    matching: VectorMatching,
    left: NaiveSample[],
    right: NaiveSample[],
  ): NaiveSample[] {
    if (left.length === 0 || right.length === 0) return [];
    const signature = signatureOf(matching);
    const swapped = matching.cardinality === 'one-to-many';
    const [many, one] = swapped ? [right, left] : [left, right];
    const oneByKey = new Map<string, NaiveSample>();
    for (const sample of one) {
      const key = signature(sample.labels);
      if (oneByKey.has(key)) throw new NaiveError('found duplicate series for the match group');
      oneByKey.set(key, sample);
    }
    const taken = new Set<string>();
    return many.flatMap((sample) => {
      const key = signature(sample.labels);
      const match = oneByKey.get(key);
      if (match === undefined) return [];
      const [a, b] = swapped ? [match.value, sample.value] : [sample.value, match.value];
      if (operate({ ...binary, returnBool: true }, a, b, a) === null) return [];
      let labels = resultName(binary, sample.labels);
      if (matching.cardinality === 'one-to-one') {
        const names = new Set(matching.labels);
        labels = matching.on ? labels.keep(names) : labels.drop(names);
      }
      for (const name of matching.include) labels = labels.with(name, match.labels.get(name));
      const place = matching.cardinality === 'one-to-one' ? key : `${key}\ud801${labels.key}`;
      if (taken.has(place)) throw new NaiveError('multiple matches for labels');
      taken.add(place);
      const value = operate(binary, a, b, a);
      return value === null ? [] : [{ labels, value }];
    });
  }
}

/** What the equality matchers of a lone selector say. */
function promisedLabels(expr: Expr): Labels {
  const selector = expr.kind === 'MatrixSelector' ? expr.vector : expr;
  if (selector.kind !== 'VectorSelector') return Labels.EMPTY;
  const equal = selector.matchers.filter(({ operator }) => operator === '=');
  return Labels.fromPairs(equal.map(({ name, value }) => [name, value] as const)).withoutName();
}

function isFloat({ value }: NaiveSample): boolean {
  return typeof value === 'number';
}

function scale(value: NaiveValue, factor: number): NaiveValue {
  return typeof value === 'number' ? value * factor : multiplyHistogram(value, factor);
}

const COMPARISONS = new Set(['==', '!=', '>', '<', '>=', '<=']);

/** Comparisons that filter leave the metric what it is. */
function resultName({ operator, returnBool }: Binary, labels: Labels): Labels {
  return COMPARISONS.has(operator) && !returnBool ? labels : labels.withoutName();
}

function signatureOf(matching: VectorMatching): (labels: Labels) => string {
  const names = new Set(matching.labels);
  return (labels) => (matching.on ? labels.keep(names) : labels.withoutName().drop(names)).key;
}

/** Null where there is no result, or a comparison that filters does not hold. */
function operate(
  { operator, returnBool }: Binary,
  a: NaiveValue,
  b: NaiveValue,
  kept: NaiveValue,
): NaiveValue | null {
  if (typeof a === 'number' && typeof b === 'number') {
    if (!COMPARISONS.has(operator)) return naiveOperation(operator, a, b);
    const holds = naiveCompare(operator, a, b);
    return returnBool ? Number(holds) : holds ? kept : null;
  }
  if (typeof a !== 'number' && typeof b !== 'number') {
    if (operator === '+') return addHistograms(a, b, newCombineNotes());
    if (operator === '-') return subtractHistograms(a, b, newCombineNotes());
    if (operator !== '==' && operator !== '!=') return null;
    const holds = equalHistograms(a, b) === (operator === '==');
    return returnBool ? Number(holds) : holds ? kept : null;
  }
  if (operator === '/' && typeof b === 'number') return divideHistogram(a as FloatHistogram, b);
  if (operator === '*') return typeof a === 'number' ? scale(b, a) : scale(a, b as number);
  return null;
}

/** Highest first; a NaN only when nothing else is left, and of equals the earlier. */
function best(members: NaiveSample[], count: number, isTop: boolean): NaiveSample[] {
  const rank = (value: number): number =>
    Number.isNaN(value) ? -Infinity : isTop ? value : -value;
  return members
    .filter(isFloat)
    .map((sample, index) => ({ sample, index, value: sample.value as number }))
    .sort(
      (a, b) =>
        Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) ||
        rank(b.value) - rank(a.value) ||
        a.index - b.index,
    )
    .slice(0, Math.max(0, count))
    .map(({ sample }) => sample);
}

function aggregateOf(operator: string, values: NaiveValue[], argument: number): NaiveValue | null {
  if (operator === 'count') return values.length;
  if (operator === 'group') return 1;
  const floats = values.filter((value): value is number => typeof value === 'number');
  if (operator === 'sum' || operator === 'avg') {
    const divisor = operator === 'avg' ? values.length : 1;
    if (floats.length === values.length) return sum(floats) / divisor;
    if (floats.length > 0) return null;
    const total = (values as FloatHistogram[]).reduce(
      (a, b) => addHistograms(a, b, newCombineNotes())!,
    );
    return multiplyHistogram(total, 1 / divisor);
  }
  if (floats.length === 0) return null;
  const numbers = floats.filter((value) => !Number.isNaN(value));
  switch (operator) {
    case 'min':
      return numbers.length > 0 ? Math.min(...numbers) : NaN;
    case 'max':
      return numbers.length > 0 ? Math.max(...numbers) : NaN;
    case 'quantile':
      return quantileOf(argument, floats);
    case 'stddev':
    case 'stdvar': {
      const mean = sum(floats) / floats.length;
      const variance = sum(floats.map((value) => (value - mean) ** 2)) / floats.length;
      return operator === 'stddev' ? Math.sqrt(variance) : variance;
    }
    default:
      throw new TypeError(`naive: no aggregation ${operator}`);
  }
}

/** histogram_quantile: buckets by their other labels, native histograms one by one. */
function classicAndNative(quantile: number, vector: NaiveSample[]): NaiveSample[] {
  const classic = new Map<string, { labels: Labels; buckets: [bound: number, count: number][] }>();
  const results: NaiveSample[] = [];
  for (const { labels, value } of vector) {
    if (typeof value !== 'number') {
      const estimate = { value: 0, note: 'none' as const };
      histogramQuantile(quantile, value, estimate);
      results.push({ labels: labels.withoutName(), value: estimate.value });
      continue;
    }
    const bound = Number(labels.get('le').replace('+Inf', 'Infinity'));
    if (labels.get('le') === '' || Number.isNaN(bound)) continue;
    const own = labels.with('le', '');
    const group = classic.get(own.key) ?? { labels: own, buckets: [] };
    group.buckets.push([bound, value]);
    classic.set(own.key, group);
  }
  for (const { labels, buckets } of classic.values()) {
    results.push({ labels: labels.withoutName(), value: classicQuantileOf(quantile, buckets) });
  }
  return results;
}

function classicQuantileOf(quantile: number, unsorted: [bound: number, count: number][]): number {
  if (Number.isNaN(quantile)) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  const buckets = unsorted.toSorted((a, b) => a[0] - b[0]);
  if (buckets.at(-1)![0] !== Infinity || buckets.length < 2) return NaN;
  let highest = buckets[0]![1];
  // What is not lower is taken as it is, NaN included.
  const counts = buckets.map(([, count]) => (highest = count < highest ? highest : count));
  const total = counts.at(-1)!;
  if (total === 0) return NaN;
  const rank = quantile * total;
  const index = counts.findIndex((count) => count >= rank);
  // Nothing reaches a NaN; as in Prometheus that ends in the last bucket.
  if (index < 0 || index === buckets.length - 1) return buckets.at(-2)![0];
  const [end] = buckets[index]!;
  if (index === 0 && end <= 0) return end;
  const start = index === 0 ? 0 : buckets[index - 1]![0];
  const below = index === 0 ? 0 : counts[index - 1]!;
  return start + (end - start) * ((rank - below) / (counts[index]! - below));
}
