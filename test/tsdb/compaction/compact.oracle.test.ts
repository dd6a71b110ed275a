/**
 * The same blocks compacted by us and by a real server until nothing is left to do: the same blocks come
 * out, of blocks put together by hand and of blocks in random order: with gaps, overlaps, deletions,
 * hints and failures. A server first compacts a minute after its start, so this runs only when asked.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { listBlocks, removeBlock } from '../../../tsdb/block/block-directory.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { newCompaction, readMeta } from '../../../tsdb/block/meta-json.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { UlidSource } from '../../../tsdb/block/ulid.ts';
import { compactBlocks } from '../../../tsdb/compaction/compact.ts';
import { compactionRanges, planCompaction } from '../../../tsdb/compaction/plan.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { sourceOf } from '../support/blocks.ts';
import { PROMETHEUS, PROMETHEUS_VERSION, startServer } from '../support/tools.ts';

const HOUR_MS = 3_600_000;
/** Where ranges of all sizes begin. */
const START_MS = Math.floor(1_761_955_200_000 / (162 * HOUR_MS)) * 162 * HOUR_MS;
const WAIT_MS_MAX = 150_000;
const WAIT_MS_MIN = 75_000;
const RANDOM_COUNT = 6;
const HINTS = ['from-out-of-order', 'from-stale-series', 'from-selected-series'];
/** Older servers do not know all hints. */
const IS_EXACT = PROMETHEUS_VERSION.startsWith('3.14.');

const isAsked = process.env['NARTHEX_REQUIRE'] !== undefined;
if (!isAsked) {
  console.info('skipped: compaction by a real server takes two minutes (set NARTHEX_REQUIRE)');
}

const ulids = new UlidSource();

type Given = {
  readonly fromHour: number;
  readonly toHour: number;
  /** Of its five series. */
  readonly deletedFrom?: number;
  readonly hint?: string;
  readonly failed?: boolean;
};

type Scene = { readonly blocks: readonly Given[]; readonly maxHours: number };

function write(directory: string, given: Given): void {
  const { fromHour, toHour, deletedFrom = 0, hint, failed = false } = given;
  const ulid = ulids.next(Date.now());
  const minMs = START_MS + fromHour * HOUR_MS;
  const endMs = START_MS + toHour * HOUR_MS;
  const stepMs = Math.floor((endMs - minMs) / 200);
  const source = sourceOf(
    ['a', 'b', 'c', 'd', 'e'].map((s) => ({
      labels: Labels.fromObject({ __name__: 'm', s }),
      samples: Array.from({ length: 200 }, (_, i) => [minMs + stepMs * i, i] as const),
    })),
  );
  const compaction = { ...newCompaction(ulid, hint === undefined ? [] : [hint]), failed };
  const meta = { ulid, minMs, endMs, compaction };
  writeBlock({ files: NODE_FILES, dataDirectory: directory, source, meta });
  if (deletedFrom === 0) return;
  const block = Block.open(NODE_FILES, `${directory}/${ulid}`, new WindowCache());
  const tombstones = new Tombstones();
  for (const ref of [...block.index.allPostings()].slice(0, deletedFrom)) {
    tombstones.add(ref, minMs, minMs + 1000);
  }
  block.setTombstones(tombstones);
  block.close();
}

const hours = (fromHour: number, toHour = fromHour + 2): Given => ({ fromHour, toHour });

const BY_HAND: Scene = {
  maxHours: 31 * 24,
  blocks: [
    ...Array.from({ length: 12 }, (_, i) => hours(2 * i)),
    hours(5, 7), // overlaps two
    ...[26, 30, 40, 46, 48, 60].map((hour) => hours(hour)), // with gaps
    ...[36, 44].map((hour) => ({ ...hours(hour), deletedFrom: 5 })),
  ],
};

