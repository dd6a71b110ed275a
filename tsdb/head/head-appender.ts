/**
 * One batch on its way into the head. Staging judges every sample against its series and against
 * what this batch brought before; commit writes the log first, then the chunks, then publishes.
 */
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
import { Word } from '../memory/control-block.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import type { MetadataRow } from '../record/metadata.ts';
import { type AppendBounds, Placement, placeSample } from './append-rules.ts';
import { ExemplarVerdict } from './exemplar-ring.ts';
import type { Head } from './head.ts';
import { TIMESTAMP_LIMIT_MS } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import { StagedKind, type StagedSamples } from './staged-samples.ts';
import { emptyHistogram } from './start-timestamps.ts';

export class HeadAppender implements Appender {
  readonly #head: Head;
  readonly #bounds: AppendBounds;
  /** Tells this appender's marks in series records from others'. */
  readonly #owner: number;
  #staged: StagedSamples | null;
  #exemplars: ExemplarRow[] = [];
  #metadata: MetadataRow[] = [];

  constructor(head: Head, owner: number, bounds: AppendBounds, staged: StagedSamples) {
    this.#head = head;
    this.#owner = owner;
    this.#bounds = bounds;
    this.#staged = staged;
  }

  series(labels: Labels): SeriesRef {
    return this.#head.findOrCreate(labels) as SeriesRef;
  }

