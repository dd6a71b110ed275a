/** A body in any exposition format, read as a scrape would read it, for who is handed one. */
import {
  type Appender,
  type FloatHistogram,
  type Histogram,
  Labels,
  type MetricMetadata,
  Relabeler,
  type SampleColumns,
  type SeriesRef,
} from '../model/index.ts';
import type { ReportSource } from './append-staged.ts';
import { schemaMaxOf } from './exposition/histogram-limits.ts';
import { negotiatedFormat } from './exposition/negotiate.ts';
import { SampleLabels } from './sample-labels.ts';
import { TargetReader } from './target-reader.ts';
import { TargetSeries } from './target-series.ts';

export type ReadSample = {
  readonly labels: Labels;
  readonly value: number;
  /** Null for floats. */
  readonly histogram: Histogram | FloatHistogram | null;
  readonly hasTimestamp: boolean;
};

export type ReadBody = {
  readonly samples: readonly ReadSample[];
  /** Samples that were left out because the body had one of the same series before. */
  readonly repeatedCount: number;
  /** By the name of the family. */
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
};

/** Given to samples without a time; no sample has it by itself. */
const NO_TIME_MS = Number.MAX_SAFE_INTEGER;
const NO_REPORT: ReportSource = { refs: new Float64Array(0), labels: () => Labels.EMPTY };

/**
 * @param contentType  decides the format; the text format where it is empty or unknown
 * @throws ExpositionError
 */
export function readExposition(body: Uint8Array, contentType: string): ReadBody {
  const format = negotiatedFormat(contentType, 'PrometheusText0.0.4');
  const reader = new TargetReader();
  const series = new TargetSeries({
    sampleLabels: new SampleLabels({
      targetLabels: Labels.EMPTY,
      honorLabels: true,
      nameScheme: 'utf8',
      metricRelabeler: new Relabeler([], 'utf8'),
      labelLimit: 0,
      labelNameLengthLimit: 0,
      labelValueLengthLimit: 0,
    }),
    honorTimestamps: true,
    trackTimestampsStaleness: true,
    sampleLimit: 0,
    scrapeNativeHistograms: true,
    convertClassicHistograms: false,
    keepClassicHistograms: false,
    nativeHistogramBucketLimit: 0,
    nativeHistogramSchemaMax: schemaMaxOf(0),
    appendMetadata: false,
    readsStarts: false,
    synthesizesStarts: false,
  });
  const recorder = new Recorder();
  reader.read(series, null, format, body, 0, recorder, NO_TIME_MS);
  series.finish();
  series.append(NO_REPORT);
  const repeatedCount = series.tally.duplicates;
  return { samples: recorder.samples, repeatedCount, metadata: reader.metadataOf(series) };
}

/** Keeps what it is told instead of storing it. */
class Recorder implements Appender {
  readonly samples: ReadSample[] = [];
  readonly #labels: Labels[] = [];

  series(labels: Labels): SeriesRef {
    // 0 stands for no series.
    return this.#labels.push(labels) as SeriesRef;
  }

  appendSamples(
    { count, refs, timestampsMs, values }: SampleColumns,
    outcomes: Uint8Array,
  ): number {
    for (let i = 0; i < count; i++) this.#add(refs[i]!, timestampsMs[i]!, values[i]!, null);
    outcomes.fill(0, 0, count);
    return 0;
  }

  appendHistogram(ref: SeriesRef, timestampMs: number, histogram: Histogram | FloatHistogram): 0 {
    this.#add(ref, timestampMs, 0, histogram);
    return 0;
  }

  #add(
    ref: number,
    timestampMs: number,
    value: number,
    histogram: Histogram | FloatHistogram | null,
  ): void {
    const labels = this.#labels[ref - 1]!;
    this.samples.push({ labels, value, histogram, hasTimestamp: timestampMs !== NO_TIME_MS });
  }

  appendExemplar(): boolean {
    return true;
  }
  updateMetadata(): void {}
  commit(): void {}
  rollback(): void {}
}
