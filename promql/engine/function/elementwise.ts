/** Functions that turn each float into another one, and leave histograms out. */
import { type Labels, log2, log10 } from '../../../model/index.ts';
import { maxOf, minOf } from '../../plan/scalar-operation.ts';
import type { QueryContext } from '../context.ts';
import { type Operator, presentCount, releaseOperands } from '../operator.ts';
import { ABSENT, FLOAT, type RowBatch } from '../row-batch.ts';
import { dropMetricIdentity } from '../row-labels.ts';
import {
  dayOfMonth,
  dayOfWeek,
  dayOfYear,
  daysInMonth,
  hour,
  minute,
  month,
  year,
} from './civil-time.ts';

type FloatFunction = (value: number) => number;

export const FLOAT_FUNCTIONS: ReadonlyMap<string, FloatFunction> = new Map([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['exp', Math.exp],
  ['sqrt', Math.sqrt],
  ['ln', Math.log],
  ['log2', log2],
  ['log10', log10],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['cos', Math.cos],
  ['cosh', cosh],
  ['sin', Math.sin],
  ['sinh', sinh],
  ['tan', Math.tan],
  ['tanh', Math.tanh],
  ['deg', (value) => (value * 180) / Math.PI],
  ['rad', (value) => (value * Math.PI) / 180],
  ['minute', minute],
  ['hour', hour],
  ['day_of_week', dayOfWeek],
  ['day_of_month', dayOfMonth],
  ['day_of_year', dayOfYear],
  ['days_in_month', daysInMonth],
  ['month', month],
  ['year', year],
]);

/** A function of a float and of scalar arguments, given per step; undefined removes the sample. */
export type ParameterizedFunction = (
  value: number,
  step: number,
  params: readonly Float64Array[],
) => number | undefined;

export const PARAMETERIZED_FUNCTIONS: ReadonlyMap<string, ParameterizedFunction> = new Map<
  string,
  ParameterizedFunction
>([
  ['round', (value, step, [to]) => roundTo(value, to === undefined ? 1 : to[step]!)],
  [
    'clamp',
    (value, step, params) => {
      const [min, max] = params as [Float64Array, Float64Array];
      if (max[step]! < min[step]!) return undefined;
      return maxOf(min[step]!, minOf(max[step]!, value));
    },
  ],
  ['clamp_min', (value, step, [min]) => maxOf(min![step]!, value)],
  ['clamp_max', (value, step, [max]) => minOf(max![step]!, value)],
]);

/** Ties go up. The inverse keeps fractions such as 0.1 from spoiling the result. */
function roundTo(value: number, toNearest: number): number {
  const inverse = 1 / toNearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

abstract class MappedRows implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #child: Operator;
  readonly #context: QueryContext;

  constructor(child: Operator, context: QueryContext) {
    const { labels, dropsName } = dropMetricIdentity(child, context);
    this.stepCount = child.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#child = child;
    this.#context = context;
  }

  next(out: RowBatch): boolean {
    if (!this.#child.next(out)) {
      releaseOperands([this.#child], this.stepCount, this.scalarCount, this.#context);
      return false;
    }
    this.mapBatch(out);
    out.hasHistograms = false;
    const count = presentCount(out);
    this.held += count;
    this.#context.hold(count);
    return true;
  }

  protected get scalarCount(): number {
    return 0;
  }

  /** Changes floats in place and removes histograms. */
  protected abstract mapBatch(out: RowBatch): void;
}

export class FloatMap extends MappedRows {
  readonly #map: FloatFunction;

  constructor(map: FloatFunction, child: Operator, context: QueryContext) {
    super(child, context);
    this.#map = map;
  }

  protected mapBatch(out: RowBatch): void {
    const { values, present } = out;
    const cellCount = out.rowCount * out.stepCount;
    const map = this.#map;
    for (let i = 0; i < cellCount; i++) {
      if (present[i] === FLOAT) values[i] = map(values[i]!);
      else present[i] = ABSENT;
    }
  }
}

export class ParameterizedFloatMap extends MappedRows {
  readonly #map: ParameterizedFunction;
  readonly #params: readonly Float64Array[];

  constructor(
    map: ParameterizedFunction,
    params: readonly Float64Array[],
    child: Operator,
    context: QueryContext,
  ) {
    super(child, context);
    this.#map = map;
    this.#params = params;
  }

  protected override get scalarCount(): number {
    return this.#params.length;
  }

  protected mapBatch(out: RowBatch): void {
    const { values, present, stepCount } = out;
    for (let row = 0; row < out.rowCount; row++) {
      for (let step = 0; step < stepCount; step++) {
        const i = row * stepCount + step;
        const value = present[i] === FLOAT ? this.#map(values[i]!, step, this.#params) : undefined;
        if (value === undefined) present[i] = ABSENT;
        else values[i] = value;
      }
    }
  }
}

/** Beyond it one of the two exponentials in sinh and cosh is lost in rounding, and Go drops it. */
const ONE_EXPONENTIAL_MIN = 21;

function sinh(x: number): number {
  return Math.abs(x) > ONE_EXPONENTIAL_MIN
    ? Math.sign(x) * Math.exp(Math.abs(x)) * 0.5
    : Math.sinh(x);
}

function cosh(x: number): number {
  return Math.abs(x) > ONE_EXPONENTIAL_MIN ? Math.exp(Math.abs(x)) * 0.5 : Math.cosh(x);
}
