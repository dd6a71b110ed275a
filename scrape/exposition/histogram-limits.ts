/**
 * Makes a scraped native histogram fit what its job allows: coarser buckets where it is too fine or
 * has too many.
 * Source: Prometheus configuration documentation, `native_histogram_bucket_limit` and
 * `native_histogram_min_bucket_factor`.
 */
import {
  CUSTOM_BUCKETS_SCHEMA,
  EXPONENTIAL_SCHEMA_MAX,
  EXPONENTIAL_SCHEMA_MIN,
  type FloatHistogram,
  type Histogram,
  reduceSchema,
} from '../../model/index.ts';

/** The finest schema whose buckets grow by at least `factor`; 0 allows every schema. */
export function schemaMaxOf(factor: number): number {
  let schema = EXPONENTIAL_SCHEMA_MAX;
  while (schema > EXPONENTIAL_SCHEMA_MIN && 2 ** (2 ** -schema) < factor) schema--;
  return factor > 0 ? schema : Infinity;
}

/** The histogram in a resolution that is allowed, or null when no resolution is. */
export function fitHistogram<T extends Histogram | FloatHistogram>(
  histogram: T,
  schemaMax: number,
  bucketLimit: number,
): T | null {
  let fitted = histogram;
  const isExponential = histogram.schema !== CUSTOM_BUCKETS_SCHEMA;
  if (isExponential && fitted.schema > schemaMax) fitted = reduceSchema(fitted, schemaMax);
  if (bucketLimit === 0) return fitted;
  while (bucketCountOf(fitted) > bucketLimit) {
    if (!isExponential || fitted.schema <= EXPONENTIAL_SCHEMA_MIN) return null;
    fitted = reduceSchema(fitted, fitted.schema - 1);
  }
  return fitted;
}

function bucketCountOf(histogram: Histogram | FloatHistogram): number {
  return histogram.kind === 'integer'
    ? histogram.positiveDeltas.length + histogram.negativeDeltas.length
    : histogram.positiveCounts.length + histogram.negativeCounts.length;
}
