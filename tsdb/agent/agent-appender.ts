/** One batch on its way into an agent's log. Nothing of it can be queried. */
import {
  type Appender,
  AppendOutcome,
  assert,
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  type Labels,
  type MetricMetadata,
  type SampleColumns,
  type SeriesRef,
} from '../../model/index.ts';
import { StagedKind, StagedSamples } from '../head/staged-samples.ts';
import { emptyHistogram, type StartTimestampUse } from '../head/start-timestamps.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import type { MetadataRow } from '../record/metadata.ts';
import type { AgentSeries } from './agent-series.ts';

export type AgentBatch = {
  readonly samples: StagedSamples;
  readonly exemplars: readonly ExemplarRow[];
  readonly metadata: readonly MetadataRow[];
};

export type AgentAppenderOptions = {
  readonly series: AgentSeries;
  /** Samples may be so much older than the newest one of their series. */
  readonly outOfOrderWindowMs: number;
  readonly startTimestamps: StartTimestampUse;
  readonly create: (labels: Labels) => number;
  /** False: the series has just this exemplar as its last one. */
  readonly isNewExemplar: (row: ExemplarRow) => boolean;
  readonly isNewMetadata: (row: MetadataRow) => boolean;
  readonly onOutOfOrder: () => void;
  /** Writes it all, or throws. */
  readonly commit: (batch: AgentBatch) => void;
};

export class AgentAppender implements Appender {
  readonly #options: AgentAppenderOptions;
  readonly #samples = new StagedSamples();
  readonly #exemplars: ExemplarRow[] = [];
  readonly #metadata: MetadataRow[] = [];
  /** Newest times of this batch by ref. */
  readonly #staged = new Map<number, number>();
  #isOpen = true;

  constructor(options: AgentAppenderOptions) {
    this.#options = options;
  }

  series(labels: Labels): SeriesRef {
    const { series, create } = this.#options;
    return (series.find(labels) || create(labels)) as SeriesRef;
  }

  appendSamples(samples: SampleColumns, outcomes: Uint8Array): number {
    const { count, refs, timestampsMs, values } = samples;
    assert(outcomes.length >= count, 'outcomes too short');
    const halves = new Uint32Array(values.buffer, values.byteOffset, count * 2);
    const staged = this.#samples;
    const { startTimestampsMs } = samples;
    staged.reserve(count * 2); // each may bring one of zero with it
    let refusedCount = 0;
    for (let i = 0; i < count; i++) {
      const outcome = this.#judge(refs[i]!, timestampsMs[i]!);
      outcomes[i] = outcome;
      if (outcome !== AppendOutcome.Ok) {
        refusedCount++;
        continue;
      }
      const startMs = startTimestampsMs?.[i] ?? 0;
      this.#beginAt(refs[i]!, startMs, timestampsMs[i]!, null);
      const index = this.#stage(refs[i]!, timestampsMs[i]!, StagedKind.Float);
      this.#setStart(index, startMs);
      staged.valueHalves[index * 2] = halves[i * 2]!;
      staged.valueHalves[index * 2 + 1] = halves[i * 2 + 1]!;
    }
    return refusedCount;
  }

  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startTimestampMs = 0,
  ): AppendOutcome {
    const outcome = this.#judge(ref, timestampMs);
    if (outcome !== AppendOutcome.Ok) return outcome;
    this.#samples.reserve(2);
    this.#beginAt(ref, startTimestampMs, timestampMs, histogram);
    this.#stageHistogram(ref, timestampMs, histogram, startTimestampMs);
    return AppendOutcome.Ok;
  }

  appendExemplar(ref: SeriesRef, { labels, value, timestampMs }: Exemplar): boolean {
    const { series, isNewExemplar } = this.#options;
    if (!series.has(ref)) return false;
    // Without a time of its own it has that of the newest sample.
    const newestMs = this.#staged.get(ref) ?? series.newestMs(ref);
    const row = { ref, labels, value, timestampMs: timestampMs ?? newestMs };
    if (isNewExemplar(row)) this.#exemplars.push(row);
    return true;
  }

  updateMetadata(ref: SeriesRef, metadata: MetricMetadata): void {
    const row = { ref, metadata };
    if (this.#options.series.has(ref) && this.#options.isNewMetadata(row)) this.#metadata.push(row);
  }

  commit(): void {
    assert(this.#isOpen, 'an appender is used for one batch');
    this.#isOpen = false;
    this.#options.commit({
      samples: this.#samples,
      exemplars: this.#exemplars,
      metadata: this.#metadata,
    });
  }

  rollback(): void {
    this.#isOpen = false;
  }

  #judge(ref: number, timestampMs: number): AppendOutcome {
    const { series, outOfOrderWindowMs, onOutOfOrder } = this.#options;
    if (!series.has(ref)) return AppendOutcome.UnknownSeries;
    const newestMs = this.#staged.get(ref) ?? series.newestMs(ref);
    if (timestampMs > newestMs - outOfOrderWindowMs) return AppendOutcome.Ok;
    onOutOfOrder();
    return AppendOutcome.OutOfOrder;
  }

  /** A sample of zero, where one is wanted, at the time at which a counter began. */
  #beginAt(
    ref: number,
    startMs: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram | null,
  ): void {
    const { series, startTimestamps } = this.#options;
    if (startMs === 0 || !startTimestamps.isZeroSample) return;
    const newestMs = this.#staged.get(ref) ?? series.newestMs(ref);
    if (!(startMs > newestMs && startMs < timestampMs)) return;
    if (histogram !== null) {
      this.#stageHistogram(ref, startMs, emptyHistogram(histogram), 0);
      return;
    }
    const index = this.#stage(ref, startMs, StagedKind.Float);
    this.#samples.values[index] = 0;
  }

  #stageHistogram(
    ref: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startMs: number,
  ): void {
    const index = this.#stage(ref, timestampMs, StagedKind.Histogram);
    this.#samples.isPlain = false;
    this.#samples.histograms[index] = histogram;
    this.#setStart(index, startMs);
  }

  #setStart(index: number, startMs: number): void {
    if (this.#options.startTimestamps.isStored) this.#samples.setStart(index, startMs);
  }

  #stage(ref: number, timestampMs: number, kind: StagedKind): number {
    const staged = this.#samples;
    const index = staged.count++;
    staged.refs[index] = ref;
    staged.timestampsMs[index] = timestampMs;
    staged.kinds[index] = kind;
    if (timestampMs > (this.#staged.get(ref) ?? -Infinity)) this.#staged.set(ref, timestampMs);
    return index;
  }
}
