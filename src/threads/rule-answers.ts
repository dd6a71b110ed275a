/** What rules ask of a query worker. Results are columns: they are worked with, not shown. */
import {
  type FloatHistogram,
  isStaleAt,
  Matcher,
  type Queryable,
  SampleBuffer,
  ValueError,
} from '../../model/index.ts';
import type { QueryAnswer } from '../../promql/index.ts';
import type { QueryCost } from '../query-metrics.ts';
import { Handover } from './rpc.ts';

/** Rows: labels as flat lists `[name, value, …]`, sorted by name. */
export type VectorColumns = {
  readonly labels: readonly (readonly string[])[];
  readonly values: Float64Array;
  /** Null while there are only floats. */
  readonly histograms: readonly (FloatHistogram | null)[] | null;
  readonly cost: QueryCost;
};

export type LatestColumns = {
  readonly labels: readonly (readonly string[])[];
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

export type LatestJob = {
  /** Labels that the series have to have. */
  readonly equal: Readonly<Record<string, string>>;
  readonly minMs: number;
  readonly maxMs: number;
};

/** @throws ValueError when the result is none that a rule can use */
export function vectorColumns(answer: QueryAnswer): Handover<VectorColumns> {
  const { result } = answer;
  const cost = ruleCost(answer);
  if (result.kind === 'scalar') {
    const values = Float64Array.of(result.value);
    return new Handover({ labels: [[]], values, histograms: null, cost }, [values.buffer]);
  }
  if (result.kind !== 'vector') throw new ValueError('rule result is not a vector or scalar');
  const { entries } = result;
  const values = new Float64Array(entries.length);
  let histograms: (FloatHistogram | null)[] | null = null;
  entries.forEach(({ value, histogram }, row) => {
    values[row] = value;
    if (histogram === null) return;
    histograms ??= Array.from(entries, () => null);
    histograms[row] = histogram;
  });
  const labels = entries.map((entry) => entry.labels.flat);
  return new Handover({ labels, values, histograms, cost }, [values.buffer]);
}

function ruleCost({ stats: { timings, samples }, result }: QueryAnswer): QueryCost {
  return {
    samples: samples.totalQueryableSamples,
    samplesRead: samples.samplesRead,
    seriesCount: result.kind === 'vector' ? result.entries.length : 1,
    prepareSeconds: timings.queryPreparationTime,
    evalSeconds: timings.innerEvalTime,
    sortSeconds: timings.resultSortTime,
  };
}

/** The newest float of every series that is no staleness marker; series without one are left out. */
export function latestColumns(queryable: Queryable, job: LatestJob): LatestColumns {
  const { minMs, maxMs, equal } = job;
  const querier = queryable.querier(minMs, maxMs);
  try {
    const matchers = Object.entries(equal).map(([name, value]) => new Matcher(name, '=', value));
    const selected = querier.select(matchers, { minMs, maxMs });
    const labels: (readonly string[])[] = [];
    const timestampsMs: number[] = [];
    const values: number[] = [];
    const buffer = new SampleBuffer();
    selected.labels.forEach((set, row) => {
      selected.read(row, minMs, maxMs, buffer);
      let last = buffer.count - 1;
      while (last >= 0 && (isStaleAt(buffer.values, last) || buffer.histograms?.[last])) last--;
      if (last < 0) return;
      labels.push(set.flat);
      timestampsMs.push(buffer.timestampsMs[last]!);
      values.push(buffer.values[last]!);
    });
    return {
      labels,
      timestampsMs: Float64Array.from(timestampsMs),
      values: Float64Array.from(values),
    };
  } finally {
    querier.close();
  }
}
