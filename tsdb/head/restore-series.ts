/**
 * Makes series again at start, from a record that names them and the finished chunks that
 * `chunks_head/` holds of them.
 */
import { Time } from '../memory/control-block.ts';
import type { SeriesCursor } from '../record/series.ts';
import type { Head } from './head.ts';
import { CHUNK_SPAN_MS_MAX, placeOfFile } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import type { StoredChunks } from './stored-chunks.ts';
import { TextBytes } from './text-bytes.ts';

export class SeriesRestore {
  /** Refs of the log that stand for a series which is known by another one. */
  readonly aliases = new Map<number, number>();
  readonly stored: StoredChunks;
  readonly #head: Head;
  readonly #texts = new TextBytes();
  #minMs = Infinity;
  #maxMs = -Infinity;

  constructor(head: Head, stored: StoredChunks) {
    this.#head = head;
    this.stored = stored;
    head.noteRef(stored.refMax);
  }

  /** The record of the series that the cursor is at, made when it is new. */
  series(cursor: SeriesCursor): number {
    const texts = this.#texts;
    texts.clear();
    const { record: bytes } = cursor;
    for (let i = 0; i < cursor.labelCount * 2; i++) {
      texts.addBytes(bytes, cursor.textStarts[i]!, cursor.textEnds[i]!);
    }
    if (!isWellFormed(texts)) {
      texts.clear();
      for (const text of cursor.labels().flat) texts.add(text);
    }
    const { ref } = cursor;
    const known = findRecord(this.#head.heap, ref);
    const wasAlias = this.aliases.has(ref);
    const record = this.#head.restoreSeries(texts, ref);
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
      // What the series had under another ref, and was taken for its newest chunk, ends here.
      if (minMs > heap.f64[double + Rec.MAX_TIME]!) writer.seal(record);
      const owner = (record >>> 2) + Rec.SEALED;
      // Of chunks that overlap (written twice, because a write failed in part) the first counts.
      if (!sealed.insert(owner, minMs, maxMs, placeOfFile(place.file), place.offset)) return;
      if (maxMs > heap.f64[double + Rec.MAX_TIME]!) {
        heap.f64[double + Rec.MAX_TIME] = maxMs;
        heap.f64[double + Rec.MARK_TIME] = maxMs;
      }
      this.noteTime(minMs);
      this.noteTime(maxMs);
      writer.createdChunkCount++;
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

  noteTime(timestampMs: number): void {
    if (timestampMs < this.#minMs) this.#minMs = timestampMs;
    if (timestampMs > this.#maxMs) this.#maxMs = timestampMs;
  }

  /** Tells the head which times there are now. */
  publishTimes(): void {
    const { f64 } = this.#head.heap;
    f64[Time.MinMs] = Math.min(f64[Time.MinMs]!, this.#minMs);
    f64[Time.MaxMs] = Math.max(f64[Time.MaxMs]!, this.#maxMs);
  }
}

/** Whether names ascend and no value is empty, as they do in everything but foreign logs. */
function isWellFormed(texts: TextBytes): boolean {
  const { starts, bytes, count } = texts;
  for (let i = 0; i < count; i += 2) {
    if (starts[i + 1] === starts[i + 2]) return false;
    if (i === 0) continue;
    let a = starts[i - 2]!;
    let b = starts[i]!;
    const aEnd = starts[i - 1]!;
    const bEnd = starts[i + 1]!;
    while (a < aEnd && b < bEnd && bytes[a] === bytes[b]) {
      a++;
      b++;
    }
    if (b === bEnd || (a < aEnd && bytes[a]! > bytes[b]!)) return false;
  }
  return true;
}
