/**
 * A block of samples that did not come through the head. It may lie anywhere in time, beside other
 * blocks and beside the head, so it carries the hint that it does not hold all samples of its time:
 * otherwise the next start would take its end for the beginning of the log that counts.
 */
import type { Labels } from '../../model/index.ts';
import { XorEncoder } from '../chunk/xor-encoder.ts';
import { NODE_FILES } from '../io/node-files.ts';
import type { BlockSource, SourceChunk, SourceSeries } from './block-source.ts';
import { writeBlock } from './block-writer.ts';
import { type BlockMeta, CompactionHint, newCompaction } from './meta-json.ts';

const CHUNK_SAMPLES_TARGET = 120;

export type ImportedSeries = {
  readonly labels: Labels;
  /** Ascending, no two equal; the first `count` count. */
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
};

export type ImportedBlock = {
  /** Where the block's own directory is made. */
  readonly directory: string;
  readonly ulid: string;
  readonly minMs: number;
  readonly endMs: number;
  /** All names and values of the labels, sorted, without duplicates. */
  readonly symbols: Iterable<string>;
  /** Sorted by labels. */
  readonly series: () => Iterable<ImportedSeries>;
};

/** Null when there are no samples. */
export function writeImportedBlock(block: ImportedBlock): BlockMeta | null {
  const { directory, ulid, minMs, endMs } = block;
  const source: BlockSource = {
    symbols: () => block.symbols,
    *series() {
      for (const series of block.series()) yield encoded(series);
    },
  };
  return writeBlock({
    files: NODE_FILES,
    dataDirectory: directory,
    source,
    meta: {
      ulid,
      minMs,
      endMs,
      compaction: newCompaction(ulid, [CompactionHint.FromOutOfOrder]),
    },
  });
}

function encoded({ labels, timestampsMs, values, count }: ImportedSeries): SourceSeries {
  const halves = new Uint32Array(values.buffer, values.byteOffset, count * 2);
  const chunks: SourceChunk[] = [];
  for (let first = 0; first < count; first += CHUNK_SAMPLES_TARGET) {
    const encoder = new XorEncoder();
    const end = Math.min(count, first + CHUNK_SAMPLES_TARGET);
    for (let i = first; i < end; i++) {
      encoder.append(timestampsMs[i]!, halves[i * 2 + 1]!, halves[i * 2]!);
    }
    chunks.push({
      minMs: encoder.firstMs,
      maxMs: encoder.lastMs,
      encoding: encoder.encoding,
      sampleCount: encoder.count,
      bytes: encoder.finish(),
    });
  }
  return { labels, chunks };
}
