import { describe, expect, test } from 'vitest';
import { type BlockMeta, EMPTY_STATS } from '../../../tsdb/block/meta-json.ts';
import { compactionRanges, planCompaction } from '../../../tsdb/compaction/plan.ts';

const RANGES = [20, 60, 180, 540, 1620];

type Given = {
  readonly range: readonly [minMs: number, endMs: number];
  readonly tombstones?: number;
  readonly series?: number;
  readonly failed?: boolean;
  readonly hints?: readonly string[];
};

function plan(...given: readonly Given[]): (readonly [number, number])[] {
  const metas = given.map(
    ({ range, tombstones = 0, series = 0, failed = false, hints = [] }, i): BlockMeta => ({
      ulid: String(i),
      minMs: range[0],
      endMs: range[1],
      stats: { ...EMPTY_STATS, seriesCount: series, tombstoneCount: tombstones },
      compaction: { level: 1, sources: [], deletable: false, parents: [], failed, hints },
    }),
  );
  return planCompaction(metas, RANGES).map((ulid) => given[Number(ulid)]!.range);
}

describe('compaction ranges', () => {
  test('grow by three up to the largest block', () => {
    const hour = 3_600_000;
    expect(compactionRanges(2 * hour, 31 * 24 * hour).map((ms) => ms / hour)).toEqual([
      2, 6, 18, 54, 162, 486,
    ]);
    expect(compactionRanges(2 * hour, 2 * hour)).toEqual([2 * hour]);
    expect(compactionRanges(2 * hour, hour)).toEqual([2 * hour]);
  });
});

describe('the plan', () => {
  test.each<{ name: string; blocks: Given[]; expected: (readonly [number, number])[] }>([
    { name: 'nothing for no block', blocks: [], expected: [] },
    { name: 'nothing for one', blocks: [{ range: [0, 20] }], expected: [] },
    {
      name: 'nothing while the newest is needed to fill the range',
      blocks: [{ range: [0, 20] }, { range: [20, 40] }, { range: [40, 60] }],
      expected: [],
    },
    {
      name: 'a full range once there is one behind it',
      blocks: [{ range: [0, 20] }, { range: [20, 40] }, { range: [40, 60] }, { range: [60, 80] }],
      expected: [
        [0, 20],
        [20, 40],
        [40, 60],
      ],
    },
    {
      name: 'a range with a gap once two are behind it',
      blocks: [{ range: [0, 20] }, { range: [40, 60] }, { range: [60, 80] }, { range: [80, 100] }],
      expected: [
        [0, 20],
        [40, 60],
      ],
    },
    {
      name: 'not a range with a gap at its end while it may still be filled',
      blocks: [{ range: [0, 20] }, { range: [20, 40] }, { range: [60, 80] }],
      expected: [],
    },
    {
      name: 'a range that begins with a gap, up to the newest but one',
      blocks: [{ range: [20, 40] }, { range: [40, 60] }, { range: [60, 80] }, { range: [80, 100] }],
      expected: [
        [20, 40],
        [40, 60],
      ],
    },
    {
      name: 'the next larger size',
      blocks: [
        { range: [0, 60] },
        { range: [60, 120] },
        { range: [120, 180] },
        { range: [180, 200] },
      ],
      expected: [
        [0, 60],
        [60, 120],
        [120, 180],
      ],
    },
    {
      name: 'small ranges before large ones',
      blocks: [
        { range: [0, 60] },
        { range: [60, 120] },
        { range: [120, 140] },
        { range: [140, 160] },
        { range: [160, 180] },
        { range: [180, 200] },
      ],
      expected: [
        [120, 140],
        [140, 160],
        [160, 180],
      ],
    },
    {
      name: 'aligned also before the epoch',
      blocks: [
        { range: [-60, -40] },
        { range: [-40, -20] },
        { range: [-20, 0] },
        { range: [0, 20] },
      ],
      expected: [
        [-60, -40],
        [-40, -20],
        [-20, 0],
      ],
    },
    {
      name: 'no block that lies across a border of the range',
      blocks: [{ range: [10, 30] }, { range: [50, 70] }, { range: [70, 90] }, { range: [90, 110] }],
      expected: [],
    },
    {
      name: 'no range with a block that failed',
      blocks: [
        { range: [0, 20] },
        { range: [20, 40], failed: true },
        { range: [40, 60] },
        { range: [60, 80] },
      ],
      expected: [],
    },
    {
      name: 'overlapping blocks first, the newest included, in any order',
      blocks: [
        { range: [60, 80] },
        { range: [0, 20] },
        { range: [20, 40] },
        { range: [40, 60] },
        { range: [70, 90] },
      ],
      expected: [
        [60, 80],
        [70, 90],
      ],
    },
    {
      name: 'a whole run of overlapping blocks, but not the next run',
      blocks: [
        { range: [0, 50] },
        { range: [10, 20] },
        { range: [30, 60] },
        { range: [55, 70] },
        { range: [70, 90] },
        { range: [80, 100] },
      ],
      expected: [
        [0, 50],
        [10, 20],
        [30, 60],
        [55, 70],
      ],
    },
    {
      name: 'a large block with deletions for more than a twentieth of its series',
      blocks: [{ range: [0, 540], series: 100, tombstones: 6 }, { range: [540, 560] }],
      expected: [[0, 540]],
    },
    {
      name: 'not with fewer',
      blocks: [{ range: [0, 540], series: 100, tombstones: 5 }, { range: [540, 560] }],
      expected: [],
    },
    {
      name: 'not a small block with some deletions',
      blocks: [{ range: [0, 60], series: 100, tombstones: 99 }, { range: [60, 80] }],
      expected: [],
    },
    {
      name: 'a small block of which every series has deletions',
      blocks: [{ range: [0, 60], series: 100, tombstones: 100 }, { range: [60, 80] }],
      expected: [[0, 60]],
    },
    {
      name: 'never the newest for its deletions',
      blocks: [{ range: [0, 540], series: 10, tombstones: 10 }],
      expected: [],
    },
    {
      name: 'partial blocks only with their own kind',
      blocks: [
        { range: [0, 20] },
        { range: [10, 20], hints: ['from-stale-series'] },
        { range: [15, 30], hints: ['from-stale-series'] },
        { range: [20, 40] },
      ],
      expected: [
        [10, 20],
        [15, 30],
      ],
    },
    {
      name: 'out-of-order blocks with the others',
      blocks: [{ range: [0, 20] }, { range: [0, 20], hints: ['from-out-of-order'] }],
      expected: [
        [0, 20],
        [0, 20],
      ],
    },
  ])('is $name', ({ blocks, expected }) => {
    expect(plan(...blocks)).toEqual(expected);
  });
});
