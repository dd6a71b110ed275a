/** Functions of the naive evaluator. */
import {
  addHistograms,
  type FloatHistogram,
  isCounterReset,
  multiplyHistogram,
  newCombineNotes,
  subtractHistograms,
} from '../../model/index.ts';
import type { NaiveRange, NaiveValue } from './naive-evaluator.ts';
import { quantileOf, sum } from './naive-math.ts';

/** Null removes the element. */
type FloatFunction = (value: NaiveValue, scalars: number[], timeMs: number) => number | null;
type RangeFunction = (range: NaiveRange, scalars: number[], timeMs: number) => NaiveValue | null;

function ofFloat(compute: (value: number, ...scalars: number[]) => number | null): FloatFunction {
  return (value, scalars) => (typeof value === 'number' ? compute(value, ...scalars) : null);
}

function ofHistogram(compute: (histogram: FloatHistogram) => number): FloatFunction {
  return (value) => (typeof value === 'number' ? null : compute(value));
}

function ofDate(compute: (date: Date) => number): FloatFunction {
  return ofFloat((value) => compute(new Date(Math.trunc(value) * 1000)));
}

export const NAIVE_FLOAT_FUNCTIONS: Readonly<Record<string, FloatFunction>> = {
  abs: ofFloat(Math.abs),
  ceil: ofFloat(Math.ceil),
  floor: ofFloat(Math.floor),
  sgn: ofFloat((value) => (value > 0 ? 1 : value < 0 ? -1 : value)),
  sqrt: ofFloat(Math.sqrt),
  ln: ofFloat(Math.log),
  round: ofFloat((value, to = 1) => Math.floor(value / to + 0.5) * to),
  clamp: ofFloat((value, min, max) => (max < min ? null : Math.max(min, Math.min(max, value)))),
  clamp_min: ofFloat((value, min) => Math.max(min, value)),
  clamp_max: ofFloat((value, max) => Math.min(max, value)),
  timestamp: (_value, _scalars, timeMs) => timeMs / 1000,
  minute: ofDate((date) => date.getUTCMinutes()),
  hour: ofDate((date) => date.getUTCHours()),
  day_of_week: ofDate((date) => date.getUTCDay()),
  month: ofDate((date) => date.getUTCMonth() + 1),
  year: ofDate((date) => date.getUTCFullYear()),
  histogram_count: ofHistogram(({ count }) => count),
  histogram_sum: ofHistogram((histogram) => histogram.sum),
  histogram_avg: ofHistogram((histogram) => histogram.sum / histogram.count),
};

/** A function of the floats of a range; without any there is no result. */
function ofFloats(
  compute: (values: number[], times: number[], range: NaiveRange) => number | null,
): RangeFunction {
  return (range) => {
    const floats = range.points.filter(({ value }) => typeof value === 'number');
    if (floats.length === 0) return null;
    return compute(
      floats.map(({ value }) => value as number),
      floats.map(({ timeMs }) => timeMs / 1000),
      range,
    );
  };
}

/** How much a counter went up, every fall being a new start. */
function increaseOf(values: readonly number[]): number {
  let increase = values.at(-1)! - values[0]!;
  for (let i = 1; i < values.length; i++) {
    if (values[i]! < values[i - 1]!) increase += values[i - 1]!;
  }
  return increase;
}

/** By how much to multiply a change of `first` and what came after, to cover the whole range. */
function extrapolation(
  { points, startMs, endMs }: NaiveRange,
  first: number,
  change: number,
  isCounter: boolean,
  isRate: boolean,
): number {
  const [from, to] = [points[0]!.timeMs / 1000, points.at(-1)!.timeMs / 1000];
  const sampled = to - from;
  const distance = sampled / (points.length - 1);
  let before = from - startMs / 1000;
  let after = endMs / 1000 - to;
  if (before >= distance * 1.1) before = distance / 2;
  if (after >= distance * 1.1) after = distance / 2;
  if (isCounter && change > 0 && first >= 0) before = Math.min(before, sampled * (first / change));
  const factor = (sampled + before + after) / sampled;
  return isRate ? factor / ((endMs - startMs) / 1000) : factor;
}

function extrapolated(isCounter: boolean, isRate: boolean): RangeFunction {
  return (range) => {
    if (range.points.length < 2) return null;
    const values = range.points.map(({ value }) => value);
    if (values.every((value) => typeof value === 'number')) {
      const change = isCounter ? increaseOf(values) : values.at(-1)! - values[0]!;
      return change * extrapolation(range, values[0]!, change, isCounter, isRate);
    }
    if (values.some((value) => typeof value === 'number')) return null;
    const histograms = values as FloatHistogram[];
    const change = histogramChange(histograms, isCounter);
    const factor = extrapolation(range, histograms[0]!.count, change.count, isCounter, isRate);
    return multiplyHistogram(change, factor);
  };
}

function histogramChange(histograms: FloatHistogram[], isCounter: boolean): FloatHistogram {
  const notes = newCombineNotes();
  let change = subtractHistograms(histograms.at(-1)!, histograms[0]!, notes)!;
  for (let i = 1; i < histograms.length; i++) {
    const before = histograms[i - 1]!;
    if (isCounter && isCounterReset(histograms[i]!, before)) {
      change = addHistograms(change, before, notes)!;
    }
  }
  return change;
}

