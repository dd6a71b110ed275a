/** What rules write, on its way into the database. */
import {
  type Appendable,
  AppendOutcome,
  type FloatHistogram,
  Labels,
  NO_SERIES,
  writeStaleNaN,
} from '../../model/index.ts';

/** One rule's samples of one evaluation. Labels are flat lists, sorted by name. */
export type RuleBatch = {
  readonly labels: readonly (readonly string[])[];
  readonly values: Float64Array;
  readonly histograms: readonly (FloatHistogram | null)[] | null;
  readonly timestampMs: number;
  /** Series that get a staleness marker. */
  readonly ended: readonly (readonly string[])[];
};

/** Stores a batch at once. @returns an AppendOutcome for each of `labels` */
export function appendRuleBatch(db: Appendable, batch: RuleBatch): Uint8Array {
  const { labels, values, histograms, timestampMs, ended } = batch;
  const appender = db.appender();
  const outcomes = new Uint8Array(labels.length);
  const rows: number[] = [];
  const sizeMax = labels.length + ended.length;
  const columns = {
    count: 0,
    refs: new Float64Array(sizeMax),
    timestampsMs: new Float64Array(sizeMax).fill(timestampMs),
    values: new Float64Array(sizeMax),
  };
  labels.forEach((flat, row) => {
    const ref = appender.series(Labels.fromSorted(flat));
    const histogram = histograms?.[row] ?? null;
    if (ref === NO_SERIES) outcomes[row] = AppendOutcome.SeriesRefused;
    else if (histogram !== null) {
      outcomes[row] = appender.appendHistogram(ref, timestampMs, histogram);
    } else {
      columns.refs[columns.count] = ref;
      columns.values[columns.count] = values[row]!;
      columns.count++;
      rows.push(row);
    }
  });
  for (const flat of ended) {
    const ref = appender.series(Labels.fromSorted(flat));
    if (ref === NO_SERIES) continue;
    columns.refs[columns.count] = ref;
    writeStaleNaN(columns.values, columns.count);
    columns.count++;
  }
  const columnOutcomes = new Uint8Array(columns.count);
  appender.appendSamples(columns, columnOutcomes);
  rows.forEach((row, index) => (outcomes[row] = columnOutcomes[index]!));
  appender.commit();
  return outcomes;
}
