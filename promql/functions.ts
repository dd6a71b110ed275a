/**
 * The functions of PromQL 3.14: what they take, what they give, and a line that explains them.
 * Aggregations are operators, not functions; see `AGGREGATION_OPERATORS` in ast.ts.
 * Source: Prometheus query function documentation; signatures as `/api/v1/parse_query` shows them.
 */
import type { ValueType } from './ast.ts';

export type FunctionSignature = {
  readonly name: string;
  readonly argTypes: readonly ValueType[];
  /**
   * How the number of arguments may vary: 0 not at all; otherwise the last type may be left out,
   * and there may be up to `variadic` arguments of it, or any number when -1.
   */
  readonly variadic: number;
  readonly returnType: ValueType;
  /** Only with the feature `promql-experimental-functions`. */
  readonly experimental: boolean;
  /** One line for people, in Markdown. */
  readonly doc: string;
};

/** Fewest arguments that a call may have. */
export function argCountMin(func: FunctionSignature): number {
  return func.variadic === 0 ? func.argTypes.length : func.argTypes.length - 1;
}

/** Most arguments that a call may have. */
export function argCountMax(func: FunctionSignature): number {
  if (func.variadic < 0) return Infinity;
  return argCountMin(func) + func.variadic;
}

/** The type that the argument at `index` must have. */
export function argTypeAt(func: FunctionSignature, index: number): ValueType {
  return func.argTypes[Math.min(index, func.argTypes.length - 1)]!;
}

const table = new Map<string, FunctionSignature>();

type Options = { readonly variadic?: number; readonly experimental?: boolean };

function define(
  name: string,
  args: string,
  returnType: ValueType,
  doc: string,
  { variadic = 0, experimental = false }: Options = {},
): void {
  const argTypes = args === '' ? [] : (args.split(' ') as ValueType[]);
  table.set(name, { name, argTypes, variadic, returnType, experimental, doc });
}

const OPTIONAL: Options = { variadic: 1 };
const EXPERIMENTAL: Options = { experimental: true };

// Float values, one by one.
define('abs', 'vector', 'vector', 'Absolute value.');
define('ceil', 'vector', 'vector', 'Rounds up to a whole number.');
define('floor', 'vector', 'vector', 'Rounds down to a whole number.');
define(
  'round',
  'vector scalar',
  'vector',
  'Rounds to the nearest multiple of the second argument (1); ties go up.',
  OPTIONAL,
);
define('exp', 'vector', 'vector', 'e to the power of the value.');
define('sqrt', 'vector', 'vector', 'Square root.');
define('ln', 'vector', 'vector', 'Natural logarithm.');
define('log2', 'vector', 'vector', 'Logarithm to the base 2.');
define('log10', 'vector', 'vector', 'Logarithm to the base 10.');
define('sgn', 'vector', 'vector', 'Sign: 1, 0 or -1.');
define('clamp', 'vector scalar scalar', 'vector', 'Bounds values from below and above.');
define('clamp_min', 'vector scalar', 'vector', 'Bounds values from below.');
define('clamp_max', 'vector scalar', 'vector', 'Bounds values from above.');

// Trigonometry, in radians.
define('acos', 'vector', 'vector', 'Arccosine.');
define('acosh', 'vector', 'vector', 'Inverse hyperbolic cosine.');
define('asin', 'vector', 'vector', 'Arcsine.');
define('asinh', 'vector', 'vector', 'Inverse hyperbolic sine.');
define('atan', 'vector', 'vector', 'Arctangent.');
define('atanh', 'vector', 'vector', 'Inverse hyperbolic tangent.');
define('cos', 'vector', 'vector', 'Cosine.');
define('cosh', 'vector', 'vector', 'Hyperbolic cosine.');
define('sin', 'vector', 'vector', 'Sine.');
define('sinh', 'vector', 'vector', 'Hyperbolic sine.');
define('tan', 'vector', 'vector', 'Tangent.');
define('tanh', 'vector', 'vector', 'Hyperbolic tangent.');
define('deg', 'vector', 'vector', 'Radians to degrees.');
define('rad', 'vector', 'vector', 'Degrees to radians.');
define('pi', '', 'scalar', 'The number π.');

// Change over time.
define('rate', 'matrix', 'vector', 'Increase per second of a counter, extrapolated to the range.');
define('increase', 'matrix', 'vector', 'Increase of a counter over the range, extrapolated.');
define('irate', 'matrix', 'vector', 'Increase per second between the last two samples.');
define('delta', 'matrix', 'vector', 'Difference of a gauge over the range, extrapolated.');
define('idelta', 'matrix', 'vector', 'Difference between the last two samples.');
define('deriv', 'matrix', 'vector', 'Slope per second of a straight line through the samples.');
define(
  'predict_linear',
  'matrix scalar',
  'vector',
  'Where a straight line through the samples will be after so many seconds.',
);
define('changes', 'matrix', 'vector', 'How many times the value changed.');
define('resets', 'matrix', 'vector', 'How many times the counter fell.');
define(
  'double_exponential_smoothing',
  'matrix scalar scalar',
  'vector',
  'Smooths a gauge by a smoothing and a trend factor (Holt linear).',
  EXPERIMENTAL,
);

