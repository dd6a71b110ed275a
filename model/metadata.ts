/** What a metric is about, as its exposition or sender told. */
export const METRIC_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;
export type MetricType = (typeof METRIC_TYPES)[number];

export type MetricMetadata = {
  readonly type: MetricType;
  readonly unit: string;
  readonly help: string;
};
