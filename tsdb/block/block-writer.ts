/**
 * Writes a block from a source, series by series; chunks are copied as they are. Only symbols and
 * label pairs are held in memory, never samples. Until the last step the block has a temporary name.
 */
import { publishDirectory } from '../io/atomic-write.ts';
import type { Files } from '../io/files.ts';
import { chunkSampleCount, isFloatEncoding } from '../chunk/encoding.ts';
import { IndexWriter } from '../index-file/index-writer.ts';
import type { ChunkMeta } from '../index-file/series-entry.ts';
import { assert } from '../../model/index.ts';
import { CREATION_SUFFIX } from './block-directory.ts';
import type { BlockSource, SourceChunk } from './block-source.ts';
import { CHUNKS_DIRECTORY_NAME } from './chunk-file.ts';
import { type ChunkFileOptions, ChunkFileWriter } from './chunk-file-writer.ts';
import { type BlockMeta, writeMeta } from './meta-json.ts';
import { Tombstones, writeTombstones } from './tombstone-file.ts';

export const INDEX_FILE_NAME = 'index';

export type WriteBlockOptions = {
  readonly files: Files;
  readonly dataDirectory: string;
  /** What the block is; the stats are counted while writing. */
  readonly meta: Omit<BlockMeta, 'stats'>;
  readonly source: BlockSource;
  readonly chunkFiles?: ChunkFileOptions;
  /** Sees every chunk as it is written. */
  readonly onChunk?: (chunk: SourceChunk) => void;
};

/** Returns the finished block's description; null when the source has no samples: then there is none. */
export function writeBlock(options: WriteBlockOptions): BlockMeta | null {
  const { files, dataDirectory, meta, source } = options;
  const path = `${dataDirectory}/${meta.ulid}`;
  const temporary = `${path}${CREATION_SUFFIX}`;
  files.removeTree(temporary);
  files.makeDirectory(temporary);
  try {
    const stats = writeContent(options, temporary, source);
    if (stats.seriesCount === 0) {
      files.removeTree(temporary);
      return null;
    }
    const finished = { ...meta, stats };
    writeMeta(files, temporary, finished);
    writeTombstones(files, temporary, new Tombstones());
    publishDirectory(files, temporary, path);
    return finished;
  } catch (error) {
    files.removeTree(temporary);
    throw error;
  }
}

function writeContent(
  options: WriteBlockOptions,
  temporary: string,
  source: BlockSource,
): BlockMeta['stats'] {
  const { files, onChunk } = options;
  const { minMs, endMs } = options.meta;
  const chunksDirectory = `${temporary}/${CHUNKS_DIRECTORY_NAME}`;
  const chunkFiles = new ChunkFileWriter(files, chunksDirectory, options.chunkFiles);
  const index = new IndexWriter(files, `${temporary}/${INDEX_FILE_NAME}`, source.symbols());
  let floatSampleCount = 0;
  let histogramSampleCount = 0;
  let chunkCount = 0;
  try {
    for (const { labels, chunks } of source.series()) {
      if (chunks.length === 0) continue;
      const metas: ChunkMeta[] = [];
      chunkFiles.beginSeries();
      for (const chunk of chunks) {
        const { encoding, bytes, sampleCount } = chunk;
        assert(chunk.minMs >= minMs && chunk.maxMs < endMs, 'chunk lies outside its block');
        assert(
          sampleCount === chunkSampleCount(encoding, bytes),
          'chunk does not hold its samples',
        );
        const ref = chunkFiles.write(encoding, bytes);
        metas.push({ minMs: chunk.minMs, maxMs: chunk.maxMs, ref });
        onChunk?.(chunk);
        if (isFloatEncoding(encoding)) floatSampleCount += sampleCount;
        else histogramSampleCount += sampleCount;
      }
      chunkCount += metas.length;
      index.addSeries(labels, metas);
    }
    chunkFiles.finish();
    index.finish();
  } catch (error) {
    chunkFiles.abandon();
    index.abandon();
    throw error;
  }
  return {
    sampleCount: floatSampleCount + histogramSampleCount,
    floatSampleCount,
    histogramSampleCount,
    seriesCount: index.seriesCount,
    chunkCount,
    tombstoneCount: 0,
  };
}
