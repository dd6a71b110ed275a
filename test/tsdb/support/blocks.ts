/** Small blocks for tests: made from plain lists, in memory. */
import { compareLabels, compareText, type Labels } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import type { BlockSource, SourceChunk, SourceSeries } from '../../../tsdb/block/block-source.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { type BlockMeta, newCompaction } from '../../../tsdb/block/meta-json.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';
import type { Files } from '../../../tsdb/io/files.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { highBits, lowBits } from '../../../model/index.ts';

export const DATA = '/data';

export type PlainSample = readonly [timestampMs: number, value: number];
export type PlainSeries = { readonly labels: Labels; readonly samples: readonly PlainSample[] };

/** XOR chunks of at most `chunkSize` samples. */
export function chunksOf(samples: readonly PlainSample[], chunkSize = 120): SourceChunk[] {
  const chunks: SourceChunk[] = [];
  for (let first = 0; first < samples.length; first += chunkSize) {
    const encoder = new XorEncoder();
    for (const [timestampMs, value] of samples.slice(first, first + chunkSize)) {
      encoder.append(timestampMs, highBits(value), lowBits(value));
    }
    chunks.push({
      minMs: encoder.firstMs,
      maxMs: encoder.lastMs,
      encoding: encoder.encoding,
      sampleCount: encoder.count,
      bytes: encoder.finish(),
    });
  }
  return chunks;
}

/** Sorts series and symbols; of series with equal labels the last one counts. */
export function sourceOf(series: readonly PlainSeries[], chunkSize?: number): BlockSource {
  const byKey = new Map(series.map((one) => [one.labels.key, one]));
  const sorted = [...byKey.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  const texts = new Set(sorted.flatMap(({ labels }) => labels.flat));
  return {
    symbols: () => [...texts].sort(compareText),
    *series(): Generator<SourceSeries> {
      for (const { labels, samples } of sorted) {
        yield { labels, chunks: chunksOf(samples, chunkSize) };
      }
    },
  };
}

/** A name that sorts by `serial`. */
export function testUlid(serial: number): string {
  return `01M7XWB9G5Q5R6HHCNJ8${String(serial).padStart(6, '0')}`;
}

export type TestBlockOptions = {
  readonly serial?: number;
  readonly minMs?: number;
  readonly endMs?: number;
  readonly chunkSize?: number;
  readonly chunkSegmentSizeBytesMax?: number;
  readonly compaction?: Partial<BlockMeta['compaction']>;
};

/** Writes a level 1 block; null when there are no samples. */
export function writeTestBlock(
  files: Files,
  series: readonly PlainSeries[],
  options: TestBlockOptions = {},
): BlockMeta | null {
  const ulid = testUlid(options.serial ?? 1);
  const { minMs = 0, endMs = 2 ** 45, chunkSegmentSizeBytesMax } = options;
  return writeBlock({
    files,
    dataDirectory: DATA,
    source: sourceOf(series, options.chunkSize),
    meta: {
      ulid,
      minMs,
      endMs,
      compaction: { ...newCompaction(ulid), ...options.compaction },
    },
    chunkFiles:
      chunkSegmentSizeBytesMax === undefined
        ? {}
        : { segmentSizeBytesMax: chunkSegmentSizeBytesMax },
  });
}

/** Tiny windows, so that structures lie across their borders. */
export function openTestBlock(files: Files, serial = 1, windowSizeBytes = 64): Block {
  const cache = new WindowCache(windowSizeBytes * 8, windowSizeBytes);
  return Block.open(files, `${DATA}/${testUlid(serial)}`, cache);
}
