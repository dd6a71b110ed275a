/**
 * Warnings and infos: what a query result should be read with. Each points at the expression it is
 * about. Texts and the rules for merging were observed on Prometheus 3.14's query API.
 */
import { formatFloatShort, quoteText, type TextRange } from '../model/index.ts';
import type { BinaryOperator } from './ast.ts';
import { formatPosition } from './position.ts';

export type AnnotationLevel = 'warning' | 'info';

/** Details of a repair of non-monotonic classic buckets; merged over steps and series. */
export type MonotonicityDetails = {
  /** Upper bounds of the lowest and highest bucket that was changed. */
  readonly lowestBound: number;
  readonly highestBound: number;
  /** Largest change of a bucket count. */
  readonly differenceMax: number;
  /** How many histograms were repaired, and when the first and last of them were. */
  readonly sampleCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
};

export type Annotation = {
  readonly level: AnnotationLevel;
  /** Without level, details and position; annotations of equal message are one. */
  readonly message: string;
  readonly range: TextRange;
  readonly monotonicity?: MonotonicityDetails;
};

function warning(message: string, range: TextRange): Annotation {
  return { level: 'warning', message, range };
}

function info(message: string, range: TextRange): Annotation {
  return { level: 'info', message, range };
}

/** `metricName` is empty where the name is gone already; then most messages do without. */
function forMetric(metricName: string): string {
  return metricName === '' ? '' : forMetricOrNone(metricName);
}

/** For those that name it even then. */
function forMetricOrNone(metricName: string): string {
  return ` for metric name ${quoteText(metricName)}`;
}

// --- Warnings ---

/** `limit_ratio` with a ratio outside of -1…1. */
export function invalidRatio(ratio: number, cappedTo: number, range: TextRange): Annotation {
  const got = formatFloatShort(ratio);
  return warning(
    `ratio value should be between -1 and 1, got ${got}, capping to ${formatFloatShort(cappedTo)}`,
    range,
  );
}

/** A quantile outside of 0…1, or NaN. */
export function invalidQuantile(quantile: number, range: TextRange): Annotation {
  return warning(
    `quantile value should be between 0 and 1, got ${formatFloatShort(quantile)}`,
    range,
  );
}

/** A classic bucket whose `le` is absent or not a number. */
export function badBucketLabel(le: string, metricName: string, range: TextRange): Annotation {
  const value = quoteText(le);
  return warning(
    `bucket label "le" is missing or has a malformed value of ${value}${forMetric(metricName)}`,
    range,
  );
}

/** Floats and histograms in one range of one series. */
export function mixedFloatsHistograms(metricName: string, range: TextRange): Annotation {
  return warning(`encountered a mix of histograms and floats${forMetricOrNone(metricName)}`, range);
}

/** Floats and histograms in one group of `sum` or `avg`. */
export function mixedFloatsHistogramsAggregation(range: TextRange): Annotation {
  return warning('encountered a mix of histograms and floats for aggregation', range);
}

/** Buckets of a classic histogram beside a native one with the same labels. */
export function mixedClassicNativeHistograms(metricName: string, range: TextRange): Annotation {
  return warning(
    `vector contains a mix of classic and native histograms${forMetric(metricName)}`,
    range,
  );
}

/** `rate` and the like on a gauge histogram. */
export function nativeHistogramNotCounter(metricName: string, range: TextRange): Annotation {
  return warning(`this native histogram metric is not a counter: ${quoteText(metricName)}`, range);
}

/** `delta` and the like on a counter histogram. */
export function nativeHistogramNotGauge(metricName: string, range: TextRange): Annotation {
  return warning(`this native histogram metric is not a gauge: ${quoteText(metricName)}`, range);
}

/** Exponential and custom bounds do not add up. */
export function mixedExponentialCustomHistograms(metricName: string, range: TextRange): Annotation {
  return warning(
    'vector contains a mix of histograms with exponential and custom buckets schemas' +
      forMetricOrNone(metricName),
    range,
  );
}

