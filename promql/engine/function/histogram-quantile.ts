/** histogram_quantile, histogram_quantiles and histogram_fraction, over classic and native ones. */
import type { Labels } from '../../../model/index.ts';
import {
  type FloatHistogram,
  formatFloatShort,
  hasNaNObservations,
  histogramFraction,
  histogramQuantile,
  METRIC_NAME,
  type QuantileEstimate,
  type TextRange,
} from '../../../model/index.ts';
import {
  badBucketLabel,
  histogramQuantileForcedMonotonicity,
  invalidQuantile,
  mixedClassicNativeHistograms,
  nativeHistogramFractionNaNs,
  nativeHistogramQuantileNaNResult,
  nativeHistogramQuantileNaNSkew,
} from '../../annotations.ts';
import type { Grid } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import {
  ClassicBuckets,
  classicFraction,
  classicQuantile,
  type MonotonicRepair,
} from '../kernels/classic-buckets.ts';
import { computedRows, materialize, type Operator } from '../operator.ts';
import { FLOAT, HISTOGRAM, RowTable } from '../row-batch.ts';
import { mergeEqualRows, withoutMetricIdentity } from '../row-labels.ts';
import { groupHistograms, type HistogramGroup } from './histogram-groups.ts';

/** What is worked out of every histogram. */
export type HistogramEstimate = {
  classic(buckets: ClassicBuckets, step: number, metricName: string): number;
  native(histogram: FloatHistogram, step: number, metricName: string): number;
};

/** One result column: an estimate, with the label that tells it from the others. */
export type EstimateColumn = {
  readonly estimate: HistogramEstimate;
  readonly labelName: string;
  /** Empty where no label is set. May differ from step to step. */
  readonly labelAt: ((step: number) => string) | null;
};

/** Applies estimates to all histograms of `child`. */
export function estimateHistograms(
  child: Operator,
  columns: readonly EstimateColumn[],
  childRange: TextRange,
  context: QueryContext,
): Operator {
  const table = materialize(child, context);
  const { groups, malformedRows } = groupHistograms(child.labels, child.dropsName, table);
  for (const { row, le } of malformedRows) {
    if (!hasFloat(table, row)) continue;
    context.annotate(badBucketLabel(le, shownName(child.labels[row]!, context), childRange));
  }
  const rows = new EstimatedRows(table.stepCount);
  const buckets = new ClassicBuckets();
  for (const group of groups) {
    context.tick();
    const name = shownName(group.labels, context);
    for (let step = 0; step < table.stepCount; step++) {
      gatherBuckets(group, table, step, buckets);
      const nativeCell = group.nativeRow * table.stepCount + step;
      const isNative = group.nativeRow >= 0 && table.present[nativeCell] === HISTOGRAM;
      if (isNative && buckets.size > 0) {
        context.annotate(mixedClassicNativeHistograms(name, childRange));
        continue;
      }
      if (!isNative && buckets.size === 0) continue;
      const native = isNative ? table.histograms[nativeCell]! : null;
      // What the first quantile has repaired stays repaired for the others, and is noted once.
      for (const column of columns) {
        const value = native
          ? column.estimate.native(native, step, name)
          : column.estimate.classic(buckets, step, name);
        rows.set(group, column, step, value, context);
      }
    }
  }
  return mergeEqualRows(rows.finish(child, context), 'step', context);
}

/** Without delayed name removal the name is out of reach here, as it is in Prometheus. */
function shownName(labels: Labels, context: QueryContext): string {
  return context.features.delayedNameRemoval ? labels.get(METRIC_NAME) : '';
}

function hasFloat(table: RowTable, row: number): boolean {
  const from = row * table.stepCount;
  return table.present.subarray(from, from + table.stepCount).includes(FLOAT);
}

function gatherBuckets(
  group: HistogramGroup,
  table: RowTable,
  step: number,
  buckets: ClassicBuckets,
): void {
  buckets.clear();
  const { bucketRows, bounds } = group;
  for (let i = 0; i < bucketRows.length; i++) {
    const cell = bucketRows[i]! * table.stepCount + step;
    if (table.present[cell] === FLOAT) buckets.push(bounds[i]!, table.values[cell]!);
  }
}

/** Result rows, made when the first value for their labels comes. */
class EstimatedRows {
  readonly #stepCount: number;
  readonly #labels: Labels[] = [];
  readonly #dropsName: number[] = [];
  readonly #values: Float64Array[] = [];
  readonly #present: Uint8Array[] = [];
  /** Per column, and per group the row by the value of the label. */
  readonly #rowOf = new Map<EstimateColumn, Map<HistogramGroup, Map<string, number>>>();