/** Blocks one after the other, and sometimes over one another. */
const randomScene: fc.Arbitrary<Scene> = fc.record({
  maxHours: fc.constantFrom(36, 54, 31 * 24),
  blocks: fc
    .array(
      fc.record({
        size: fc.constantFrom(2, 2, 2, 2, 6, 6, 18, 54),
        gap: fc.constantFrom(0, 0, 0, 0, 2, 6),
        offset: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1),
        overlaps: fc.constantFrom(false, false, false, false, false, false, true),
        deletedFrom: fc.constantFrom(0, 0, 0, 1, 3, 5),
        failed: fc.constantFrom(false, false, false, false, false, false, true),
        hint: fc.constantFrom(undefined, undefined, undefined, undefined, ...HINTS),
      }),
      { minLength: 6, maxLength: 25 },
    )
    .map((steps) => {
      let hour = 0;
      return steps.map(({ size, gap, offset, overlaps, ...rest }): Given => {
        const fromHour = Math.ceil((hour + gap) / size) * size + offset;
        if (!overlaps) hour = fromHour - offset + size;
        return { ...rest, fromHour, toHour: fromHour + size };
      });
    }),
});

/** What the blocks are, but for their names. */
function describeBlocks(directory: string): string[] {
  return listBlocks(NODE_FILES, directory)
    .map((ulid) => readMeta(NODE_FILES, `${directory}/${ulid}`))
    .map(({ minMs, endMs, stats, compaction }) => {
      const { level, sources, parents, hints, failed } = compaction;
      const times = `${(minMs - START_MS) / HOUR_MS}-${(endMs - START_MS) / HOUR_MS} h`;
      const origin = `level ${level}, ${sources.length} sources, ${parents.length} parents`;
      const content = `${stats.sampleCount} samples, ${stats.chunkCount} chunks`;
      return `${times}: ${origin}, ${content}, ${stats.tombstoneCount} deleted, ${hints.join()} ${failed}`;
    })
    .sort();
}

function compactAll(directory: string, maxHours: number): void {
  const ranges = compactionRanges(2 * HOUR_MS, maxHours * HOUR_MS);
  for (;;) {
    const metas = listBlocks(NODE_FILES, directory).map((ulid) =>
      readMeta(NODE_FILES, `${directory}/${ulid}`),
    );
    const parents = planCompaction(metas, ranges);
    if (parents.length === 0) return;
    const ulid = ulids.next(Date.now());
    compactBlocks({ files: NODE_FILES, dataDirectory: directory, parents, ulid });
    for (const parent of parents) removeBlock(NODE_FILES, directory, parent);
  }
}

/** Hands the blocks in `directory` to a real server until they are as expected, or too long. */
async function letServerCompact(
  directory: string,
  maxHours: number,
  expected: readonly string[],
): Promise<void> {
  const server = await startServer(
    PROMETHEUS!,
    directory,
    '--storage.tsdb.min-block-duration=2h',
    `--storage.tsdb.max-block-duration=${maxHours}h`,
  );
  try {
    const start = performance.now();
    const isDone = () => describeBlocks(directory).join() === expected.join();
    while (performance.now() - start < WAIT_MS_MAX) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      // Where nothing is to be done, that must be seen to be so.
      if (performance.now() - start > WAIT_MS_MIN && isDone()) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 3000));
  } finally {
    await server.stop();
  }
}

test.skipIf(!isAsked || PROMETHEUS === null)(
  'we compact as a real server does',
  async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'narthex-compact-'));
    const scenes = IS_EXACT ? [BY_HAND, ...fc.sample(randomScene, RANDOM_COUNT)] : [BY_HAND];
    try {
      const ends = scenes.map(async ({ blocks, maxHours }, i) => {
        const [ours, theirs] = [`${root}/${i}/ours`, `${root}/${i}/theirs`];
        mkdirSync(ours, { recursive: true });
        for (const block of blocks) write(ours, block);
        cpSync(ours, theirs, { recursive: true });
        compactAll(ours, maxHours);
        const expected = describeBlocks(ours);
        await letServerCompact(theirs, maxHours, expected);
        expect(describeBlocks(theirs), JSON.stringify({ maxHours, blocks })).toEqual(expected);
        return expected.length;
      });
      const counts = await Promise.all(ends);
      expect(counts[0]).toBeLessThan(8);
      const given = scenes.map(({ blocks }) => blocks.length);
      console.info(`blocks ${given.join(', ')} became ${counts.join(', ')}`);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
  WAIT_MS_MAX + 60_000,
);