/** Exponential and custom bounds on the two sides of an operator. */
export function incompatibleBucketLayout(operator: BinaryOperator, range: TextRange): Annotation {
  return warning(`incompatible bucket layout encountered for binary operator ${operator}`, range);
}

/** `sort` and its kin in a range query. */
export function sortInRangeQuery(range: TextRange): Annotation {
  return warning(
    'sort is ineffective for range queries since results are always ordered by labels',
    range,
  );
}

/** What was going on when two histograms met. */
export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';

/** One histogram says that its counter was reset, the other that it was not. */
export function counterResetCollision(operation: HistogramOperation, range: TextRange): Annotation {
  return warning(`conflicting counter resets during histogram ${operation}`, range);
}

/** A sample's start timestamp lies before the sample that precedes it, yet is not that one's. */
export function startTimeOverlap(metricName: string, range: TextRange): Annotation {
  return warning(
    'sample has start time that overlaps with previous sample timestamp for metric ' +
      quoteText(metricName),
    range,
  );
}

// --- Infos ---

/** `rate` or `increase` on a name that does not look like a counter's. */
export function possibleNonCounter(metricName: string, range: TextRange): Annotation {
  return info(
    'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ' +
      quoteText(metricName),
    range,
  );
}

/** The same, judged by the label `__type__` (feature type-and-unit-labels). */
export function possibleNonCounterLabel(
  metricName: string,
  typeLabel: string,
  range: TextRange,
): Annotation {
  return info(
    'metric might not be a counter, __type__ label is not set to "counter" or "histogram", ' +
      `got ${quoteText(typeLabel)}: ${quoteText(metricName)}`,
    range,
  );
}

/** Classic bucket counts fell where they may only rise. */
export function histogramQuantileForcedMonotonicity(
  metricName: string,
  range: TextRange,
  monotonicity: MonotonicityDetails,
): Annotation {
  const message =
    'input to histogram_quantile needed to be fixed for monotonicity (see ' +
    'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)' +
    forMetric(metricName);
  return { level: 'info', message, range, monotonicity };
}

export type SampleKind = 'float' | 'histogram';

/** An operator that is not defined for these two kinds of samples. */
export function incompatibleTypesInBinary(
  left: SampleKind,
  operator: BinaryOperator,
  right: SampleKind,
  range: TextRange,
): Annotation {
  return info(
    `incompatible sample types encountered for binary operator "${operator}": ` +
      `${left} ${operator} ${right}`,
    range,
  );
}

/** An aggregation that only knows floats met a histogram. */
export function histogramIgnoredInAggregation(aggregation: string, range: TextRange): Annotation {
  return info(`ignored histogram in ${aggregation} aggregation`, range);
}

/** A range function that only knows floats met both kinds. */
export function histogramIgnoredInMixedRange(metricName: string, range: TextRange): Annotation {
  return info(
    `ignored histograms in a range containing both floats and histograms${forMetricOrNone(metricName)}`,
    range,
  );
}

/** `histogram_quantile` fell among NaN observations. */
export function nativeHistogramQuantileNaNResult(metricName: string, range: TextRange): Annotation {
  return info(
    `input to histogram_quantile has NaN observations, result is NaN${forMetric(metricName)}`,
    range,
  );
}

/** NaN observations counted as infinitely large. */
export function nativeHistogramQuantileNaNSkew(metricName: string, range: TextRange): Annotation {
  return info(
    'input to histogram_quantile has NaN observations, result is skewed higher' +
      forMetric(metricName),
    range,
  );
}

/** NaN observations belong to no fraction. */
export function nativeHistogramFractionNaNs(metricName: string, range: TextRange): Annotation {
  return info(
    'input to histogram_fraction has NaN observations, which are excluded from all fractions' +
      forMetric(metricName),
    range,
  );
}

