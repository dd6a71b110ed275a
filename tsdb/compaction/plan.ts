/**
 * Which blocks to compact next. Pure: descriptions in, names out.
 *
 * In this order:
 * 1. blocks that overlap in time (out-of-order data, imports), a whole run of them;
 * 2. blocks that fill, together, an aligned range of the next larger size: min, 3 min, 9 min, …
 *    up to the largest. A range counts as full, gaps or not, once a block behind it exists;
 * 3. a block of at least the middle size with deletions for more than 5 % of its series, alone; or one
 *    of any size of which every series has deletions.
 * The newest block is left alone in 2 and 3, which leaves time to copy it away. A range with a block that
 * failed to compact is left alone, too.
 *
 * Blocks that show only a part of the series of their time (they were cut for stale or for selected
 * series) are planned among their own kind: merged with complete blocks they would no longer be
 * what their hint says.
 * Source: Prometheus storage documentation, "Compaction"; blocks that 2.42 and 3.14 produced.
 */
import { assert } from '../../model/index.ts';
import { type BlockMeta, CompactionHint } from '../block/meta-json.ts';

const RANGE_STEP = 3;
const RANGE_COUNT_MAX = 10;
const TOMBSTONE_RATIO_MAX = 0.05;

/** Sizes of blocks by level: the smallest, then three times as long each, up to the largest. */
export function compactionRanges(minBlockMs: number, maxBlockMs: number): number[] {
  assert(minBlockMs > 0, 'block range must be positive');
  const ranges: number[] = [];
  let rangeMs = minBlockMs;
  for (let i = 0; i < RANGE_COUNT_MAX && (i === 0 || rangeMs <= maxBlockMs); i++) {
    ranges.push(rangeMs);
    rangeMs *= RANGE_STEP;
  }
  return ranges;
}

/** Names of the blocks to compact into one, oldest first; none when there is nothing to do. */
export function planCompaction(
  blocks: readonly BlockMeta[],
  rangesMs: readonly number[],
  options: { readonly mergesOverlapping?: boolean } = {},
): string[] {
  for (const kind of byKind(blocks)) {
    const plan = planKind(kind, rangesMs, options.mergesOverlapping ?? true);
    if (plan.length > 0) return plan.map(({ ulid }) => ulid);
  }
  return [];
}

function planKind(
  blocks: readonly BlockMeta[],
  rangesMs: readonly number[],
  mergesOverlapping: boolean,
): readonly BlockMeta[] {
  const sorted = [...blocks].sort((a, b) => a.minMs - b.minMs);
  if (mergesOverlapping) {
    const overlapping = findOverlapping(sorted);
    if (overlapping.length > 0) return overlapping;
  }
  const settled = sorted.slice(0, -1);
  const range = findFullRange(settled, rangesMs);
  if (range.length > 0) return range;
  const riddled = findRiddled(settled, rangesMs);
  return riddled === null ? [] : [riddled];
}

/** Complete blocks first, then each kind of partial ones. */
function byKind(blocks: readonly BlockMeta[]): BlockMeta[][] {
  const kinds = new Map<string, BlockMeta[]>([['', []]]);
  for (const block of blocks) {
    const kind = PARTIAL_HINTS.filter((hint) => block.compaction.hints.includes(hint)).join();
    const same = kinds.get(kind) ?? [];
    same.push(block);
    kinds.set(kind, same);
  }
  return [...kinds.values()];
}

const PARTIAL_HINTS: readonly string[] = [
  CompactionHint.FromStaleSeries,
  CompactionHint.FromSelectedSeries,
];

/** The first run of blocks each of which overlaps one before it. */
function findOverlapping(sorted: readonly BlockMeta[]): readonly BlockMeta[] {
  let runStart = 0;
  let runEndMs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < sorted.length; i++) {
    const { minMs, endMs } = sorted[i]!;
    if (minMs >= runEndMs) {
      if (i - runStart > 1) return sorted.slice(runStart, i);
      runStart = i;
    }
    runEndMs = Math.max(runEndMs, endMs);
  }
  return sorted.length - runStart > 1 ? sorted.slice(runStart) : [];
}

function findFullRange(
  sorted: readonly BlockMeta[],
  rangesMs: readonly number[],
): readonly BlockMeta[] {
  const newest = sorted.at(-1);
  if (newest === undefined) return [];
  for (const rangeMs of rangesMs.slice(1)) {
    for (const group of groupByRange(sorted, rangeMs)) {
      if (group.length < 2 || group.some(({ compaction }) => compaction.failed)) continue;
      const minMs = group[0]!.minMs;
      const endMs = group.at(-1)!.endMs;
      if (endMs - minMs === rangeMs || endMs <= newest.minMs) return group;
    }
  }
  return [];
}

/** Blocks that lie in the same aligned range; those that lie in none are left out. */
function groupByRange(sorted: readonly BlockMeta[], rangeMs: number): BlockMeta[][] {
  const groups: BlockMeta[][] = [];
  let groupStartMs = Number.NaN;
  for (const block of sorted) {
    const startMs = Math.floor(block.minMs / rangeMs) * rangeMs;
    if (block.endMs > startMs + rangeMs) continue;
    if (startMs !== groupStartMs) groups.push([]);
    groupStartMs = startMs;
    groups.at(-1)!.push(block);
  }
  return groups;
}

/** The newest of the large blocks that has so many deletions that rewriting it pays. */
function findRiddled(sorted: readonly BlockMeta[], rangesMs: readonly number[]): BlockMeta | null {
  const largeMs = rangesMs[Math.floor(rangesMs.length / 2)]!;
  for (const block of sorted.toReversed()) {
    const { tombstoneCount, seriesCount } = block.stats;
    if (block.endMs - block.minMs < largeMs) {
      return tombstoneCount > 0 && tombstoneCount >= seriesCount ? block : null;
    }
    if (tombstoneCount / (seriesCount + 1) > TOMBSTONE_RATIO_MAX) return block;
  }
  return null;
}