// Aggregation over time.
define('avg_over_time', 'matrix', 'vector', 'Average of the samples in the range.');
define('min_over_time', 'matrix', 'vector', 'Smallest value in the range.');
define('max_over_time', 'matrix', 'vector', 'Largest value in the range.');
define('sum_over_time', 'matrix', 'vector', 'Sum of the samples in the range.');
define('count_over_time', 'matrix', 'vector', 'Number of samples in the range.');
define('quantile_over_time', 'scalar matrix', 'vector', 'Quantile of the samples in the range.');
define('stddev_over_time', 'matrix', 'vector', 'Standard deviation over the range.');
define('stdvar_over_time', 'matrix', 'vector', 'Variance over the range.');
define('last_over_time', 'matrix', 'vector', 'Most recent sample in the range.');
define('first_over_time', 'matrix', 'vector', 'Oldest sample in the range.');
define('present_over_time', 'matrix', 'vector', '1 for every series with a sample in the range.');
define('absent_over_time', 'matrix', 'vector', '1 when no series has a sample in the range.');
define(
  'mad_over_time',
  'matrix',
  'vector',
  'Median of the distances from the median over the range.',
  EXPERIMENTAL,
);
define(
  'ts_of_min_over_time',
  'matrix',
  'vector',
  'Time of the last smallest value in the range.',
  EXPERIMENTAL,
);
define(
  'ts_of_max_over_time',
  'matrix',
  'vector',
  'Time of the last largest value in the range.',
  EXPERIMENTAL,
);
define(
  'ts_of_first_over_time',
  'matrix',
  'vector',
  'Time of the oldest sample in the range.',
  EXPERIMENTAL,
);
define(
  'ts_of_last_over_time',
  'matrix',
  'vector',
  'Time of the most recent sample in the range.',
  EXPERIMENTAL,
);

// Presence, conversion, order.
define('absent', 'vector', 'vector', '1 when the argument has no elements.');
define('scalar', 'vector', 'scalar', 'Value of the only element, or NaN.');
define('vector', 'scalar', 'vector', 'A vector of one element without labels.');
define('sort', 'vector', 'vector', 'Sorts by value, ascending (instant queries).');
define('sort_desc', 'vector', 'vector', 'Sorts by value, descending (instant queries).');
define(
  'sort_by_label',
  'vector string',
  'vector',
  'Sorts by the values of labels, numbers in them by size (instant queries).',
  { variadic: -1, experimental: true },
);
define(
  'sort_by_label_desc',
  'vector string',
  'vector',
  'As `sort_by_label`, descending (instant queries).',
  { variadic: -1, experimental: true },
);

// Labels.
define(
  'label_replace',
  'vector string string string string',
  'vector',
  'Sets a label from what a regular expression finds in another.',
);
define(
  'label_join',
  'vector string string string',
  'vector',
  'Sets a label to the values of others, joined by a separator.',
  { variadic: -1 },
);
define(
  'info',
  'vector vector',
  'vector',
  'Adds data labels of matching info series, such as `target_info`.',
  { variadic: 1, experimental: true },
);

// Time.
define('time', '', 'scalar', 'Time of the evaluation, in seconds since 1970.');
define('timestamp', 'vector', 'vector', 'Time of each sample.');
define(
  'start_timestamp',
  'vector',
  'vector',
  'Start time of each sample (feature `use-start-timestamps`).',
  EXPERIMENTAL,
);
define('minute', 'vector', 'vector', 'Minute of the hour, in UTC.', OPTIONAL);
define('hour', 'vector', 'vector', 'Hour of the day, in UTC.', OPTIONAL);
define('day_of_week', 'vector', 'vector', 'Day of the week in UTC; 0 is Sunday.', OPTIONAL);
define('day_of_month', 'vector', 'vector', 'Day of the month, in UTC.', OPTIONAL);
define('day_of_year', 'vector', 'vector', 'Day of the year, in UTC.', OPTIONAL);
define('days_in_month', 'vector', 'vector', 'How many days the month has, in UTC.', OPTIONAL);
define('month', 'vector', 'vector', 'Month of the year, in UTC; 1 is January.', OPTIONAL);
define('year', 'vector', 'vector', 'Year, in UTC.', OPTIONAL);
define('start', '', 'scalar', 'Start of the query, in seconds since 1970.', EXPERIMENTAL);
define('end', '', 'scalar', 'End of the query, in seconds since 1970.', EXPERIMENTAL);
define('range', '', 'scalar', 'Seconds between start and end of the query.', EXPERIMENTAL);
define('step', '', 'scalar', 'Step of the query in seconds.', EXPERIMENTAL);
define('min_of', 'scalar scalar', 'scalar', 'The smaller of two numbers.', EXPERIMENTAL);
define('max_of', 'scalar scalar', 'scalar', 'The larger of two numbers.', EXPERIMENTAL);

// Histograms.
define(
  'histogram_quantile',
  'scalar vector',
  'vector',
  'Quantile of classic or native histograms.',
);
define(
  'histogram_quantiles',
  'vector string scalar scalar',
  'vector',
  'Several quantiles at once, told apart by a label.',
  { variadic: 9, experimental: true },
);
define(
  'histogram_fraction',
  'scalar scalar vector',
  'vector',
  'Share of the observations between two bounds.',
);
define('histogram_count', 'vector', 'vector', 'Number of observations of native histograms.');
define('histogram_sum', 'vector', 'vector', 'Sum of the observations of native histograms.');
define('histogram_avg', 'vector', 'vector', 'Average observation of native histograms.');
define('histogram_stddev', 'vector', 'vector', 'Estimated standard deviation of observations.');
define('histogram_stdvar', 'vector', 'vector', 'Estimated variance of observations.');

/** Every function by its name; names are case-sensitive. */
export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = table;
