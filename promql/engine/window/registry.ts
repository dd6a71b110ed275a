/** The range functions by name. */
import {
  maxOverTime,
  minOverTime,
  timeOfMaxOverTime,
  timeOfMinOverTime,
} from '../kernels/over-time.ts';
import { madOverTime, stddevOverTime, stdvarOverTime } from '../kernels/spread.ts';
import { derivOverTime } from '../kernels/trend.ts';
import { avgWindows, sumWindows } from './histogram-over-time.ts';
import { numeric, predictLinearWindows, quantileWindows, smoothingWindows } from './numeric.ts';
import {
  changesWindows,
  countWindows,
  firstWindows,
  lastWindows,
  presentWindows,
  resetsWindows,
  timeOfFirstWindows,
  timeOfLastWindows,
} from './presence.ts';
import { instantRateFunction, rateFunction } from './rate.ts';
import type { WindowFunction } from './window-function.ts';

export const WINDOW_FUNCTIONS: ReadonlyMap<string, WindowFunction> = new Map([
  ['rate', rateFunction(true, true)],
  ['increase', rateFunction(true, false)],
  ['delta', rateFunction(false, false)],
  ['irate', instantRateFunction(true)],
  ['idelta', instantRateFunction(false)],
  ['deriv', numeric(derivOverTime)],
  ['predict_linear', predictLinearWindows],
  ['double_exponential_smoothing', smoothingWindows],
  ['changes', changesWindows],
  ['resets', resetsWindows],
  ['avg_over_time', avgWindows],
  ['sum_over_time', sumWindows],
  ['min_over_time', numeric(minOverTime)],
  ['max_over_time', numeric(maxOverTime)],
  ['count_over_time', countWindows],
  ['stddev_over_time', numeric(stddevOverTime)],
  ['stdvar_over_time', numeric(stdvarOverTime)],
  ['quantile_over_time', quantileWindows],
  ['mad_over_time', numeric(madOverTime)],
  ['first_over_time', firstWindows],
  ['last_over_time', lastWindows],
  ['present_over_time', presentWindows],
  ['ts_of_min_over_time', numeric(timeOfMinOverTime)],
  ['ts_of_max_over_time', numeric(timeOfMaxOverTime)],
  ['ts_of_first_over_time', timeOfFirstWindows],
  ['ts_of_last_over_time', timeOfLastWindows],
]);

/** Functions whose result is still the sample that was read, so that the name stays right. */
export const NAME_KEEPING_WINDOW_FUNCTIONS: ReadonlySet<string> = new Set([
  'last_over_time',
  'first_over_time',
]);