  appendSamples(samples: SampleColumns, outcomes: Uint8Array): number {
    const staged = this.#open();
    const { count, refs, timestampsMs, values } = samples;
    assert(outcomes.length >= count, 'outcomes too short');
    // Null where nobody wants to know: the loop is not to ask for each sample.
    const starts = this.#wantsStarts ? (samples.startTimestampsMs ?? null) : null;
    // A sample may bring one of zero with it.
    staged.reserve(starts === null ? count : count * 2);
    const halves = new Uint32Array(values.buffer, values.byteOffset, count * 2);
    const { heap } = this.#head;
    const { u32, f64 } = heap;
    const owner = this.#owner;
    const { validMs } = this.#bounds;
    const lastRef = u32[Word.LastRef]!;
    const stagedTimes = staged.timestampsMs;
    let refusedCount = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      const timestampMs = timestampsMs[i]!;
      const record = ref > 0 && ref <= lastRef ? findRecord(heap, ref) : 0;
      if (record === 0) {
        outcomes[i] = AppendOutcome.UnknownSeries;
        this.#head.counters.unknownSeries++;
        refusedCount++;
        continue;
      }
      const word = record >>> 2;
      const isPending = u32[word + Rec.PENDING_OWNER] === owner;
      const lastMs = isPending
        ? stagedTimes[u32[word + Rec.PENDING_INDEX]!]!
        : f64[(record >>> 3) + Rec.MAX_TIME]!;
      if (timestampMs > lastMs && timestampMs >= validMs && timestampMs < TIMESTAMP_LIMIT_MS) {
        outcomes[i] = AppendOutcome.Ok;
        if (starts !== null) this.#beginAt(record, ref, starts[i]!, lastMs, timestampMs, null);
        this.#stage(record, ref, timestampMs, StagedKind.Float);
        const index = staged.count - 1;
        staged.valueHalves[index * 2] = halves[i * 2]!;
        staged.valueHalves[index * 2 + 1] = halves[i * 2 + 1]!;
        if (starts !== null) this.#setStart(index, starts[i]!);
        continue;
      }
      const low = halves[i * 2]!;
      const high = halves[i * 2 + 1]!;
      const index = staged.count;
      const outcome = this.#placeOtherFloat(record, ref, timestampMs, lastMs, low, high);
      outcomes[i] = outcome;
      if (starts !== null && staged.count > index) this.#setStart(index, starts[i]!);
      if (outcome !== AppendOutcome.Ok) refusedCount++;
    }
    return refusedCount;
  }

  /** Apart from the loop above, where a closure would cost memory for every sample. */
  #placeOtherFloat(
    record: number,
    ref: number,
    timestampMs: number,
    lastMs: number,
    low: number,
    high: number,
  ): AppendOutcome {
    const staged = this.#open();
    const index = staged.count;
    const isEqual = () => this.#equalsNewest(record, low, high);
    const outcome = this.#placeOther(record, ref, timestampMs, lastMs, isEqual, false);
    if (staged.count > index) {
      staged.valueHalves[index * 2] = low;
      staged.valueHalves[index * 2 + 1] = high;
    }
    return outcome;
  }

  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startTimestampMs = 0,
  ): AppendOutcome {
    const staged = this.#open();
    const startMs = this.#wantsStarts ? startTimestampMs : 0;
    const { heap } = this.#head;
    const record = ref > 0 && ref <= heap.u32[Word.LastRef]! ? findRecord(heap, ref) : 0;
    if (record === 0) {
      this.#head.counters.unknownSeries++;
      return AppendOutcome.UnknownSeries;
    }
    staged.reserve(2);
    const word = record >>> 2;
    const isPending = heap.u32[word + Rec.PENDING_OWNER] === this.#owner;
    const pendingIndex = heap.u32[word + Rec.PENDING_INDEX]!;
    const lastMs = isPending
      ? staged.timestampsMs[pendingIndex]!
      : heap.f64[(record >>> 3) + Rec.MAX_TIME]!;
    if (
      timestampMs > lastMs &&
      timestampMs >= this.#bounds.validMs &&
      timestampMs < TIMESTAMP_LIMIT_MS
    ) {
      this.#beginAt(record, ref, startMs, lastMs, timestampMs, histogram);
      this.#stage(record, ref, timestampMs, StagedKind.Histogram);
      const index = staged.count - 1;
      staged.histograms[index] = histogram;
      this.#setStart(index, startMs);
      return AppendOutcome.Ok;
    }
    const isEqual = () =>
      isPending
        ? this.#head.histograms.equals(staged.histograms[pendingIndex], histogram)
        : this.#head.histograms.equalsNewest(record, histogram);
    const countBefore = staged.count;
    const outcome = this.#placeOther(record, ref, timestampMs, lastMs, isEqual, true);
    if (staged.count > countBefore) {
      staged.histograms[countBefore] = histogram;
      this.#setStart(countBefore, startMs);
    }
    return outcome;
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): boolean {
    const { heap, exemplars } = this.#head;
    const record = ref > 0 ? findRecord(heap, ref) : 0;
    if (record === 0) return false;
    // Without a time of its own it has that of the newest sample.
    const timestampMs = exemplar.timestampMs ?? this.#newestMs(record);
    const { outOfOrderWindowMs } = this.#bounds;
    const verdict = exemplars.judge(ref, exemplar, timestampMs, outOfOrderWindowMs);
    if (verdict === ExemplarVerdict.OutOfOrder) exemplars.outOfOrderCount++;
    if (verdict !== ExemplarVerdict.Added) return verdict !== ExemplarVerdict.OutOfOrder;
    const last = this.#exemplars.findLast((row) => row.ref === ref);
    if (last !== undefined && timestampMs <= last.timestampMs) {
      if (timestampMs === last.timestampMs && exemplar.labels.equals(last.labels)) return true;
      exemplars.outOfOrderCount++;
      return false;
    }
    this.#exemplars.push({ ref, timestampMs, value: exemplar.value, labels: exemplar.labels });
    return true;
  }

  updateMetadata(ref: SeriesRef, metadata: MetricMetadata): void {
    const { heap } = this.#head;
    const record = ref > 0 ? findRecord(heap, ref) : 0;
    if (record === 0) return;
    const number = this.#head.metadata.intern(metadata);
    const owner = (record >>> 2) + Rec.METADATA;
    if (heap.u32[owner] === number) return;
    heap.u32[owner] = number;
    if (this.#head.logsMetadata) this.#metadata.push({ ref, metadata });
  }

  commit(): void {
    const staged = this.#open();
    try {
      this.#head.commit(staged, this.#exemplars, this.#metadata);
    } finally {
      this.#end();
    }
  }

  rollback(): void {
    if (this.#staged !== null) this.#end();
  }

  #open(): StagedSamples {
    assert(this.#staged !== null, 'an appender is used for one batch');
    return this.#staged;
  }

  #end(): void {
    const staged = this.#staged!;
    this.#staged = null;
    this.#head.endAppender(this.#owner, staged);
  }

  get #wantsStarts(): boolean {
    const { isStored, isZeroSample } = this.#head.options.startTimestamps;
    return isStored || isZeroSample;
  }

  /**
   * Stages a sample of zero, where one is wanted, at the time at which a counter began: behind the
   * newest sample of its series and before the one that tells of it. Elsewhere it is not missed: the
   * same start comes with every sample.
   *
   * @param histogram  what the series is about to get; null for a float
   */
  #beginAt(
    record: number,
    ref: number,
    startMs: number,
    lastMs: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram | null,
  ): void {
    if (startMs === 0 || !this.#head.options.startTimestamps.isZeroSample) return;
    if (!(startMs > lastMs && startMs < timestampMs && startMs >= this.#bounds.validMs)) return;
    // The first sample of an empty head bounds it as it will bound those that follow.
    if (startMs < timestampMs - this.#head.options.chunkRangeMs / 2) return;
    const staged = this.#staged!;
    const kind = histogram === null ? StagedKind.Float : StagedKind.Histogram;
    this.#stage(record, ref, startMs, kind);
    const index = staged.count - 1;
    if (histogram !== null) staged.histograms[index] = emptyHistogram(histogram);
    staged.valueHalves[index * 2] = 0;
    staged.valueHalves[index * 2 + 1] = 0;
  }

  #setStart(index: number, startMs: number): void {
    if (this.#head.options.startTimestamps.isStored) this.#staged!.setStart(index, startMs);
  }

  /** Files a sample that was found good. Its value is the caller's to fill in. */
  #stage(record: number, ref: number, timestampMs: number, kind: StagedKind): void {
    const staged = this.#staged!;
    const { u32 } = this.#head.heap;
    const index = staged.count++;
    staged.records[index] = record;
    staged.refs[index] = ref;
    staged.timestampsMs[index] = timestampMs;
    staged.kinds[index] = kind;
    if (kind !== StagedKind.Float) staged.isPlain = false;
    if (kind === StagedKind.LateFloat || kind === StagedKind.LateHistogram) {
      staged.hasLate = true;
      return;
    }
    u32[(record >>> 2) + Rec.PENDING_OWNER] = this.#owner;
    u32[(record >>> 2) + Rec.PENDING_INDEX] = index;
  }

  /** What to do with a sample that is not simply the newest. */
  #placeOther(
    record: number,
    ref: number,
    timestampMs: number,
    lastMs: number,
    isEqual: () => boolean,
    isHistogram: boolean,
  ): AppendOutcome {
    const { placement, outcome } = placeSample(timestampMs, lastMs, isEqual, this.#bounds);
    const isLate = outcome === AppendOutcome.OutOfOrder || outcome === AppendOutcome.TooOld;
    if (isLate || placement === Placement.OutOfOrder) {
      this.#head.onLate(this.#bounds.headMaxMs - timestampMs);
    }
    if (placement === Placement.OutOfOrder) {
      this.#stage(
        record,
        ref,
        timestampMs,
        isHistogram ? StagedKind.LateHistogram : StagedKind.LateFloat,
      );
    } else if (placement === Placement.Refused) {
      this.#head.countRefused(outcome, isHistogram);
    }
    return outcome;
  }

  /** Whether a float equals the series' newest sample, staged or committed, bit for bit. */
  #equalsNewest(record: number, low: number, high: number): boolean {
    const staged = this.#staged!;
    const { u32 } = this.#head.heap;
    const word = record >>> 2;
    if (u32[word + Rec.PENDING_OWNER] === this.#owner) {
      const index = u32[word + Rec.PENDING_INDEX]!;
      if (staged.kinds[index] !== StagedKind.Float) return false;
      const halves = staged.valueHalves;
      return halves[index * 2] === low && halves[index * 2 + 1] === high;
    }
    if ((u32[word + Rec.WINDOW]! & Rec.FLAG_VALUE_KNOWN) === 0) return false;
    return u32[word + Rec.VALUE_LOW] === low && u32[word + Rec.VALUE_HIGH] === high;
  }

  #newestMs(record: number): number {
    const { u32, f64 } = this.#head.heap;
    const word = record >>> 2;
    if (u32[word + Rec.PENDING_OWNER] !== this.#owner) return f64[(record >>> 3) + Rec.MAX_TIME]!;
    return this.#staged!.timestampsMs[u32[word + Rec.PENDING_INDEX]!]!;
  }
}