/** Custom bounds that differ were brought to their common ones. */
export function mismatchedCustomBuckets(
  operation: HistogramOperation,
  range: TextRange,
): Annotation {
  return info(`mismatched custom buckets were reconciled during ${operation}`, range);
}

// --- Collecting and showing ---

/**
 * The annotations of one query. Equal messages are kept once: the later position wins, except that
 * repairs of monotonicity keep the first and merge their details.
 */
export class AnnotationSet {
  readonly #byMessage = new Map<string, Annotation>();

  get size(): number {
    return this.#byMessage.size;
  }

  [Symbol.iterator](): IterableIterator<Annotation> {
    return this.#byMessage.values();
  }

  add(annotation: Annotation): void {
    const { message, monotonicity } = annotation;
    const existing = monotonicity && this.#byMessage.get(message);
    if (!existing?.monotonicity) {
      this.#byMessage.set(message, annotation);
      return;
    }
    const merged = mergeMonotonicity(existing.monotonicity, monotonicity!);
    this.#byMessage.set(message, { ...existing, monotonicity: merged });
  }

  addAll(annotations: Iterable<Annotation>): void {
    for (const annotation of annotations) this.add(annotation);
  }

  /**
   * Texts as the query API returns them: at most `countMax` of each level (0: no bound), then one
   * line that counts the rest.
   */
  texts(query: string, countMax = 10): { warnings: string[]; infos: string[] } {
    return {
      warnings: this.#textsOf('warning', query, countMax),
      infos: this.#textsOf('info', query, countMax),
    };
  }

  #textsOf(level: AnnotationLevel, query: string, countMax: number): string[] {
    const texts: string[] = [];
    let omittedCount = 0;
    for (const annotation of this.#byMessage.values()) {
      if (annotation.level !== level) continue;
      if (countMax > 0 && texts.length === countMax) omittedCount++;
      else texts.push(formatAnnotation(annotation, query));
    }
    if (omittedCount > 0) texts.push(`${omittedCount} more ${level} annotations omitted`);
    return texts;
  }
}

function mergeMonotonicity(a: MonotonicityDetails, b: MonotonicityDetails): MonotonicityDetails {
  return {
    lowestBound: Math.min(a.lowestBound, b.lowestBound),
    highestBound: Math.max(a.highestBound, b.highestBound),
    differenceMax: Math.max(a.differenceMax, b.differenceMax),
    sampleCount: a.sampleCount + b.sampleCount,
    firstMs: Math.min(a.firstMs, b.firstMs),
    lastMs: Math.max(a.lastMs, b.lastMs),
  };
}

/** `PromQL warning: … (line:column)`. */
export function formatAnnotation(annotation: Annotation, query: string): string {
  const { level, message, monotonicity, range } = annotation;
  const details = monotonicity ? formatMonotonicity(monotonicity) : '';
  return `PromQL ${level}: ${message}${details} (${formatPosition(query, range.start)})`;
}

function formatMonotonicity(details: MonotonicityDetails): string {
  const { lowestBound, highestBound, differenceMax, sampleCount, firstMs, lastMs } = details;
  return (
    `, from buckets ${formatFloatShort(lowestBound)} to ${formatFloatShort(highestBound)}` +
    `, with a max diff of ${formatTwoDigits(differenceMax)}, over ${sampleCount} samples` +
    ` from ${formatSecond(firstMs)} to ${formatSecond(lastMs)}`
  );
}

/** Two significant digits, with an exponent where those do not reach the decimal point. */
function formatTwoDigits(value: number): string {
  return formatFloatShort(Number(value.toPrecision(2)), 2);
}

/** RFC 3339 in UTC, cut to whole seconds. */
function formatSecond(timestampMs: number): string {
  const wholeMs = Math.floor(timestampMs / 1000) * 1000;
  return new Date(wholeMs).toISOString().replace('.000Z', 'Z');
}