  constructor(stepCount: number) {
    this.#stepCount = stepCount;
  }

  set(
    group: HistogramGroup,
    column: EstimateColumn,
    step: number,
    value: number,
    context: QueryContext,
  ): void {
    const row = this.#row(group, column, column.labelAt?.(step) ?? '', context);
    this.#values[row]![step] = value;
    this.#present[row]![step] = FLOAT;
  }

  #row(
    group: HistogramGroup,
    column: EstimateColumn,
    label: string,
    context: QueryContext,
  ): number {
    const byGroup = getOrMake(
      this.#rowOf,
      column,
      () => new Map<HistogramGroup, Map<string, number>>(),
    );
    const byLabel = getOrMake(byGroup, group, () => new Map<string, number>());
    return getOrMake(byLabel, label, () => {
      const named =
        column.labelAt === null ? group.labels : group.labels.with(column.labelName, label);
      const delayed = context.features.delayedNameRemoval;
      this.#labels.push(delayed ? named : withoutMetricIdentity(named));
      this.#dropsName.push(1);
      this.#values.push(new Float64Array(this.#stepCount));
      this.#present.push(new Uint8Array(this.#stepCount));
      return this.#labels.length - 1;
    });
  }

  finish(child: Operator, context: QueryContext): Operator {
    const table = new RowTable(this.#labels.length, this.#stepCount);
    for (let row = 0; row < this.#labels.length; row++) {
      table.values.set(this.#values[row]!, row * this.#stepCount);
      table.present.set(this.#present[row]!, row * this.#stepCount);
    }
    const flags = context.features.delayedNameRemoval ? Uint8Array.from(this.#dropsName) : null;
    return computedRows(table, this.#labels, flags, [child], context);
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Warns about every quantile outside of 0…1. */
export function checkQuantiles(
  quantiles: Float64Array,
  range: TextRange,
  context: QueryContext,
): void {
  for (const quantile of quantiles) {
    if (!(quantile >= 0 && quantile <= 1)) context.annotate(invalidQuantile(quantile, range));
  }
}

export function quantileEstimate(
  quantiles: Float64Array,
  grid: Grid,
  childRange: TextRange,
  context: QueryContext,
): HistogramEstimate {
  const repair: MonotonicRepair = {
    repaired: false,
    lowestBound: 0,
    highestBound: 0,
    differenceMax: 0,
  };
  const estimate: QuantileEstimate = { value: 0, note: 'none' };
  return {
    classic(buckets, step, metricName) {
      const value = classicQuantile(quantiles[step]!, buckets, repair);
      if (repair.repaired) {
        const { lowestBound, highestBound, differenceMax } = repair;
        const timeMs = grid.startMs + step * grid.stepMs;
        const details = {
          lowestBound,
          highestBound,
          differenceMax,
          sampleCount: 1,
          firstMs: timeMs,
          lastMs: timeMs,
        };
        context.annotate(histogramQuantileForcedMonotonicity(metricName, childRange, details));
      }
      return value;
    },
    native(histogram, step, metricName) {
      histogramQuantile(quantiles[step]!, histogram, estimate);
      if (estimate.note === 'nan-result') {
        context.annotate(nativeHistogramQuantileNaNResult(metricName, childRange));
      } else if (estimate.note === 'nan-skew') {
        context.annotate(nativeHistogramQuantileNaNSkew(metricName, childRange));
      }
      return estimate.value;
    },
  };
}

export function fractionEstimate(
  lowers: Float64Array,
  uppers: Float64Array,
  childRange: TextRange,
  context: QueryContext,
): HistogramEstimate {
  return {
    classic: (buckets, step) => classicFraction(lowers[step]!, uppers[step]!, buckets),
    native(histogram, step, metricName) {
      const [lower, upper] = [lowers[step]!, uppers[step]!];
      if (lower < upper && hasNaNObservations(histogram)) {
        context.annotate(nativeHistogramFractionNaNs(metricName, childRange));
      }
      return histogramFraction(lower, upper, histogram);
    },
  };
}

/** As in OpenMetrics: a point or an exponent in every finite number. */
export function quantileLabel(quantile: number): string {
  const text = formatFloatShort(quantile === 0 ? 0 : quantile);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
