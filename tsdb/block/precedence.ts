/**
 * Which of several blocks counts where they have different samples of a series at the same time:
 * what was written later. Samples that came out of order were written after those in order, whichever
 * block was made first; among equals the newer block counts, as an import does over what was there.
 */
import { type BlockMeta, CompactionHint } from './meta-json.ts';

/** A copy, those that count before others first. */
export function byPrecedence<T extends { readonly meta: BlockMeta }>(blocks: readonly T[]): T[] {
  return [...blocks].sort(
    (a, b) =>
      Number(isLate(b.meta)) - Number(isLate(a.meta)) || (a.meta.ulid < b.meta.ulid ? 1 : -1),
  );
}

/** Whether the block holds samples that came out of order, and nothing else. */
export function isLate({ compaction }: BlockMeta): boolean {
  return compaction.hints.includes(CompactionHint.FromOutOfOrder);
}
