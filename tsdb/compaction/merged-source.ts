/** Several blocks as one source for a new one: symbols and series merged, deletions applied. */
import { compareLabels, compareText, CorruptionError, type Labels } from '../../model/index.ts';
import type { Block } from '../block/block.ts';
import type { BlockSource, SourceSeries } from '../block/block-source.ts';
import type { BlockMeta } from '../block/meta-json.ts';
import { byPrecedence } from '../block/precedence.ts';
import type { Intervals } from '../chunk/intervals.ts';
import { type ChunksToMerge, mergeChunks } from './merge-chunks.ts';

/** A series of a block, with what was deleted from it. */
export type BlockSeries = SourceSeries & { readonly deleted: Intervals | null };

export class MergedSource implements BlockSource {
  readonly #blocks: readonly Block[];

  constructor(blocks: readonly Block[]) {
    this.#blocks = byPrecedence(blocks);
  }

  symbols(): Iterable<string> {
    return mergeTexts(this.#blocks.map((block) => block.index.symbols));
  }

  *series(): Generator<SourceSeries> {
    const cursors: Cursor[] = [];
    for (const block of this.#blocks) {
      const cursor = new Cursor(block);
      if (cursor.advance()) cursors.push(cursor);
    }
    let waiting = cursors;
    while (waiting.length > 0) {
      const labels = smallest(waiting);
      const same = waiting.filter(({ current }) => compareLabels(current!.labels, labels) === 0);
      const chunks = mergeChunks(same.map((cursor) => cursor.chunksToMerge()));
      if (chunks.length > 0) yield { labels, chunks };
      let hasEnded = false;
      for (const cursor of same) if (!cursor.advance()) hasEnded = true;
      if (hasEnded) waiting = waiting.filter(({ current }) => current !== null);
    }
  }
}

/** Where reading stands in one block. */
class Cursor {
  current: BlockSeries | null = null;
  readonly #series: Iterator<BlockSeries>;
  readonly #place: ChunksToMerge['place'];
  readonly #meta: BlockMeta;

  constructor(block: Block) {
    this.#meta = block.meta;
    this.#series = block.seriesWithDeletions();
    this.#place = { file: `${block.directory}/chunks`, offsetBytes: 0 };
  }

  /** False at the end. */
  advance(): boolean {
    const next = this.#series.next();
    this.current = next.done === true ? null : next.value;
    if (this.current !== null) this.#check(this.current);
    return this.current !== null;
  }

  /** The new block covers what its parents say they cover, so they had better be right. */
  #check({ labels, chunks }: BlockSeries): void {
    const { minMs, endMs } = this.#meta;
    for (const chunk of chunks) {
      if (chunk.minMs >= minMs && chunk.maxMs < endMs) continue;
      const range = `${chunk.minMs} to ${chunk.maxMs}`;
      throw new CorruptionError(
        `chunk of ${labels.toString()} from ${range} lies outside its block`,
        this.#place,
      );
    }
  }

  chunksToMerge(): ChunksToMerge {
    const { chunks, deleted } = this.current!;
    return { chunks, deleted, place: this.#place };
  }
}

function smallest(cursors: readonly Cursor[]): Labels {
  let labels = cursors[0]!.current!.labels;
  for (const { current } of cursors) {
    if (compareLabels(current!.labels, labels) < 0) labels = current!.labels;
  }
  return labels;
}

/** Sorted texts without duplicates from several sorted sequences. */
export function* mergeTexts(sources: readonly Iterable<string>[]): Generator<string> {
  const cursors = sources.map((source) => source[Symbol.iterator]());
  const heads = cursors.map((cursor) => cursor.next());
  for (;;) {
    let smallestText: string | null = null;
    for (const head of heads) {
      if (head.done === true) continue;
      if (smallestText === null || compareText(head.value, smallestText) < 0) {
        smallestText = head.value;
      }
    }
    if (smallestText === null) return;
    yield smallestText;
    for (let i = 0; i < heads.length; i++) {
      if (heads[i]!.done !== true && heads[i]!.value === smallestText) {
        heads[i] = cursors[i]!.next();
      }
    }
  }
}