/** The same for floats and for histograms, but not for a mix. */
function additive(
  ofNumbers: (values: number[]) => number,
  ofTotal: (total: FloatHistogram, count: number) => FloatHistogram,
): RangeFunction {
  return ({ points }) => {
    const values = points.map(({ value }) => value);
    if (values.every((value) => typeof value === 'number')) return ofNumbers(values);
    if (values.some((value) => typeof value === 'number')) return null;
    const notes = newCombineNotes();
    const total = (values as FloatHistogram[]).reduce((a, b) => addHistograms(a, b, notes)!);
    return ofTotal(total, values.length);
  };
}

function lastTwo(isRate: boolean): RangeFunction {
  return ({ points }) => {
    const [previous, last] = points.slice(-2);
    if (last === undefined || previous === undefined) return null;
    const seconds = (last.timeMs - previous.timeMs) / 1000;
    if (typeof last.value === 'number' && typeof previous.value === 'number') {
      const isReset = isRate && last.value < previous.value;
      const change = isReset ? last.value : last.value - previous.value;
      return isRate ? change / seconds : change;
    }
    if (typeof last.value === 'number' || typeof previous.value === 'number') return null;
    const isReset = isRate && isCounterReset(last.value, previous.value);
    const change = isReset
      ? last.value
      : subtractHistograms(last.value, previous.value, newCombineNotes())!;
    return isRate ? multiplyHistogram(change, 1 / seconds) : change;
  };
}

/** Slope and value at `at` of the least-squares line. */
function lineThrough(values: number[], times: number[], at: number): [slope: number, y: number] {
  if (values.every((value) => value === values[0])) {
    return Number.isFinite(values[0]!) ? [0, values[0]!] : [NaN, NaN];
  }
  const xs = times.map((time) => time - times[0]!);
  const meanX = sum(xs) / xs.length;
  const meanY = sum(values) / values.length;
  const slope =
    sum(xs.map((x, i) => (x - meanX) * (values[i]! - meanY))) /
    sum(xs.map((x) => (x - meanX) ** 2));
  return [slope, meanY + slope * (at - times[0]! - meanX)];
}

function variance(values: readonly number[]): number {
  const mean = sum(values) / values.length;
  return sum(values.map((value) => (value - mean) ** 2)) / values.length;
}

const numbersOf = (values: readonly number[]): number[] =>
  values.filter((value) => !Number.isNaN(value));

export const NAIVE_RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: extrapolated(true, true),
  increase: extrapolated(true, false),
  delta: extrapolated(false, false),
  irate: lastTwo(true),
  idelta: lastTwo(false),
  deriv: ofFloats((values, times) =>
    values.length < 2 ? null : lineThrough(values, times, times[0]!)[0],
  ),
  predict_linear: (range, [ahead], timeMs) =>
    ofFloats((values, times) => {
      if (values.length < 2) return null;
      const [slope, now] = lineThrough(values, times, timeMs / 1000);
      return now + slope * ahead!;
    })(range, [], timeMs),
  avg_over_time: additive(
    (values) => sum(values) / values.length,
    (total, count) => multiplyHistogram(total, 1 / count),
  ),
  sum_over_time: additive(sum, (total) => total),
  min_over_time: ofFloats((values) => Math.min(...numbersOf(values), ...naNsAlone(values))),
  max_over_time: ofFloats((values) => Math.max(...numbersOf(values), ...naNsAlone(values))),
  count_over_time: ({ points }) => points.length,
  present_over_time: () => 1,
  first_over_time: ({ points }) => points[0]!.value,
  last_over_time: ({ points }) => points.at(-1)!.value,
  stddev_over_time: ofFloats((values) => Math.sqrt(variance(values))),
  stdvar_over_time: ofFloats(variance),
  quantile_over_time: (range, [quantile], timeMs) =>
    ofFloats((values) => quantileOf(quantile!, values))(range, [], timeMs),
  changes: ({ points }) => {
    let changes = 0;
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1]!.value, points[i]!.value];
      if (typeof a !== 'number' || typeof b !== 'number') {
        changes += typeof a === typeof b && JSON.stringify(a) === JSON.stringify(b) ? 0 : 1;
      } else if (!Object.is(a + 0, b + 0)) changes++;
    }
    return changes;
  },
  resets: ({ points }) => {
    const falls = (now: NaiveValue, before: NaiveValue): boolean => {
      if (typeof now === 'number' && typeof before === 'number') return now < before;
      if (typeof now === 'number' || typeof before === 'number') return true;
      return (now.hint === 'gauge') !== (before.hint === 'gauge') || isCounterReset(now, before);
    };
    return points.filter(({ value }, i) => i > 0 && falls(value, points[i - 1]!.value)).length;
  },
};

function naNsAlone(values: readonly number[]): number[] {
  return values.every((value) => Number.isNaN(value)) ? [NaN] : [];
}
