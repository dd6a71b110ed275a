/** Shapes of query results on the wire. Source: "Expression query result formats". */
export type LabelSet = Record<string, string>;
/** Unix seconds and the value as text, because JSON has no NaN and no infinity. */
export type WireSample = [timestampSeconds: number, value: string];
/** Boundary rule (0 open left, 1 open right, 2 open both, 3 closed both), bounds and count. */
export type WireBucket = [rule: number, left: string, right: string, count: string];
export type WireHistogram = { count: string; sum: string; buckets?: WireBucket[] };
type WireHistogramSample = [timestampSeconds: number, histogram: WireHistogram];

export type VectorSample = {
  metric: LabelSet;
  value?: WireSample;
  histogram?: WireHistogramSample;
};
export type MatrixSeries = {
  metric: LabelSet;
  values?: WireSample[];
  histograms?: WireHistogramSample[];
};

export type QueryResult =
  | { resultType: 'vector'; result: VectorSample[] }
  | { resultType: 'matrix'; result: MatrixSeries[] }
  | { resultType: 'scalar'; result: WireSample }
  | { resultType: 'string'; result: WireSample };

export type QueryStats = {
  timings: Record<string, number>;
  samples?: { totalQueryableSamples: number; peakSamples: number };
};
