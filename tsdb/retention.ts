/**
 * Which blocks are too old, or too many. Blocks go as a whole, oldest first; the head and its log
 * count into the size but never go.
 * Source: Prometheus storage documentation, "Operational aspects".
 */
import type { BlockMeta } from './block/meta-json.ts';

export type SizedBlock = { readonly meta: BlockMeta; readonly sizeBytes: number };

/** Blocks that ended at least `retentionMs` before the newest one; 0 keeps all. */
export function beyondTime<T extends SizedBlock>(blocks: readonly T[], retentionMs: number): T[] {
  if (retentionMs <= 0) return [];
  const newestEndMs = Math.max(...blocks.map((block) => block.meta.endMs));
  return blocks.filter((block) => newestEndMs - block.meta.endMs >= retentionMs);
}

/** The oldest blocks, as many as it takes for head and the others to fit; 0 is without limit. */
export function beyondSize<T extends SizedBlock>(
  blocks: readonly T[],
  headSizeBytes: number,
  limitBytes: number,
): T[] {
  if (limitBytes <= 0) return [];
  const newestFirst = [...blocks].sort((a, b) => b.meta.endMs - a.meta.endMs);
  let sizeBytes = headSizeBytes;
  const fitting = newestFirst.findIndex((block) => (sizeBytes += block.sizeBytes) > limitBytes);
  return fitting < 0 ? [] : newestFirst.slice(fitting);
}

/** Blocks whose samples another block holds by now. */
export function replacedBlocks<T extends SizedBlock>(blocks: readonly T[]): T[] {
  const parents = new Set<string>();
  for (const { meta } of blocks) {
    for (const parent of meta.compaction.parents) parents.add(parent.ulid);
  }
  return blocks.filter((block) => parents.has(block.meta.ulid));
}
