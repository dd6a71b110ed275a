/**
 * Makes series again at start, from a record that names them and the finished chunks that
 * `chunks_head/` holds of them.
 */
import { Time } from '../memory/control-block.ts';
import type { SeriesCursor } from '../record/series.ts';
import type { Head } from './head.ts';
import { ChangedLabels, encodedSizeMax, LabelChanges } from './label-changes.ts';
import type { ReplayBatch } from './replay-batch.ts';
import { CHUNK_SPAN_MS_MAX, placeOfFile } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import type { StoredChunks } from './stored-chunks.ts';

export class SeriesRestore {
  /** Refs of the log that stand for a series which is known by another one. */
  readonly aliases = new Map<number, number>();
  readonly stored: StoredChunks;
  readonly #head: Head;
  /** Series that come one by one, and those in batches: each has another one before it. */
  readonly #single: ChangedLabels;
  readonly #inBatches: ChangedLabels;
  readonly #changes = new LabelChanges();
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #minMs = Infinity;
  #maxMs = -Infinity;

  constructor(head: Head, stored: StoredChunks) {
    this.#head = head;
    this.#single = new ChangedLabels(head.pairs);
    this.#inBatches = new ChangedLabels(head.pairs);
    this.stored = stored;
    head.noteRef(stored.refMax);
  }

  /** The record of the series that the cursor is at, made when it is new. */
  series(cursor: SeriesCursor): number {
    this.#makeRoom(encodedSizeMax(cursor));
    const words = this.#words;
    const bytes = this.#bytes;
    if (this.#changes.encode(cursor, words, bytes, 0) < 0) {
      const malformed = new ChangedLabels(this.#head.pairs);
      malformed.setAll(cursor.labels(), cursor.ref);
      return this.#restore(malformed);
    }
    this.#single.decode(words, bytes, 0);
    return this.#restore(this.#single);
  }

  /** The same for all that a batch of series holds. */
  seriesOf(batch: ReplayBatch): void {
    const labels = this.#inBatches;
    const { words, bytes, count } = batch;
    let at = 0;
    for (let i = 0; i < count; i++) {
      at = labels.decode(words, bytes, at);
      this.#restore(labels);
    }
  }

  #restore({ pairs, pairCount, hash, ref }: ChangedLabels): number {
    const known = findRecord(this.#head.heap, ref);
    const wasAlias = this.aliases.has(ref);
    const record = this.#head.restoreSeries(pairs, pairCount, hash, ref);
    const ownRef = this.#head.heap.u32[(record >>> 2) + Rec.REF]!;
    if (ownRef !== ref) this.aliases.set(ref, ownRef);
    // Otherwise it is said again.
    if (ownRef === ref ? known === 0 : !wasAlias) this.attachStored(record, ref);
    return record;
  }

  /**
   * Gives a series the finished chunks that were written under `ref`. A series that was forgotten
   * and came back has had several refs, and which of them is used changes with every start; so
   * the chunks of one may lie between those of another.
   */
  attachStored(record: number, ref: number): void {
    const { heap, sealed, outOfOrder, writer } = this.#head;
    const { stored } = this;
    if (stored.count === 0) return;
    const { minValidMs } = this.#head;
    const double = record >>> 3;
    stored.forSeries(ref, (index) => {
      const minMs = stored.minMs[index]!;
      const maxMs = stored.maxMs[index]!;
      const place = { file: stored.files[index]!, offset: stored.offsets[index]! };
      if (stored.isOutOfOrder[index] === 1) {
        outOfOrder.addSealed(record, minMs, maxMs, place);
        this.#head.late.noteTimes(minMs, maxMs);
        return;
      }
      if (maxMs < minValidMs || maxMs - minMs > CHUNK_SPAN_MS_MAX) return;
      // What the series had under another ref, and was taken for its newest chunk, ends here. Or,
      // where it came back with times that it had had, both chunks would be read, one after the other.
      const hasOpen = heap.u32[(record >>> 2) + Rec.OPEN_CHUNK] !== 0;
      if (hasOpen && maxMs >= heap.f64[double + Rec.OPEN_MIN_TIME]!) writer.seal(record);
      const owner = (record >>> 2) + Rec.SEALED;
      if (sealed.insert(owner, minMs, maxMs, placeOfFile(place.file), place.offset)) {
        writer.createdChunkCount++;
      } else {
        // Written twice, because a write failed in part.
        if (sealed.holds(owner, minMs, maxMs)) return;
        // From its second life, with times of the first: late ones may overlap others.
        outOfOrder.addSealed(record, minMs, maxMs, place);
        this.#head.late.noteTimes(minMs, maxMs);
      }
      if (maxMs > heap.f64[double + Rec.MAX_TIME]!) {
        heap.f64[double + Rec.MAX_TIME] = maxMs;
        heap.f64[double + Rec.MARK_TIME] = maxMs;
      }
      this.noteTime(minMs);
      this.noteTime(maxMs);
    });
  }

  /** Whether finished chunks that count are of a series that nobody has named. */
  hasOrphans(): boolean {
    const { count, refs, maxMs, isOutOfOrder } = this.stored;
    for (let i = 0; i < count; i++) {
      if (isOutOfOrder[i] === 0 && maxMs[i]! < this.#head.minValidMs) continue;
      if (findRecord(this.#head.heap, refs[i]!) === 0 && !this.aliases.has(refs[i]!)) return true;
    }
    return false;
  }

  #makeRoom(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    this.#words = new Uint32Array(Math.ceil(sizeBytes / 2));
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  noteTime(timestampMs: number): void {
    if (timestampMs < this.#minMs) this.#minMs = timestampMs;
    if (timestampMs > this.#maxMs) this.#maxMs = timestampMs;
  }

  noteTimes(timestampsMs: Float64Array, first: number, last: number): void {
    let minMs = this.#minMs;
    let maxMs = this.#maxMs;
    for (let i = first; i < last; i++) {
      const timestampMs = timestampsMs[i]!;
      if (timestampMs < minMs) minMs = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
    }
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** Tells the head which times there are now. */
  publishTimes(): void {
    const { f64 } = this.#head.heap;
    f64[Time.MinMs] = Math.min(f64[Time.MinMs]!, this.#minMs);
    f64[Time.MaxMs] = Math.max(f64[Time.MaxMs]!, this.#maxMs);
  }
}
