/**
 * Merges blocks into one. The new block appears at once under its final name; its parents are left alone,
 * it is up to the caller to take them away once the new one is in use. A crash before that is
 * harmless: the parents are listed in the new block, so the next start knows that they are done with.
 */
import { assert } from '../../model/index.ts';
import { Block } from '../block/block.ts';
import { writeBlock } from '../block/block-writer.ts';
import type { ChunkFileOptions } from '../block/chunk-file-writer.ts';
import { type BlockMeta, commonForeignFields, readMeta, writeMeta } from '../block/meta-json.ts';
import type { Files } from '../io/files.ts';
import { WindowCache } from '../io/file-window.ts';
import { MergedSource } from './merged-source.ts';

export type CompactOptions = {
  readonly files: Files;
  readonly dataDirectory: string;
  /** The blocks to merge. */
  readonly parents: readonly string[];
  /** The parent that stays when nothing is left of all of them; none by default. */
  readonly keptWhenEmpty?: string | null;
  /** Name of the new block. */
  readonly ulid: string;
  /** Only takes out what was deleted of one parent: then the new block counts as just written. */
  readonly isRewrite?: boolean;
  readonly chunkFiles?: ChunkFileOptions;
};

export type CompactResult = {
  /** Null when nothing was left of the parents; they are then marked as deletable. */
  readonly meta: BlockMeta | null;
  readonly parents: readonly BlockMeta[];
};

/** @throws CorruptionError when a parent cannot be read; nothing is changed then */
export function compactBlocks(options: CompactOptions): CompactResult {
  const { files, dataDirectory, parents, ulid, chunkFiles = {} } = options;
  assert(parents.length > 0, 'nothing to compact');
  const cache = new WindowCache();
  const blocks: Block[] = [];
  try {
    for (const parent of parents) {
      blocks.push(Block.open(files, `${dataDirectory}/${parent}`, cache));
    }
    blocks.sort((a, b) => a.meta.minMs - b.meta.minMs);
    const metas = blocks.map((block) => block.meta);
    const meta = writeBlock({
      files,
      dataDirectory,
      meta: mergedMeta(ulid, metas, options.isRewrite ?? false),
      source: new MergedSource(blocks),
      chunkFiles,
    });
    if (meta === null) {
      for (const block of blocks) {
        if (block.ulid === options.keptWhenEmpty) continue;
        const compaction = { ...block.meta.compaction, deletable: true };
        block.setMeta({ ...block.meta, compaction });
      }
    }
    return { meta, parents: metas };
  } finally {
    for (const block of blocks) block.close();
  }
}

/** Notes at a block that compacting it failed, so that planning leaves it out. */
export function markCompactionFailed(files: Files, dataDirectory: string, ulid: string): void {
  const directory = `${dataDirectory}/${ulid}`;
  const meta = readMeta(files, directory);
  writeMeta(files, directory, { ...meta, compaction: { ...meta.compaction, failed: true } });
}

/** What a block merged from others is. Sorted by time, at least one. */
function mergedMeta(
  ulid: string,
  parents: readonly BlockMeta[],
  isRewrite: boolean,
): Omit<BlockMeta, 'stats'> {
  const sources = new Set<string>();
  let level = 0;
  let minMs = Number.POSITIVE_INFINITY;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const { compaction, ...parent } of parents) {
    for (const source of compaction.sources) sources.add(source);
    level = Math.max(level, compaction.level);
    minMs = Math.min(minMs, parent.minMs);
    endMs = Math.max(endMs, parent.endMs);
  }
  return {
    ulid,
    minMs,
    endMs,
    compaction: {
      level: isRewrite ? 1 : level + 1,
      sources: isRewrite ? [ulid] : [...sources].sort(),
      deletable: false,
      parents: parents.map((parent) => ({
        ulid: parent.ulid,
        minMs: parent.minMs,
        endMs: parent.endMs,
      })),
      failed: false,
      // What is true of all parents is true of the new block.
      hints: parents[0]!.compaction.hints.filter((hint) =>
        parents.every(({ compaction }) => compaction.hints.includes(hint)),
      ),
    },
    original: commonForeignFields(parents),
  };
}
