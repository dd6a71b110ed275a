/**
 * A stretch of the head as the source of a block. Chunks are copied as they are; only where a
 * deletion or a border of the stretch cuts through one, or late samples overlap it, is it encoded
 * anew. Works in any thread, on captures of some hundred series at a time.
 */
import { compareText } from '../../model/index.ts';
import type { BlockSource, SourceSeries } from '../block/block-source.ts';
import { addInterval, type Intervals } from '../chunk/intervals.ts';
import type { HeadQuery, HeadReader } from '../head/head-reader.ts';
import type { HeadRows } from '../head/head-rows.ts';
import { type ChunksToMerge, mergeChunks } from './merge-chunks.ts';

const SERIES_PER_CAPTURE = 512;
const PLACE = { file: 'chunks_head', offsetBytes: 0 };

export type HeadPart = 'in-order' | 'out-of-order' | 'both';

export class HeadBlockSource implements BlockSource {
  readonly #query: HeadQuery;
  readonly #minMs: number;
  /** Exclusive. */
  readonly #endMs: number;
  readonly #part: HeadPart;
  readonly #refs: Uint32Array | undefined;
  /** Of series without deletions: nearly all. */
  readonly #outside: Intervals;

  /**
   * What the head holds of [minMs, endMs) when this is called. Close it.
   * @param refs  only of these series, by default of all
   */
  constructor(
    reader: HeadReader,
    minMs: number,
    endMs: number,
    part: HeadPart,
    refs?: Uint32Array,
  ) {
    this.#query = reader.query();
    this.#minMs = minMs;
    this.#endMs = endMs;
    this.#part = part;
    this.#refs = refs;
    this.#outside = this.#withOutside([]);
  }

  /**
   * Those of the whole head or of all the series: more than needed does no harm, and few are. And the
   * empty one, which Prometheus has in blocks that come from its head.
   */
  symbols(): Iterable<string> {
    const symbols = new Set<string>(['']);
    if (this.#refs !== undefined) {
      for (const ref of this.#refs) {
        for (const text of this.#query.labelsOf(ref)?.flat ?? []) symbols.add(text);
      }
      return [...symbols].sort(compareText);
    }
    for (const name of this.#query.labelNames([])) {
      symbols.add(name);
      for (const value of this.#query.labelValues(name, [])) symbols.add(value);
    }
    return [...symbols].sort(compareText);
  }

  *series(): Generator<SourceSeries> {
    const maxMs = this.#endMs - 1;
    const refs = this.#query.refsByLabels(this.#minMs, maxMs, this.#refs);
    for (let first = 0; first < refs.length; first += SERIES_PER_CAPTURE) {
      const some = refs.subarray(first, first + SERIES_PER_CAPTURE);
      const rows = this.#query.selectRefs(some, this.#minMs, maxMs);
      for (let row = 0; row < rows.labels.length; row++) {
        const chunks = mergeChunks(this.#chunksOf(rows, row));
        if (chunks.length > 0) yield { labels: rows.labels[row]!, chunks };
      }
    }
  }

  close(): void {
    this.#query.close();
  }

  #chunksOf(rows: HeadRows, row: number): ChunksToMerge[] {
    const { inOrder, late } = rows.chunksOf(row);
    const deletedInside = rows.deletedOf(row);
    const deleted = deletedInside === null ? this.#outside : this.#withOutside(deletedInside);
    const inOrderSource: ChunksToMerge = { chunks: inOrder, deleted, place: PLACE };
    if (this.#part === 'in-order') return [inOrderSource];
    if (late.length === 0) return this.#part === 'both' ? [inOrderSource] : [];
    // Of samples at the same time the one that came last counts.
    const sources = late.map(
      (chunk): ChunksToMerge => ({ chunks: [chunk], deleted, place: PLACE }),
    );
    sources.reverse();
    if (this.#part === 'both') sources.push(inOrderSource);
    return sources;
  }

  /** What lies outside of the stretch counts as deleted, which cuts chunks that reach out of it. */
  #withOutside(intervals: Intervals): Intervals {
    let deleted = intervals;
    if (Number.isFinite(this.#minMs)) deleted = addInterval(deleted, -Infinity, this.#minMs - 1);
    if (Number.isFinite(this.#endMs)) deleted = addInterval(deleted, this.#endMs, Infinity);
    return deleted;
  }
}
