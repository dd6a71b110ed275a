/**
 * Takes in samples that come out of order: logs them, puts them into the buffers of their series,
 * and seals full buffers.
 */
import type { FloatHistogram, Histogram } from '../../model/index.ts';
import { Time } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import type { MmapMarker } from '../record/mmap-markers.ts';
import { noteChunkFile } from './chunk-flusher.ts';
import type { HeadChunkPlace, HeadChunkWriter } from './head-chunk-files.ts';
import type { Isolation } from './isolation.ts';
import { chunkRefOf, type LateLog } from './late-log.ts';
import type { OutOfOrder } from './out-of-order.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import { StagedKind, type StagedSamples } from './staged-samples.ts';

export type LateFiles = { readonly log: LateLog; readonly chunks: HeadChunkWriter };

export class LateWriter {
  readonly counters = {
    stored: { float: 0, histogram: 0 },
    /** There was a late sample with the same time already. */
    duplicate: { float: 0, histogram: 0 },
    sealed: 0,
    failedSeals: 0,
  };
  /** As `SeriesWriter` has it. */
  histogramChunksHoldStarts = true;
  readonly #heap: Heap;
  readonly #outOfOrder: OutOfOrder;
  readonly #isolation: Isolation;
  #files: LateFiles | null = null;

  constructor(heap: Heap, outOfOrder: OutOfOrder, isolation: Isolation) {
    this.#heap = heap;
    this.#outOfOrder = outOfOrder;
    this.#isolation = isolation;
  }

  attachFiles(files: LateFiles): void {
    this.#files = files;
  }

  /** Number of the chunk file that is being written; Infinity when there is none. */
  get file(): number {
    return this.#files?.chunks.file ?? Infinity;
  }

  /** Logs the late ones among the samples; buffers that cannot take them all are sealed before. */
  log(staged: StagedSamples): void {
    if (this.#files === null) return;
    const added = new Map<number, number>();
    for (let i = 0; i < staged.count; i++) {
      if (staged.kinds[i]! < StagedKind.LateFloat) continue;
      const record = staged.records[i]!;
      added.set(record, (added.get(record) ?? 0) + 1);
    }
    const markers: MmapMarker[] = [];
    for (const [record, count] of added) {
      if (!this.#mustSeal(record, count)) continue;
      let place: HeadChunkPlace | null = null;
      this.#isolation.change(record, () => {
        place = this.#trySeal(record);
      });
      const ref = this.#heap.u32[(record >>> 2) + Rec.REF]!;
      if (place !== null) markers.push({ ref, chunkRef: chunkRefOf(place) });
    }
    this.#files.log.commit(markers, staged);
  }

  #mustSeal(record: number, addedCount: number): boolean {
    return this.#outOfOrder.mustSeal(record, addedCount, () => this.#isolation.lowWatermark());
  }

  /** Stores one late sample that was logged. Its record is open for change. */
  store(staged: StagedSamples, index: number): void {
    const record = staged.records[index]!;
    // More late samples in one commit than a chunk takes. Without a marker in the log: replay will
    // have these samples twice, which does no harm, where a marker could lose the rest.
    if (this.#mustSeal(record, 1)) this.#trySeal(record);
    const { pendingId } = this.#isolation;
    const timestampMs = staged.timestampsMs[index]!;
    const startMs = staged.hasStarts ? staged.startTimestampsMs[index]! : 0;
    const histogram = staged.histograms[index];
    const isNew =
      histogram === undefined
        ? this.#outOfOrder.insertFloat(
            record,
            timestampMs,
            staged.valueHalves[index * 2]!,
            staged.valueHalves[index * 2 + 1]!,
            startMs,
            pendingId,
          )
        : this.#outOfOrder.insertHistogram(
            record,
            timestampMs,
            histogram,
            this.histogramChunksHoldStarts ? startMs : 0,
            pendingId,
          );
    const kind = histogram === undefined ? 'float' : 'histogram';
    this.counters[isNew ? 'stored' : 'duplicate'][kind]++;
    if (isNew) this.noteTimes(timestampMs, timestampMs);
  }

  /** For replay: a float that the log has already. */
  restoreFloat(
    record: number,
    timestampMs: number,
    low: number,
    high: number,
    startMs: number,
  ): void {
    this.#outOfOrder.insertFloat(record, timestampMs, low, high, startMs, 0);
    this.noteTimes(timestampMs, timestampMs);
  }

  /** For replay: a histogram likewise. */
  restoreHistogram(
    record: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startMs: number,
  ): void {
    const heldMs = this.histogramChunksHoldStarts ? startMs : 0;
    this.#outOfOrder.insertHistogram(record, timestampMs, histogram, heldMs, 0);
    this.noteTimes(timestampMs, timestampMs);
  }

  /**
   * Seals all buffers and finishes the chunk file. From then on the log needs only what comes
   * later; returns its segment that begins there. Throws when a buffer cannot be written.
   */
  sealAll(): number {
    const { log, chunks } = this.#files!;
    for (const ref of this.#outOfOrder.refs) {
      const record = findRecord(this.#heap, ref);
      if (record === 0) continue;
      this.#isolation.change(record, () => this.#seal(record, chunks));
    }
    chunks.close();
    return log.cut();
  }

  /** Widens the time that late samples cover. */
  noteTimes(minMs: number, maxMs: number): void {
    const { f64 } = this.#heap;
    if (minMs < f64[Time.MinOutOfOrderMs]!) f64[Time.MinOutOfOrderMs] = minMs;
    if (maxMs > f64[Time.MaxOutOfOrderMs]!) f64[Time.MaxOutOfOrderMs] = maxMs;
  }

  #seal(record: number, chunks: HeadChunkWriter): HeadChunkPlace | null {
    const place = this.#outOfOrder.seal(record, chunks);
    noteChunkFile(this.#heap, chunks);
    if (place !== null) this.counters.sealed++;
    return place;
  }

  /** Null when it fails: the buffer then takes more than it should, and the log has it all. */
  #trySeal(record: number): HeadChunkPlace | null {
    if (this.#files === null) return null;
    try {
      return this.#seal(record, this.#files.chunks);
    } catch {
      this.counters.failedSeals++;
      return null;
    }
  }
}
