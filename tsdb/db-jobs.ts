/**
 * Heavy work as plain data: what a worker thread can be handed. A job reads the head through shared
 * memory and the files, writes blocks or a checkpoint, and leaves it to the writer to put them to use.
 */
import { CorruptionError, Labels } from '../model/index.ts';
import { writeBlock } from './block/block-writer.ts';
import type { ChunkFileOptions } from './block/chunk-file-writer.ts';
import { type ChunkFigures, ChunkMeasure } from './block/chunk-measure.ts';
import { type BlockMeta, CompactionHint, newCompaction } from './block/meta-json.ts';
import { compactBlocks } from './compaction/compact.ts';
import { HeadBlockSource, type HeadPart } from './compaction/compact-head.ts';
import { openReader, type SharedDb } from './db-reader.ts';
import { findRecord } from './head/series-table.ts';
import { writeSnapshot } from './head/snapshot-writer.ts';
import type { Files } from './io/files.ts';
import { NODE_FILES } from './io/node-files.ts';
import { ReaderSlot } from './memory/readers.ts';
import type { ExemplarRow } from './record/exemplars.ts';
import { writeCheckpoint } from './wal/checkpoint.ts';
import type { WalCompression } from './wal/compression.ts';

export type CompactionJob =
  /** Writes [minMs, endMs) of the head as a block into `targetDirectory`. */
  | {
      readonly kind: 'head-block';
      readonly targetDirectory: string;
      readonly ulid: string;
      readonly minMs: number;
      readonly endMs: number;
      readonly part: HeadPart;
      /** Only these series, which are stale; all of them when absent. */
      readonly staleRefs?: Uint32Array;
      readonly chunkFiles: ChunkFileOptions;
    }
  /** Merges blocks into one. */
  | {
      readonly kind: 'merge-blocks';
      readonly ulid: string;
      readonly parents: readonly string[];
      /** Of one parent, without what was deleted. */
      readonly isRewrite: boolean;
      /** The parent that stays when nothing is left of all of them; null: none. */
      readonly keptWhenEmpty: string | null;
      readonly chunkFiles: ChunkFileOptions;
    }
  /** Writes anew what still matters of the log's oldest segments. */
  | {
      readonly kind: 'checkpoint';
      readonly firstSegment: number;
      readonly lastSegment: number;
      readonly minMs: number;
      readonly deletionsFromMs: number;
      /** Series that are gone but still have samples in later segments, ascending. */
      readonly neededDeadRefs: Uint32Array;
      readonly compression: WalCompression;
      readonly segmentSizeBytes: number;
    }
  /** Writes what a start needs to go on from here, up to the last step (`publishSnapshot`). */
  | {
      readonly kind: 'head-snapshot';
      readonly path: string;
      readonly exemplars: readonly PlainExemplarRow[];
      readonly compression: WalCompression;
    };

/** Labels as names and values in turn, because a class does not survive being posted. */
type PlainExemplarRow = Omit<ExemplarRow, 'labels'> & { readonly labels: readonly string[] };

export type JobResult = {
  /** Null when there was nothing to write. */
  readonly meta: BlockMeta | null;
  /** What is wrong with the blocks that were to be merged; null when nothing is. */
  readonly corruption: string | null;
  /** About the chunks of a block that was cut from the head. */
  readonly chunkFigures?: ChunkFigures;
  /** In a snapshot of the head. */
  readonly seriesCount?: number;
};

/** Runs a job somewhere and tells when it is done. */
export type RunJob = (job: CompactionJob, shared: SharedDb) => Promise<JobResult>;

/** Runs a job here and now. In a worker thread it is all that there is to call. */
export function runCompactionJob(
  job: CompactionJob,
  shared: SharedDb,
  files: Files = NODE_FILES,
): JobResult {
  switch (job.kind) {
    case 'head-block':
      return writeHeadBlock(job, shared, files);
    case 'merge-blocks': {
      const { ulid, parents, isRewrite, keptWhenEmpty, chunkFiles } = job;
      const dataDirectory = shared.directory;
      const options = {
        files,
        dataDirectory,
        parents,
        isRewrite,
        keptWhenEmpty,
        ulid,
        chunkFiles,
      };
      try {
        return { meta: compactBlocks(options).meta, corruption: null };
      } catch (error) {
        if (error instanceof CorruptionError) return { meta: null, corruption: error.message };
        throw error;
      }
    }
    case 'checkpoint':
      return checkpoint(job, shared, files);
    case 'head-snapshot':
      return snapshotHead(job, shared, files);
  }
}

function writeHeadBlock(
  job: CompactionJob & { readonly kind: 'head-block' },
  shared: SharedDb,
  files: Files,
): JobResult {
  const { ulid, minMs, endMs, part, staleRefs, targetDirectory, chunkFiles } = job;
  const reader = openReader(shared, { files });
  const source = new HeadBlockSource(reader.head, minMs, endMs, part, staleRefs);
  const measure = new ChunkMeasure();
  try {
    const meta = writeBlock({
      files,
      dataDirectory: targetDirectory,
      source,
      chunkFiles,
      onChunk: (chunk) => measure.add(chunk),
      meta: {
        ulid,
        minMs,
        endMs,
        compaction: newCompaction(ulid, hintsOf(job)),
      },
    });
    return { meta, corruption: null, chunkFigures: measure.figures() };
  } finally {
    source.close();
    reader.close();
  }
}

function hintsOf({ part, staleRefs }: CompactionJob & { readonly kind: 'head-block' }): string[] {
  if (staleRefs !== undefined) return [CompactionHint.FromStaleSeries];
  return part === 'out-of-order' ? [CompactionHint.FromOutOfOrder] : [];
}

function checkpoint(
  job: CompactionJob & { readonly kind: 'checkpoint' },
  shared: SharedDb,
  files: Files,
): JobResult {
  const reader = openReader(shared, { files });
  const { heap } = reader.head;
  const needed = new Set(job.neededDeadRefs);
  const slot = ReaderSlot.open(heap, reader.owner);
  try {
    writeCheckpoint({
      files,
      directory: `${shared.directory}/wal`,
      firstSegment: job.firstSegment,
      lastSegment: job.lastSegment,
      minMs: job.minMs,
      deletionsFromMs: job.deletionsFromMs,
      compression: job.compression,
      segmentSizeBytes: job.segmentSizeBytes,
      keepsSeries: (ref) => {
        slot.enter();
        const isAlive = findRecord(heap, ref) !== 0;
        slot.leave();
        return isAlive || needed.has(ref);
      },
    });
    return { meta: null, corruption: null };
  } finally {
    slot.close();
    reader.close();
  }
}

function snapshotHead(
  job: CompactionJob & { readonly kind: 'head-snapshot' },
  shared: SharedDb,
  files: Files,
): JobResult {
  const reader = openReader(shared, { files });
  try {
    const seriesCount = writeSnapshot({
      files,
      heap: reader.head.heap,
      owner: reader.owner,
      path: job.path,
      exemplars: job.exemplars.map(({ labels, ...row }) => ({
        ...row,
        labels: Labels.fromSorted([...labels]),
      })),
      compression: job.compression,
    });
    return { meta: null, corruption: null, seriesCount };
  } finally {
    reader.close();
  }
}
